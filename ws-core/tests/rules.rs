//! Every rule on frames, by name, with its bytes as on the wire. Clients mask with the key zero here.

use std::num::NonZeroUsize;

use bytes::{Bytes, BytesMut};
use ws_core::{
    CloseCode, CloseFrame, Control, DecodeError, Decoder, Delivery, Encoder, Event, Limits,
    MaskKeys, Message, MessageRef, OwnedEvent, Pool, Role, SendQueue, Unpooled, Utf8Bytes,
};

/// What a server with default limits makes of a client's bytes.
fn server(wire: &[u8]) -> (Vec<OwnedEvent>, Option<DecodeError>) {
    decode(Decoder::new(Role::Server, Limits::default()), wire)
}

fn decode(mut decoder: Decoder, wire: &[u8]) -> (Vec<OwnedEvent>, Option<DecodeError>) {
    let (mut input, mut events) = (BytesMut::from(wire), Vec::new());
    loop {
        match decoder.decode_owned(&mut input, &mut Unpooled) {
            Ok(Some(event)) => events.push(event),
            Ok(None) => return (events, None),
            Err(error) => return (events, Some(error)),
        }
    }
}

fn refusal(wire: &[u8]) -> (DecodeError, CloseCode) {
    let error = server(wire).1.expect("a refusal");
    (error, error.close_code())
}

fn text(text: &str) -> OwnedEvent {
    OwnedEvent::Message(Message::text(text))
}

#[test]
fn a_masked_text_of_the_rfc_is_hello() {
    let wire = b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58";
    assert_eq!(server(wire), (vec![text("Hello")], None));
}

#[test]
fn a_ping_between_fragments_comes_before_their_message() {
    let wire = b"\x01\x83\0\0\0\0Hel\x89\x82\0\0\0\0hi\x80\x82\0\0\0\0lo";
    let (events, error) = server(wire);
    assert!(
        matches!(&events[0], OwnedEvent::Control(Control::Ping(payload)) if **payload == *b"hi")
    );
    assert_eq!((&events[1..], error), (&[text("Hello")][..], None));
}

#[test]
fn rsv1_without_the_extension_closes_1002() {
    assert_eq!(refusal(b"\xc1\x80\0\0\0\0"), (DecodeError::ReservedBit, CloseCode::PROTOCOL_ERROR));
}

#[test]
fn rsv2_and_rsv3_close_1002() {
    for first in [0xa1, 0x91, 0xa9, 0x90] {
        let verdict = (DecodeError::ReservedBit, CloseCode::PROTOCOL_ERROR);
        assert_eq!(refusal(&[first, 0x80, 0, 0, 0, 0]), verdict);
    }
}

#[test]
fn a_reserved_opcode_closes_1002() {
    let verdict = (DecodeError::ReservedOpcode(3), CloseCode::PROTOCOL_ERROR);
    assert_eq!(refusal(b"\x83\x80\0\0\0\0"), verdict);
}

#[test]
fn a_control_frame_over_125_bytes_closes_1002() {
    let verdict = (DecodeError::ControlTooLong, CloseCode::PROTOCOL_ERROR);
    assert_eq!(refusal(b"\x89\xfe\x00\x7e\0\0\0\0"), verdict);
}

#[test]
fn a_fragmented_control_frame_closes_1002() {
    let verdict = (DecodeError::ControlFragmented, CloseCode::PROTOCOL_ERROR);
    assert_eq!(refusal(b"\x09\x80\0\0\0\0"), verdict);
}

#[test]
fn a_continuation_without_a_start_closes_1002() {
    let verdict = (DecodeError::ContinuationWithoutStart, CloseCode::PROTOCOL_ERROR);
    assert_eq!(refusal(b"\x80\x80\0\0\0\0"), verdict);
    assert_eq!(refusal(b"\x81\x80\0\0\0\0\x80\x80\0\0\0\0"), verdict);
}

#[test]
fn new_data_inside_a_message_closes_1002() {
    let verdict = (DecodeError::MessageInsideMessage, CloseCode::PROTOCOL_ERROR);
    assert_eq!(refusal(b"\x01\x80\0\0\0\0\x81\x80\0\0\0\0"), verdict);
}

#[test]
fn an_unmasked_frame_from_a_client_closes_1002() {
    assert_eq!(refusal(b"\x81\x02hi"), (DecodeError::MaskMissing, CloseCode::PROTOCOL_ERROR));
}

