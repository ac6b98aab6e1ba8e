//! The server's side: judge a request, then accept or refuse it.
//!
//! Layers, lowest first: accepted, head, upgrade; refusal; policy.

mod accepted;
mod head;
mod policy;
mod refusal;
mod upgrade;

pub use accepted::{Accepted, SubprotocolNotOffered};
pub use head::Head;
pub use policy::Policy;
pub use refusal::{Refusal, refuse};
pub use upgrade::Upgrade;
