//! Random traffic between our stream of TLS and rustls's own buffered connection, however the pipe cuts it: what one side sends is
//! what the other gets.

use std::io::IoSlice;

use proptest::collection::vec;
use proptest::prelude::*;
use tokio::io::{AsyncReadExt, AsyncWrite, AsyncWriteExt};
use ws_tokio::rustls::version;

use crate::peer::{Peer, Side, Stream, Terms, open};

/// What a side does next.
#[derive(Clone, Debug)]
enum Op {
    /// Writes so many bytes, in slices of these lengths where it is ours.
    Send(Vec<usize>),
    /// Changes the keys of both, where it is the peer.
    Refresh,
    /// Lets the other side go on.
    Yield,
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let lens = prop_oneof![4 => 0..200_usize, 2 => 0..20_000_usize, 1 => 0..100_000_usize];
    let op = prop_oneof![
        4 => vec(lens, 1..4).prop_map(Op::Send),
        1 => Just(Op::Refresh),
        2 => Just(Op::Yield),
    ];
    vec(op, 0..12)
}

fn terms() -> impl Strategy<Value = Terms> {
    let side = prop_oneof![Just(Side::Client), Just(Side::Server)];
    let version = prop_oneof![3 => Just(&version::TLS13), 1 => Just(&version::TLS12)];
    let pipe = prop_oneof![7..100_usize, 100..5000_usize, 5000..300_000_usize];
    (side, version, pipe).prop_map(|(side, version, pipe)| Terms { side, version, pipe })
}

/// All the bytes of one side, of which each tells its place.
fn bytes(ops: &[Op]) -> Vec<u8> {
    let len = |op: &Op| match op {
        Op::Send(lens) => lens.iter().sum(),
        Op::Refresh | Op::Yield => 0,
    };
    (0..ops.iter().map(len).sum()).map(|at: usize| (at ^ (at >> 8) ^ (at >> 16)) as u8).collect()
}

/// Writes all, in slices of these lengths. Each write may take any part of it.
async fn write(stream: &mut (impl AsyncWrite + Unpin), lens: &[usize], bytes: &[u8]) {
    let ends: Vec<usize> = lens
        .iter()
        .scan(0, |end, len| {
            *end += len;
            Some(*end)
        })
        .collect();
    let mut taken = 0;
    while taken < bytes.len() {
        let mut begin = taken;
        let slices = ends.iter().filter(|&&end| end >= taken).map(|&end| {
            let slice = &bytes[begin..end];
            begin = end;
            IoSlice::new(slice)
        });
        let slices: Vec<_> = slices.collect();
        let len = stream.write_vectored(&slices).await.expect("written");
        assert_ne!(len, 0, "no progress");
        taken += len;
    }
}

async fn ours(stream: Box<dyn Stream>, ops: Vec<Op>, rooms: Vec<usize>, expected: Vec<u8>) {
    let (mut reading, mut writing) = tokio::io::split(stream);
    let all = bytes(&ops);
    let write = async {
        let mut rest = &all[..];
        for op in ops {
            match op {
                Op::Send(lens) => {
                    let (now, later) = rest.split_at(lens.iter().sum());
                    write(&mut writing, &lens, now).await;
                    rest = later;
                }
                Op::Refresh => writing.flush().await.expect("flushed"),
                Op::Yield => tokio::task::yield_now().await,
            }
        }
        writing.shutdown().await.expect("shut down");
    };
    let read = async {
        let mut got = Vec::new();
        for room in rooms.into_iter().cycle() {
            let mut read = vec![0; room];
            match reading.read(&mut read).await.expect("read") {
                0 => break,
                len => got.extend_from_slice(&read[..len]),
            }
        }
        assert!(got == expected, "{} bytes for {}", got.len(), expected.len());
    };
    tokio::join!(write, read);
}

async fn theirs(peer: Peer, ops: Vec<Op>, is_13: bool, expected: Vec<u8>) {
    let Peer { mut session, pipe } = peer;
    let (mut reading, mut writing) = tokio::io::split(pipe);
    let (mut got, all) = (Vec::new(), bytes(&ops));
    let mut rest = &all[..];
    let mut records = Vec::new();
    // Encrypted as it goes, sent as the pipe takes it, so that reading goes on.
    let mut ops = ops.into_iter();
    let mut closed = false;
    loop {
        if records.is_empty() {
            match ops.next() {
                Some(Op::Send(lens)) => {
                    let (now, later) = rest.split_at(lens.iter().sum());
                    for chunk in now.chunks(16 << 10) {
                        std::io::Write::write_all(&mut session.writer(), chunk).expect("room");
                        while session.wants_write() {
                            session.write_tls(&mut records).expect("a vector");
                        }
                    }
                    rest = later;
                }
                Some(Op::Refresh) if is_13 => session.refresh_traffic_keys().expect("1.3"),
                Some(Op::Refresh | Op::Yield) => tokio::task::yield_now().await,
                None if !closed => {
                    closed = true;
                    session.send_close_notify();
                }
                None => {}
            }
            while session.wants_write() {
                session.write_tls(&mut records).expect("a vector");
            }
        }
        let state = session.process_new_packets().expect("records");
        if state.peer_has_closed() && closed && records.is_empty() {
            break;
        }
        let mut read = [0; 4096];
        tokio::select! {
            written = writing.write(&records), if !records.is_empty() => {
                records.drain(..written.expect("an open pipe"));
            }
            len = reading.read(&mut read), if !state.peer_has_closed() => {
                let mut read = &read[..len.expect("an open pipe")];
                while !read.is_empty() {
                    session.read_tls(&mut read).expect("room");
                    session.process_new_packets().expect("records");
                    _ = std::io::Read::read_to_end(&mut session.reader(), &mut got);
                }
            }
            () = std::future::ready(()), if records.is_empty() && ops.len() > 0 => {}
            else => {}
        }
    }
    assert!(got == expected, "{} bytes for {}", got.len(), expected.len());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn what_one_side_sends_the_other_gets(
        terms in terms(),
        here in ops(),
        there in ops(),
        rooms in vec(1..40_000_usize, 1..6),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (stream, peer) = open(terms).await;
            let is_13 = terms.version == &version::TLS13;
            let (mine, yours) = (bytes(&here), bytes(&there));
            tokio::join!(ours(stream, here, rooms, yours), theirs(peer, there, is_13, mine));
        });
    }
}
