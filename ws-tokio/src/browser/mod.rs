//! The same names over a browser's WebSocket, on `wasm32-unknown-unknown`: there the browser frames, masks and compresses, and
//! only messages, errors and limits are ours.

mod connect;
mod connection;
mod drain;
mod error;
mod events;
mod settings;
mod socket;
mod split;
#[cfg(feature = "stream")]
mod stream_sink;
mod timeout;

pub use connect::{ConnectOptions, connect};
pub use connection::Connection;
pub use error::ConnectError;
pub use settings::Settings;
pub use socket::Transport;
pub use split::{RecvHalf, SendHalf};
