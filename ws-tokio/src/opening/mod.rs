//! Code that both sides of an opening handshake share (RFC 6455, 4).

mod head;
mod options;
#[cfg(feature = "http2")]
mod rewound;

pub(crate) use head::{Deadline, Late, read_head, write_head, write_last};
pub(crate) use options::{HandshakeOptions, speaking};
#[cfg(feature = "http2")]
pub(crate) use rewound::Rewound;
