//! The server's side: judge a request, then accept or refuse it.
//!
//! Layers, lowest first: upgrade; refusal; policy.

mod policy;
mod refusal;
mod upgrade;

pub use policy::{Accepted, Policy};
pub use refusal::{Refusal, refuse};
pub use upgrade::Upgrade;
