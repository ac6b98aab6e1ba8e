//! A sans-I/O WebSocket codec (RFC 6455).
#![deny(unsafe_code)]

pub mod handshake;
