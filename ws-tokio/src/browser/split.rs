//! A connection shared by several tasks: one receives, any number send.

use std::fmt;
use std::future::poll_fn;
use std::marker::PhantomData;
use std::rc::Rc;

use ws_core::{
    CloseCode, CloseFrame, Message, MessageKind, MessageRef, PayloadWriter, Role, Utf8Bytes,
};

use super::connection::{Connection, filled};
use super::socket::{Socket, Transport};
use crate::error::Error;
#[cfg(feature = "stream")]
use crate::items::Items;

/// The receiving half of a [split](Connection::split) connection. After it is dropped, messages that arrive are dropped too.
pub struct RecvHalf<S = Transport> {
    socket: Rc<Socket>,
    #[cfg(feature = "stream")]
    pub(super) items: Items,
    over: PhantomData<fn() -> S>,
}

/// The sending half of a [split](Connection::split) connection; clone it for each task that sends. With the last half, the
/// WebSocket is closed.
pub struct SendHalf<S = Transport> {
    socket: Rc<Socket>,
    over: PhantomData<fn() -> S>,
}

impl<S> Connection<S> {
    /// Splits the connection into a receiving half and a sending half.
    #[must_use]
    pub fn split(self) -> (RecvHalf<S>, SendHalf<S>) {
        let sending = SendHalf { socket: self.socket.clone(), over: PhantomData };
        let receiving = RecvHalf {
            socket: self.socket,
            #[cfg(feature = "stream")]
            items: self.items,
            over: PhantomData,
        };
        (receiving, sending)
    }
}

macro_rules! facts {
    ($($half:ident),*) => {$(
        impl<S> $half<S> {
            pub(super) fn socket(&self) -> &Socket {
                &self.socket
            }

            /// Returns the role of this end: a browser's is always the client.
            #[must_use]
            pub const fn role(&self) -> Role {
                Role::Client
            }

            /// Returns the negotiated subprotocol.
            #[must_use]
            pub fn subprotocol(&self) -> Option<String> {
                Some(self.socket().subprotocol()).filter(|chosen| !chosen.is_empty())
            }

            /// Returns the number of bytes that the browser holds for sending (`bufferedAmount`).
            #[must_use]
            pub fn queued(&self) -> usize {
                self.socket().queued()
            }
        }

        impl<S> fmt::Debug for $half<S> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($half)).field("queued", &self.queued()).finish_non_exhaustive()
            }
        }
    )*};
}
facts!(RecvHalf, SendHalf);

impl<S> RecvHalf<S> {
    /// Receives the next message, as [`Connection::recv`] does.
    ///
    /// # Errors
    /// As for [`Connection::recv`].
    ///
    /// # Cancel safety
    /// This method is cancel-safe: if dropped, no message is lost.
    pub async fn recv(&mut self) -> Result<Option<Message>, Error> {
        poll_fn(|cx| self.socket().events.poll_message(cx)).await
    }

    /// Receives the next message and calls `read` with it, as [`Connection::recv_with`] does.
    ///
    /// # Errors
    /// As for [`recv`](Self::recv).
    ///
    /// # Cancel safety
    /// This method is cancel-safe: if dropped, no message is lost.
    pub async fn recv_with<R>(
        &mut self,
        read: impl FnOnce(MessageRef<'_>) -> R,
    ) -> Result<Option<R>, Error> {
        Ok(self.recv().await?.map(|message| read((&message).into())))
    }

    /// Fails the connection for all halves, as [`Connection::fail`] does.
    ///
    /// # Errors
    /// As for [`Connection::fail`].
    pub fn fail(&mut self, code: CloseCode, reason: impl Into<Utf8Bytes>) -> Result<(), Error> {
        self.socket().fail(code, reason)
    }

    /// Returns the peer's close frame, if it has arrived and has a code.
    #[must_use]
    pub fn close_frame(&self) -> Option<CloseFrame> {
        self.socket().events.close_frame().cloned()
    }

    /// Sets the maximum size of received messages, in bytes, from the next one that arrives.
    pub fn set_max_message(&mut self, bytes: usize) {
        self.socket().events.set_max_message(bytes);
    }
}

impl<S> SendHalf<S> {
    /// Sends a message, as [`Connection::send`] does.
    ///
    /// # Errors
    /// As for [`Connection::send`].
    ///
    /// # Cancel safety
    /// If dropped, the browser has the message either completely or not at all; the connection stays usable.
    pub async fn send(&self, message: impl Into<Message>) -> Result<(), Error> {
        self.feed(message).await
    }

    /// Gives a message to the browser, as [`Connection::feed`] does.
    ///
    /// # Errors
    /// As for [`send`](Self::send).
    ///
    /// # Cancel safety
    /// If dropped, the browser has the message either completely or not at all; the connection stays usable.
    pub async fn feed(&self, message: impl Into<Message>) -> Result<(), Error> {
        let mut message = Some(message.into());
        poll_fn(|cx| self.socket().poll_feed(cx, &mut message)).await
    }

    /// Sends a message whose payload `fill` writes, as [`Connection::feed_with`] does.
    ///
    /// # Errors
    /// As for [`send`](Self::send), or the error of `fill`; nothing is sent then.
    ///
    /// # Cancel safety
    /// If dropped, the browser has the message either completely or not at all; the connection stays usable.
    pub async fn feed_with<E: From<Error>>(
        &self,
        kind: MessageKind,
        fill: impl FnOnce(&mut PayloadWriter<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let message = filled(kind, fill)?;
        Ok(self.feed(message).await?)
    }

    /// Waits until the browser holds nothing, as [`Connection::flush`] does.
    ///
    /// # Errors
    /// As for [`Connection::flush`].
    ///
    /// # Cancel safety
    /// This method is cancel-safe.
    pub async fn flush(&self) -> Result<(), Error> {
        poll_fn(|cx| self.socket().poll_flush(cx)).await
    }

    /// Waits until a message of `len` bytes can be fed without waiting. The room isn't reserved: another task may use it first.
    ///
    /// # Errors
    /// As for [`send`](Self::send).
    ///
    /// # Cancel safety
    /// This method is cancel-safe.
    pub async fn ready(&self, len: usize) -> Result<(), Error> {
        poll_fn(|cx| self.socket().poll_room(cx, len)).await
    }

    /// Closes the connection, as [`Connection::close`] does; but the receiving half still receives what waits. It need not be
    /// polled meanwhile.
    ///
    /// # Errors
    /// As for [`Connection::close`].
    ///
    /// # Cancel safety
    /// If dropped, the close frame is sent, and its deadline keeps running. Call this again to continue.
    pub async fn close(&self, code: CloseCode, reason: impl Into<Utf8Bytes>) -> Result<(), Error> {
        let frame = CloseFrame::new(code, reason)?;
        self.socket().start_closing(&frame);
        poll_fn(|cx| self.socket().poll_closed(cx)).await
    }

    /// Ends the connection for all halves, as [`Connection::close_now`] does.
    pub fn close_now(&self) {
        self.socket().close_now();
    }
}

impl<S> Clone for SendHalf<S> {
    fn clone(&self) -> Self {
        Self { socket: self.socket.clone(), over: PhantomData }
    }
}

impl<S> Drop for RecvHalf<S> {
    fn drop(&mut self) {
        self.socket.events.stop_receiving();
    }
}
