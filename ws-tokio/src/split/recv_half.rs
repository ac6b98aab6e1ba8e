//! The receiving half of a split connection.

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite};
use ws_core::{CloseCode, CloseFrame, DecodeError, Message, MessageKind, MessageRef, Utf8Bytes};

use super::lock::{Locking, Split};
use crate::error::Error;
#[cfg(feature = "stream")]
use crate::items::Items;
use crate::machine::{
    Counters, Inbound, Link, Outbox, Outcome, Progress, Receives, Receiving, Waiter, Want, handle,
    recv_into, recv_with,
};

/// The receiving half of a [split](crate::Connection::split) connection.
///
/// While it is polled, pings are answered, and pongs resolve the pings of all halves. After it is dropped, nothing is
/// read until a sending half closes the connection.
pub struct RecvHalf<S> {
    /// `Some` until the half is taken apart or dropped.
    receiving: Option<Box<Receiving>>,
    split: Arc<Split<S>>,
    waiter: Waiter,
}

/// Why `receiving` is `Some`.
const THERE: &str = "there until the half is gone";

impl<S> RecvHalf<S> {
    pub(super) fn new(receiving: Box<Receiving>, split: Arc<Split<S>>) -> Self {
        Self { receiving: Some(receiving), split, waiter: Waiter::default() }
    }

    pub(super) fn into_parts(mut self) -> (Box<Receiving>, Arc<Split<S>>) {
        (self.receiving.take().expect(THERE), self.split.clone())
    }

    pub(crate) fn inbound(&mut self) -> &mut Inbound {
        &mut self.receiving.as_mut().expect(THERE).inbound
    }

    #[cfg(feature = "stream")]
    pub(crate) fn items(&mut self) -> &mut Items {
        &mut self.receiving.as_mut().expect(THERE).items
    }

    #[cfg(feature = "stream")]
    pub(crate) fn has_given_its_end(&self) -> bool {
        self.receiving.as_ref().expect(THERE).items.has_ended()
    }

    fn parts(&mut self) -> (&mut Receiving, Locking<'_, S>) {
        let Self { receiving, split, waiter } = self;
        (receiving.as_mut().expect(THERE), Locking { split, waiter, want: Want::Message })
    }

    pub(super) const fn split(&self) -> &Arc<Split<S>> {
        &self.split
    }

    /// Returns the peer's close frame, if it has arrived and has a code.
    #[must_use]
    pub fn close_frame(&self) -> Option<CloseFrame> {
        self.split.with(|inner| inner.shared.close_frame().cloned())
    }

    /// Returns the traffic so far, as [`Connection::counters`](crate::Connection::counters) does.
    #[must_use]
    pub fn counters(&self) -> Option<Counters> {
        let found = self.receiving.as_ref().expect(THERE).inbound.counts();
        self.split.with(|inner| inner.shared.counters(found))
    }

