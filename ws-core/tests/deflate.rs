//! Every rule on compressed messages, by name, with its bytes as on the wire. What a server sends stands here unmasked.
#![cfg(feature = "deflate")]

use std::num::NonZeroUsize;

use bytes::BytesMut;
use http::header::{HeaderMap, HeaderValue, SEC_WEBSOCKET_EXTENSIONS};
use ws_core::deflate::{
    AgreedCompression, Compression, CompressionOptions, Compressor, Decompressor,
};
use ws_core::handshake::negotiate;
use ws_core::{
    CloseCode, DecodeError, Decoder, Delivery, Encoder, Event, Limits, MaskKeys, Message,
    MessageKind, MessageRef, More, OwnedEvent, PieceRef, Pool, PreparedMessage, Role, SendQueue,
    Unpooled,
};

const ALONE: CompressionOptions = CompressionOptions::new(Compression::NoContextTakeover);
const IN_CONTEXT: CompressionOptions = CompressionOptions::new(Compression::ContextTakeover);

/// What these options come to where the client offers all.
fn agreed(options: CompressionOptions) -> AgreedCompression {
    let offer = HeaderValue::from_static("permessage-deflate; client_max_window_bits");
    let headers = HeaderMap::from_iter([(SEC_WEBSOCKET_EXTENSIONS, offer)]);
    negotiate(&headers, &options).expect("an agreement")
}

fn client(options: CompressionOptions) -> Decoder {
    Decoder::new(Role::Client, Limits::default()).with_compression(&agreed(options))
}

fn server(options: CompressionOptions) -> Encoder {
    Encoder::server().with_compression(&agreed(options), &options)
}

fn decode(decoder: &mut Decoder, wire: &[u8]) -> Result<Vec<OwnedEvent>, DecodeError> {
    let (mut input, mut events) = (BytesMut::from(wire), Vec::new());
    while let Some(event) = decoder.decode_owned(&mut input, &mut Unpooled)? {
        events.push(event);
    }
    Ok(events)
}

/// The events, and their like where each byte arrives by itself.
fn decode_cut(options: CompressionOptions, wire: &[u8]) -> Result<Vec<OwnedEvent>, DecodeError> {
    let whole = decode(&mut client(options), wire);
    let (mut decoder, mut input, mut events) = (client(options), BytesMut::new(), Vec::new());
    for byte in wire {
        input.extend_from_slice(&[*byte]);
        loop {
            match decoder.decode_owned(&mut input, &mut Unpooled) {
                Ok(Some(event)) => events.push(event),
                Ok(None) => break,
                Err(error) => {
                    assert_eq!(whole, Err(error));
                    return whole;
                }
            }
        }
    }
    assert_eq!(whole.as_ref(), Ok(&events), "how the bytes were cut must not matter");
    whole
}

fn text(text: &str) -> OwnedEvent {
    OwnedEvent::Message(Message::text(text))
}

fn binary(bytes: impl Into<Vec<u8>>) -> OwnedEvent {
    OwnedEvent::Message(Message::binary(bytes.into()))
}

fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = match payload.len() {
        len @ 0..126 => vec![first, len as u8],
        len @ 126..65_536 => vec![first, 126, (len >> 8) as u8, len as u8],
        len => [&[first, 127][..], &(len as u64).to_be_bytes()].concat(),
    };
    frame.extend_from_slice(payload);
    frame
}

fn sent(encoder: &mut Encoder, message: &str) -> Vec<u8> {
    let mut queue = SendQueue::new();
    encoder.message(MessageRef::Text(message), &mut queue, &mut Unpooled).expect("open");
    queue.first_slice().to_vec()
}

/// A payload as no peer should send it but as every peer must take it: in stored blocks.
fn stored(data: &[u8]) -> Vec<u8> {
    stored_by(16 * 1024, data)
}

fn stored_by(len: usize, data: &[u8]) -> Vec<u8> {
    let block = |block: &[u8]| {
        let len = block.len() as u16;
        [&[0][..], &len.to_le_bytes(), &(!len).to_le_bytes(), block].concat()
    };
    let mut payload: Vec<u8> = data.chunks(len).flat_map(block).collect();
    payload.push(0);
    payload
}

