//! What a room hears from the other nodes, and when it asks them.

use std::sync::Weak;
use std::time::Duration;

use tokio::pin;
use tokio::time::{MissedTickBehavior, interval};
use ws_tokio::{HubEvent, Subscriber};

use crate::room::Room;

/// How often a room tells other nodes who is in it.
pub(crate) const BEAT: Duration = Duration::from_secs(2);

/// Listens until the room has ended.
pub(crate) async fn listen(room: Weak<Room>, mut subscriber: Subscriber) {
    let subscriptions = subscriber.subscriptions();
    let settled = subscriptions.settled();
    pin!(settled);
    let mut beats = interval(BEAT);
    beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut is_settled, mut dropped) = (false, 0);
    loop {
        let event = tokio::select! {
            () = &mut settled, if !is_settled => Due::Settled,
            Ok(event) = subscriber.recv() => Due::Event(event),
            _ = beats.tick() => Due::Beat,
        };
        let Some(room) = room.upgrade() else { return };
        match event {
            Due::Settled => {
                is_settled = true;
                room.catch_up();
            }
            Due::Event(HubEvent::Message(published)) => {
                room.take(published.message().message().as_text().unwrap_or_default());
            }
            Due::Event(_) => room.catch_up(),
            Due::Beat => room.beat(),
        }
        // It came faster than it was taken.
        if subscriber.dropped() != dropped {
            dropped = subscriber.dropped();
            room.catch_up();
        }
    }
}

enum Due {
    Settled,
    Event(HubEvent),
    Beat,
}