#[test]
fn a_masked_frame_from_a_server_closes_1002() {
    let client = Decoder::new(Role::Client, Limits::default());
    let error = decode(client, b"\x81\x82\0\0\0\0hi").1.unwrap();
    let verdict = (DecodeError::MaskUnexpected, CloseCode::PROTOCOL_ERROR);
    assert_eq!((error, error.close_code()), verdict);
}

#[test]
fn a_length_that_is_not_minimal_closes_1002() {
    let verdict = (DecodeError::LengthNotMinimal, CloseCode::PROTOCOL_ERROR);
    assert_eq!(refusal(b"\x82\xfe\x00\x7d"), verdict);
}

#[test]
fn a_length_with_its_top_bit_set_closes_1002() {
    let verdict = (DecodeError::LengthTopBit, CloseCode::PROTOCOL_ERROR);
    assert_eq!(refusal(b"\x82\xff\xff\xff\xff\xff\xff\xff\xff\xff"), verdict);
}

#[test]
fn a_close_payload_of_one_byte_closes_1002() {
    let verdict = (DecodeError::ClosePayloadTooShort, CloseCode::PROTOCOL_ERROR);
    assert_eq!(refusal(b"\x88\x81\0\0\0\0\x03"), verdict);
}

#[test]
fn a_close_code_that_may_not_be_sent_closes_1002() {
    for code in [0u16, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535] {
        let wire = [&b"\x88\x82\0\0\0\0"[..], &code.to_be_bytes()].concat();
        let verdict = (DecodeError::CloseCodeInvalid(code), CloseCode::PROTOCOL_ERROR);
        assert_eq!(refusal(&wire), verdict);
    }
}

#[test]
fn text_that_is_not_utf8_closes_1007_at_its_first_bad_byte() {
    // The frame announces 100 bytes; the third of the seven that came is the bad one.
    let verdict = (DecodeError::InvalidUtf8, CloseCode::INVALID_PAYLOAD);
    assert_eq!(refusal(b"\x81\xe4\0\0\0\0ab\xff"), verdict);
    assert_eq!(refusal(b"\x01\x82\0\0\0\0\xe2\x82\x00\xe4\0\0\0\0z"), verdict);
}

#[test]
fn text_that_ends_inside_a_code_point_closes_1007() {
    let verdict = (DecodeError::InvalidUtf8, CloseCode::INVALID_PAYLOAD);
    assert_eq!(refusal(b"\x81\x82\0\0\0\0\xe2\x82"), verdict);
}

#[test]
fn text_that_ends_inside_a_code_point_before_an_empty_final_fragment_closes_1007() {
    let verdict = (DecodeError::InvalidUtf8, CloseCode::INVALID_PAYLOAD);
    assert_eq!(refusal(b"\x01\x82\0\0\0\0\xe2\x82\x80\x80\0\0\0\0"), verdict);
}

#[test]
fn a_code_point_over_three_fragments_is_one_character() {
    let wire = b"\x01\x81\0\0\0\0\xe2\x00\x81\0\0\0\0\x82\x80\x81\0\0\0\0\xac";
    assert_eq!(server(wire), (vec![text("€")], None));
}

#[test]
fn a_close_reason_that_is_not_utf8_closes_1007() {
    let verdict = (DecodeError::InvalidUtf8, CloseCode::INVALID_PAYLOAD);
    assert_eq!(refusal(b"\x88\x83\0\0\0\0\x03\xe8\xff"), verdict);
}

#[test]
fn a_message_over_the_limit_closes_1009_at_its_header() {
    let verdict = (DecodeError::MessageTooBig { limit: 1 << 20 }, CloseCode::TOO_BIG);
    assert_eq!(refusal(b"\x82\xff\0\0\0\0\0\x10\0\x01\0\0\0\0"), verdict);
    let (events, error) = server(b"\x82\xff\0\0\0\0\0\x10\0\0\0\0\0\0");
    assert_eq!((events, error), (vec![], None), "exactly the limit is fine");
}

#[test]
fn fragments_that_are_over_the_limit_together_close_1009_at_the_header() {
    let limits = Limits::default().with_message_size(10);
    let wire = b"\x02\x86\0\0\0\0abcdef\x80\x85\0\0\0\0";
    let error = decode(Decoder::new(Role::Server, limits), wire).1.unwrap();
    assert_eq!(
        (error, error.close_code()),
        (DecodeError::MessageTooBig { limit: 10 }, CloseCode::TOO_BIG)
    );
}

