//! A connection, or a half of one, seen as a stream: of a message's bytes, of messages, or of bytes without messages.

mod byte_stream;
mod reader;
#[cfg(feature = "stream")]
mod stream_sink;
mod writer;

pub use byte_stream::ByteStream;
pub use reader::MessageReader;
pub use writer::MessageWriter;
