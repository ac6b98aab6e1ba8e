//! A hub's engine over NATS, with a real server: what arrives, in which order, and what happens when the server doesn't.

#[path = "../engines/nats_server.rs"]
mod nats_server;

mod failing;
mod limits;
mod many;
mod node;
mod plain;
#[cfg(feature = "ring")]
mod tls;
