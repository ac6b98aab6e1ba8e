//! The sending side for code that can't wait.

use std::fmt;

use ws_core::{
    CloseCode, CloseFrame, MessageKind, MessageRef, PayloadWriter, Pool, PreparedMessage, Utf8Bytes,
};

use super::outbound::Outbound;
use super::pings::Ping;
use super::pool::ThreadPool;
use crate::error::Error;

/// The sending side of a connection, for code that can't wait. [`Connection::run`](crate::Connection::run) passes one
/// to its handler, and [`Connection::outbox`](crate::Connection::outbox) returns one.
///
/// A handler's replies are written together, after everything that arrived in one read was handled.
pub struct Outbox<'a>(Way<'a>);

/// How to access the send queue.
enum Way<'a> {
    Owned(&'a mut Outbound),
    /// Halves of a split connection: locked for each call, never while the handler runs.
    Locked(&'a dyn Locked),
}

/// A send queue behind a lock.
pub(crate) trait Locked {
    fn with_outbound(&self, act: &mut dyn FnMut(&mut Outbound));
}

impl<'a> Outbox<'a> {
    pub(crate) const fn new(outbound: &'a mut Outbound) -> Self {
        Self(Way::Owned(outbound))
    }

    pub(crate) const fn locked(outbound: &'a dyn Locked) -> Self {
        Self(Way::Locked(outbound))
    }

    /// Queues a message. The queue may exceed its limit ([`Settings::queue_limit`](crate::Settings), 1 MiB); the
    /// handler is not called again until it is below the limit.
    ///
    /// # Errors
    /// [`Error::Send`] after a close frame was sent, or while another half streams a message with a
    /// [`writer`](crate::SendHalf::writer), since a handler can't wait for it. [`Error::Io`] if the transport failed.
    #[inline]
    pub fn send<'m>(&mut self, message: impl Into<MessageRef<'m>>) -> Result<(), Error> {
        let message = message.into();
        self.with(|outbound| outbound.message(message))
    }

    /// Queues a message whose payload `fill` writes directly into the send queue, for payloads that have to be
    /// serialised anyway. Text must be UTF-8; otherwise the peer closes the connection with 1007.
    ///
    /// The queue of a split connection is not locked while `fill` runs: `fill` writes into a buffer of the thread's
    /// pool, and the message is copied from there.
    ///
    /// ```
    /// # use std::io::{self, Write};
    /// # fn tell(mut outbox: ws_tokio::Outbox<'_>, price: f64) -> Result<(), ws_tokio::Error> {
    /// use ws_tokio::MessageKind;
    ///
    /// outbox.send_with(MessageKind::Text, |payload| Ok(write!(payload, "{price:.2}")?))
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`send`](Self::send), or the error of `fill`; nothing is queued then.
    pub fn send_with<E: From<Error>>(
        &mut self,
        kind: MessageKind,
        fill: impl FnOnce(&mut PayloadWriter<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        if let Way::Owned(outbound) = &mut self.0 {
            return outbound.message_with(kind, fill);
        }
        let mut payload = ThreadPool.take();
        let filled = PayloadWriter::fill(&mut payload, fill);
        let sent = filled.and_then(|()| {
            let copy = |writer: &mut PayloadWriter<'_>| {
                writer.extend_from_slice(&payload);
                Ok(())
            };
            self.with(|outbound| outbound.message_with(kind, copy))
        });
        ThreadPool.give(payload);
        sent
    }

    /// Queues a message that was prepared for several connections, as [`send`](Self::send) does.
    ///
    /// # Errors
    /// As for [`send`](Self::send).
    pub fn send_prepared(&mut self, message: &PreparedMessage) -> Result<(), Error> {
        self.with(|outbound| outbound.prepared(message))
    }

    /// Queues a ping, even while another half streams a message. The returned future resolves when the pong is read, so
    /// the handler can't await it, but another task can:
    ///
    /// ```
    /// # async fn example<S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin>(
    /// #     mut connection: ws_tokio::Connection<S>,
    /// # ) -> Result<(), ws_tokio::Error> {
    /// connection
    ///     .run(|_message, outbox| {
    ///         let ping = outbox.ping()?;
    ///         tokio::spawn(async move {
    ///             if let Ok(round_trip) = ping.await {
    ///                 println!("{} ms", round_trip.as_millis());
    ///             }
    ///         });
    ///         Ok(())
    ///     })
    ///     .await
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`Connection::ping`](crate::Connection::ping).
    pub fn ping(&mut self) -> Result<Ping, Error> {
        self.with(Outbound::ping)
    }

    /// Queues a close frame, unless one was already queued. The handler is still called for messages that arrive before
    /// the peer's close frame.
    ///
    /// # Errors
    /// [`Error::Send`] if the code may not be sent or the reason is longer than 123 bytes; nothing is sent then.
    pub fn close(&mut self, code: CloseCode, reason: impl Into<Utf8Bytes>) -> Result<(), Error> {
        let frame = CloseFrame::new(code, reason)?;
        self.with(|outbound| outbound.close(Some(frame.clone())));
        Ok(())
    }

    /// Returns the number of queued bytes that have not been written yet.
    #[must_use]
    pub fn queued(&mut self) -> usize {
        self.with(|outbound| outbound.queued())
    }

    #[inline]
    fn with<R>(&mut self, mut act: impl FnMut(&mut Outbound) -> R) -> R {
        match &mut self.0 {
            Way::Owned(outbound) => act(outbound),
            Way::Locked(locked) => {
                let mut result = None;
                locked.with_outbound(&mut |outbound| result = Some(act(outbound)));
                result.expect("a lock calls what it was given")
            }
        }
    }
}

impl fmt::Debug for Outbox<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Outbox")
    }
}
