//! A connection or a half as a stream: of messages, of the bytes of one message, or of bytes without messages.

mod byte_stream;
mod reader;
#[cfg(feature = "stream")]
mod stream_sink;
mod writer;

pub use byte_stream::ByteStream;
pub use reader::MessageReader;
pub use writer::MessageWriter;
