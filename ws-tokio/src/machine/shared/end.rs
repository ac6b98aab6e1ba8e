//! The end of a connection: pending output is written and the peer's end awaited, under one deadline.

use std::future::Future;
use std::io;
use std::task::{Context, Poll, Waker, ready};

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::sleep;
use ws_core::{CloseCode, CloseFrame, Control, ControlPayload, DecodeError, Role};

use super::Shared;
use super::phase::{Arriving, Deadline, End, Ending, Phase};
use super::watch::{Due, Waits};
use crate::error::Error;
use crate::events::{ABNORMAL, Event, NO_STATUS};
use crate::machine::bell::Stage;
use crate::machine::failure::Failure;
use crate::machine::inbound::Inbound;
use crate::machine::linger::{EndsFirst, Linger};
use crate::machine::tracking::Tracked;

impl<S> Shared<S> {
    /// Returns whether messages may still arrive.
    #[inline]
    pub(crate) fn is_receiving(&self) -> bool {
        self.arriving() != Arriving::Nothing
    }

    /// Returns what may still arrive.
    #[inline]
    pub(crate) fn arriving(&self) -> Arriving {
        match &self.phase {
            Phase::Open => Arriving::Messages,
            Phase::Ending(ending) => match &**ending {
                Ending::Closing(_) if self.goes_away() => Arriving::Late,
                Ending::Closing(_) => Arriving::Messages,
                Ending::Lingering(..) | Ending::Ended(_) => Arriving::Nothing,
            },
        }
    }

    /// Returns whether the connection was closed because its tracker shuts down.
    fn goes_away(&self) -> bool {
        self.tracked().is_some_and(Tracked::is_closing)
    }

    /// Returns whether the tracker has something new to say.
    pub(super) fn is_told_to_go(&self) -> bool {
        self.tracked().is_some_and(Tracked::is_rung)
    }

    fn tracked(&self) -> Option<&Tracked> {
        self.rare.as_ref()?.tracked.as_deref()
    }

    /// Closes the connection because its tracker shuts down.
    #[cold]
    pub(super) fn go_away(&mut self) {
        // Polled with no task's waker: it was rung, so it registers none.
        _ = self.poll_tracked(&mut Context::from_waker(Waker::noop()));
    }

    /// Waits for the tracker's shutdown, and does what it asks for.
    fn poll_tracked(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let tracked = self.rare.as_mut().and_then(|rare| rare.tracked.as_deref_mut());
        let Some(tracked) = tracked else { return Poll::Pending };
        match ready!(tracked.poll(cx)) {
            Stage::Open => {}
            Stage::Closing => {
                if let Ok(frame) = CloseFrame::new(CloseCode::GOING_AWAY, "") {
                    self.start_closing(&frame);
                }
                self.await_close();
            }
            Stage::Cutting => {
                if self.phase.ended().is_none() {
                    self.end(End::Cut(None));
                }
            }
        }
        Poll::Ready(())
    }

    /// Starts the closing deadline, if our close frame was queued.
    fn await_close(&mut self) {
        if matches!(self.phase, Phase::Open) && self.outbound.is_closed() {
            self.phase = Phase::ending(Ending::Closing(self.deadline()));
        }
    }

    /// Handles the peer's close frame. The answer is already queued.
    pub(super) fn close_received(&mut self, frame: Option<CloseFrame>) {
        let end = match &frame {
            Some(frame) if !frame.code().is_normal() => End::Closed,
            Some(_) | None => End::Normal,
        };
        let code = frame.as_ref().map(CloseFrame::code);
        self.outbound.note(|| Event::CloseReceived(code));
        if frame.is_some() {
            self.rare().close_frame = frame;
        }
        let ends_first = match self.role() {
            Role::Server => EndsFirst::We,
            Role::Client => EndsFirst::Peer,
        };
        self.linger(ends_first, end);
    }

    /// Closes the connection because the peer violated the protocol.
    pub(crate) fn violated(&mut self, error: DecodeError) {
        self.outbound.close(CloseFrame::new(error.close_code(), "").ok());
        self.linger(EndsFirst::We, End::Protocol(error));
    }

    /// Closes the connection because the peer sent an unexpected message. While closing, messages are dropped instead:
    /// the peer may have sent them before our close frame arrived.
    pub(crate) fn message_refused(&mut self) {
        if self.outbound.is_closed() {
            return;
        }
        self.outbound.close(CloseFrame::new(CloseCode::POLICY_VIOLATION, "").ok());
        self.linger(EndsFirst::We, End::Refused);
    }

    /// Closes the connection because the peer violated the application's protocol.
    pub(crate) fn fail(&mut self, frame: CloseFrame) {
        let end = End::Failed(frame.code());
        self.outbound.close(Some(frame));
        self.linger(EndsFirst::We, end);
    }

    /// Ends the connection immediately.
    pub(super) fn end(&mut self, end: End) {
        self.outbound.end(match &end {
            End::Io(failure) => failure.clone(),
            _ => io::ErrorKind::NotConnected.into(),
        });
        self.phase = Phase::ending(Ending::Ended(end));
        self.watch = None;
        let (code, result) = (self.close_code(), self.result());
        self.outbound.ended(code, result);
    }