#[test]
fn the_samples_of_the_rfc_are_hello() {
    let hello = b"\xf2\x48\xcd\xc9\xc9\x07\x00";
    assert_eq!(decode_cut(ALONE, &frame(0xc1, hello)), Ok(vec![text("Hello")]));
    let fragments = [frame(0x41, &hello[..3]), frame(0x80, &hello[3..])].concat();
    assert_eq!(decode_cut(ALONE, &fragments), Ok(vec![text("Hello")]));
    let with_window = [frame(0xc1, hello), frame(0xc1, b"\xf2\x00\x11\x00\x00")].concat();
    assert_eq!(decode_cut(IN_CONTEXT, &with_window), Ok(vec![text("Hello"), text("Hello")]));
    let two_blocks = frame(0xc1, b"\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00");
    assert_eq!(decode_cut(ALONE, &two_blocks), Ok(vec![text("Hello")]));
}

#[test]
fn a_stored_block_is_taken() {
    let wire = frame(0xc1, b"\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00");
    assert_eq!(decode_cut(ALONE, &wire), Ok(vec![text("Hello")]));
}

#[test]
fn a_final_block_is_taken_and_keeps_the_window_for_the_next_message() {
    let hello_final = frame(0xc1, b"\xf3\x48\xcd\xc9\xc9\x07\x00\x00");
    let hello_again = frame(0xc1, b"\xf2\x00\x11\x00\x00");
    let wire = [hello_final.clone(), hello_again].concat();
    assert_eq!(decode_cut(IN_CONTEXT, &wire), Ok(vec![text("Hello"), text("Hello")]));
    assert_eq!(decode_cut(ALONE, &hello_final), Ok(vec![text("Hello")]));
}

#[test]
fn a_message_that_ends_with_a_final_block_and_no_more_is_taken() {
    let wire = frame(0xc1, b"\xf3\x48\xcd\xc9\xc9\x07\x00");
    assert_eq!(decode_cut(ALONE, &[&wire[..], &wire].concat()).unwrap().len(), 2);
    assert_eq!(decode_cut(IN_CONTEXT, &[&wire[..], &wire].concat()).unwrap().len(), 2);
}

#[test]
fn blocks_behind_a_final_one_belong_to_the_message_and_see_its_window() {
    let wire = frame(0xc1, b"\xf3\x48\xcd\xc9\xc9\x07\x00\xf2\x00\x11\x00\x00");
    assert_eq!(decode_cut(IN_CONTEXT, &wire), Ok(vec![text("HelloHello")]));
}

#[test]
fn an_empty_payload_with_rsv1_is_an_empty_message() {
    for payload in [&b""[..], b"\x00", b"\x02\x00"] {
        assert_eq!(decode_cut(ALONE, &frame(0xc1, payload)), Ok(vec![text("")]));
        assert_eq!(decode_cut(IN_CONTEXT, &frame(0xc2, payload)), Ok(vec![binary([])]));
    }
}

#[test]
fn an_empty_message_goes_out_as_one_byte_and_comes_back_empty() {
    let mut encoder = server(IN_CONTEXT.threshold(0));
    for _ in 0..3 {
        let wire = sent(&mut encoder, "");
        assert_eq!(wire, b"\xc1\x01\x00");
        assert_eq!(decode_cut(IN_CONTEXT, &wire), Ok(vec![text("")]));
    }
}

#[test]
fn rsv1_on_a_continuation_or_a_control_frame_closes_1002() {
    for wire in [&b"\x41\x01\xf2\xc0\x01\x48"[..], b"\xc9\x00", b"\xc0\x00"] {
        assert_eq!(decode_cut(ALONE, wire), Err(DecodeError::ReservedBit));
    }
}

#[test]
fn a_new_message_inside_a_compressed_one_closes_1002() {
    assert_eq!(
        decode_cut(ALONE, b"\x41\x01\xf2\xc1\x01\x48"),
        Err(DecodeError::MessageInsideMessage)
    );
}

