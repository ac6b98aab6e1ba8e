//! The machinery that connections and their halves share. Other modules use only the names exported here.

mod callbacks;
mod counters;
mod failure;
mod handler;
mod inbound;
#[cfg(feature = "stream")]
mod life;
mod linger;
mod news;
mod outbound;
mod outbox;
mod pings;
mod pool;
mod random;
mod receives;
mod receiving;
mod shared;
mod sync;
mod tracking;
mod wakers;
mod wants;

pub use callbacks::PingReply;
pub use counters::{Counters, Traffic};
pub use handler::Outcome;
pub(crate) use handler::handle;
pub(crate) use inbound::{Inbound, Progress};
pub(crate) use linger::{EndsFirst, Linger};
pub(crate) use outbound::Outbound;
pub(crate) use outbox::Locked;
pub use outbox::Outbox;
pub use pings::Ping;
pub(crate) use random::random;
pub(crate) use receives::{Receives, recv_into, recv_with};
pub(crate) use receiving::Receiving;
pub(crate) use shared::direct::Direct;
pub(crate) use shared::{Link, Shared};
pub(crate) use sync::{Mutex, lock};
pub use tracking::Ticket;
pub(crate) use tracking::{Registry, Stage};
pub(crate) use wakers::{Waiter, Wakers};
pub(crate) use wants::{Want, Wants};
