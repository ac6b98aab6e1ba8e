//! As published beside with the patch, in turn, round by round: the tables of `docs/ADOPTING.md`.

use std::hint::black_box;
use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::check::push;
use crate::memory::Memory;
use crate::{Peer, after, before};

const LENGTHS: [usize; 13] = [1, 7, 16, 20, 64, 100, 125, 126, 256, 1024, 4096, 16_384, 65_536];
const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];
const ROUNDS: usize = 64;
/// How long each side takes per round.
const TURN: Duration = Duration::from_micros(200);

type Work = Box<dyn FnMut()>;

pub(crate) fn run() {
    for (before, after) in before::peers::ALL.iter().zip(&after::peers::ALL) {
        println!("\n### {}\n", before.name);
        println!(
            "| bytes | its function, aligned | its function, behind a header | receiving | sending |\n|---|---|---|---|---|"
        );
        for len in LENGTHS {
            let ways: [fn(&Peer, usize) -> Work; 4] = [
                |peer, len| masking(peer, 0, len),
                |peer, len| masking(peer, 6, len),
                receiving,
                sending,
            ];
            let cells = ways.map(|way| compare([&|| way(before, len), &|| way(after, len)]));
            println!("| {len} | {} |", cells.join(" | "));
        }
    }
}

/// Payloads that begin `offset` bytes behind a multiple of 64, here and there: the CPU is slow to load what it has just stored in other pieces.
fn masking(peer: &Peer, offset: usize, len: usize) -> Work {
    let room = (offset + len).next_multiple_of(64) + 64;
    let spots = (16_384 / room).max(2);
    let mut buffer = vec![7; 64 + spots * room];
    let start = buffer.as_ptr().align_offset(64) + offset;
    let (mask, mut spot) = (peer.mask, 0);
    Box::new(move || {
        spot = (spot + 1) % spots;
        mask(black_box(&mut buffer[start + spot * room..][..len]), black_box(KEY));
    })
}

/// A server's call for the next message, of frames that follow each other.
fn receiving(peer: &Peer, len: usize) -> Work {
    let mut wire = Vec::new();
    for _ in 0..1 + 65_536 / (len + 8) {
        push(&mut wire, 0x82, vec![7; len], KEY);
    }
    let mut receiver = (peer.receiver)(Memory::of(&wire.into(), usize::MAX));
    Box::new(move || receiver(&mut |payload| assert!(black_box(payload).len() == len)))
}

/// A client's call to send a message whose payload it may not change.
fn sending(peer: &Peer, len: usize) -> Work {
    let payload = Bytes::from(vec![7; len]);
    let mut sender = (peer.sender)(Memory::sink());
    Box::new(move || sender(black_box(&payload)))
}

/// Nanoseconds of both, and how many times faster the second is: the median of the rounds, and where its middle half lies.
///
/// Each round has buffers of its own, somewhere else in memory, and the one or the other side comes first: where buffers lie to each
/// other, and to the end of the heap, is worth a fifth at times.
fn compare(sides: [&dyn Fn() -> Work; 2]) -> String {
    let calls = calls(&mut sides[0]());
    let mut rounds: Vec<[f64; 2]> = Vec::new();
    let mut kept = Vec::new();
    for round in 0..ROUNDS {
        kept.push(vec![0u8; 64 * (round * 37 % 97)]);
        let first = round % 2;
        let mut taken = [0.0; 2];
        for side in [first, 1 - first] {
            let mut work = sides[side]();
            time(&mut work, calls / 4 + 1);
            taken[side] = time(&mut work, calls);
        }
        rounds.push(taken);
    }
    let [before, after] = [0, 1].map(|side| quartiles(rounds.iter().map(|round| round[side]))[1]);
    let [low, middle, high] = quartiles(rounds.iter().map(|[before, after]| before / after));
    format!("{before:.1} to {after:.1}: {middle:.2} x ({low:.2}, {high:.2})")
}

fn quartiles(values: impl Iterator<Item = f64>) -> [f64; 3] {
    let mut values: Vec<_> = values.collect();
    values.sort_by(f64::total_cmp);
    [ROUNDS / 4, ROUNDS / 2, ROUNDS - ROUNDS / 4].map(|at| values[at])
}

fn calls(work: &mut Work) -> usize {
    let once = time(work, 100);
    (TURN.as_nanos() as f64 / once).ceil() as usize
}

/// Nanoseconds per call.
fn time(work: &mut Work, calls: usize) -> f64 {
    let start = Instant::now();
    for _ in 0..calls {
        work();
    }
    start.elapsed().as_nanos() as f64 / calls as f64
}