#[test]
fn a_ping_inside_a_compressed_message_comes_before_it() {
    let wire = [frame(0x41, b"\xf2\x48\xcd"), frame(0x89, b"hi"), frame(0x80, b"\xc9\xc9\x07\x00")];
    let events = decode_cut(ALONE, &wire.concat()).unwrap();
    assert!(matches!(events[0], OwnedEvent::Control(_)));
    assert_eq!(events[1], text("Hello"));
}

#[test]
fn plain_messages_pass_beside_compressed_ones() {
    let wire = b"\x81\x02hi\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00\x81\x02hi";
    assert_eq!(decode_cut(IN_CONTEXT, wire), Ok(vec![text("hi"), text("Hello"), text("hi")]));
}

#[test]
fn what_does_not_inflate_closes_1007() {
    let error = DecodeError::NotDeflated;
    assert_eq!(error.close_code(), CloseCode::INVALID_PAYLOAD);
    for payload in [
        &b"\xff\xff\xff\xff"[..],
        b"\x00\x05\x00\xff\xffHello\x00",
        // "Hello" without its end.
        b"\xf2\x48\xcd\xc9",
        // A stored block that is cut.
        b"\x00\x05\x00\xfa\xffHel",
        // Back beyond the start of all data.
        b"\xf2\x00\x11\x00\x00",
    ] {
        assert_eq!(decode_cut(ALONE, &frame(0xc2, payload)), Err(error), "{payload:x?}");
        assert_eq!(decode_cut(IN_CONTEXT, &frame(0xc2, payload)), Err(error), "{payload:x?}");
    }
}

#[test]
fn a_context_that_was_to_be_forgotten_is_forgotten_on_both_sides() {
    let hello = frame(0xc1, b"\xf2\x48\xcd\xc9\xc9\x07\x00");
    let hello_again = frame(0xc1, b"\xf2\x00\x11\x00\x00");
    let wire = [hello, hello_again].concat();
    assert_eq!(decode_cut(ALONE, &wire), Err(DecodeError::NotDeflated));

    let message = "the same over and over ".repeat(40);
    let mut encoder = server(ALONE);
    assert_eq!(sent(&mut encoder, &message), sent(&mut encoder, &message));
    let mut encoder = server(IN_CONTEXT);
    assert!(sent(&mut encoder, &message).len() > 2 * sent(&mut encoder, &message).len());
}

#[test]
fn text_is_judged_as_it_inflates() {
    // 100 bytes are announced; what came of them holds one that is not UTF-8.
    let mut payload = stored(b"ab\xffdefgh");
    payload.resize(100, 0);
    let wire = frame(0xc1, &payload);
    let error = decode(&mut client(ALONE), &wire[..12]).unwrap_err();
    assert_eq!((error, error.close_code()), (DecodeError::InvalidUtf8, CloseCode::INVALID_PAYLOAD));
    assert_eq!(
        decode_cut(ALONE, &frame(0xc1, &stored(b"\xe2\x82"))),
        Err(DecodeError::InvalidUtf8)
    );
    let euro = stored("€".as_bytes());
    let cut = [frame(0x41, &euro[..6]), frame(0x80, &euro[6..])].concat();
    assert_eq!(decode_cut(ALONE, &cut), Ok(vec![text("€")]));
}

#[test]
fn a_message_of_exactly_the_output_buffers_length_is_whole() {
    for len in [1, 16 * 1024 - 1, 16 * 1024, 16 * 1024 + 1, 32 * 1024, 3 * 16 * 1024] {
        let message = "a".repeat(len);
        for options in [ALONE, IN_CONTEXT] {
            let wire = sent(&mut server(options.threshold(0)), &message);
            assert_eq!(wire[0], if len > 1 || options == IN_CONTEXT { 0xc1 } else { 0x81 });
            assert_eq!(decode_cut(options, &wire), Ok(vec![text(&message)]));
        }
    }
}

/// Near the output buffer's length, zlib may hold back what it has no room for.
#[test]
fn a_message_near_the_output_buffers_length_is_whole() {
    const OUT: usize = 16 * 1024;
    for len in (OUT - 300..OUT + 300).chain(2 * OUT - 300..2 * OUT + 300) {
        let (mut encoder, mut queue) = (server(ALONE), SendQueue::new());
        let message = vec![b'a'; len];
        encoder.message(MessageRef::Binary(&message), &mut queue, &mut Unpooled).unwrap();
        let wire = queue.first_slice().to_vec();
        assert_eq!(decode(&mut client(ALONE), &wire), Ok(vec![binary(message)]), "{len}");
    }
}

