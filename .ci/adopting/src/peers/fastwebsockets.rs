//! fastwebsockets: over Tokio's `AsyncRead` and `AsyncWrite`, frame by frame.

use super::super::fastwebsockets::{Frame, Payload, Role, WebSocket, unmask};
use crate::Peer;
use crate::memory::{Memory, Receiver, Sender, now};

pub(super) const PEER: Peer =
    Peer { name: "fastwebsockets 0.10.0", mask: unmask, receiver, sender };

fn receiver(stream: Memory) -> Receiver {
    let mut socket = WebSocket::after_handshake(stream, Role::Server);
    Box::new(move |payload| payload(&now(socket.read_frame()).expect("a message").payload))
}

fn sender(stream: Memory) -> Sender {
    let mut socket = WebSocket::after_handshake(stream, Role::Client);
    Box::new(move |payload| {
        let frame = Frame::binary(Payload::Borrowed(payload));
        now(socket.write_frame(frame)).expect("room");
    })
}
