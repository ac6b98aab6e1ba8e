//! A connection with a single owner.

use std::cell::OnceCell;
use std::fmt;
use std::future::{Future, poll_fn};
use std::marker::PhantomData;
use std::rc::Rc;

use ws_core::{
    CloseCode, CloseFrame, Message, MessageKind, MessageRef, PayloadWriter, Role, Utf8Bytes,
};

use super::socket::{Socket, Transport};
use crate::error::Error;
#[cfg(feature = "stream")]
use crate::items::Items;

/// A WebSocket connection of the browser's, made by [`connect`](crate::connect).
///
/// The browser receives, and answers pings, whether or not a receiving method is polled; what waits is bounded by
/// [`Settings::receive_limit`](crate::Settings::receive_limit). [`split`](Self::split) it to share it between tasks.
///
/// Dropping it closes the WebSocket without waiting.
pub struct Connection<S = Transport> {
    pub(super) socket: Rc<Socket>,
    /// Asked for at first use.
    subprotocol: OnceCell<String>,
    #[cfg(feature = "stream")]
    pub(super) items: Items,
    over: PhantomData<fn() -> S>,
}

impl<S> Connection<S> {
    pub(super) fn new(socket: Socket) -> Self {
        Self {
            socket: Rc::new(socket),
            subprotocol: OnceCell::new(),
            #[cfg(feature = "stream")]
            items: Items::default(),
            over: PhantomData,
        }
    }

    pub(super) fn socket(&self) -> &Socket {
        &self.socket
    }

    /// Receives the next message. Returns `None` after the peer closed the connection with 1000, 1001 or no code.
    ///
    /// # Errors
    /// [`Error::Closed`] if the peer closed with another code, [`Error::Cut`] if there was no closing handshake: the network, the
    /// peer or the browser cut it, which a page isn't told. [`Error::Protocol`] if a message was larger than
    /// [`Settings::max_message`](crate::Settings::max_message), [`Error::Overrun`] if more waited than
    /// [`Settings::receive_limit`](crate::Settings::receive_limit). The connection has then ended, and every further call returns
    /// the same error.
    ///
    /// # Cancel safety
    /// This method is cancel-safe: if dropped, no message is lost.
    pub fn recv(&mut self) -> impl Future<Output = Result<Option<Message>, Error>> {
        poll_fn(|cx| self.socket().events.poll_message(cx))
    }

    /// Receives the next message and calls `read` with it. Returns `None` as [`recv`](Self::recv) does.
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

    /// Sends a message: gives it to the browser, as [`feed`](Self::feed) does.
    ///
    /// # Errors
    /// [`Error::Send`] after this end or the peer closed, [`Error::Io`] if the browser could send nothing for
    /// [`Settings::write_timeout`](crate::Settings::write_timeout).
    ///
    /// # Cancel safety
    /// If dropped, the browser has the message either completely or not at all; the connection stays usable.
    pub fn send(&mut self, message: impl Into<Message>) -> impl Future<Output = Result<(), Error>> {
        self.feed(message)
    }

    /// Gives a message to the browser, which sends it at once. Waits while the browser holds more than
    /// [`Settings::queue_limit`](crate::Settings::queue_limit).
    ///
    /// # Errors
    /// As for [`send`](Self::send).
    ///
    /// # Cancel safety
    /// If dropped, the browser has the message either completely or not at all; the connection stays usable.
    pub fn feed(&mut self, message: impl Into<Message>) -> impl Future<Output = Result<(), Error>> {
        let mut message = Some(message.into());
        poll_fn(move |cx| self.socket().poll_feed(cx, &mut message))
    }

