//! What goes to the bus: subscriptions, messages, and word of those that were lost.

use std::future::{Future, poll_fn};
use std::mem;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Poll;
use std::time::Duration;

use tokio::sync::mpsc::Receiver;
use tokio::time::{Instant, sleep_until};

use super::envelope::{seal, seal_gap};
use super::interest::Interest;
use super::side::{HUBS, Registry, Side};
use crate::events::hub as events;
use crate::topics::bus::{Bus, BusMessage};
use crate::topics::hub::published::Published;

/// Number of messages, and of topics, that go to the bus together: its answer costs a round trip, once for all of them.
const BATCH: usize = 1024;

/// Others are told of losses, and what failed is tried again, once in so long.
const PAUSE: Duration = Duration::from_secs(1);

struct Outgoing<'a, B> {
    side: &'a Side<'a, B>,
    queue: Receiver<Published>,
    batch: Vec<Published>,
    interest: Interest,
    /// The topics that there were before the last connection: that they missed something is to be told.
    missed: Vec<Arc<str>>,
    /// When to subscribe again, after that failed.
    retry: Option<Instant>,
    /// When others may be told of losses again.
    tell: Instant,
}

/// What there is to do.
enum Due {
    Messages,
    /// Anything else.
    News,
    /// Nothing any more.
    Ended,
}

/// Serves what the hub has for the bus until the hub is gone.
pub(super) async fn run<B: Bus>(side: &Side<'_, B>, queue: Receiver<Published>) {
    let Some(linger) = side.registry.upgrade().map(|registry| registry.options.linger) else {
        return;
    };
    let interest = Interest::new(HUBS.into(), linger);
    let tell = Instant::now();
    Outgoing { side, queue, batch: Vec::new(), interest, missed: Vec::new(), retry: None, tell }
        .run()
        .await;
}

