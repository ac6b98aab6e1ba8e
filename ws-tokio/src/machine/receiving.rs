//! The loop behind all receiving: decodes the input, writes the queue, reads more.

use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite};
use ws_core::{Control, DecodeError, Message};

use super::callbacks::PingReply;
use super::inbound::{Inbound, Progress};
use super::shared::{Arriving, Link};
use crate::error::Error;
#[cfg(feature = "stream")]
use crate::items::Items;

/// Number of messages after which other tasks get a turn: decoding buffered input uses none of Tokio's budget.
const MESSAGES_PER_TURN: u16 = 512;

/// The part of a connection that only receiving needs.
pub(crate) struct Receiving {
    pub(crate) inbound: Inbound,
    /// Number of decoding steps since the task last yielded.
    since_turn: u16,
    #[cfg(feature = "stream")]
    pub(crate) items: Items,
}

/// Why decoding stopped.
enum Stop<T> {
    Value(T),
    /// The connection is ending.
    Ending,
    /// More bytes are needed.
    Starved,
    /// The send queue is full.
    Paused,
    /// Other tasks get a turn.
    Tired,
}

impl Receiving {
    pub(crate) const fn new(inbound: Inbound) -> Self {
        Self {
            inbound,
            since_turn: 0,
            #[cfg(feature = "stream")]
            items: Items::Message,
        }
    }

    /// Returns the next message, if it is small and already there, as most of a burst are.
    #[inline(always)]
    pub(crate) fn small(&mut self, arriving: Arriving) -> Option<Message> {
        if self.since_turn >= MESSAGES_PER_TURN || arriving != Arriving::Messages {
            return None;
        }
        let message = self.inbound.small()?;
        self.since_turn += 1;
        Some(message)
    }

    /// Receives until `step` returns a value or the connection ends. Returns `None` after a normal end.
    ///
    /// Writes the queue before each read, so that the replies to one read are written together.
    pub(crate) fn poll<S, L, T>(
        &mut self,
        cx: &mut Context<'_>,
        link: &mut L,
        mut step: impl FnMut(&mut Inbound, &mut L) -> Result<Progress<T>, DecodeError>,
    ) -> Poll<Result<Option<T>, Error>>
    where
        S: AsyncRead + AsyncWrite + Unpin,
        L: Link<S>,
    {
        loop {
            let stop = match link.arriving() {
                Arriving::Messages => self.decode(link, &mut step),
                Arriving::Late => {
                    self.decode(link, &mut |inbound, _| inbound.borrowed(|_| Progress::Handled))
                }
                Arriving::Nothing => break,
            };
            let inbound = &mut self.inbound;
            let waited = match stop {
                Stop::Value(value) => {
                    link.tell();
                    return Poll::Ready(Ok(Some(value)));
                }
                Stop::Ending => Poll::Ready(()),
                Stop::Starved => link.poll(cx, |shared, cx| shared.poll_exchange(cx, inbound)),
                Stop::Paused => link.poll(cx, |shared, cx| shared.poll_below(cx)),
                Stop::Tired => {
                    cx.waker().wake_by_ref();
                    _ = link.poll(cx, |shared, cx| shared.poll_flush(cx));
                    Poll::Pending
                }
            };
            if waited.is_pending() {
                self.since_turn = 0;
                return Poll::Pending;
            }
        }
        let inbound = &mut self.inbound;
        ready!(link.poll(cx, |shared, cx| shared.poll_end(cx, inbound)));
        inbound.release();
        Poll::Ready(link.with(|shared| shared.result().map(|()| None)))
    }

    /// Repeats `step` until it returns a value or can't continue.
    #[inline]
    fn decode<S, L: Link<S>, T>(
        &mut self,
        link: &mut L,
        step: &mut impl FnMut(&mut Inbound, &mut L) -> Result<Progress<T>, DecodeError>,
    ) -> Stop<T> {
        while self.since_turn < MESSAGES_PER_TURN {
            self.since_turn += 1;
            let receiving = match step(&mut self.inbound, link) {
                Ok(Progress::Handled) => true,
                Ok(Progress::Value(value)) => return Stop::Value(value),
                Ok(Progress::Starved) => return Stop::Starved,
                Ok(Progress::Paused) => return Stop::Paused,
                Ok(Progress::Control(control)) => control_received(link, control),
                Err(error) => violated(link, error),
            };
            if !receiving {
                return Stop::Ending;
            }
        }
        Stop::Tired
    }
}

/// Handles a protocol violation by the peer. Returns `false`: no more messages are received.
#[cold]
fn violated<S>(link: &mut impl Link<S>, error: DecodeError) -> bool {
    link.with(|shared| shared.violated(error));
    link.tell();
    false
}

/// Handles a control frame. Returns whether messages may still arrive.
fn control_received<S>(link: &mut impl Link<S>, control: Control) -> bool {
    let mut ping_reply = PingReply::Pong;
    if let Some(mut callbacks) = link.with(|shared| shared.lend_callbacks()) {
        ping_reply = callbacks.tell(&control);
        link.with(|shared| shared.give_callbacks_back(callbacks));
    }
    let receiving = link.with(|shared| {
        shared.control_received(control, ping_reply);
        shared.is_receiving()
    });
    link.tell();
    receiving
}
