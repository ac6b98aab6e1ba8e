//! WebSocket connections on Tokio.
#![forbid(unsafe_code)]

mod connection;
mod error;
mod inbound;
mod linger;
mod outbound;
mod pool;
mod settings;
#[cfg(feature = "stream")]
mod stream_sink;

pub use connection::{Connection, Negotiated, Outbox, Outcome, Ping};
pub use error::Error;
pub use settings::Settings;
pub use ws_core::{
    CloseCode, CloseFrame, DecodeError, EncodeError, Limits, Message, MessageKind, MessageRef,
    Role, Utf8Bytes,
};
