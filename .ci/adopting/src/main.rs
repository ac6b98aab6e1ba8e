//! Four WebSocket crates as published and with ws-mask: `check` holds both against masking byte by byte, `figures` times them.

mod after;
mod before;
mod check;
mod figures;
mod memory;

use memory::{Memory, Receiver, Sender};

/// One crate, before or after.
struct Peer {
    name: &'static str,
    /// Its own function for masking.
    mask: fn(&mut [u8], [u8; 4]),
    /// A server: each call receives a message and lends its payload.
    receiver: fn(Memory) -> Receiver,
    /// A client: each call sends a binary message.
    sender: fn(Memory) -> Sender,
}

fn main() {
    match std::env::args().nth(1).as_deref() {
        Some("check") => check::run(),
        Some("figures") => figures::run(),
        _ => panic!("check or figures"),
    }
}
