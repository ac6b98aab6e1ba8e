//! Code that both sides of an opening handshake share (RFC 6455, 4).

mod head;
mod options;
#[cfg(any(feature = "http2", feature = "proxy"))]
mod rewound;

pub(crate) use head::{Deadline, Late, read_head, write_head, write_last};
pub(crate) use options::{HandshakeOptions, speaking};
#[cfg(any(feature = "http2", feature = "proxy"))]
pub(crate) use rewound::Rewound;
