//! Stream interfaces: a `Stream` of messages, one message as a byte stream, and a connection as a byte stream.

mod byte_stream;
mod reader;
#[cfg(feature = "stream")]
mod stream_sink;
mod writer;

pub use byte_stream::ByteStream;
pub use reader::MessageReader;
pub use writer::MessageWriter;
