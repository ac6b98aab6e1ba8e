//! The contract, rule by rule, over real connections; each test is named for its rule.

mod byte_stream;
mod close_now;
mod closing;
#[cfg(feature = "deflate")]
mod compression;
mod connect;
mod counters;
mod failing;
mod frames;
mod handshake_client;
mod handshake_server;
mod handshake_timeouts;
mod in_place;
mod incoming;
mod lessons;
mod not_http;
mod origins;
mod pings;
mod receiving;
mod running;
mod sending;
mod subprotocols;
mod urls;

#[path = "../support"]
mod support {
    pub(crate) mod counted;
    pub(crate) mod memory;
    pub(crate) mod parse;
    pub(crate) mod tcp;
    pub(crate) mod wire;
}