#[test]
fn a_bomb_closes_1009_before_it_inflates_further_than_the_limit() {
    let (mut queue, zeros) = (SendQueue::new(), Message::binary(vec![0; 10 << 20]));
    server(ALONE.level(9)).owned(zeros, &mut queue, &mut Unpooled).unwrap();
    let wire = queue.first_slice();
    assert!(wire.len() < 11 << 10, "{}", wire.len());

    let limits = Limits::default().with_message_size(100_000);
    let mut decoder = Decoder::new(Role::Client, limits).with_compression(&agreed(ALONE));
    let (mut input, mut bytes) = (BytesMut::new(), 0);
    let error = loop {
        input.extend_from_slice(&wire[bytes..=bytes]);
        bytes += 1;
        match decoder.decode_owned(&mut input, &mut Unpooled) {
            Ok(event) => assert_eq!(event, None),
            Err(error) => break error,
        }
    };
    assert_eq!(error, DecodeError::MessageTooBig { limit: 100_000 });
    assert_eq!(error.close_code(), CloseCode::TOO_BIG);
    assert!(bytes < 200, "of {} bytes, {bytes} were inflated", wire.len());
}

#[test]
fn stored_blocks_have_slack_on_the_wire_and_their_contents_none() {
    let limits = Limits::default().with_message_size(100_000);
    let decoder = || Decoder::new(Role::Client, limits).with_compression(&agreed(ALONE));
    let data: Vec<u8> = (0..100_000u32).map(|i| i.wrapping_mul(i) as u8).collect();
    // zlib's blocks hold 127 bytes where it has the least memory, and 2047 in Python's websockets.
    for len in [127, 2047, 16 * 1024] {
        let fits = frame(0xc2, &stored_by(len, &data));
        assert!(fits.len() > 100_000);
        assert_eq!(decode(&mut decoder(), &fits), Ok(vec![binary(data.clone())]), "{len}");
    }
    let too_big = Err(DecodeError::MessageTooBig { limit: 100_000 });
    let over = frame(0xc2, &stored(&[&data[..], b"!"].concat()));
    assert_eq!(decode(&mut decoder(), &over), too_big);
    let header = b"\xc2\x7f\x00\x00\x00\x00\x00\x02\x00\x00";
    assert_eq!(decode(&mut decoder(), header), too_big, "judged at the header");
}

#[test]
fn small_windows_are_really_used() {
    // What repeats after 600 bytes is out of reach for a window of 512.
    let half: String = (0..600u32).map(|i| char::from(b'!' + (i * i * 7 % 90) as u8)).collect();
    let message = half.repeat(2);
    let len = |bits| {
        let options = ALONE.server_max_window_bits(bits);
        let wire = sent(&mut server(options), &message);
        assert_eq!(decode_cut(options, &wire), Ok(vec![text(&message)]));
        wire.len()
    };
    assert!(len(9) > len(12) + 100, "{} {}", len(9), len(12));
    assert_eq!(agreed(ALONE.server_max_window_bits(9)).server_max_window_bits(), 9);
}

#[test]
fn a_window_reaches_back_over_messages_as_far_as_was_agreed() {
    for bits in [9, 12, 15] {
        let options = IN_CONTEXT.server_max_window_bits(bits).threshold(0);
        let (mut encoder, mut decoder) = (server(options), client(options));
        for i in 0..300u32 {
            let message = format!("{} {}", i % 7, "x".repeat((i * 37 % 400) as usize));
            let wire = sent(&mut encoder, &message);
            assert_eq!(decode(&mut decoder, &wire), Ok(vec![text(&message)]));
        }
    }
}

#[test]
fn a_client_that_is_limited_to_a_window_of_8_bits_sends_plain() {
    let offer = HeaderValue::from_static("permessage-deflate; client_max_window_bits=8");
    let agreed = negotiate(&HeaderMap::from_iter([(SEC_WEBSOCKET_EXTENSIONS, offer)]), &ALONE);
    let agreed = agreed.expect("an offer of 8 is fine");
    let keys = MaskKeys::from_seed([1; 32]);
    let mut client = Encoder::client(keys).with_compression(&agreed, &ALONE);
    assert_eq!(sent(&mut client, &"a".repeat(1000))[0], 0x81);
}

