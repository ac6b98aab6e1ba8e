//! No waker, no ping's and no subscriber of `tracing` runs under the lock that halves share: each may use the connection.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use ws_tokio::{CloseCode, RecvHalf, SendHalf, Settings};

use crate::gated::{Gate, Gated, gated};
use crate::support::memory::over;
use crate::support::parse::frames;
use crate::support::wire::{ROLES, close, frame, peer_of};

/// A waker that uses the connection whenever it is woken, cloned or dropped. Under the lock that would hang.
struct Meddles {
    sending: SendHalf<Gated>,
    woken: AtomicUsize,
}

impl Wake for Meddles {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        _ = self.sending.outbox().queued();
        _ = self.sending.ping();
        self.woken.fetch_add(1, Ordering::Relaxed);
    }
}

impl Drop for Meddles {
    fn drop(&mut self) {
        _ = self.sending.queued();
    }
}

fn meddles(sending: &SendHalf<Gated>) -> (Arc<Meddles>, Waker) {
    let meddles = Arc::new(Meddles { sending: sending.clone(), woken: AtomicUsize::new(0) });
    (meddles.clone(), Waker::from(meddles))
}

fn polled<F: Future>(waker: &Waker, future: F) -> Poll<F::Output> {
    pin!(future).poll(&mut Context::from_waker(waker))
}

fn halves(us: ws_tokio::Role) -> (RecvHalf<Gated>, SendHalf<Gated>, Gate) {
    let (stream, gate) = gated();
    let (receiving, sending) = over(stream, us, Settings::default()).split();
    (receiving, sending, gate)
}

#[tokio::test]
async fn the_waker_of_a_ping_may_use_the_connection() {
    for us in ROLES {
        let (mut receiving, sending, gate) = halves(us);
        gate.take(usize::MAX);
        let mut ping = sending.ping().unwrap();
        let (meddles, waker) = meddles(&sending);
        assert!(polled(&waker, &mut ping).is_pending());
        assert!(polled(Waker::noop(), receiving.recv()).is_pending());
        let [(0x89, payload)] = &frames(us, &gate.written())[..] else { panic!("no ping") };
        gate.give(&frame(peer_of(us), 0x8a, payload));
        assert!(polled(Waker::noop(), receiving.recv()).is_pending());
        assert_eq!(meddles.woken.load(Ordering::Relaxed), 1);
        ping.await.unwrap();
    }
}

#[tokio::test]
async fn the_wakers_of_pings_that_will_not_be_answered_may_use_the_connection() {
    for us in ROLES {
        let (mut receiving, sending, gate) = halves(us);
        gate.take(usize::MAX);
        let (meddles, waker) = meddles(&sending);
        let mut ping = sending.ping().unwrap();
        assert!(polled(&waker, &mut ping).is_pending());
        gate.end();
        receiving.recv().await.unwrap_err();
        ping.await.unwrap_err();
        assert_eq!(meddles.woken.load(Ordering::Relaxed), 1);
    }
}

#[tokio::test]
async fn the_wakers_of_tasks_may_use_the_connection_whatever_wakes_them() {
    for us in ROLES {
        let (mut receiving, sending, gate) = halves(us);
        let (receiver, waker) = meddles(&sending);
        assert!(polled(&waker, receiving.recv()).is_pending());
        let (sender, other) = meddles(&sending);
        let mut sends = Box::pin(sending.send("out"));
        assert!(sends.as_mut().poll(&mut Context::from_waker(&other)).is_pending());
        gate.take(usize::MAX);
        assert!(receiver.woken.load(Ordering::Relaxed) > 0, "the transport wakes both");
        assert!(sender.woken.load(Ordering::Relaxed) > 0);
        assert!(polled(&waker, receiving.recv()).is_pending());
        sends.await.unwrap();
        let before = receiver.woken.load(Ordering::Relaxed);
        sending.outbox().close(CloseCode::NORMAL, "").unwrap();
        assert!(receiver.woken.load(Ordering::Relaxed) > before, "an outbox wakes the receiver");
        gate.give(&close(peer_of(us), 1000, ""));
        gate.end();
        assert!(polled(&waker, receiving.recv()).is_ready());
    }
}

#[cfg(feature = "tracing")]
mod told {
    use tracing::span::{Attributes, Id, Record};
    use tracing::{Event, Metadata, Subscriber};

    use super::*;

    /// Sends what it is told over the connection that it is told of.
    struct Sends(SendHalf<Gated>);

    impl Subscriber for Sends {
        fn enabled(&self, _: &Metadata<'_>) -> bool {
            true
        }

        fn new_span(&self, _: &Attributes<'_>) -> Id {
            Id::from_u64(1)
        }

        fn record(&self, _: &Id, _: &Record<'_>) {}

        fn record_follows_from(&self, _: &Id, _: &Id) {}

        fn event(&self, _: &Event<'_>) {
            _ = self.0.outbox().send("told");
        }

        fn enter(&self, _: &Id) {}

        fn exit(&self, _: &Id) {}
    }

    #[tokio::test]
    async fn a_subscriber_of_tracing_may_log_over_the_connection() {
        for us in ROLES {
            let (mut receiving, sending, gate) = halves(us);
            gate.take(usize::MAX);
            let _told = tracing::subscriber::set_default(Sends(sending.clone()));
            gate.give(&close(peer_of(us), 1000, ""));
            gate.end();
            assert_eq!(receiving.recv().await.unwrap(), None);
        }
    }
}
