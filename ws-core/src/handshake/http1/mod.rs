//! HTTP/1.1 heads: bytes on the wire, `http`'s types in memory (RFC 9112).
//!
//! Layers, lowest first: error, limits; search, parse, write; reader.

mod error;
mod limits;
mod parse;
mod reader;
mod search;
mod write;

pub use error::{HeadError, Malformed};
pub use limits::HeadLimits;
pub use reader::HeadReader;
pub use write::{write_request, write_response};