#[test]
fn messages_under_the_threshold_go_out_plain() {
    for (options, threshold) in [(ALONE, 512), (IN_CONTEXT, 128), (ALONE.threshold(10), 10)] {
        let mut encoder = server(options);
        assert_eq!(encoder.compression_threshold(), Some(threshold));
        assert_eq!(sent(&mut encoder, &"a".repeat(threshold - 1))[0], 0x81);
        assert_eq!(sent(&mut encoder, &"a".repeat(threshold))[0], 0xc1);
    }
}

#[test]
fn a_message_can_opt_out() {
    let (mut encoder, message) = (server(ALONE), PreparedMessage::plain("a".repeat(1000)));
    let mut queue = SendQueue::new();
    encoder.prepared(&message, &mut queue, &mut Unpooled).unwrap();
    assert_eq!(queue.first_slice()[0], 0x81);
    let (mut encoder, message) = (server(IN_CONTEXT), "a".repeat(1000));
    encoder.set_compression_threshold(usize::MAX);
    assert_eq!(sent(&mut encoder, &message)[0], 0x81);
    encoder.set_compression_threshold(0);
    assert_eq!(sent(&mut encoder, &message)[0], 0xc1);
}

#[test]
fn a_message_that_does_not_shrink_goes_out_plain_where_no_context_is_kept() {
    let mut keys = keys();
    let random: Vec<u8> = (0..5000).flat_map(|_| <[u8; 4]>::from(keys.next_key())).collect();
    for (options, first) in [(ALONE, 0x82), (IN_CONTEXT, 0xc2)] {
        let mut queue = SendQueue::new();
        server(options).owned(Message::binary(random.clone()), &mut queue, &mut Unpooled).unwrap();
        assert_eq!(queue.first_slice()[0], first);
    }
}

fn keys() -> MaskKeys {
    MaskKeys::from_seed([3; 32])
}

#[test]
fn the_level_can_change_between_messages_and_the_peer_does_not_notice() {
    let (mut encoder, mut decoder) = (server(IN_CONTEXT), client(IN_CONTEXT));
    for level in [1, 9, 0, 6, 200] {
        encoder.set_compression_level(level);
        let message = format!("{level} {}", "again and again ".repeat(50));
        let wire = sent(&mut encoder, &message);
        assert_eq!(decode(&mut decoder, &wire), Ok(vec![text(&message)]));
    }
}

#[test]
fn pieces_deflate_as_they_are_written_and_each_can_be_read_when_it_arrives() {
    for options in [ALONE.threshold(0), IN_CONTEXT.threshold(0)] {
        let (mut encoder, mut queue) = (server(options), SendQueue::new());
        let mut decoder = client(options);
        decoder.set_delivery(Delivery::Pieces(NonZeroUsize::new(1000).unwrap()));
        let pieces = ["first ", "", "second ", "third", ""];
        for (n, data) in pieces.iter().enumerate() {
            let more = if n == 4 { More::Ended } else { More::Follows };
            let piece = PieceRef { kind: MessageKind::Text, data: data.as_bytes(), more };
            encoder.piece(piece, &mut queue, &mut Unpooled).unwrap();
            let wire = queue.first_slice().to_vec();
            queue.advance(wire.len());
            assert_eq!(wire[0] & 0x40 != 0, n == 0, "RSV1 stands on the first frame alone");
            let arrived: Vec<_> = decode(&mut decoder, &wire)
                .unwrap()
                .into_iter()
                .map(|event| match event {
                    OwnedEvent::Piece(piece) => (piece.data.to_vec(), piece.more),
                    other => panic!("{other:?}"),
                })
                .collect();
            let expected = (data.as_bytes().to_vec(), more);
            assert_eq!(arrived, if n == 1 { vec![] } else { vec![expected] });
        }
    }
}