#[test]
fn a_frame_that_announces_2_to_the_62_bytes_closes_1009_and_allocates_nothing() {
    let verdict = (DecodeError::MessageTooBig { limit: 1 << 20 }, CloseCode::TOO_BIG);
    assert_eq!(refusal(b"\x82\xff\x40\0\0\0\0\0\0\0\0\0\0\0"), verdict);
    assert_eq!(
        refusal(b"\x02\x81\0\0\0\0a\x80\xff\x7f\xff\xff\xff\xff\xff\xff\xff\0\0\0\0"),
        verdict
    );
}

#[test]
fn empty_fragments_without_end_close_1008() {
    let mut wire = b"\x02\x80\0\0\0\0".to_vec();
    wire.extend(b"\x00\x80\0\0\0\0".repeat(1 << 17));
    let verdict = (DecodeError::TooManyFragments { limit: 1 << 17 }, CloseCode::POLICY_VIOLATION);
    assert_eq!(refusal(&wire), verdict);
}

#[test]
fn after_a_close_frame_nothing_more_is_read_as_data() {
    let (events, error) = server(b"\x88\x80\0\0\0\0\x81\x82\0\0\0\0hi\x83\x00");
    assert_eq!((events, error), (vec![OwnedEvent::Control(Control::Close(None))], None));
}

#[test]
fn a_close_frame_inside_a_message_ends_it() {
    let (events, error) = server(b"\x01\x82\0\0\0\0hi\x88\x82\0\0\0\0\x03\xe9");
    let close = CloseFrame::new(CloseCode::GOING_AWAY, "").unwrap();
    assert_eq!((events, error), (vec![OwnedEvent::Control(Control::Close(Some(close)))], None));
}

