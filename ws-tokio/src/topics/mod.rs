//! One message for many connections; a slow subscriber never delays the others.

mod broadcast;
mod bus;
mod deliver;
mod hub;
mod inbox;
mod options;
mod queue;
mod single;
mod subscription;
mod topic;

pub use broadcast::Broadcast;
#[cfg(feature = "nats")]
pub use bus::Nats;
#[cfg(feature = "redis")]
pub use bus::redis::Redis;
pub use bus::{Bus, BusEvent, BusMessage, BusResult};
pub use hub::{BusStats, Gap, Hub, HubEvent, Published, SubscribeError, Subscriber, Subscriptions};
pub use inbox::TooSlow;
pub use options::{BroadcastOptions, HubOptions, Slow};
pub use subscription::Subscription;
