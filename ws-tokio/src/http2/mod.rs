//! One stream of an HTTP/2 connection as a stream of bytes (RFC 8441), and what both ends agree on below it.

mod options;
mod sent;
mod stream;

pub use options::Http2Options;
pub(crate) use options::UNTOLD;
pub(crate) use sent::Sent;
pub use stream::Http2Stream;
pub(crate) use stream::{Session, broken};