    /// Sends a message whose payload `fill` writes. Text must be UTF-8: what isn't is replaced.
    ///
    /// # Errors
    /// As for [`send`](Self::send), or the error of `fill`; nothing is sent then.
    ///
    /// # Cancel safety
    /// If dropped, the browser has the message either completely or not at all; the connection stays usable.
    pub async fn feed_with<E: From<Error>>(
        &mut self,
        kind: MessageKind,
        fill: impl FnOnce(&mut PayloadWriter<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let message = filled(kind, fill)?;
        Ok(self.feed(message).await?)
    }

    /// Waits until the browser holds nothing: it has given all to the network.
    ///
    /// # Errors
    /// [`Error::Io`] as for [`send`](Self::send), and how the connection ended if it did so before.
    ///
    /// # Cancel safety
    /// This method is cancel-safe.
    pub async fn flush(&mut self) -> Result<(), Error> {
        poll_fn(|cx| self.socket().poll_flush(cx)).await
    }

    /// Waits until a message of `len` bytes can be fed without waiting.
    ///
    /// # Errors
    /// As for [`send`](Self::send).
    ///
    /// # Cancel safety
    /// This method is cancel-safe.
    pub async fn ready(&mut self, len: usize) -> Result<(), Error> {
        poll_fn(|cx| self.socket().poll_room(cx, len)).await
    }

    /// Closes the connection: sends a close frame, drops messages that wait or still arrive, and waits for the peer's close frame,
    /// for at most [`Settings::close_timeout`](crate::Settings::close_timeout).
    ///
    /// A page may send only 1000 and 3000 to 4999: any other code goes out 3000 higher, 1001 as 4001.
    ///
    /// # Errors
    /// [`Error::Send`] if the code may not be sent or the reason is longer than 123 bytes; nothing is sent then.
    /// [`Error::CloseTimeout`] if the peer doesn't answer in time. Otherwise as for [`recv`](Self::recv), except that the peer's
    /// close code is never an error.
    ///
    /// # Cancel safety
    /// If dropped, the close frame is sent, and its deadline keeps running. Call this again, or [`recv`](Self::recv), to continue.
    pub async fn close(
        &mut self,
        code: CloseCode,
        reason: impl Into<Utf8Bytes>,
    ) -> Result<(), Error> {
        let frame = CloseFrame::new(code, reason)?;
        self.socket().start_closing(&frame);
        self.socket().events.stop_receiving();
        poll_fn(|cx| self.socket().poll_closed(cx)).await
    }

    /// Fails the connection because the peer violated the application's own protocol. What waits to be received is dropped, and
    /// receiving returns [`Error::Failed`]. The code goes out as for [`close`](Self::close).
    ///
    /// # Errors
    /// [`Error::Send`] if the code may not be sent or the reason is longer than 123 bytes; this has no effect then.
    pub fn fail(&mut self, code: CloseCode, reason: impl Into<Utf8Bytes>) -> Result<(), Error> {
        self.socket().fail(code, reason)
    }

    /// Ends the connection without waiting. Receiving then returns [`Error::Cut`], unless the connection had already ended.
    pub fn close_now(&mut self) {
        self.socket().close_now();
    }

    /// Returns the role of this end: a browser's is always the client.
    #[must_use]
    pub const fn role(&self) -> Role {
        Role::Client
    }

    /// Returns the negotiated subprotocol.
    #[must_use]
    pub fn subprotocol(&self) -> Option<&str> {
        let chosen = self.subprotocol.get_or_init(|| self.socket().subprotocol());
        Some(&**chosen).filter(|chosen| !chosen.is_empty())
    }

    /// Returns the peer's close frame, if it has arrived and has a code.
    #[must_use]
    pub fn close_frame(&self) -> Option<&CloseFrame> {
        self.socket().events.close_frame()
    }

    /// Returns the number of bytes that the browser holds for sending (`bufferedAmount`). They stay what they are when the
    /// connection ends.
    #[must_use]
    pub fn queued(&self) -> usize {
        self.socket().queued()
    }

    /// Sets the maximum size of received messages, in bytes, from the next one that arrives.
    pub fn set_max_message(&mut self, bytes: usize) {
        self.socket().events.set_max_message(bytes);
    }
}

/// Makes a message of what `fill` writes.
pub(super) fn filled<E>(
    kind: MessageKind,
    fill: impl FnOnce(&mut PayloadWriter<'_>) -> Result<(), E>,
) -> Result<Message, E> {
    let mut payload = Vec::new();
    PayloadWriter::fill(&mut payload, fill)?;
    Ok(match kind {
        MessageKind::Binary => Message::binary(payload),
        MessageKind::Text => Message::text(match String::from_utf8(payload) {
            Ok(text) => text,
            Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
        }),
    })
}

impl<S> fmt::Debug for Connection<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("queued", &self.queued()).finish_non_exhaustive()
    }
}
