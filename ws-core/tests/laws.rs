//! The laws of the codec, over random bytes and over the fuzzers' corpus.

use std::fs;
use std::path::Path;

use proptest::prelude::*;

#[path = "../../fuzz/src/lib.rs"]
#[expect(unreachable_pub, reason = "public for the fuzz targets")]
mod fuzz;

fn replay(target: &str, body: fn(&[u8])) {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus").join(target);
    let mut replayed = 0;
    for entry in fs::read_dir(corpus).expect("a corpus") {
        body(&fs::read(entry.expect("an entry").path()).expect("a file"));
        replayed += 1;
    }
    assert!(replayed > 0, "the corpus of {target} is empty");
}

#[test]
fn the_corpus_of_decode_replays() {
    replay("decode", fuzz::decode);
}

#[test]
fn the_corpus_of_roundtrip_replays() {
    replay("roundtrip", fuzz::roundtrip);
}

#[test]
fn the_corpus_of_mask_kernels_replays() {
    replay("mask_kernels", fuzz::mask_kernels);
}

#[test]
fn the_corpus_of_handshake_replays() {
    replay("handshake", fuzz::handshake);
}

#[cfg(feature = "deflate")]
#[test]
fn the_corpus_of_deflate_roundtrip_replays() {
    replay("deflate_roundtrip", fuzz::deflate_roundtrip);
}

#[cfg(feature = "deflate")]
#[test]
fn the_corpus_of_inflate_replays() {
    replay("inflate", fuzz::inflate);
}

/// Close payloads, and a code point that is cut.
const TELLING: &[&[u8]] = &[b"\x03\xe8", b"\xe2\x82\xac", b"\xe2\x82", b"\xac", b"\x0f\xa1bye"];

/// Bytes that are frames more often than chance would make them.
fn wire() -> impl Strategy<Value = Vec<u8>> {
    let first = prop_oneof![
        4 => prop::sample::select(&[0x81, 0x82, 0x01, 0x02, 0x00, 0x80, 0x89, 0x8a, 0x88][..]),
        1 => any::<u8>(),
    ];
    let payload = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..20),
        ".{0,40}".prop_map(String::into_bytes),
        prop::sample::select(TELLING).prop_map(<[u8]>::to_vec),
        prop::collection::vec(any::<u8>(), 100..300),
    ];
    let frame =
        (first, payload, any::<[u8; 4]>(), 0..20u8).prop_map(|(first, mut payload, key, odd)| {
            let masked = if odd == 0 { 0 } else { 0x80 };
            let mut frame = vec![first];
            match payload.len() {
                len if len < 126 && odd != 1 => frame.push(masked | len as u8),
                len => frame.extend([masked | 126, (len >> 8) as u8, len as u8]),
            }
            if masked != 0 {
                frame.extend(key);
                ws_mask::mask(&mut payload, key.into());
            }
            frame.extend(payload);
            frame
        });
    prop::collection::vec(frame, 0..12).prop_map(|frames| frames.concat())
}

/// Lines that heads have, and lines that they must not have.
fn head_line() -> impl Strategy<Value = String> {
    let known = prop::sample::select(
        &[
            "GET /chat HTTP/1.1\r\n",
            "GET http://[::1]:80/ HTTP/1.0\r\n",
            "HTTP/1.1 101 Switching Protocols\r\n",
            "HTTP/1.1 302 Found\r\n",
            "Host: example.com\r\n",
            "Connection: upgrade, close\r\n",
            "Upgrade: websocket\r\n",
            "Sec-WebSocket-Version: 13\r\n",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
            "Origin: null\r\n",
            "Location: /elsewhere\r\n",
            "Transfer-Encoding: chunked\r\n",
            " folded\r\n",
        ][..],
    );
    prop_oneof![8 => known.prop_map(String::from), 1 => ".{0,20}\r\n", 1 => "[a-z]{1,5}: .{0,9}\r?\n"]
}

proptest! {
    #[test]
    fn how_the_bytes_were_cut_never_shows_in_the_events(
        config: u8, cuts in prop::collection::vec(0..40u8, 8), wire in wire(),
    ) {
        // The bit of the role is cleared: the frames above are a client's.
        fuzz::decode(&[&[config & !1 | 0xf0], &cuts[..], &wire[..]].concat());
    }

    #[test]
    fn no_input_panics_and_the_limits_hold(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        fuzz::decode(&bytes);
    }

    #[test]
    fn no_head_panics_however_it_is_cut(
        cut: u8, lines in prop::collection::vec(head_line(), 0..12), end in prop::sample::select(&["\r\n", "\n", "", "\r\nrest"][..]),
    ) {
        fuzz::handshake(&[&[cut], lines.concat().as_bytes(), end.as_bytes()].concat());
    }

    #[test]
    fn decode_of_encode_is_the_identity(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
        fuzz::roundtrip(&bytes);
    }
}

#[cfg(feature = "deflate")]
mod deflate {
    use super::*;

    /// Pieces of deflated data: fixed and stored blocks, final ones, flushes, and what they are made of.
    const DATA: &[&[u8]] = &[
        b"\xf2\x48\xcd\xc9\xc9\x07\x00",
        b"\xf3\x48\xcd\xc9\xc9\x07\x00",
        b"\xf2\x00\x11\x00\x00",
        b"\x00\x05\x00\xfa\xffHello",
        b"\x01\x01\x00\xfe\xff\xe2",
        b"\x00\x00\x00\xff\xff",
        b"\x00\x00\xff\xff",
        b"\x62\x20\x05\x8c\x82\x51\x30\x0a",
    ];

    proptest! {
        // Each case makes states of hundreds of KiB.
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn decode_of_encode_is_the_identity_with_any_parameters(
            bytes in prop::collection::vec(any::<u8>(), 0..60),
        ) {
            fuzz::deflate_roundtrip(&bytes);
        }

        #[test]
        fn no_deflated_data_panics_and_how_it_was_cut_never_shows(
            config: u8, rest in prop::collection::vec(any::<u8>(), 7),
            data in prop::collection::vec(prop_oneof![
                4 => prop::sample::select(DATA).prop_map(<[u8]>::to_vec),
                1 => prop::collection::vec(any::<u8>(), 0..12),
            ], 0..20),
        ) {
            // Frames that are long more often than not, so that whole pieces stand in them.
            let data: Vec<_> = data.into_iter().flat_map(|part| [vec![part.len() as u8 | 0x28], part].concat()).collect();
            fuzz::inflate(&[&[config], &rest[..], &data].concat());
        }
    }
}
