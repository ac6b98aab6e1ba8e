//! Memory: bounded by what has arrived, and given back.

use std::future::{Future, poll_fn};
use std::iter::repeat_with;
use std::pin::pin;
use std::task::Poll;

use tokio::io::AsyncReadExt;
use ws_tokio::{
    ByteStream, Connection, DecodeError, Error, Message, MessageKind, Role, Settings, Tracker,
};

use crate::counting::{held, take_peak};
use crate::peer::{Pause, Peer, Then};
use crate::support::wire::{ROLES, close, frame, peer_of};
use crate::{block_on, connection};

/// What a parked connection may hold besides its own state, in bytes.
pub(crate) const LITTLE: usize = 1024;

/// Connections that are made before those that are measured. The thread's pool lends the first 8 of them its own
/// buffers: only with more than those does it show that each keeps one.
const BEFORE: usize = 12;

/// Connections that are measured.
const MEASURED: usize = 4;

/// A peer that says this once.
pub(crate) fn saying(words: &[u8]) -> Peer {
    Peer { between_rounds: Pause::None, ..Peer::new(words.to_vec(), Then::Silence) }
}

/// Bytes that a connection holds, besides itself and its peer, after `receive`; what that returns is kept.
fn kept<T>(role: Role, peer: &Peer, receive: impl AsyncFn(&mut Connection<Peer>) -> T) -> usize {
    kept_by(|| connection(role, Settings::default(), peer.clone()), receive)
}

/// Bytes that each of many holds, besides what it was made of, after `act`; what that returns is kept.
pub(crate) fn kept_by<C, T>(make: impl FnMut() -> C, act: impl AsyncFn(&mut C) -> T) -> usize {
    let mut made: Vec<_> = repeat_with(make).take(BEFORE + MEASURED).collect();
    let mut results = Vec::with_capacity(BEFORE + MEASURED);
    let mut act_on_each = |made: &mut [C]| {
        for one in made {
            results.push(block_on(act(one)));
        }
        held()
    };
    let (warm_up, measured) = made.split_at_mut(BEFORE);
    let before = act_on_each(warm_up);
    // Less than before, where a buffer of the pool's grew and was not taken back.
    usize::try_from(act_on_each(measured) - before).unwrap_or(0) / MEASURED
}

/// Polls a future until it has done all that it can.
pub(crate) async fn park<F: Future>(future: F) {
    let mut future = pin!(future);
    for _ in 0..8 {
        let polled = poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx))).await;
        assert!(polled.is_pending());
    }
}

pub(crate) async fn wait(connection: &mut Connection<Peer>) {
    park(connection.recv()).await;
}

#[test]
fn a_connections_own_state_is_small() {
    // What is told of a connection is kept until its end.
    let told = match (cfg!(feature = "metrics"), cfg!(feature = "tracing")) {
        (true, _) => 488,
        (false, true) => 32,
        (false, false) => 0,
    };
    for (role, bound) in [(Role::Server, 336 + told), (Role::Client, 656 + told)] {
        let peer = saying(b"");
        let before = held();
        let connection = connection(role, Settings::default(), peer);
        let own = usize::try_from(held() - before).expect("no less than before");
        drop(connection);
        let state = own - size_of::<Peer>();
        assert!(state <= bound, "{state} bytes, over {bound}: {role:?}");
        assert!(state >= bound / 2, "{state} bytes: lower the bound, {bound}: {role:?}");
    }
}

#[test]
fn a_connection_without_traffic_holds_no_buffer() {
    for role in ROLES {
        assert_eq!(kept(role, &saying(b""), wait), 0);
    }
}

#[test]
fn a_cut_header_and_silence_pin_no_read_buffer() {
    for role in ROLES {
        let whole = frame(peer_of(role), 0x82, &[7; 200]);
        for arrived in [1, 2, 3, 5, 9, 100] {
            let kept = kept(role, &saying(&whole[..arrived]), wait);
            assert!(kept < LITTLE, "{kept} bytes after {arrived} bytes: {role:?}");
        }
    }
}

#[test]
fn an_unfinished_message_and_silence_pin_no_buffer() {
    for role in ROLES {
        let peer = peer_of(role);
        for words in [frame(peer, 0x02, b""), frame(peer, 0x01, b"a")] {
            let kept = kept(role, &saying(&words), wait);
            assert!(kept < LITTLE, "{kept} bytes after a first fragment: {role:?}");
        }
    }
}

#[test]
fn a_message_of_1_mib_leaves_nothing_behind() {
    for role in ROLES {
        let peer = peer_of(role);
        let start = frame(peer, 0x02, &[7; 1 << 19]);
        let fragments = [start, frame(peer, 0x80, &[7; 1 << 19])].concat();
        for words in [frame(peer, 0x82, &[7; 1 << 20]), fragments] {
            let left = kept(role, &saying(&words), async |it| {
                it.recv().await.unwrap().unwrap();
                wait(it).await;
            });
            assert!(left < LITTLE, "{left} bytes after recv: {role:?}");
            let left = kept(role, &saying(&words), async |it| {
                park(it.run(|message, outbox| outbox.send(message))).await;
            });
            assert!(left < LITTLE, "{left} bytes after an echo in run: {role:?}");
        }
    }
}

