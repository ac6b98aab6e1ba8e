//! Masked frames of all lengths at all alignments, both ways, against masking byte by byte.

use std::cell::RefCell;
use std::rc::Rc;

use bytes::Bytes;

use crate::memory::Memory;
use crate::{Peer, after, before};

/// What a read brings at most.
const STEPS: [usize; 5] = [usize::MAX, 4096, 61, 7, 1];
const TEXT: u8 = 0x81;
const BINARY: u8 = 0x82;

pub(crate) fn run() {
    let payloads: Vec<_> = payloads().collect();
    let wire = wire(&payloads);
    for (side, peers) in
        [("as published", before::peers::ALL), ("with the patch", after::peers::ALL)]
    {
        for peer in &peers {
            payloads.iter().for_each(|payload| masks(peer, payload));
            STEPS.iter().for_each(|step| receives(peer, &payloads, &wire, *step));
            sends(peer, &payloads);
            let frames = payloads.len();
            println!(
                "{} {side}: {frames} frames masked, {frames} sent, {} received",
                peer.name,
                STEPS.len() * frames
            );
        }
    }
}

/// A payload and the place where it begins, behind a multiple of 64.
struct Payload {
    bytes: Vec<u8>,
    key: [u8; 4],
    offset: usize,
}

/// All short lengths at all offsets; and what is around the limits of headers, vectors and pages at eight.
fn payloads() -> impl Iterator<Item = Payload> {
    let around = [512, 1024, 4096, 16_384, 65_536].into_iter().flat_map(|n| n - 1..=n + 1);
    let lengths = (0..=300).map(|len| (len, 1)).chain(around.map(|len| (len, 9)));
    let places =
        lengths.flat_map(|(len, every)| (0..64).step_by(every).map(move |offset| (len, offset)));
    places.enumerate().map(|(i, (len, offset))| Payload {
        // Any of the 128 characters of ASCII, so that it may be text.
        bytes: (0..len).map(|at| ((at * 7 + i * 31) % 128) as u8).collect(),
        key: (i as u32).wrapping_mul(0x9e37_79b9).to_be_bytes(),
        offset,
    })
}

/// Each payload in a frame, at its offset, behind a frame that fills the gap.
fn wire(payloads: &[Payload]) -> Rc<[u8]> {
    let mut wire = Vec::new();
    for Payload { bytes, key, offset } in payloads {
        // A short frame is 6 bytes longer than its payload.
        let taken = (wire.len() + 6 + header(bytes.len())) % 64;
        push(&mut wire, BINARY, vec![7; (offset + 64 - taken) % 64], [1, 2, 3, 4]);
        assert!((wire.len() + header(bytes.len())) % 64 == *offset);
        push(&mut wire, if offset % 2 == 0 { TEXT } else { BINARY }, bytes.clone(), *key);
    }
    wire.into()
}

fn bytewise(data: &mut [u8], key: [u8; 4]) {
    data.iter_mut().enumerate().for_each(|(i, byte)| *byte ^= key[i % 4]);
}

fn masks(peer: &Peer, Payload { bytes, key, offset }: &Payload) {
    let mut ours = vec![7; 64 + offset + bytes.len()];
    let start = ours.as_ptr().align_offset(64) + offset;
    ours[start..][..bytes.len()].copy_from_slice(bytes);
    let mut expected = ours.clone();
    (peer.mask)(&mut ours[start..][..bytes.len()], *key);
    bytewise(&mut expected[start..][..bytes.len()], *key);
    assert!(ours == expected, "{}: {} bytes at {offset}", peer.name, bytes.len());
}

fn receives(peer: &Peer, payloads: &[Payload], wire: &Rc<[u8]>, step: usize) {
    let mut receiver = (peer.receiver)(Memory::of(wire, step));
    for Payload { bytes, offset, .. } in payloads {
        receiver(&mut |gap| assert!(gap.iter().all(|byte| *byte == 7)));
        receiver(&mut |got| {
            assert!(
                got == bytes,
                "{}: {} bytes at {offset}, reads of {step}",
                peer.name,
                bytes.len()
            );
        });
    }
}

fn sends(peer: &Peer, payloads: &[Payload]) {
    let kept = Rc::new(RefCell::new(Vec::new()));
    let mut sender = (peer.sender)(Memory::keeping(&kept));
    for Payload { bytes, offset, .. } in payloads {
        let whole: Bytes = [&vec![7; *offset], &bytes[..]].concat().into();
        sender(&whole.slice(offset..));
        let mut frame = kept.take();
        let header = header(bytes.len());
        let key = frame[header - 4..header].try_into().expect("four bytes");
        bytewise(&mut frame[header..], key);
        assert!(
            frame[0] == BINARY && frame[header..] == bytes[..],
            "{}: {} bytes at {offset}",
            peer.name,
            bytes.len()
        );
    }
}

/// The length of a masked frame's header.
fn header(len: usize) -> usize {
    match len {
        0..126 => 6,
        126..65_536 => 8,
        _ => 14,
    }
}

/// Appends a masked frame.
pub(crate) fn push(wire: &mut Vec<u8>, first: u8, mut payload: Vec<u8>, key: [u8; 4]) {
    wire.push(first);
    match payload.len() {
        len @ 0..126 => wire.push(0x80 | len as u8),
        len @ 126..65_536 => {
            wire.push(0x80 | 126);
            wire.extend((len as u16).to_be_bytes());
        }
        len => {
            wire.push(0x80 | 127);
            wire.extend((len as u64).to_be_bytes());
        }
    }
    wire.extend(key);
    bytewise(&mut payload, key);
    wire.extend(payload);
}
