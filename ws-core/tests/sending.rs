//! What the encoder queues, to the byte, and what it refuses: then nothing at all.

use std::io::Write;

use ws_core::{
    CloseCode, CloseFrame, Control, ControlPayload, Decoder, EncodeError, Encoder, Event, Limits,
    MaskKeys, Message, MessageKind, MessageRef, More, PieceRef, Role, SendQueue, Unpooled,
};

fn piece(kind: MessageKind, data: &[u8], more: More) -> PieceRef<'_> {
    PieceRef { kind, data, more }
}

fn ping(payload: &[u8]) -> Control {
    Control::Ping(ControlPayload::new(payload).expect("at most 125 bytes"))
}

/// Everything that begins or continues a message fails with `error`, and leaves the queue as it was.
fn refuses_messages(encoder: &mut Encoder, queue: &mut SendQueue, error: EncodeError) {
    let before = queue.first_slice().to_vec();
    let text = MessageRef::Text("refused");
    assert_eq!(encoder.may_begin(), Err(error));
    assert_eq!(encoder.message(text, queue, &mut Unpooled), Err(error));
    let large = Message::from(vec![7; 100_000]);
    assert_eq!(encoder.owned(large, queue, &mut Unpooled), Err(error));
    let filled = encoder.message_with(MessageKind::Text, queue, &mut Unpooled, |_| {
        unreachable!("it is asked for nothing")
    });
    assert_eq!(filled, Err(error));
    assert_eq!(queue.first_slice(), before);
}

#[test]
fn inside_a_streamed_message_no_other_can_begin() {
    let (mut encoder, mut queue) = (Encoder::server(), SendQueue::new());
    let begun = piece(MessageKind::Text, b"one ", More::Follows);
    encoder.piece(begun, &mut queue, &mut Unpooled).unwrap();
    refuses_messages(&mut encoder, &mut queue, EncodeError::MessageUnderWay);
    let ended = piece(MessageKind::Text, b"message", More::Ended);
    encoder.piece(ended, &mut queue, &mut Unpooled).unwrap();
    encoder.message(MessageRef::Text("next"), &mut queue, &mut Unpooled).unwrap();
    assert_eq!(queue.first_slice(), b"\x01\x04one \x80\x07message\x81\x04next");
}

#[test]
fn a_piece_of_another_kind_than_its_message_queues_nothing() {
    let (mut encoder, mut queue) = (Encoder::server(), SendQueue::new());
    for (kind, other) in
        [(MessageKind::Text, MessageKind::Binary), (MessageKind::Binary, MessageKind::Text)]
    {
        encoder.piece(piece(kind, b"", More::Follows), &mut queue, &mut Unpooled).unwrap();
        for more in [More::Follows, More::Ended] {
            let refused = encoder.piece(piece(other, b"x", more), &mut queue, &mut Unpooled);
            assert_eq!(refused, Err(EncodeError::KindChanged));
        }
        encoder.piece(piece(kind, b"", More::Ended), &mut queue, &mut Unpooled).unwrap();
    }
    assert_eq!(queue.first_slice(), b"\x01\x00\x80\x00\x02\x00\x80\x00");
}

#[test]
fn control_frames_pass_inside_a_streamed_message_and_after_a_close_frame_nothing_does() {
    let (mut encoder, mut queue) = (Encoder::server(), SendQueue::new());
    let begun = piece(MessageKind::Binary, b"a", More::Follows);
    encoder.piece(begun, &mut queue, &mut Unpooled).unwrap();
    encoder.control(&ping(b"p"), &mut queue, &mut Unpooled).unwrap();
    encoder.control(&Control::Close(None), &mut queue, &mut Unpooled).unwrap();
    assert_eq!(queue.first_slice(), b"\x02\x01a\x89\x01p\x88\x00");
    refuses_messages(&mut encoder, &mut queue, EncodeError::Closed);
    for more in [More::Follows, More::Ended] {
        for kind in [MessageKind::Text, MessageKind::Binary] {
            let refused = encoder.piece(piece(kind, b"x", more), &mut queue, &mut Unpooled);
            assert_eq!(refused, Err(EncodeError::Closed));
        }
    }
    let normal = CloseFrame::new(CloseCode::NORMAL, "").unwrap();
    for control in [ping(b""), Control::Close(None), Control::Close(Some(normal))] {
        let refused = encoder.control(&control, &mut queue, &mut Unpooled);
        assert_eq!(refused, Err(EncodeError::Closed));
    }
    assert_eq!(queue.first_slice(), b"\x02\x01a\x89\x01p\x88\x00");
    assert!(encoder.is_closed());
}

#[test]
fn after_a_close_frame_a_whole_message_as_one_piece_is_refused() {
    let (mut encoder, mut queue) = (Encoder::server(), SendQueue::new());
    encoder.control(&Control::Close(None), &mut queue, &mut Unpooled).unwrap();
    let whole = piece(MessageKind::Text, b"x", More::Ended);
    assert_eq!(encoder.piece(whole, &mut queue, &mut Unpooled), Err(EncodeError::Closed));
}

