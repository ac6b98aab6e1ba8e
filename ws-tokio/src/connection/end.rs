//! How a connection ends: what is owed is written, the peer's end is awaited, all under one deadline.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Sleep, sleep};
use ws_core::{CloseFrame, DecodeError, Role};

use super::{Rare, State};
use crate::error::Error;
use crate::linger::{EndsFirst, Linger};

/// How far the connection has come.
#[derive(Debug)]
pub(super) enum Phase {
    /// Messages pass.
    Open,
    /// Our close frame is sent, the peer's is awaited.
    Closing(Deadline),
    /// Nothing is awaited but the end of the stream.
    Lingering(Deadline, Linger, End),
    /// The stream is done with.
    Ended(End),
}

/// One timer for all of closing; nothing stretches it.
pub(super) type Deadline = Pin<Box<Sleep>>;

/// What the connection came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// Both close frames passed; the peer's said 1000, 1001 or nothing.
    Normal,
    /// Both close frames passed; the peer's said something else.
    Closed,
    /// The peer broke the protocol.
    Protocol(DecodeError),
    /// The stream ended without a close frame.
    Cut,
    /// The deadline passed before the peer's close frame.
    Timeout,
    /// The transport failed.
    Io(io::ErrorKind),
}

impl State {
    pub(super) fn rare(&mut self) -> &mut Rare {
        self.rare.get_or_insert_default()
    }

    /// The peer's close frame came, and the answer to it is queued.
    pub(super) fn close_received(&mut self, frame: Option<CloseFrame>) {
        let end = match &frame {
            Some(frame) if !frame.code().is_normal() => End::Closed,
            Some(_) | None => End::Normal,
        };
        if frame.is_some() {
            self.rare().close_frame = frame;
        }
        let ends_first = match self.role {
            Role::Server => EndsFirst::We,
            Role::Client => EndsFirst::Peer,
        };
        self.linger(ends_first, end);
    }

    /// The peer broke the protocol: it is told so.
    pub(super) fn violated(&mut self, error: DecodeError) {
        self.outbound.close(CloseFrame::new(error.close_code(), "").ok());
        self.linger(EndsFirst::We, End::Protocol(error));
    }

    /// Ends the connection here and now.
    pub(super) fn end(&mut self, end: End) {
        self.phase = Phase::Ended(end);
        self.inbound.release();
        self.outbound.end();
        if let Some(rare) = &mut self.rare {
            rare.pings.clear();
        }
    }

    /// Awaits the end of the stream; what it came to, once it is there.
    pub(super) fn poll_end<S: AsyncRead + AsyncWrite + Unpin>(
        &mut self,
        cx: &mut Context<'_>,
        stream: &mut S,
    ) -> Poll<Result<(), Error>> {
        let Self { phase, inbound, outbound, .. } = self;
        if let Phase::Lingering(deadline, linger, end) = phase {
            let lingered = linger.poll(
                cx,
                stream,
                |cx, stream| outbound.poll_flush(cx, stream),
                |cx, stream| inbound.poll_discard(cx, stream),
            );
            // However the stream ended: what the connection came to was settled before.
            if lingered.is_pending() && deadline.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            let end = *end;
            self.end(end);
        }
        Poll::Ready(self.result())
    }

    /// Ends the connection when the deadline for the peer's close frame has passed. It starts when the connection
    /// first waits after our close frame was queued.
    pub(super) fn poll_deadline(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if matches!(self.phase, Phase::Open) && self.outbound.is_closed() {
            self.phase = Phase::Closing(self.deadline());
        }
        match &mut self.phase {
            Phase::Closing(deadline) => deadline.as_mut().poll(cx).map(|()| self.end(End::Timeout)),
            Phase::Open | Phase::Lingering(..) | Phase::Ended(_) => Poll::Pending,
        }
    }

    /// What the connection came to, as often as it is asked.
    fn result(&self) -> Result<(), Error> {
        let Phase::Ended(end) = &self.phase else { return Ok(()) };
        let frame = self.rare.as_ref().and_then(|rare| rare.close_frame.clone());
        match (*end, frame) {
            (End::Normal, _) | (End::Closed, None) => Ok(()),
            (End::Closed, Some(frame)) => Err(Error::Closed(frame)),
            (End::Protocol(error), _) => Err(Error::Protocol(error)),
            (End::Cut, _) => Err(Error::Cut),
            (End::Timeout, _) => Err(Error::CloseTimeout),
            (End::Io(kind), _) => Err(Error::Io(kind.into())),
        }
    }

    fn linger(&mut self, ends_first: EndsFirst, end: End) {
        let linger = Linger::new(ends_first);
        self.phase = match std::mem::replace(&mut self.phase, Phase::Open) {
            Phase::Closing(deadline) => Phase::Lingering(deadline, linger, end),
            Phase::Open => Phase::Lingering(self.deadline(), linger, end),
            settled @ (Phase::Lingering(..) | Phase::Ended(_)) => settled,
        };
    }

    fn deadline(&self) -> Deadline {
        Box::pin(sleep(self.close_timeout))
    }
}
