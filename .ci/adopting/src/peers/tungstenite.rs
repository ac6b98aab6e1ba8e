//! tungstenite: blocking, over `Read` and `Write`.

use super::super::masks::tungstenite::apply_mask;
use super::super::tungstenite::Message;
use super::super::tungstenite::protocol::{Role, WebSocket};
use crate::Peer;
use crate::memory::{Memory, Receiver, Sender};

pub(super) const PEER: Peer =
    Peer { name: "tungstenite 0.30.0", mask: apply_mask, receiver, sender };

fn receiver(stream: Memory) -> Receiver {
    let mut socket = WebSocket::from_raw_socket(stream, Role::Server, None);
    Box::new(move |payload| payload(&socket.read().expect("a message").into_data()))
}

fn sender(stream: Memory) -> Sender {
    let mut socket = WebSocket::from_raw_socket(stream, Role::Client, None);
    Box::new(move |payload| socket.send(Message::Binary(payload.clone())).expect("room"))
}
