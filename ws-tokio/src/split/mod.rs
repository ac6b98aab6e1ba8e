//! A connection shared by several tasks: one receives, any number send.

mod closing;
mod facts;
mod lock;
mod recv_half;
mod send_half;

use std::fmt;
use std::sync::Arc;

use crate::connection::{Connection, State};
use lock::Split;
pub use recv_half::{CloseRead, RecvHalf};
pub use send_half::SendHalf;

impl<S> Connection<S> {
    /// Splits the connection into a receiving half and a sending half; clone the latter for each task that sends.
    /// Messages never interleave. There is no background task: pings are answered, and the peer's answer to
    /// [`SendHalf::close`] is read, only while the receiving half is polled.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let (connection, mut peer) = ws_tokio::pipe().await;
    /// # tokio::spawn(async move { peer.close(ws_tokio::CloseCode::NORMAL, "").await });
    /// use std::time::Duration;
    ///
    /// let (mut receiving, sending) = connection.split();
    /// let ticking = tokio::spawn(async move {
    ///     while sending.send("tick").await.is_ok() {
    ///         tokio::time::sleep(Duration::from_secs(1)).await;
    ///     }
    /// });
    /// while let Some(message) = receiving.recv().await? {
    ///     println!("{message:?}");
    /// }
    /// ticking.abort();
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn split(self) -> (RecvHalf<S>, SendHalf<S>) {
        let State { receiving, shared } = *self.into_state();
        let split = Arc::new(Split::new(shared));
        (RecvHalf::new(Box::new(receiving), split.clone()), SendHalf::new(split))
    }

    /// Stops receiving messages; the returned half can still send.
    ///
    /// The returned future must be polled: it answers pings, and completes with the result that [`recv`](Self::recv)
    /// would return. If the peer still sends a message, the connection is closed with 1008, and the future returns
    /// [`Error::UnexpectedMessage`](crate::Error).
    pub fn close_read(self) -> (SendHalf<S>, CloseRead<S>) {
        let (receiving, sending) = self.split();
        (sending, CloseRead::new(receiving))
    }
}

/// The error of [`RecvHalf::reunite`]; contains the halves.
pub struct ReuniteError<S>(pub RecvHalf<S>, pub SendHalf<S>);

impl<S> RecvHalf<S> {
    /// Reunites the halves of a connection.
    ///
    /// # Errors
    /// Returns the halves if they belong to different connections, or if there are other clones of the sending half.
    pub fn reunite(self, sending: SendHalf<S>) -> Result<Connection<S>, ReuniteError<S>> {
        if !Arc::ptr_eq(self.split(), sending.split()) || Arc::strong_count(self.split()) > 2 {
            return Err(ReuniteError(self, sending));
        }
        let (receiving, split) = self.into_parts();
        drop(sending);
        let split = Arc::into_inner(split).expect("these were its only two");
        let shared = split.into_shared();
        Ok(Connection::from_state(Box::new(State { receiving: *receiving, shared })))
    }
}

impl<S> fmt::Debug for ReuniteError<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ReuniteError")
    }
}

impl<S> fmt::Display for ReuniteError<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("these are not the only halves of one connection")
    }
}

impl<S> std::error::Error for ReuniteError<S> {}
