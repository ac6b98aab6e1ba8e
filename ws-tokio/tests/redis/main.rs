//! Redis as the engine between nodes, with a real server: what comes through, and what happens when the server or a connection goes.

mod messages;
mod node;
mod outages;
#[path = "../engines/redis_server.rs"]
mod redis_server;
mod subscriptions;
#[cfg(feature = "ring")]
mod tls;
