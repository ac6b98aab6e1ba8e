//! Where a handler's replies go.

use std::fmt;

use ws_core::{
    CloseCode, CloseFrame, MessageKind, MessageRef, PayloadWriter, Pool, PreparedMessage, Utf8Bytes,
};

use super::outbound::Outbound;
use super::pings::Ping;
use super::pool::ThreadPool;
use crate::error::Error;

/// The sending side of a connection, for code that doesn't wait: [`Connection::run`](crate::Connection::run) lends it to
/// its handler, [`Connection::outbox`](crate::Connection::outbox) to anybody.
///
/// What a handler puts in leaves in one write, once all that one read brought is handled.
pub struct Outbox<'a>(Way<'a>);

/// How the send queue is reached.
enum Way<'a> {
    Owned(&'a mut Outbound),
    /// Between the halves of a split connection: locked for each call, never while the handler runs.
    Locked(&'a dyn Locked),
}

/// A send queue under a lock.
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

    /// Queues a message. An outbox over its limit ([`Settings::queue_limit`](crate::Settings), 1 MiB) takes it all
    /// the same, and no further message is handled until enough of it was written.
    ///
    /// # Errors
    /// [`Error::Send`] after a close frame was sent, and while a message is streamed by another half's
    /// [`writer`](crate::SendHalf::writer): a handler can't wait for its turn. [`Error::Io`] where the transport failed.
    #[inline]
    pub fn send<'m>(&mut self, message: impl Into<MessageRef<'m>>) -> Result<(), Error> {
        let message = message.into();
        self.with(|outbound| outbound.message(message))
    }

    /// Queues a message whose payload `fill` writes, straight into the send queue behind a reserved header, for a payload
    /// that has to be serialised anyway. What it writes as text must be UTF-8: the peer would close the connection
    /// with 1007.
    ///
    /// Between the halves of a split connection the queue is locked, but never while `fill` runs: there it
    /// writes into a buffer of the thread's pool, from which the message is copied.
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
    /// As [`send`](Self::send), or what `fill` failed with; nothing is queued then.
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

    /// Queues a message that other connections are sent too, as [`send`](Self::send) one of its own.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub fn send_prepared(&mut self, message: &PreparedMessage) -> Result<(), Error> {
        self.with(|outbound| outbound.prepared(message))
    }

    /// Queues a ping, as [`send`](Self::send) a message; also while another half streams one. The returned future resolves
    /// once the pong is read, so that a handler can't wait for it: another task does.
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
    /// As [`Connection::ping`](crate::Connection::ping).
    pub fn ping(&mut self) -> Result<Ping, Error> {
        self.with(Outbound::ping)
    }

    /// Queues a close frame. The handler is still called for the messages that come before the peer's.
    ///
    /// # Errors
    /// [`Error::Send`] for a code that may not be sent or a reason of more than 123 bytes: nothing is sent then.
    pub fn close(&mut self, code: CloseCode, reason: impl Into<Utf8Bytes>) -> Result<(), Error> {
        let frame = CloseFrame::new(code, reason)?;
        self.with(|outbound| outbound.close(Some(frame.clone())));
        Ok(())
    }

    /// Bytes queued and not yet written.
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
