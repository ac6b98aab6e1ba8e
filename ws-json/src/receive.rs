//! Receiving values, and telling the peer what was no JSON.

use std::future::Future;
use std::ops::ControlFlow;

use serde::de::DeserializeOwned;
use tokio::io::{AsyncRead, AsyncWrite};
use ws_tokio::{CloseCode, Connection, MessageRef, Outbox, RecvHalf};

use crate::error::Error;
use crate::json::Json;

impl<C: Receive> Json<C> {
    /// Receives the next value from a [`Connection`] or a [`RecvHalf`]; `None` as [`Connection::recv`].
    ///
    /// It is parsed in the buffer that it arrived in. For a type that borrows from there, see [`run`](Self::run).
    ///
    /// # Errors
    /// [`Error::Connection`] as there. [`Error::Syntax`] and [`Error::Binary`] close the connection; once they are
    /// returned, the peer was told, or didn't listen for [`Settings::close_timeout`](ws_tokio::Settings).
    /// [`Error::Shape`] leaves it open.
    ///
    /// # Cancel safety
    /// This method is cancel-safe: if dropped, no message is lost. If dropped while the peer is told that its message was
    /// no JSON, the next call goes on with that, and is [`ws_tokio::Error::Failed`].
    pub async fn recv<T: DeserializeOwned>(&mut self) -> Result<Option<T>, Error> {
        match self.0.recv_with(|message| Json(message).parse()).await? {
            Some(Err(error)) => Err(refuse(&mut self.0, error).await),
            parsed => parsed.transpose(),
        }
    }

    /// Calls `handler` for every message with an outbox for replies, as [`Connection::run`], until the connection ends or
    /// the handler fails. Where it fails with [`Error::Syntax`] or [`Error::Binary`], that closes the connection as in
    /// [`recv`](Self::recv).
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
    /// As [`recv`](Self::recv), and what the handler failed with.
    ///
    /// # Cancel safety
    /// As [`recv`](Self::recv); what the handler sent is queued.
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

/// Sees to it that the peer is told of a message that is no part of the protocol.
async fn refuse<C: Receive>(source: &mut C, error: Error) -> Error {
    if let Some((code, reason)) = error.refusal() {
        source.fail(code, reason);
        // No message comes any more: this is the end, which is known.
        _ = source.recv_with(|_| ()).await;
    }
    error
}

/// What messages are received from.
pub trait Receive {
    #[doc(hidden)]
    fn recv_with<R>(
        &mut self,
        read: impl FnOnce(MessageRef<'_>) -> R,
    ) -> impl Future<Output = Result<Option<R>, ws_tokio::Error>>;

    #[doc(hidden)]
    fn run<B>(
        &mut self,
        handler: impl FnMut(MessageRef<'_>, &mut Outbox<'_>) -> ControlFlow<B>,
    ) -> impl Future<Output = Result<Option<B>, ws_tokio::Error>>;

    /// With a code and a reason of this crate's.
    #[doc(hidden)]
    fn fail(&mut self, code: CloseCode, reason: &'static str);
}

macro_rules! receive {
    ($($source:ident),*) => {$(
        impl<S: AsyncRead + AsyncWrite + Unpin> Receive for $source<S> {
            fn recv_with<R>(
                &mut self,
                read: impl FnOnce(MessageRef<'_>) -> R,
            ) -> impl Future<Output = Result<Option<R>, ws_tokio::Error>> {
                self.recv_with(read)
            }

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