#[test]
fn pieces_are_cut_at_exact_multiples_of_the_chunk() {
    let message = "0123456789".repeat(1000);
    let wire = sent(&mut server(ALONE), &message);
    for chunk in [1, 3, 5000, 10_000, 16_384] {
        let mut decoder = client(ALONE);
        decoder.set_delivery(Delivery::Pieces(NonZeroUsize::new(chunk).unwrap()));
        let events = decode(&mut decoder, &wire).unwrap();
        let pieces: Vec<_> = events
            .iter()
            .map(|event| match event {
                OwnedEvent::Piece(piece) => (&piece.data[..], piece.more),
                other => panic!("{other:?}"),
            })
            .collect();
        let ((last, more), full) = pieces.split_last().unwrap();
        assert_eq!((last.len(), *more), (10_000 % chunk, More::Ended));
        assert!(full.iter().all(|(data, more)| data.len() == chunk && *more == More::Follows));
        let all: Vec<u8> = pieces.iter().flat_map(|(data, _)| data.iter().copied()).collect();
        assert_eq!(all, message.as_bytes());
    }
}

#[test]
fn a_payload_that_is_written_straight_into_the_queue_is_deflated_too() {
    let (mut encoder, mut queue) = (server(ALONE), SendQueue::new());
    let fill = |len| {
        move |writer: &mut ws_core::PayloadWriter<'_>| {
            writer.extend_from_slice(&vec![b'a'; len]);
            Ok::<_, ws_core::EncodeError>(())
        }
    };
    encoder.message_with(MessageKind::Text, &mut queue, &mut Unpooled, fill(10)).unwrap();
    encoder.message_with(MessageKind::Text, &mut queue, &mut Unpooled, fill(1000)).unwrap();
    let wire = queue.first_slice();
    assert_eq!((&wire[..2], wire[12]), (&b"\x81\x0a"[..], 0xc1));
    assert_eq!(decode_cut(ALONE, wire), Ok(vec![text(&"a".repeat(10)), text(&"a".repeat(1000))]));
}

/// Counts what is out.
#[derive(Default)]
struct Ledger {
    buffers: isize,
    compressors: isize,
    decompressors: isize,
}

impl Pool for Ledger {
    fn take(&mut self) -> Vec<u8> {
        self.buffers += 1;
        Vec::with_capacity(1 << 16)
    }

    fn give(&mut self, _: Vec<u8>) {
        self.buffers -= 1;
    }

    fn take_compressor(&mut self, level: u8, window_bits: u8) -> Compressor {
        self.compressors += 1;
        Compressor::new(level, window_bits)
    }

    fn give_compressor(&mut self, _: Compressor) {
        self.compressors -= 1;
    }

    fn take_decompressor(&mut self) -> Decompressor {
        self.decompressors += 1;
        Decompressor::new()
    }

    fn give_decompressor(&mut self, _: Decompressor) {
        self.decompressors -= 1;
    }
}

#[test]
fn between_messages_a_connection_owns_no_state_but_a_context_to_send() {
    for (options, kept) in [(ALONE, 0), (IN_CONTEXT, 1)] {
        let (mut encoder, mut decoder, mut queue) =
            (server(options), client(options), SendQueue::new());
        let mut pool = Ledger::default();
        assert_eq!(pool.compressors, 0, "lazily");
        for _ in 0..3 {
            let message = "a".repeat(1000);
            encoder.message(MessageRef::Text(&message), &mut queue, &mut pool).unwrap();
            assert_eq!(pool.compressors, kept);
        }
        let mut input = queue.first_slice().to_vec();
        queue.advance(input.len());
        queue.park(&mut pool);
        let mut used = 0;
        loop {
            let (event, more) = decoder.decode(&mut input[used..], &mut pool).unwrap();
            used += more;
            match event {
                Some(Event::Message(message)) => assert_eq!(message.as_bytes().len(), 1000),
                Some(other) => panic!("{other:?}"),
                None => break,
            }
        }
        assert_eq!((pool.decompressors, pool.buffers), (0, 0));
    }
}