    /// Sets the maximum size of received messages, in bytes, from the next message on.
    pub fn set_max_message(&mut self, bytes: usize) {
        self.inbound().set_max_message(bytes);
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> RecvHalf<S> {
    /// Receives the next message, as [`Connection::recv`](crate::Connection::recv) does.
    ///
    /// # Errors
    /// As for [`Connection::recv`](crate::Connection::recv).
    ///
    /// # Cancel safety
    /// This method is cancel-safe: if dropped, no message is lost.
    pub async fn recv(&mut self) -> Result<Option<Message>, Error> {
        poll_fn(|cx| self.poll_recv(cx)).await
    }

    /// Receives the next message into `buffer`, as [`Connection::recv_into`](crate::Connection::recv_into) does.
    ///
    /// # Errors
    /// As for [`recv`](Self::recv).
    ///
    /// # Cancel safety
    /// This method is cancel-safe: if dropped, no message is lost, and `buffer` is unchanged.
    pub fn recv_into(
        &mut self,
        buffer: &mut Vec<u8>,
    ) -> impl Future<Output = Result<Option<MessageKind>, Error>> {
        recv_into(self, buffer)
    }

    /// Receives the next message and calls `read` with it, as [`Connection::recv_with`](crate::Connection::recv_with)
    /// does.
    ///
    /// # Errors
    /// As for [`recv`](Self::recv).
    ///
    /// # Cancel safety
    /// This method is cancel-safe: if dropped, no message is lost.
    pub fn recv_with<R>(
        &mut self,
        read: impl FnOnce(MessageRef<'_>) -> R,
    ) -> impl Future<Output = Result<Option<R>, Error>> {
        recv_with(self, read)
    }

    /// Calls `handler` for every message, as [`Connection::run`](crate::Connection::run) does. Other tasks may send
    /// meanwhile; their messages and the handler's replies never interleave.
    ///
    /// # Errors
    /// As for [`recv`](Self::recv), or the handler's own error.
    ///
    /// # Cancel safety
    /// This method is cancel-safe: if dropped, no message is lost, and the handler's replies stay queued.
    pub async fn run<H, R>(&mut self, mut handler: H) -> Result<R::Output, Error>
    where
        H: FnMut(MessageRef<'_>, &mut Outbox<'_>) -> R,
        R: Outcome,
    {
        let ran = poll_fn(|cx| {
            let (receiving, mut link) = self.parts();
            receiving.poll(cx, &mut link, |inbound, link| handle(inbound, link, &mut handler))
        });
        ran.await?.unwrap_or_else(|| Ok(R::ended()))
    }

    /// Fails the connection for all halves, as [`Connection::fail`](crate::Connection::fail) does.
    ///
    /// # Errors
    /// As for [`Connection::fail`](crate::Connection::fail).
    pub fn fail(&mut self, code: CloseCode, reason: impl Into<Utf8Bytes>) -> Result<(), Error> {
        let frame = CloseFrame::new(code, reason)?;
        self.split.with(|inner| inner.shared.fail(frame));
        Ok(())
    }

    /// A small message that is there is returned from here, as by [`Connection`](crate::Connection), and without a lock.
    #[inline]
    pub(crate) fn poll_recv(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Option<Message>, Error>> {
        let (receiving, mut link) = self.parts();
        if let Some(message) = receiving.small(link.arriving()) {
            return Poll::Ready(Ok(Some(message)));
        }
        self.poll_recv_slowly(cx)
    }

    #[inline(never)]
    fn poll_recv_slowly(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Message>, Error>> {
        self.poll_receive(cx, Inbound::owned)
    }

    /// Receives for the task of this waiter; other tasks stay registered.
    pub(crate) fn poll_receive_as<T>(
        &mut self,
        waiter: &mut Waiter,
        want: Want,
        cx: &mut Context<'_>,
        mut step: impl FnMut(&mut Inbound) -> Result<Progress<T>, DecodeError>,
    ) -> Poll<Result<Option<T>, Error>> {
        let Self { receiving, split, .. } = self;
        let mut link = Locking { split, waiter, want };
        receiving.as_mut().expect(THERE).poll(cx, &mut link, |inbound, _| step(inbound))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Receives for RecvHalf<S> {
    fn poll_receive<T>(
        &mut self,
        cx: &mut Context<'_>,
        mut step: impl FnMut(&mut Inbound) -> Result<Progress<T>, DecodeError>,
    ) -> Poll<Result<Option<T>, Error>> {
        let (receiving, mut link) = self.parts();
        receiving.poll(cx, &mut link, |inbound, _| step(inbound))
    }
}

impl<S> Drop for RecvHalf<S> {
    /// Returns the receiving side to the shared state, for a task that closes.
    fn drop(&mut self) {
        if let Some(receiving) = self.receiving.take() {
            self.split.take_back(receiving);
        }
    }
}

impl<S> fmt::Debug for RecvHalf<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RecvHalf")
    }
}

/// A future that drives a connection on which no messages are expected; see
/// [`Connection::close_read`](crate::Connection::close_read).
#[derive(Debug)]
#[must_use = "it must be polled: it answers pings"]
pub struct CloseRead<S>(RecvHalf<S>);

impl<S> CloseRead<S> {
    pub(super) const fn new(half: RecvHalf<S>) -> Self {
        Self(half)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Future for CloseRead<S> {
    type Output = Result<(), Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        while ready!(self.0.poll_receive(cx, |inbound| inbound.borrowed(|_| Progress::Value(()))))?
            .is_some()
        {
            self.0.split.with(|inner| inner.shared.message_refused());
        }
        Poll::Ready(Ok(()))
    }
}