#[test]
fn message_with_queues_what_is_filled_in_and_nothing_where_that_fails() {
    for len in [0, 1, 125, 126, 65_535, 65_536] {
        let (mut encoder, mut queue) = (Encoder::server(), SendQueue::new());
        let (mut plain, mut expected) = (Encoder::server(), SendQueue::new());
        let payload = vec![7; len];
        encoder.message(MessageRef::Binary(b"before"), &mut queue, &mut Unpooled).unwrap();
        plain.message(MessageRef::Binary(b"before"), &mut expected, &mut Unpooled).unwrap();
        let failed = encoder.message_with(MessageKind::Text, &mut queue, &mut Unpooled, |writer| {
            writer.extend_from_slice(&payload);
            Err(EncodeError::KindChanged)
        });
        assert_eq!(failed, Err(EncodeError::KindChanged));
        assert_eq!(queue.first_slice(), expected.first_slice());
        let filled =
            encoder.message_with(MessageKind::Binary, &mut queue, &mut Unpooled, |writer| {
                payload.chunks(1000).for_each(|part| writer.extend_from_slice(part));
                Ok::<_, EncodeError>(())
            });
        filled.unwrap();
        plain.message(MessageRef::Binary(&payload), &mut expected, &mut Unpooled).unwrap();
        assert!(queue.first_slice() == expected.first_slice() && queue.len() == expected.len());
    }
}

#[test]
fn a_clients_message_with_is_masked() {
    let (mut client, mut queue) = (Encoder::client(MaskKeys::from_seed([1; 32])), SendQueue::new());
    let filled = client.message_with(MessageKind::Text, &mut queue, &mut Unpooled, |writer| {
        writer.extend_from_slice(b"masked");
        Ok::<_, EncodeError>(())
    });
    filled.unwrap();
    let mut wire = queue.first_slice().to_vec();
    assert_eq!((&wire[..2], wire.len()), (&b"\x81\x86"[..], 2 + 4 + 6));
    assert_ne!(&wire[6..], b"masked");
    let mut server = Decoder::new(Role::Server, Limits::default());
    let (event, _) = server.decode(&mut wire, &mut Unpooled).unwrap();
    assert_eq!(event, Some(Event::Message(MessageRef::Text("masked"))));
}

#[test]
fn the_unmasked_examples_of_the_rfc_are_queued_byte_for_byte() {
    let (mut server, mut queue) = (Encoder::server(), SendQueue::new());
    server.message(MessageRef::Text("Hello"), &mut queue, &mut Unpooled).unwrap();
    for (data, more) in [(&b"Hel"[..], More::Follows), (b"lo", More::Ended)] {
        server.piece(piece(MessageKind::Text, data, more), &mut queue, &mut Unpooled).unwrap();
    }
    server.control(&ping(b"Hello"), &mut queue, &mut Unpooled).unwrap();
    let hello = b"\x81\x05\x48\x65\x6c\x6c\x6f";
    let fragmented = b"\x01\x03\x48\x65\x6c\x80\x02\x6c\x6f";
    let ping = b"\x89\x05\x48\x65\x6c\x6c\x6f";
    assert_eq!(queue.first_slice(), [&hello[..], fragmented, ping].concat());
    for (len, header) in
        [(256, &b"\x82\x7e\x01\x00"[..]), (65_536, b"\x82\x7f\x00\x00\x00\x00\x00\x01\x00\x00")]
    {
        let (payload, mut queue) = (vec![7; len], SendQueue::new());
        server.message(MessageRef::Binary(&payload), &mut queue, &mut Unpooled).unwrap();
        assert!(queue.first_slice() == [header, &payload].concat());
    }
}

#[test]
fn the_masked_pong_of_the_rfc_and_its_other_examples_are_read() {
    let mut server = Decoder::new(Role::Server, Limits::default());
    let mut pong = *b"\x8a\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58";
    let (event, used) = server.decode(&mut pong, &mut Unpooled).unwrap();
    let hello = ControlPayload::new(b"Hello").unwrap();
    assert_eq!((event, used), (Some(Event::Control(Control::Pong(hello.clone()))), 11));
    let mut client = Decoder::new(Role::Client, Limits::default());
    let mut wire = *b"\x01\x03\x48\x65\x6c\x80\x02\x6c\x6f\x89\x05\x48\x65\x6c\x6c\x6f";
    let (event, used) = client.decode(&mut wire, &mut Unpooled).unwrap();
    assert_eq!((event, used), (Some(Event::Message(MessageRef::Text("Hello"))), 9));
    let (event, _) = client.decode(&mut wire[9..], &mut Unpooled).unwrap();
    assert_eq!(event, Some(Event::Control(Control::Ping(hello))));
}

#[test]
fn pings_and_a_close_are_answered_and_nothing_after_our_own_close_frame() {
    let (mut encoder, mut queue) = (Encoder::server(), SendQueue::new());
    let pong = Control::Pong(ControlPayload::default());
    let close = Control::close(CloseCode::NORMAL).unwrap();
    for received in [&ping(b"hi"), &pong, &close, &ping(b"late"), &close] {
        encoder.reply(received, &mut queue, &mut Unpooled);
    }
    assert_eq!(queue.first_slice(), b"\x8a\x02hi\x88\x02\x03\xe8");
    assert!(encoder.is_closed());
}

#[test]
fn a_close_frame_is_queued_with_its_code_and_its_reason() {
    let (mut encoder, mut queue) = (Encoder::server(), SendQueue::new());
    let close = Control::Close(Some(CloseFrame::new(CloseCode::new(4001), "bye").unwrap()));
    encoder.control(&close, &mut queue, &mut Unpooled).unwrap();
    assert_eq!(queue.first_slice(), b"\x88\x05\x0f\xa1bye");
}

#[test]
fn what_is_written_through_io_write_is_the_payload() {
    let (mut encoder, mut queue) = (Encoder::server(), SendQueue::new());
    let filled = encoder.message_with(MessageKind::Text, &mut queue, &mut Unpooled, |writer| {
        assert_eq!(writer.write(b"id=").expect("memory"), 3);
        writer.write_all(b"4").expect("memory");
        write!(writer, "{}", 2).expect("memory");
        Ok::<_, EncodeError>(())
    });
    filled.unwrap();
    assert_eq!(queue.first_slice(), b"\x81\x05id=42");
}
