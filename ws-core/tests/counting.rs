//! What is counted in each direction, however it came and however it was asked for.

use std::num::NonZeroUsize;

use bytes::BytesMut;
use ws_core::{
    Control, ControlPayload, Counts, Decoder, Delivery, Encoder, Limits, Message, MessageKind,
    MessageRef, More, PieceRef, Role, SendQueue, Unpooled,
};

/// A message in one frame, one in three fragments, and a ping: "one", "fragments", "hi".
const WIRE: &[u8] = b"\x81\x03one\x02\x04frag\x00\x04ment\x80\x01s\x89\x02hi";

/// Messages, frames, and bytes of payload.
type Passed = (u64, u64, u64);

/// A control frame's payload is no message's.
const COUNTED: Passed = (2, 5, 12);

fn passed(counts: Option<Counts>) -> Passed {
    let counts = counts.expect("it is counted");
    (counts.messages, counts.frames, counts.payload_bytes)
}

fn client(delivery: Delivery) -> Decoder {
    let mut decoder = Decoder::new(Role::Client, Limits::default()).counted();
    decoder.set_delivery(delivery);
    decoder
}

/// Decodes in portions of so many bytes.
fn decode(decoder: &mut Decoder, wire: &[u8], portion: usize) {
    let mut input = BytesMut::new();
    for part in wire.chunks(portion) {
        input.extend_from_slice(part);
        while decoder.decode_owned(&mut input, &mut Unpooled).expect("no error").is_some() {}
    }
}

#[test]
fn nothing_is_counted_that_nobody_asked_to_count() {
    let mut decoder = Decoder::new(Role::Client, Limits::default());
    decode(&mut decoder, WIRE, WIRE.len());
    assert_eq!((decoder.counts(), Encoder::server().counts()), (None, None));
}

#[test]
fn what_is_received_is_counted_the_same_however_it_was_cut_and_is_delivered() {
    let pieces = Delivery::Pieces(NonZeroUsize::new(2).unwrap());
    for delivery in [Delivery::Messages, pieces] {
        for portion in 1..=WIRE.len() {
            let mut decoder = client(delivery);
            assert_eq!(passed(decoder.counts()), (0, 0, 0));
            decode(&mut decoder, WIRE, portion);
            assert_eq!(passed(decoder.counts()), COUNTED, "{delivery:?} {portion}");
        }
    }
}

#[test]
fn a_text_in_fragments_counts_with_all_its_bytes() {
    let mut decoder = client(Delivery::Messages);
    decode(&mut decoder, b"\x01\x03one\x00\x03two\x80\x05three", 1);
    assert_eq!(passed(decoder.counts()), (1, 3, 11));
}

#[test]
fn a_borrowed_message_counts_like_an_owned_one() {
    let (mut decoder, mut input, mut at) = (client(Delivery::Messages), WIRE.to_vec(), 0);
    while at < input.len() {
        at += decoder.decode(&mut input[at..], &mut Unpooled).unwrap().1;
    }
    assert_eq!(passed(decoder.counts()), COUNTED);
}

#[test]
fn what_is_sent_is_counted_with_each_frame_and_each_whole_message() {
    let (mut encoder, mut queue) = (Encoder::server().counted(), SendQueue::new());
    encoder.message(MessageRef::Text("one"), &mut queue, &mut Unpooled).unwrap();
    encoder.owned(Message::binary(vec![7; 20_000]), &mut queue, &mut Unpooled).unwrap();
    let piece = |data, more| PieceRef { kind: MessageKind::Text, data, more };
    encoder.piece(piece(b"two", More::Follows), &mut queue, &mut Unpooled).unwrap();
    let counted = (2, 3, 20_006);
    assert_eq!(passed(encoder.counts()), counted, "a message counts at its end");
    let ping = Control::Ping(ControlPayload::new(b"hi").unwrap());
    encoder.control(&ping, &mut queue, &mut Unpooled).unwrap();
    encoder.piece(piece(b"!", More::Ended), &mut queue, &mut Unpooled).unwrap();
    let counted = (3, 5, 20_007);
    assert_eq!(passed(encoder.counts()), counted);
}
