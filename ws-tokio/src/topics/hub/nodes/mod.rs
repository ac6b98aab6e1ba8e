//! The task that speaks to a hub's other nodes, over a [`Bus`].

mod envelope;
mod incoming;
mod interest;
mod outgoing;
mod side;

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::{Arc, Weak};
use std::task::Poll;

use tokio::sync::mpsc::Receiver;

use self::side::Side;
use super::link::Shared;
use super::published::Published;
use super::registry::Registry;
use super::seat::Seat;
use crate::machine::random;
use crate::topics::bus::Bus;

/// Carries messages both ways until the hub is gone.
pub(super) async fn run(
    bus: impl Bus,
    registry: Weak<Registry<Arc<Seat>>>,
    shared: Arc<Shared>,
    queue: Receiver<Published>,
) {
    let side = Side { bus: &bus, node: random(), shared: &shared, registry };
    let (mut incoming, mut outgoing) =
        (pin!(incoming::run(&side)), pin!(outgoing::run(&side, queue)));
    // Neither waits for the other: while the bus takes nothing, it may well bring something.
    poll_fn(|cx| match outgoing.as_mut().poll(cx) {
        Poll::Ready(()) => Poll::Ready(()),
        Poll::Pending => incoming.as_mut().poll(cx),
    })
    .await;
}