#[test]
fn pieces_are_cut_at_exact_multiples_of_the_chunk() {
    let mut decoder = Decoder::new(Role::Server, Limits::default());
    decoder.set_delivery(Delivery::Pieces(NonZeroUsize::new(4).unwrap()));
    let (events, error) = decode(decoder, b"\x02\x89\0\0\0\0abcdefghi\x80\x80\0\0\0\0");
    let pieces: Vec<&[u8]> = events
        .iter()
        .map(|event| match event {
            OwnedEvent::Piece(piece) => &piece.data[..],
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!((pieces, error), (vec![&b"abcd"[..], b"efgh", b"i", b""], None));
}

#[test]
fn pieces_of_different_texts_make_no_text_although_each_was_judged() {
    let first_piece = |wire: &[u8]| {
        let mut decoder = Decoder::new(Role::Server, Limits::default());
        decoder.set_delivery(Delivery::Pieces(NonZeroUsize::new(2).unwrap()));
        match decode(decoder, wire) {
            (events, None) => match &events[0] {
                OwnedEvent::Piece(piece) => piece.data.to_vec(),
                other => panic!("{other:?}"),
            },
            refused => panic!("{refused:?}"),
        }
    };
    // Both texts go on in the middle of a character.
    let (euro, accent) = (b"\x81\x83\0\0\0\0\xe2\x82\xac", b"\x81\x83\0\0\0\0e\xc3\xa9");
    let mixed = [first_piece(euro), first_piece(accent)].concat();
    assert!(Utf8Bytes::try_from(Bytes::from(mixed)).is_err());
}

#[test]
fn a_message_in_one_frame_is_borrowed_from_the_input() {
    let mut decoder = Decoder::new(Role::Client, Limits::default());
    let mut input = *b"\x82\x02hi\x82";
    let place = input.as_ptr().wrapping_add(2);
    let (event, used) = decoder.decode(&mut input, &mut Unpooled).unwrap();
    let Some(Event::Message(MessageRef::Binary(payload))) = event else { panic!("{event:?}") };
    assert_eq!((payload, payload.as_ptr(), used), (&b"hi"[..], place, 4));
}

#[test]
fn a_small_owned_message_does_not_pin_the_buffer_it_arrived_in() {
    let mut decoder = Decoder::new(Role::Client, Limits::default());
    let mut input = BytesMut::with_capacity(1 << 16);
    input.extend_from_slice(b"\x82\x02hi");
    let _kept = decoder.decode_owned(&mut input, &mut Unpooled).unwrap();
    assert!(input.try_reclaim(1 << 16), "the buffer is whole again");
}

/// Counts the buffers that are out.
#[derive(Default)]
struct Ledger(isize);

impl Pool for Ledger {
    fn take(&mut self) -> Vec<u8> {
        self.0 += 1;
        Vec::with_capacity(1 << 16)
    }

    fn give(&mut self, _: Vec<u8>) {
        self.0 -= 1;
    }
}

#[test]
fn a_decoder_between_messages_owns_no_buffer() {
    let (mut decoder, mut pool) =
        (Decoder::new(Role::Client, Limits::default()), Ledger::default());
    let mut input = *b"\x02\x02he\x00\x02ll\x80\x01o";
    let (event, used) = decoder.decode(&mut input[..8], &mut pool).unwrap();
    assert!(event.is_none());
    assert_eq!((used, pool.0), (8, 1), "the message is under way");
    let (event, used) = decoder.decode(&mut input[8..], &mut pool).unwrap();
    assert!(matches!(event, Some(Event::Message(MessageRef::Binary(b"hello")))));
    assert_eq!((used, pool.0), (3, 1), "the event borrows from it");
    assert!(decoder.decode(&mut [], &mut pool).unwrap().0.is_none());
    assert_eq!(pool.0, 0);
}

#[test]
fn a_server_queues_a_large_payload_by_reference_and_a_client_masks_a_copy() {
    let message = Message::binary(vec![7; 16 * 1024]);
    let mut queue = SendQueue::new();
    Encoder::server().owned(message.clone(), &mut queue, &mut Unpooled).unwrap();
    queue.advance(4);
    assert_eq!(queue.first_slice().as_ptr(), message.as_bytes().as_ptr());

    let mut queue = SendQueue::new();
    let mut client = Encoder::client(MaskKeys::from_seed([1; 32]));
    client.owned(message.clone(), &mut queue, &mut Unpooled).unwrap();
    assert_eq!(
        message,
        Message::binary(vec![7; 16 * 1024]),
        "the caller's payload is never changed"
    );
    assert!(queue.first_slice()[8..].iter().any(|&byte| byte != 7));
}

#[test]
fn a_masking_key_is_never_the_one_before() {
    let mut keys = MaskKeys::from_seed([7; 32]);
    let mut other = MaskKeys::from_seed([8; 32]);
    let keys: Vec<_> = (0..100).map(|_| <[u8; 4]>::from(keys.next_key())).collect();
    assert!(keys.windows(2).all(|pair| pair[0] != pair[1]));
    assert_ne!(keys[0], <[u8; 4]>::from(other.next_key()));
}

#[test]
fn limits_that_are_set_hold_from_the_next_message_on() {
    let mut decoder = Decoder::new(Role::Client, Limits::default());
    let limits = Limits::default().with_message_size(4).with_fragments(2);
    decoder.set_limits(limits);
    assert_eq!(decoder.limits(), limits);
    let refused = decode(decoder, b"\x82\x04four\x82\x05fives").1;
    assert_eq!(refused, Some(DecodeError::MessageTooBig { limit: 4 }));
}

#[test]
fn a_decoder_is_closed_by_a_close_frame_and_by_an_error() {
    for (wire, closed) in [(&b"\x89\x00"[..], false), (b"\x88\x00", true), (b"\x83\x00", true)] {
        let mut decoder = Decoder::new(Role::Client, Limits::default());
        _ = decoder.decode_owned(&mut BytesMut::from(wire), &mut Unpooled);
        assert_eq!(decoder.is_closed(), closed, "{wire:x?}");
    }
}

#[test]
fn what_is_wanted_is_a_header_then_a_frame_then_a_piece() {
    let wanted = |delivery, wire: &[u8]| {
        let mut decoder = Decoder::new(Role::Client, Limits::default());
        decoder.set_delivery(delivery);
        let taken = decoder.decode_owned(&mut BytesMut::from(wire), &mut Unpooled);
        assert_eq!(taken, Ok(None));
        decoder.wanted()
    };
    let pieces = Delivery::Pieces(NonZeroUsize::new(100).unwrap());
    assert_eq!(wanted(Delivery::Messages, b""), 14);
    assert_eq!(wanted(Delivery::Messages, b"\x82\x7e\x01\x00ab"), 260);
    assert_eq!(wanted(Delivery::Messages, b"\x02\x02ab"), 14, "between two frames");
    assert_eq!(wanted(Delivery::Messages, b"\x02\x09ab"), 1, "its bytes are taken as they come");
    assert_eq!(wanted(pieces, b"\x82\x7e\x01\x00ab"), 100);
    assert_eq!(wanted(pieces, b"\x82\x09ab"), 9);
}
