//! Whose memory a message stands in: the input's, the pool's, or its own.

use bytes::BytesMut;
use ws_core::{DecodeError, Decoder, Event, Limits, Message, OwnedEvent, Pool, Role};

/// Lends buffers of this capacity, and keeps what comes back.
struct Keeping {
    capacity: usize,
    lent: usize,
    back: Vec<Vec<u8>>,
}

impl Keeping {
    fn of(capacity: usize) -> Self {
        Self { capacity, lent: 0, back: Vec::new() }
    }
}

impl Pool for Keeping {
    fn take(&mut self) -> Vec<u8> {
        self.lent += 1;
        Vec::with_capacity(self.capacity)
    }

    fn give(&mut self, buffer: Vec<u8>) {
        self.back.push(buffer);
    }
}

fn client() -> Decoder {
    Decoder::new(Role::Client, Limits::default())
}

#[test]
fn fragments_that_all_stand_in_the_input_take_no_memory() {
    for (wire, len) in
        [(&b"\x01\x02he\x00\x02ll\x80\x01o"[..], 5), (b"\x02\x03abc\x00\x00\x80\x02de", 5)]
    {
        let (mut pool, mut input) = (Keeping::of(0), wire.to_vec());
        let places = input.as_ptr_range();
        let mut decoder = client();
        let (event, used) = decoder.decode(&mut input, &mut pool).unwrap();
        let Some(Event::Message(message)) = event else { panic!("{event:?}") };
        assert_eq!((message.as_bytes().len(), used), (len, wire.len()));
        assert!(places.contains(&message.as_bytes().as_ptr()));
        client().decode_owned(&mut BytesMut::from(wire), &mut pool).unwrap();
        assert_eq!(pool.lent, 0);
    }
}

#[test]
fn a_message_in_one_frame_stays_in_the_input_until_all_of_it_is_there() {
    let (mut pool, mut input) = (Keeping::of(0), *b"\x82\x05hello");
    let place = input.as_ptr().wrapping_add(2);
    let mut decoder = client();
    assert_eq!(decoder.decode(&mut input[..4], &mut pool).unwrap(), (None, 0));
    assert_eq!(decoder.wanted(), 7);
    let (event, used) = decoder.decode(&mut input, &mut pool).unwrap();
    let Some(Event::Message(message)) = event else { panic!("{event:?}") };
    assert_eq!((message.as_bytes().as_ptr(), used, pool.lent), (place, 7, 0));
}

#[test]
fn a_large_message_in_fragments_shares_the_memory_of_the_input_and_a_small_one_does_not() {
    for (len, shares) in [(1000, false), (1024, false), (1025, true), (60_000, true)] {
        let mut input = BytesMut::with_capacity(1 << 17);
        input.extend_from_slice(b"\x02\x01a\x80\x7e");
        input.extend_from_slice(&(len as u16 - 1).to_be_bytes());
        input.resize(input.len() + len - 1, b'b');
        let places = input.as_ptr_range();
        let event = client().decode_owned(&mut input, &mut Keeping::of(0)).unwrap();
        let Some(OwnedEvent::Message(Message::Binary(bytes))) = event else { panic!("{event:?}") };
        assert_eq!((bytes.len(), &bytes[..2]), (len, &b"ab"[..]));
        assert_eq!(places.contains(&bytes.as_ptr()), shares, "{len}");
    }
}

/// A message put together in a buffer of `capacity`: whether it stays there, and the buffers that came back.
fn gathered(first: u8, len: usize, capacity: usize) -> (bool, Vec<Vec<u8>>) {
    let (mut decoder, mut pool) = (client(), Keeping::of(capacity));
    let mut input = BytesMut::from(&[first, 1, b'a'][..]);
    assert_eq!(decoder.decode_owned(&mut input, &mut pool), Ok(None));
    match u16::try_from(len - 1) {
        Ok(rest) => input.extend_from_slice(&[&[0x80, 126][..], &rest.to_be_bytes()].concat()),
        Err(_) => {
            input.extend_from_slice(&[0x80, 127]);
            input.extend_from_slice(&(len as u64 - 1).to_be_bytes());
        }
    }
    input.resize(input.len() + len - 1, b'b');
    let event = decoder.decode_owned(&mut input, &mut pool).expect("well-formed");
    let Some(OwnedEvent::Message(message)) = event else { panic!("{event:?}") };
    assert_eq!((message.as_bytes().len(), pool.lent), (len, 1));
    (pool.back.is_empty(), pool.back)
}

