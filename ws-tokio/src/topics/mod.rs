//! One message for many connections, of which no slow one holds up another.

mod broadcast;
mod deliver;
mod options;
mod queue;
mod subscription;
mod topic;

pub use broadcast::Broadcast;
pub use options::{BroadcastOptions, Slow};
pub use subscription::{Subscription, TooSlow};
