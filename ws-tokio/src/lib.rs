//! WebSocket connections on Tokio.
#![forbid(unsafe_code)]

mod accept;
mod connect;
mod connection;
mod error;
mod head;
mod inbound;
mod linger;
mod outbound;
mod pool;
mod random;
mod settings;
#[cfg(feature = "stream")]
mod stream_sink;
mod transport;

pub use accept::{AcceptError, AcceptOptions, Incoming, accept};
pub use connect::{ConnectError, ConnectOptions, connect};
pub use connection::{Connection, Negotiated, Outbox, Outcome, Ping};
pub use error::Error;
pub use http;
pub use settings::Settings;
pub use transport::Transport;
pub use ws_core::handshake;
pub use ws_core::{
    CloseCode, CloseFrame, DecodeError, EncodeError, Limits, Message, MessageKind, MessageRef,
    Role, Utf8Bytes,
};