impl<B: Bus> Outgoing<'_, B> {
    async fn run(mut self) {
        loop {
            let due = self.due().await;
            self.note_changes();
            if self.is_connected() {
                self.subscribe().await;
                self.unsubscribe().await;
                self.publish().await;
                self.tell_lost().await;
            }
            if matches!(due, Due::Ended) {
                let unsent = self.queue.len() + self.batch.len();
                return events::bus_waits(-(unsent as i64));
            }
        }
    }

    fn is_connected(&self) -> bool {
        self.side.shared.is_connected()
    }

    /// Waits until there is something to do.
    async fn due(&mut self) -> Due {
        let mut news = pin!(self.side.shared.news.notified());
        let is_connected = || self.side.shared.is_connected();
        let mut timer = pin!(self.next().filter(|_| is_connected()).map(sleep_until));
        poll_fn(|cx| {
            // While the bus is away, messages wait where they are counted.
            if is_connected() {
                if !self.batch.is_empty() {
                    return Poll::Ready(Due::Messages);
                }
                if let Poll::Ready(taken) = self.queue.poll_recv_many(cx, &mut self.batch, BATCH) {
                    return Poll::Ready(if taken == 0 { Due::Ended } else { Due::Messages });
                }
            }
            if news.as_mut().poll(cx).is_ready() {
                let is_over = !is_connected() && self.side.registry.strong_count() == 0;
                return Poll::Ready(if is_over { Due::Ended } else { Due::News });
            }
            match timer.as_mut().as_pin_mut() {
                Some(timer) => timer.poll(cx).map(|()| Due::News),
                None => Poll::Pending,
            }
        })
        .await
    }

    /// Returns when there is something to do that nobody tells of.
    fn next(&self) -> Option<Instant> {
        let tell = self.side.shared.has_lost().then_some(self.tell);
        [tell, self.retry, self.interest.next_leave()].into_iter().flatten().min()
    }

    fn note_changes(&mut self) {
        let Some(registry) = self.side.registry.upgrade() else { return };
        let changed = self.side.shared.take_changed();
        match changed.each() {
            Some(topics) => topics.iter().for_each(|topic| self.note(&registry, topic)),
            None => {
                let (here, kept) = (registry.names(), self.interest.topics());
                here.iter().chain(&kept).for_each(|topic| self.note(&registry, topic));
            }
        }
    }

    fn note(&mut self, registry: &Registry, topic: &Arc<str>) {
        let has_subscribers = registry.find(topic).is_some() || **topic == *HUBS;
        if self.interest.note(topic.clone(), has_subscribers) {
            self.reached(registry, [topic]);
        }
    }

    /// What other nodes publish to these topics comes here.
    fn reached<'a>(&self, registry: &Registry, topics: impl IntoIterator<Item = &'a Arc<str>>) {
        for topic in topics {
            if let Some(channel) = registry.find(topic) {
                channel.reached();
            }
        }
        self.side.shared.reached.notify_waiters();
    }

    /// Subscribes to what has subscribers here. Tells of gaps if that comes late, and to all that were there before a new connection.
    async fn subscribe(&mut self) {
        let missed = self.side.shared.take_missed();
        let is_new = missed.is_some();
        if let Some(topics) = missed {
            self.missed = topics;
            self.retry = Some(Instant::now());
        }
        let is_again = self.retry.take_if(|at| *at <= Instant::now()).is_some();
        if is_again {
            self.interest.retry();
        }
        let is_late = is_again && !is_new;
        while self.is_connected() && self.interest.is_waiting() {
            let wanted = self.interest.wanted(BATCH);
            if self.ask(&wanted).await {
                self.sent(&wanted, is_late);
                continue;
            }
            // One that the bus refuses must not keep out the others.
            for topic in wanted {
                let one = [topic];
                if !self.is_connected() {
                    return;
                } else if self.ask(&one).await {
                    self.sent(&one, is_late);
                } else {
                    self.interest.refuse(&one[0]);
                    self.retry = Instant::now().checked_add(PAUSE);
                }
            }
        }
        if self.is_connected() {
            let missed = mem::take(&mut self.missed);
            self.side.tell_gaps(&missed).await;
        }
    }

    async fn ask(&self, topics: &[Arc<str>]) -> bool {
        let subscribed = self.side.bus.subscribe(topics).await;
        subscribed.inspect_err(|error| events::bus_failed("subscribe", &**error)).is_ok()
    }

    /// The bus sends these from now on.
    fn sent(&mut self, topics: &[Arc<str>], is_late: bool) {
        self.interest.sent(topics);
        let Some(registry) = self.side.registry.upgrade() else { return };
        self.reached(&registry, topics);
        if is_late {
            topics.iter().for_each(|topic| self.side.tell_gap(&registry, topic));
        }
    }

    async fn unsubscribe(&mut self) {
        let left = self.interest.leave(Instant::now());
        if left.is_empty() {
            return;
        }
        if let Err(error) = self.side.bus.unsubscribe(&left).await {
            events::bus_failed("unsubscribe", &*error);
        }
    }

    async fn publish(&mut self) {
        if self.batch.is_empty() {
            return;
        }
        let node = self.side.node;
        let message = |published: &Published| BusMessage {
            topic: published.topic_name().clone(),
            payload: seal(node, published.key(), published.message()),
        };
        let messages: Vec<_> = self.batch.iter().map(message).collect();
        let shared = &self.side.shared;
        let begin = Instant::now();
        match self.side.bus.publish(&messages).await {
            Ok(()) => {
                events::bus_published(messages.len(), begin.elapsed());
                _ = shared.counts.published.fetch_add(messages.len() as u64, Ordering::Relaxed);
            }
            Err(error) => {
                events::bus_failed("publish", &*error);
                shared.lose(&self.batch);
            }
        }
        shared.taken(&self.batch);
        self.batch.clear();
    }

    /// Tells other nodes of topics to which something was published here that they may not have got.
    async fn tell_lost(&mut self) {
        if !self.side.shared.has_lost() || Instant::now() < self.tell {
            return;
        }
        let lost = self.side.shared.take_lost();
        let payload = seal_gap(self.side.node);
        let message =
            |topic: &Arc<str>| BusMessage { topic: topic.clone(), payload: payload.clone() };
        let messages: Vec<_> = match lost.each() {
            Some(topics) => topics.iter().map(message).collect(),
            None => vec![message(&HUBS.into())],
        };
        if let Err(error) = self.side.bus.publish(&messages).await {
            events::bus_failed("publish", &*error);
            self.side.shared.put_back_lost(lost);
        } else {
            events::bus_lost(self.side.shared.counts.dropped.load(Ordering::Relaxed));
        }
        self.tell = Instant::now() + PAUSE;
    }
}
