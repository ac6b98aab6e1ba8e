//! The steady state: after the first messages, the next ones cost no allocation.

use std::ops::ControlFlow;

use ws_tokio::{Connection, Role, Settings};

use crate::counting::calls;
use crate::peer::{Pause, Peer, Then};
use crate::support::wire::{ROLES, frame, peer_of};
use crate::{block_on, connection};

const SIZES: [usize; 3] = [20, 1024, 64 << 10];

/// Messages before counting, and while counting.
const MESSAGES: usize = 64;

/// Messages in one round of the peer's words.
const ROUND: usize = 8;

#[derive(Clone, Copy, Debug)]
enum Shape {
    Whole,
    TwoFragments,
}

fn words(us: Role, shape: Shape, size: usize) -> Vec<u8> {
    let (peer, payload) = (peer_of(us), vec![b'x'; size]);
    let (start, end) = payload.split_at(size / 3);
    match shape {
        Shape::Whole => frame(peer, 0x81, &payload),
        Shape::TwoFragments => [frame(peer, 0x01, start), frame(peer, 0x80, end)].concat(),
    }
    .repeat(ROUND)
}

/// Counts allocations in both roles, over all sizes and shapes.
fn in_every_case(per_read: usize, count: fn(Connection<Peer>) -> usize) {
    for role in ROLES {
        for (size, shape) in SIZES
            .into_iter()
            .flat_map(|size| [Shape::Whole, Shape::TwoFragments].map(|shape| (size, shape)))
        {
            let peer = Peer { per_read, ..Peer::new(words(role, shape, size), Then::Again) };
            let counted = count(connection(role, Settings::default(), peer));
            assert_eq!(counted, 0, "allocations in {MESSAGES} messages: {role:?} {shape:?} {size}");
        }
    }
}

/// The allocations of `run` while it echoes.
fn counted_in_run(mut connection: Connection<Peer>) -> usize {
    let (mut messages, mut before) = (0, 0);
    let run = connection.run(|message, outbox| {
        outbox.send(message).expect("an open connection");
        messages += 1;
        match messages {
            MESSAGES => before = calls(),
            n if n == 2 * MESSAGES => return ControlFlow::Break(calls() - before),
            _ => {}
        }
        ControlFlow::Continue(())
    });
    block_on(run).expect("an open connection").expect("the handler's count")
}

#[cfg(feature = "deflate")]
#[test]
fn run_allocates_nothing_for_compressed_messages_without_context_takeover() {
    use bytes::BytesMut;
    use ws_tokio::http::header::{HeaderMap, HeaderValue, SEC_WEBSOCKET_EXTENSIONS};
    use ws_tokio::{Compression, CompressionOptions, Negotiated, handshake};

    let offer = HeaderValue::from_static("permessage-deflate");
    let offered = HeaderMap::from_iter([(SEC_WEBSOCKET_EXTENSIONS, offer)]);
    let options = CompressionOptions::new(Compression::NoContextTakeover).threshold(0);
    let agreed = handshake::negotiate(&offered, &options).expect("an agreement");
    for role in ROLES {
        // "Hello" of RFC 7692, 7.2.3.1.
        let words = frame(peer_of(role), 0xc1, b"\xf2\x48\xcd\xc9\xc9\x07\x00").repeat(ROUND);
        let (peer, leftover) = (Peer::new(words, Then::Again), BytesMut::new());
        let negotiated = Negotiated::default().compression(agreed, options);
        let settings = Settings::default();
        let connection = Connection::from_upgraded(peer, role, leftover, negotiated, settings);
        assert_eq!(counted_in_run(connection), 0, "allocations in {MESSAGES} messages: {role:?}");
    }
}

/// The allocations of `recv_into`.
fn counted_in_recv_into(mut connection: Connection<Peer>) -> usize {
    let (mut buffer, mut before) = (Vec::new(), 0);
    block_on(async {
        for n in 0..2 * MESSAGES {
            if n == MESSAGES {
                before = calls();
            }
            connection.recv_into(&mut buffer).await.expect("a message");
        }
        calls() - before
    })
}

#[test]
fn run_allocates_nothing_for_messages_that_come_together() {
    in_every_case(usize::MAX, counted_in_run);
}

#[test]
fn run_allocates_nothing_for_messages_that_are_cut_across_reads() {
    in_every_case(999, counted_in_run);
}

#[test]
fn recv_into_allocates_nothing_for_messages_that_come_together() {
    in_every_case(usize::MAX, counted_in_recv_into);
}

#[test]
fn recv_into_allocates_nothing_for_messages_that_are_cut_across_reads() {
    in_every_case(999, counted_in_recv_into);
}

/// The allocations of `MESSAGES` times `recv`.
fn counted_in_recv(mut connection: Connection<Peer>) -> usize {
    let mut before = 0;
    block_on(async {
        for n in 0..2 * MESSAGES {
            if n == MESSAGES {
                before = calls();
            }
            connection.recv().await.expect("a message");
        }
        calls() - before
    })
}

#[test]
fn recv_allocates_at_most_once_for_a_message() {
    for role in ROLES {
        for (size, shape) in [0, 20, 1024, 64 << 10]
            .into_iter()
            .flat_map(|size| [Shape::Whole, Shape::TwoFragments].map(|shape| (size, shape)))
        {
            let peer = Peer::new(words(role, shape, size), Then::Again);
            let counted = counted_in_recv(connection(role, Settings::default(), peer));
            assert!(counted <= MESSAGES, "{counted} allocations: {role:?} {shape:?} {size}");
        }
    }
}

#[test]
fn a_wait_inside_a_message_costs_one_small_allocation() {
    for role in ROLES {
        let words = words(role, Shape::Whole, 1000);
        let per_read = words.len() / ROUND / 2;
        let peer = Peer { per_read, between_reads: Pause::Wait, ..Peer::new(words, Then::Again) };
        let counted = counted_in_run(connection(role, Settings::default(), peer));
        assert!(counted <= MESSAGES + 1, "{counted} allocations: {role:?}");
    }
}
