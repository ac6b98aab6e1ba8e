//! One message for many connections; a slow subscriber never delays the others.

mod broadcast;
mod deliver;
mod options;
mod queue;
mod subscription;
mod topic;

pub use broadcast::Broadcast;
pub use options::{BroadcastOptions, Slow};
pub use subscription::{Subscription, TooSlow};
