//! Pings sent by this end, as futures of their round-trip times.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;
use ws_core::ControlPayload;

use crate::error::Error;

/// A future of a ping's round-trip time. Created by [`Connection::ping`](crate::Connection::ping),
/// [`SendHalf::ping`](crate::SendHalf::ping) and [`Outbox::ping`](crate::Outbox::ping).
///
/// It resolves while any task receives from the connection. It can be dropped at any time.
#[derive(Debug)]
#[must_use = "a ping's time is known when its pong is read"]
pub struct Ping(oneshot::Receiver<Duration>);

impl Future for Ping {
    type Output = Result<Duration, Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(cx).map_err(|_| Error::Cut(None))
    }
}

/// Pings that wait for their pong, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Pings {
    sent: u64,
    waiting: VecDeque<Waiting>,
    /// The last round-trip time.
    last: Option<Duration>,
}

/// Answered or abandoned pings. Their futures are resolved after unlocking.
#[derive(Debug, Default)]
pub(crate) struct Answered(Vec<(oneshot::Sender<Duration>, Option<Duration>)>);

#[derive(Debug)]
struct Waiting {
    number: u64,
    since: Instant,
    pong: oneshot::Sender<Duration>,
}

impl Pings {
    /// Creates a ping, and forgets pings whose futures were dropped.
    pub(crate) fn start(&mut self, answered: &mut Answered) -> (ControlPayload, Ping) {
        if self.waiting.iter().any(|waiting| waiting.pong.is_closed()) {
            self.forget_dropped(answered);
        }
        self.sent += 1;
        let (pong, ping) = oneshot::channel();
        self.waiting.push_back(Waiting { number: self.sent, since: Instant::now(), pong });
        (ControlPayload::from(self.sent.to_be_bytes()), Ping(ping))
    }

    /// Resolves the ping that this pong answers, and earlier ones: a peer may answer only the newest (RFC 6455, 5.5.3).
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

    /// Abandons all pings: no more pongs will arrive.
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
    /// Resolves the futures. Those without a round-trip time return an error, since no pong will arrive.
    pub(crate) fn tell(self) {
        for (pong, round_trip) in self.0 {
            if let Some(round_trip) = round_trip {
                // The future may have been dropped.
                _ = pong.send(round_trip);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pings_that_nobody_awaits_are_forgotten() {
        let (mut pings, mut answered) = (Pings::default(), Answered::default());
        let awaited = pings.start(&mut answered);
        for _ in 0..1000 {
            drop(pings.start(&mut answered));
        }
        assert!(pings.waiting.len() <= 2, "{}", pings.waiting.len());
        pings.pong_received(&awaited.0, &mut answered);
        assert!(pings.last().is_some());
    }
}
