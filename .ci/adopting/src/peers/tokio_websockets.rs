//! tokio-websockets: a `Stream` and a `Sink` over Tokio's `AsyncRead` and `AsyncWrite`.

use futures_util::{SinkExt, StreamExt};

use super::super::masks::tokio_websockets::frame;
use super::super::tokio_websockets::{ClientBuilder, Message, ServerBuilder};
use crate::Peer;
use crate::memory::{Memory, Receiver, Sender, now};

pub(super) const PEER: Peer = Peer { name: "tokio-websockets 0.13.3", mask, receiver, sender };

fn mask(data: &mut [u8], mut key: [u8; 4]) {
    frame(&mut key, data);
}

fn receiver(stream: Memory) -> Receiver {
    let mut socket = ServerBuilder::new().serve(stream);
    Box::new(move |payload| {
        let message = now(socket.next()).expect("no end").expect("a message");
        payload(message.as_payload());
    })
}

fn sender(stream: Memory) -> Sender {
    let mut socket = ClientBuilder::new().take_over(stream);
    Box::new(move |payload| now(socket.send(Message::binary(payload.clone()))).expect("room"))
}
