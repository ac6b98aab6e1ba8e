//! Receiving values, and closing the connection on messages that are not JSON.

use std::future::Future;
#[cfg(not(target_family = "wasm"))]
use std::ops::ControlFlow;

use serde::de::DeserializeOwned;
#[cfg(not(target_family = "wasm"))]
use ws_tokio::Outbox;
use ws_tokio::{CloseCode, Connection, MessageRef, RecvHalf};

use crate::duplex::Duplex;
use crate::error::Error;
use crate::json::Json;

impl<C: Receive> Json<C> {
    /// Receives the next value from a [`Connection`] or a [`RecvHalf`]; `None` as for [`Connection::recv`].
    ///
    /// It is parsed in the read buffer. For types that borrow from the buffer, see [`run`](Self::run).
    ///
    /// # Errors
    /// [`Error::Connection`] as for [`Connection::recv`]. [`Error::Syntax`] and [`Error::Binary`] close the connection,
    /// and are returned after the close frame was written, or after [`Settings::close_timeout`](ws_tokio::Settings).
    /// [`Error::Shape`] leaves it open.
    ///
    /// # Cancel safety
    /// This method is cancel-safe: if dropped, no message is lost. If it is dropped while it closes the connection on a
    /// message that is not JSON, the next call continues, and returns [`ws_tokio::Error::Failed`].
    pub async fn recv<T: DeserializeOwned>(&mut self) -> Result<Option<T>, Error> {
        match self.0.recv_with(|message| Json(message).parse()).await? {
            Some(Err(error)) => Err(refuse(&mut self.0, error).await),
            parsed => parsed.transpose(),
        }
    }

    /// Calls `handler` for every message, with an outbox for replies, as [`Connection::run`] does, until the connection
    /// ends or the handler fails. If it fails with [`Error::Syntax`] or [`Error::Binary`], the connection is closed as
    /// in [`recv`](Self::recv).
    ///
    /// ```
    /// use serde::Deserialize;
    /// use ws_json::Json;
    ///
    /// #[derive(Deserialize)]
    /// struct Order<'m> {
    ///     item: &'m str,
    ///     pieces: u32,
    /// }
    ///
    /// # async fn example<S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin>(
    /// #     connection: ws_tokio::Connection<S>,
    /// # ) -> Result<(), ws_json::Error> {
    /// let mut json = Json(connection);
    /// json.run(|message, mut outbox| {
    ///     let order: Order<'_> = message.parse()?;
    ///     outbox.send(&(order.item, order.pieces))
    /// })
    /// .await
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`recv`](Self::recv), or the handler's own error.
    ///
    /// # Cancel safety
    /// As [`recv`](Self::recv); what the handler sent stays queued.
    #[cfg(not(target_family = "wasm"))]
    pub async fn run<H>(&mut self, mut handler: H) -> Result<(), Error>
    where
        H: FnMut(Json<MessageRef<'_>>, Json<&mut Outbox<'_>>) -> Result<(), Error>,
    {
        let ran = self.0.run(|message, outbox| match handler(Json(message), Json(outbox)) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => ControlFlow::Break(error),
        });
        match ran.await? {
            None => Ok(()),
            Some(error) => Err(refuse(&mut self.0, error).await),
        }
    }
}

/// Closes the connection on a message that violates the protocol.
async fn refuse<C: Receive>(source: &mut C, error: Error) -> Error {
    if let Some((code, reason)) = error.refusal() {
        source.fail(code, reason);
        // No more messages arrive: this is the end, and the error is known.
        _ = source.recv_with(|_| ()).await;
    }
    error
}

/// A receiver: a connection or a receiving half.
pub trait Receive {
    #[doc(hidden)]
    fn recv_with<R>(
        &mut self,
        read: impl FnOnce(MessageRef<'_>) -> R,
    ) -> impl Future<Output = Result<Option<R>, ws_tokio::Error>>;

    #[cfg(not(target_family = "wasm"))]
    #[doc(hidden)]
    fn run<B>(
        &mut self,
        handler: impl FnMut(MessageRef<'_>, &mut Outbox<'_>) -> ControlFlow<B>,
    ) -> impl Future<Output = Result<Option<B>, ws_tokio::Error>>;

    /// Fails the connection with this crate's code and reason.
    #[doc(hidden)]
    fn fail(&mut self, code: CloseCode, reason: &'static str);
}

macro_rules! receive {
    ($($source:ident),*) => {$(
        impl<S: Duplex> Receive for $source<S> {
            fn recv_with<R>(
                &mut self,
                read: impl FnOnce(MessageRef<'_>) -> R,
            ) -> impl Future<Output = Result<Option<R>, ws_tokio::Error>> {
                self.recv_with(read)
            }

            #[cfg(not(target_family = "wasm"))]
            fn run<B>(
                &mut self,
                handler: impl FnMut(MessageRef<'_>, &mut Outbox<'_>) -> ControlFlow<B>,
            ) -> impl Future<Output = Result<Option<B>, ws_tokio::Error>> {
                self.run(handler)
            }

            fn fail(&mut self, code: CloseCode, reason: &'static str) {
                self.fail(code, reason).expect("a code that may be sent, and a short reason");
            }
        }
    )*};
}
receive!(Connection, RecvHalf);