    /// Ends the connection when the closing deadline expires. The deadline starts when the connection first waits after
    /// our close frame was queued.
    pub(crate) fn poll_deadline(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.await_close();
        let Phase::Ending(ending) = &mut self.phase else { return Poll::Pending };
        let (deadline, end) = match &mut **ending {
            Ending::Closing(deadline) => (deadline, &End::Timeout),
            Ending::Lingering(deadline, _, end) => (deadline, &*end),
            Ending::Ended(_) => return Poll::Ready(()),
        };
        ready!(deadline.as_mut().poll(cx));
        let end = end.clone();
        self.end(end);
        Poll::Ready(())
    }

    /// Returns the code that says how the connection ended (RFC 6455, 7.4.1).
    fn close_code(&self) -> u16 {
        match self.phase.ended() {
            Some(End::Normal | End::Closed) => {
                self.close_frame().map_or(NO_STATUS, |frame| frame.code().into())
            }
            Some(End::Protocol(error)) => error.close_code().into(),
            Some(End::Refused) => CloseCode::POLICY_VIOLATION.into(),
            Some(End::Failed(code)) => (*code).into(),
            Some(End::Cut(_) | End::Lost | End::Timeout | End::Io(_)) | None => ABNORMAL,
        }
    }

    /// Returns the connection's result, any number of times; `Ok` also before it has ended.
    pub(crate) fn result(&self) -> Result<(), Error> {
        let Some(end) = self.phase.ended() else { return Ok(()) };
        Err(match (end, self.close_frame()) {
            (End::Normal, _) | (End::Closed, None) => return Ok(()),
            (End::Closed, Some(frame)) => Error::Closed(frame.clone()),
            (End::Protocol(error), _) => Error::Protocol(*error),
            (End::Refused, _) => Error::UnexpectedMessage,
            (End::Failed(code), _) => Error::Failed(*code),
            (End::Cut(failure), _) => Error::Cut(failure.as_ref().map(Failure::error)),
            (End::Lost, _) => Error::HeartbeatTimeout,
            (End::Timeout, _) => Error::CloseTimeout,
            (End::Io(failure), _) => Error::Io(failure.error()),
        })
    }

    /// Called before a task waits. Returns `Ready` if the connection ended instead, or has something to write.
    #[inline]
    pub(super) fn poll_parked(&mut self, cx: &mut Context<'_>, waits: Waits) -> Poll<()> {
        if self.is_tracked && self.poll_tracked(cx).is_ready()
            || self.poll_deadline(cx).is_ready()
            || self.watch.is_some() && self.poll_watch(cx, waits).is_ready()
        {
            return Poll::Ready(());
        }
        Poll::Pending
    }

    /// Handles a watch that is due.
    fn poll_watch(&mut self, cx: &mut Context<'_>, waits: Waits) -> Poll<()> {
        let writing = self.writing();
        let Some(watch) = &mut self.watch else { return Poll::Pending };
        match ready!(watch.poll(cx, waits, writing)) {
            Due::Ping => {
                self.outbound.note(|| Event::Asked);
                // Nothing can be sent after our close frame, and closing has its own deadline.
                if self.outbound.control(&Control::Ping(ControlPayload::default())).is_ok() {
                    watch.asked(self.outbound.mark());
                }
            }
            Due::Idle => self.outbound.close(CloseFrame::new(CloseCode::GOING_AWAY, "idle").ok()),
            Due::Lost => self.end(End::Lost),
            Due::Stalled => self.end(End::Io(io::ErrorKind::TimedOut.into())),
        }
        Poll::Ready(())
    }

    fn linger(&mut self, ends_first: EndsFirst, end: End) {
        let linger = Linger::new(ends_first);
        match &mut self.phase {
            Phase::Open => {
                self.phase = Phase::ending(Ending::Lingering(self.deadline(), linger, end));
            }
            Phase::Ending(ending) => {
                **ending = match std::mem::replace(&mut **ending, Ending::Ended(End::Normal)) {
                    Ending::Closing(deadline) => Ending::Lingering(deadline, linger, end),
                    settled @ (Ending::Lingering(..) | Ending::Ended(_)) => settled,
                };
            }
        }
    }

    fn deadline(&self) -> Deadline {
        Box::pin(sleep(self.close_timeout.get()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Shared<S> {
    /// Waits for the end of the stream, if nothing else is awaited.
    pub(crate) fn poll_end(&mut self, cx: &mut Context<'_>, inbound: &mut Inbound) -> Poll<()> {
        self.count_read(inbound, 0);
        let Self { stream, phase, outbound, .. } = self;
        let Phase::Ending(ending) = phase else { return Poll::Ready(()) };
        if let Ending::Lingering(_, linger, end) = &mut **ending {
            let lingered = linger.poll(
                cx,
                stream,
                |cx, stream| outbound.poll_flush(cx, stream),
                |cx, stream| inbound.poll_discard(cx, stream),
            );
            if lingered.is_pending() {
                return self.poll_deadline(cx);
            }
            // The result was determined before the stream ended.
            let end = end.clone();
            self.end(end);
        }
        Poll::Ready(())
    }
}