#[test]
fn a_prepared_message_is_deflated_once_for_those_that_can_be_sent_it() {
    let message = PreparedMessage::new("news ".repeat(1000));
    let plain = Message::text("news ".repeat(1000));
    let small = ALONE.server_max_window_bits(12);
    let mut pool = Ledger::default();
    for (options, first) in
        [(small, 0x81), (IN_CONTEXT, 0x81), (ALONE, 0xc1), (ALONE, 0xc1), (small, 0x81)]
    {
        let mut queue = SendQueue::new();
        server(options).prepared(&message.clone(), &mut queue, &mut pool).unwrap();
        assert_eq!(queue.first_slice()[0], first);
        let events = decode(&mut client(options), queue.first_slice()).unwrap();
        assert_eq!(events, [OwnedEvent::Message(plain.clone())]);
    }
    assert_eq!(pool.compressors, 0);
    assert_eq!(message.message(), &plain);
}

#[test]
fn a_prepared_message_that_fits_into_a_small_window_goes_to_it_deflated() {
    let message = PreparedMessage::new("news ".repeat(150));
    for bits in [10, 15] {
        let options = ALONE.server_max_window_bits(bits);
        let mut queue = SendQueue::new();
        server(options).prepared(&message, &mut queue, &mut Unpooled).unwrap();
        assert_eq!(queue.first_slice()[0], 0xc1);
    }
}

#[test]
fn a_prepared_message_does_not_disturb_a_context() {
    let (mut encoder, mut decoder) = (server(IN_CONTEXT), client(IN_CONTEXT));
    let news = PreparedMessage::new("news ".repeat(100));
    for n in 0..4 {
        let (mut queue, chat) = (SendQueue::new(), format!("{n} {}", "chat ".repeat(100)));
        encoder.message(MessageRef::Text(&chat), &mut queue, &mut Unpooled).unwrap();
        encoder.prepared(&news, &mut queue, &mut Unpooled).unwrap();
        let events = decode(&mut decoder, queue.first_slice()).unwrap();
        assert_eq!(events, [text(&chat), OwnedEvent::Message(news.message().clone())]);
    }
}

#[test]
fn a_client_masks_a_copy_of_a_prepared_message() {
    let news = PreparedMessage::new("news ".repeat(300));
    let (mut wires, agreed) = (Vec::new(), agreed(ALONE));
    let mut client = Encoder::client(keys()).with_compression(&agreed, &ALONE);
    for _ in 0..2 {
        let mut queue = SendQueue::new();
        client.prepared(&news, &mut queue, &mut Unpooled).unwrap();
        wires.push(queue.first_slice().to_vec());
    }
    assert_ne!(wires[0], wires[1], "each with a key of its own");
    for wire in wires {
        let mut server = Decoder::new(Role::Server, Limits::default()).with_compression(&agreed);
        assert_eq!(
            decode(&mut server, &wire),
            Ok(vec![OwnedEvent::Message(news.message().clone())])
        );
    }
}

#[test]
fn a_message_is_deflated_only_where_that_makes_it_shorter() {
    let options = ALONE.threshold(0);
    for len in 1..60 {
        let (message, mut queue) = ("a".repeat(len), SendQueue::new());
        let prepared = PreparedMessage::new(&*message);
        server(options).prepared(&prepared, &mut queue, &mut Unpooled).unwrap();
        for wire in [sent(&mut server(options), &message), queue.first_slice().to_vec()] {
            assert_eq!(wire[0] == 0xc1, usize::from(wire[1]) < len, "{len}");
            assert_eq!(decode(&mut client(options), &wire), Ok(vec![text(&message)]));
        }
    }
}

#[test]
fn level_0_stores_and_level_9_shrinks_from_the_next_message_on() {
    let (mut encoder, message) = (server(IN_CONTEXT), "again and again ".repeat(50));
    encoder.set_compression_level(0);
    assert!(sent(&mut encoder, &message).len() > message.len());
    encoder.set_compression_level(9);
    assert!(sent(&mut encoder, &message).len() < message.len() / 4);
}

#[test]
fn a_streamed_message_whose_first_piece_is_under_the_threshold_goes_out_plain() {
    let (mut encoder, mut queue) = (server(ALONE.threshold(5)), SendQueue::new());
    for (data, more) in [(&b"four"[..], More::Follows), (b"and more", More::Ended)] {
        let piece = PieceRef { kind: MessageKind::Text, data, more };
        encoder.piece(piece, &mut queue, &mut Unpooled).unwrap();
    }
    assert_eq!(queue.first_slice(), b"\x01\x04four\x80\x08and more");
}

