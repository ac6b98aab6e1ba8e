//! soketto: over the `AsyncRead` and `AsyncWrite` of the futures crates.

use super::super::soketto::Mode;
use super::super::soketto::base::{Codec, Header, OpCode};
use super::super::soketto::connection::Builder;
use crate::Peer;
use crate::memory::{Memory, Receiver, Sender, now};

pub(super) const PEER: Peer = Peer { name: "soketto 0.8.1", mask, receiver, sender };

fn mask(data: &mut [u8], key: [u8; 4]) {
    let mut header = Header::new(OpCode::Binary);
    header.set_masked(true).set_mask(u32::from_be_bytes(key));
    Codec::apply_mask(&header, data);
}

fn receiver(stream: Memory) -> Receiver {
    let (_, mut receiver) = Builder::new(stream, Mode::Server).finish();
    let mut message = Vec::new();
    Box::new(move |payload| {
        message.clear();
        now(receiver.receive_data(&mut message)).expect("a message");
        payload(&message);
    })
}

fn sender(stream: Memory) -> Sender {
    let (mut sender, _) = Builder::new(stream, Mode::Client).finish();
    Box::new(move |payload| {
        now(sender.send_binary(payload)).expect("room");
        now(sender.flush()).expect("room");
    })
}
