//! HTTP/1.1 heads: bytes on the wire, `http`'s types in memory (RFC 9112).
//!
//! Layers, lowest first: not_http; error, limits; search, start_line, parse, write; reader.

mod error;
mod limits;
mod not_http;
mod parse;
mod reader;
mod search;
mod start_line;
mod write;

pub use error::{HeadError, Malformed};
pub use limits::HeadLimits;
pub use not_http::{LooksLike, NotHttp};
pub use reader::HeadReader;
pub use write::{write_request, write_response, write_response_head};
