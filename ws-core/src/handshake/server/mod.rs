//! The server's side: judge a request, then accept or refuse it.
//!
//! Layers, lowest first: accepted, upgrade; refusal; policy.

mod accepted;
mod policy;
mod refusal;
mod upgrade;

pub use accepted::{Accepted, SubprotocolNotOffered};
pub use policy::Policy;
pub use refusal::{Refusal, refuse};
pub use upgrade::Upgrade;