#[test]
fn small_messages_that_are_kept_pin_no_buffer() {
    for role in ROLES {
        let words = frame(peer_of(role), 0x82, &[7; 20]).repeat(100);
        let kept = kept(role, &saying(&words), async |it| {
            let mut kept: Vec<Message> = Vec::with_capacity(100);
            while kept.len() < 100 {
                kept.push(it.recv().await.unwrap().unwrap());
            }
            wait(it).await;
            kept
        });
        let own = 100 * (size_of::<Message>() + 20);
        assert!(kept < own + LITTLE, "{kept} bytes for 100 messages of 20: {role:?}");
    }
}

#[test]
fn an_ended_connection_holds_no_buffer() {
    for role in ROLES {
        let words = [frame(peer_of(role), 0x82, &[7; 70_000]), close(peer_of(role), 1000, "")];
        let kept =
            kept(
                role,
                &saying(&words.concat()),
                async |it| {
                    while it.recv().await.unwrap().is_some() {}
                },
            );
        assert!(kept < LITTLE, "{kept} bytes: {role:?}");
    }
}

/// The most that `receive` allocated beyond the thread's pool, and what it gave.
fn peak<T>(
    role: Role,
    settings: Settings,
    peer: &Peer,
    receive: impl AsyncFn(&mut Connection<Peer>) -> T,
) -> (usize, T) {
    most_by(|| connection(role, settings, peer.clone()), receive)
}

/// The most that `act` allocated beyond the thread's pool, and what it gave.
pub(crate) fn most_by<C, T>(make: impl Fn() -> C, act: impl AsyncFn(&mut C) -> T) -> (usize, T) {
    let (mut first, mut second) = (make(), make());
    block_on(async {
        // The first fills the pool.
        act(&mut first).await;
        let before = held();
        take_peak();
        let given = act(&mut second).await;
        (usize::try_from(take_peak() - before).expect("no less than before"), given)
    })
}

pub(crate) fn announcing_2_to_the_62(peer: Role) -> Peer {
    let mut words = frame(peer, 0x82, &[7; 100 << 10]);
    words[2..10].copy_from_slice(&(1_u64 << 62).to_be_bytes());
    saying(&words)
}

#[test]
fn a_length_over_the_limit_is_refused_before_anything_is_allocated_for_it() {
    for role in ROLES {
        let peer = announcing_2_to_the_62(peer_of(role));
        let refused = async |it: &mut Connection<Peer>| it.recv().await.unwrap_err();
        let (peak, error) = peak(role, Settings::default(), &peer, refused);
        assert!(matches!(error, Error::Protocol(DecodeError::MessageTooBig { limit: 1_048_576 })));
        assert!(peak < LITTLE, "{peak} bytes: {role:?}");
    }
}

#[test]
fn memory_grows_with_what_has_arrived_and_not_with_what_was_announced() {
    for role in ROLES {
        let peer = announcing_2_to_the_62(peer_of(role));
        let unlimited = Settings::default().max_message(usize::MAX);
        let (peak, ()) = peak(role, unlimited, &peer, wait);
        assert!(peak < 512 << 10, "{peak} bytes for 100 KiB: {role:?}");
    }
}

#[test]
fn a_byte_stream_of_a_message_without_end_takes_no_memory_for_it() {
    for role in ROLES {
        let words = [announcing_2_to_the_62(peer_of(role)).words, vec![7; 1 << 20].into()].concat();
        let connection = connection(role, Settings::default(), Peer::new(words, Then::Again));
        let mut stream = ByteStream::new(connection, MessageKind::Binary);
        let (before, _) = (held(), take_peak());
        block_on(async {
            let mut read = [0; 4096];
            for _ in 0..2048 {
                stream.read_exact(&mut read).await.expect("there is no end");
            }
        });
        let peak = take_peak() - before;
        assert!(peak < 512 << 10, "{peak} bytes for 8 MiB: {role:?}");
    }
}

#[test]
fn empty_fragments_are_counted_and_take_no_memory() {
    for role in ROLES {
        let start = frame(peer_of(role), 0x02, b"");
        let words = [start, frame(peer_of(role), 0x00, b"").repeat(200_000)].concat();
        let refused = async |it: &mut Connection<Peer>| it.recv().await.unwrap_err();
        let (peak, error) = peak(role, Settings::default(), &saying(&words), refused);
        let too_many = DecodeError::TooManyFragments { limit: 131_072 };
        assert!(matches!(error, Error::Protocol(error) if error == too_many));
        assert!(peak < LITTLE, "{peak} bytes: {role:?}");
    }
}

#[test]
fn a_tracker_gives_back_the_places_of_many_connections() {
    let tracker = Tracker::new();
    let before = held();
    let tickets: Vec<_> = (0..100_000).map(|_| tracker.enter()).collect();
    let each = (held() - before) / 100_000;
    assert!((100..=250).contains(&each), "{each} bytes for each");
    drop(tickets);
    let left = held() - before;
    assert!(left <= 100 << 10, "{left} bytes");
}
