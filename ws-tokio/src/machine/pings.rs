//! Our own pings: each is a future of its round-trip time.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;
use ws_core::ControlPayload;

use crate::error::Error;

/// A future of a ping's round-trip time. Made by [`Connection::ping`](crate::Connection::ping),
/// [`SendHalf::ping`](crate::SendHalf::ping) and [`Outbox::ping`](crate::Outbox::ping).
///
/// It resolves while any task receives from the connection. Dropping it forgets the ping.
#[derive(Debug)]
#[must_use = "a ping's time is known when its pong is read"]
pub struct Ping(oneshot::Receiver<Duration>);

impl Future for Ping {
    type Output = Result<Duration, Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(cx).map_err(|_| Error::Cut(None))
    }
}

/// Pings that await their pong, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Pings {
    sent: u64,
    waiting: VecDeque<Waiting>,
    /// The last round trip.
    last: Option<Duration>,
}

/// Answered pings. Those who await them are told after unlocking.
#[derive(Debug, Default)]
pub(crate) struct Answered(Vec<(oneshot::Sender<Duration>, Option<Duration>)>);

#[derive(Debug)]
struct Waiting {
    number: u64,
    since: Instant,
    pong: oneshot::Sender<Duration>,
}

impl Pings {
    /// Returns a ping to send. Forgets pings that nobody awaits any more.
    pub(crate) fn start(&mut self, answered: &mut Answered) -> (ControlPayload, Ping) {
        if self.waiting.iter().any(|waiting| waiting.pong.is_closed()) {
            self.forget_dropped(answered);
        }
        self.sent += 1;
        let (pong, ping) = oneshot::channel();
        self.waiting.push_back(Waiting { number: self.sent, since: Instant::now(), pong });
        (ControlPayload::from(self.sent.to_be_bytes()), Ping(ping))
    }

    /// Resolves the ping that a pong answers, and those before it: a peer may answer only the newest (RFC 6455, 5.5.3).
    pub(crate) fn pong_received(&mut self, payload: &[u8], answered: &mut Answered) {
        let Ok(number) = payload.try_into().map(u64::from_be_bytes) else { return };
        let Ok(index) = self.waiting.binary_search_by_key(&number, |waiting| waiting.number) else {
            return;
        };
        for waiting in self.waiting.drain(..=index) {
            let round_trip = waiting.since.elapsed();
            self.last = Some(round_trip);
            answered.0.push((waiting.pong, Some(round_trip)));
        }
    }

    pub(crate) const fn last(&self) -> Option<Duration> {
        self.last
    }

    /// Gives up all pings: no pong will come any more.
    pub(crate) fn clear(&mut self, answered: &mut Answered) {
        let waiting = std::mem::take(&mut self.waiting);
        answered.0.extend(waiting.into_iter().map(|waiting| (waiting.pong, None)));
    }

    fn forget_dropped(&mut self, answered: &mut Answered) {
        let (dropped, waiting) = std::mem::take(&mut self.waiting)
            .into_iter()
            .partition::<VecDeque<_>, _>(|waiting| waiting.pong.is_closed());
        self.waiting = waiting;
        answered.0.extend(dropped.into_iter().map(|waiting| (waiting.pong, None)));
    }
}

impl Answered {
    /// Reports the round trips. Pings that get none learn that no pong will come.
    pub(crate) fn tell(self) {
        for (pong, round_trip) in self.0 {
            if let Some(round_trip) = round_trip {
                // The ping may have been dropped.
                _ = pong.send(round_trip);
            }
        }
    }
}
