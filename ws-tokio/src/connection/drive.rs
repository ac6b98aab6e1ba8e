//! The one loop behind receiving: decode what was read, write what is owed, read more.

use std::io;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite};
use ws_core::{Control, DecodeError};

use super::end::{End, Phase};
use super::{Connection, State};
use crate::error::Error;
use crate::inbound::{Inbound, Progress};
use crate::outbound::Outbound;

/// Decoding from our own buffer costs nothing of Tokio's budget: after so many messages, other tasks get a turn.
const MESSAGES_PER_TURN: u16 = 512;

/// Why decoding stopped.
enum Stop<T> {
    Value(T),
    /// The connection is ending.
    Ending,
    /// More bytes are needed.
    Starved,
    /// The send queue must drain first.
    Paused,
    /// Other tasks get a turn.
    Tired,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    /// Receives until `step` has a value, or until the end of the connection: `None` for a normal one.
    ///
    /// What was queued is written before each read, so that what one read brought is answered by one write.
    pub(super) fn poll_drive<T>(
        &mut self,
        cx: &mut Context<'_>,
        mut step: impl FnMut(&mut Inbound, &mut Outbound) -> Result<Progress<T>, DecodeError>,
    ) -> Poll<Result<Option<T>, Error>> {
        let Self { stream, state } = self;
        while state.is_receiving() {
            let waited = match state.decode(&mut step) {
                Stop::Value(value) => return Poll::Ready(Ok(Some(value))),
                Stop::Ending => Poll::Ready(()),
                Stop::Starved => state.poll_exchange(cx, stream),
                // What went wrong with writing is seen by whoever sends; receiving goes on.
                Stop::Paused => state.outbound.poll_flush(cx, stream).map(drop),
                Stop::Tired => {
                    _ = state.outbound.poll_flush(cx, stream);
                    cx.waker().wake_by_ref();
                    Poll::Pending
                }
            };
            if waited.is_pending() {
                state.since_yield = 0;
                ready!(state.poll_deadline(cx));
            }
        }
        state.poll_end(cx, stream).map_ok(|()| None)
    }
}

impl State {
    const fn is_receiving(&self) -> bool {
        matches!(self.phase, Phase::Open | Phase::Closing(_))
    }

    /// Takes steps until one has a value or can't go on.
    #[inline]
    fn decode<T>(
        &mut self,
        step: &mut impl FnMut(&mut Inbound, &mut Outbound) -> Result<Progress<T>, DecodeError>,
    ) -> Stop<T> {
        while self.since_yield < MESSAGES_PER_TURN {
            self.since_yield += 1;
            match step(&mut self.inbound, &mut self.outbound) {
                Ok(Progress::Handled) => {}
                Ok(Progress::Value(value)) => return Stop::Value(value),
                Ok(Progress::Starved) => return Stop::Starved,
                Ok(Progress::Paused) => return Stop::Paused,
                Ok(Progress::Control(control)) => self.control_received(control),
                Err(error) => self.violated(error),
            }
            if !self.is_receiving() {
                return Stop::Ending;
            }
        }
        Stop::Tired
    }

    fn control_received(&mut self, control: Control) {
        if let Some(reply) = control.reply() {
            self.outbound.reply(reply);
        }
        match control {
            Control::Ping(_) => {}
            Control::Pong(payload) => {
                if let Some(rare) = &mut self.rare {
                    rare.pings.pong_received(&payload);
                }
            }
            Control::Close(frame) => self.close_received(frame),
        }
    }

    /// Writes what is queued, then reads once. Output that the transport doesn't take never stops reading.
    fn poll_exchange<S: AsyncRead + AsyncWrite + Unpin>(
        &mut self,
        cx: &mut Context<'_>,
        stream: &mut S,
    ) -> Poll<()> {
        // What went wrong with writing is seen by whoever sends; a close frame may still be there to be read.
        _ = self.outbound.poll_flush(cx, stream);
        match ready!(self.inbound.poll_fill(cx, stream)) {
            Ok(0) => self.end(self.outbound.broken().map_or(End::Cut, End::Io)),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => self.end(End::Io(error.kind())),
        }
        Poll::Ready(())
    }
}