/// Keeps one state of each kind, as a pool of many connections does.
#[derive(Default)]
struct Keeper(Option<Compressor>);

impl Pool for Keeper {
    fn take(&mut self) -> Vec<u8> {
        Vec::new()
    }

    fn give(&mut self, _: Vec<u8>) {}

    fn take_compressor(&mut self, level: u8, window_bits: u8) -> Compressor {
        self.0.take().unwrap_or_else(|| Compressor::new(level, window_bits))
    }

    fn give_compressor(&mut self, compressor: Compressor) {
        self.0 = Some(compressor);
    }
}

#[test]
fn a_state_of_the_pool_has_forgotten_the_message_before() {
    let (mut pool, message) = (Keeper::default(), "one connection's secret ".repeat(40));
    let mut wires = Vec::new();
    for _ in 0..2 {
        let mut queue = SendQueue::new();
        server(ALONE).message(MessageRef::Text(&message), &mut queue, &mut pool).unwrap();
        wires.push(queue.first_slice().to_vec());
    }
    assert_eq!(wires[0], wires[1]);
    assert_eq!(decode(&mut client(ALONE), &wires[1]), Ok(vec![text(&message)]));
}

#[test]
fn a_state_says_what_it_was_made_for() {
    let made = Compressor::new(6, 12);
    assert_eq!((made.level(), made.window_bits()), (6, 12));
    let nearest = Compressor::new(10, 8);
    assert_eq!((nearest.level(), nearest.window_bits()), (9, 9));
    assert_eq!(format!("{made:?}"), "Compressor { level: 6, window_bits: 12, .. }");
    assert_eq!(format!("{:?}", Decompressor::new()), "Decompressor { .. }");
}

#[test]
fn options_can_be_given_as_the_kind_of_compression_alone() {
    assert_eq!(CompressionOptions::from(Compression::ContextTakeover), IN_CONTEXT);
    assert_ne!(IN_CONTEXT, CompressionOptions::default());
}

/// A message's first frame, deflated, of which 100 000 bytes come out.
fn large_first_frame() -> Vec<u8> {
    let (mut encoder, mut queue) = (server(ALONE), SendQueue::new());
    let piece = PieceRef { kind: MessageKind::Binary, data: &[7; 100_000], more: More::Follows };
    encoder.piece(piece, &mut queue, &mut Unpooled).expect("a piece");
    queue.first_slice().to_vec()
}

#[test]
fn all_that_a_frame_inflates_to_is_delivered_when_it_is_there() {
    let mut decoder = client(ALONE);
    decoder.set_delivery(Delivery::Pieces(NonZeroUsize::new(30_000).unwrap()));
    let lens = decode(&mut decoder, &large_first_frame()).unwrap().into_iter().map(|event| {
        let OwnedEvent::Piece(piece) = event else { panic!("{event:?}") };
        piece.data.len()
    });
    assert_eq!(lens.collect::<Vec<_>>(), [30_000, 30_000, 30_000, 10_000]);
}

#[test]
fn a_piece_that_was_read_pins_no_buffer_while_its_reader_waits() {
    let (mut decoder, mut pool) = (client(ALONE), Ledger::default());
    decoder.set_delivery(Delivery::Pieces(NonZeroUsize::new(30_000).unwrap()));
    let (mut input, mut at) = (large_first_frame(), 0);
    while let (Some(_), used) = decoder.decode(&mut input[at..], &mut pool).unwrap() {
        at += used;
    }
    assert_eq!(pool.buffers, 1);
    decoder.park(&mut pool);
    assert_eq!(pool.buffers, 0);
}

#[test]
fn the_rest_of_a_compressed_frame_is_wanted_as_it_comes() {
    let mut decoder = client(ALONE);
    decoder.set_delivery(Delivery::Pieces(NonZeroUsize::new(1000).unwrap()));
    let wire = frame(0xc1, b"\xf2\x48\xcd\xc9\xc9\x07\x00");
    assert_eq!(decode(&mut decoder, &wire[..4]), Ok(vec![]));
    assert_eq!(decoder.wanted(), 1);
}