#[test]
fn a_gathered_message_stays_in_its_buffer_where_it_is_large_and_fills_half_of_it() {
    for first in [0x01, 0x02] {
        for (len, capacity, stays) in [
            (65_536, 1 << 16, false),
            (65_537, 1 << 17, true),
            (65_537, 1 << 18, false),
            (131_071, 1 << 18, false),
            (131_072, 1 << 18, true),
        ] {
            let (stayed, back) = gathered(first, len, capacity);
            assert_eq!(stayed, stays, "{len} of {capacity}");
            assert!(back.iter().all(|buffer| buffer.capacity() == capacity), "the pool's own");
        }
    }
}

#[test]
fn a_peer_that_begins_a_message_and_waits_pins_no_buffer() {
    for first in [0x01, 0x02] {
        let (mut decoder, mut pool) = (client(), Keeping::of(1 << 16));
        let mut wire = [first, 2, b'h', b'e', 0x80, 3, b'l', b'l', b'o'];
        assert_eq!(decoder.decode(&mut wire[..4], &mut pool).unwrap(), (None, 4));
        decoder.park(&mut pool);
        assert_eq!((pool.lent, pool.back.len()), (1, 1));
        assert_eq!(pool.back[0].capacity(), 1 << 16);
        let (event, _) = decoder.decode(&mut wire[4..], &mut pool).unwrap();
        let Some(Event::Message(message)) = event else { panic!("{event:?}") };
        assert_eq!(message.as_bytes(), b"hello");
    }
}

#[test]
fn the_buffer_of_a_lent_message_serves_the_next_one_and_goes_back_when_nothing_is_left() {
    let (mut decoder, mut pool) = (client(), Keeping::of(1 << 16));
    for first in [0x01, 0x02, 0x01] {
        let mut wire = [first, 1, b'a', 0x80, 1, b'b'];
        assert_eq!(decoder.decode(&mut wire[..3], &mut pool).unwrap(), (None, 3));
        let (event, _) = decoder.decode(&mut wire[3..], &mut pool).unwrap();
        let Some(Event::Message(message)) = event else { panic!("{event:?}") };
        assert_eq!(message.as_bytes(), b"ab");
    }
    assert_eq!((pool.lent, pool.back.len()), (1, 0));
    assert_eq!(decoder.decode(&mut [], &mut pool).unwrap(), (None, 0));
    assert_eq!(pool.back[0].capacity(), 1 << 16);
}

#[test]
fn the_first_half_takes_small_messages_and_leaves_all_else_as_it_is() {
    let mut decoder = Decoder::new(Role::Server, Limits::default());
    let input = b"\x81\x82keyz\x03\x0c\x82\x80keyz";
    assert_eq!(decoder.decode_small(input), Some((Message::text("hi"), 8)));
    assert_eq!(decoder.decode_small(&input[8..]), Some((Message::binary(""), 6)));
    let large = [&[0x82, 0xfe, 4, 1], &b"keyz"[..], &[7; 1025]].concat();
    for other in [
        &b""[..],
        b"\x81",
        b"\x81\x82keyz\x03",
        b"\x01\x81keyz\x03\x80\x81keyz\x0c",
        b"\x89\x80keyz",
        b"\xc1\x80keyz",
        &large,
    ] {
        assert_eq!(decoder.decode_small(other), None, "{other:?}");
    }
    for (wrong, error) in [
        (&b"\x81\x02hi"[..], DecodeError::MaskMissing),
        (b"\x81\x81\0\0\0\0\xff", DecodeError::InvalidUtf8),
    ] {
        let mut decoder = Decoder::new(Role::Server, Limits::default());
        assert_eq!(decoder.decode_small(wrong), None);
        let found = decoder.decode_other(&mut BytesMut::from(wrong), &mut Keeping::of(0));
        assert_eq!(found, Err(error));
    }
}
