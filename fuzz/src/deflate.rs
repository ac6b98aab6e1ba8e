//! permessage-deflate: any messages come back, however they were cut and whatever was agreed; no data panics, and the
//! limits hold.

use http::HeaderMap;
use http::header::{HeaderValue, SEC_WEBSOCKET_EXTENSIONS};
use ws_core::deflate::{AgreedCompression, Compression, CompressionOptions};
use ws_core::handshake::negotiate;
use ws_core::{Decoder, Limits, Role};

use super::first::take;

/// Any messages, any cuts, any parameters: what comes out is what went in.
pub fn deflate_roundtrip(mut data: &[u8]) {
    let config = take(&mut data);
    let (options, agreed) = agree(&mut data);
    let portion = usize::from(take(&mut data));
    let (encoder, reader) = super::roundtrip::ends(config);
    let encoder = encoder.with_compression(&agreed, &options);
    let decoder = Decoder::new(reader, Limits::default()).with_compression(&agreed);
    super::roundtrip::hold(encoder, decoder, 32 + portion * portion, data);
}

/// Any bytes as the data of compressed messages: the same events however they were cut.
pub fn inflate(mut data: &[u8]) {
    let config = take(&mut data);
    let cuts: Vec<usize> = (0..4).map(|_| usize::from(take(&mut data))).collect();
    let (_, agreed) = agree(&mut data);
    let limits = Limits::default().with_message_size(1 << (config >> 3)).with_fragments(20);
    let chunk = [0, 1, 7, 16 * 1024][usize::from(config & 3)];
    let decoder = || Decoder::new(Role::Client, limits).with_compression(&agreed);
    super::decode::hold(decoder, chunk, &frames(data), &cuts);
}

/// These bytes in frames of compressed messages, with pings between.
fn frames(mut data: &[u8]) -> Vec<u8> {
    let (mut wire, mut inside) = (Vec::new(), false);
    while !data.is_empty() {
        let how = take(&mut data);
        let len = usize::from(how >> 3 & 15) * usize::from(how >> 3 & 15);
        let (payload, rest) = data.split_at(len.min(data.len()).min(125));
        data = rest;
        let opcode = if inside { 0 } else { 0x41 + (how & 1) };
        inside = how & 2 != 0;
        let fin = if inside { 0 } else { 0x80 };
        wire.extend([fin | opcode, payload.len() as u8]);
        wire.extend_from_slice(payload);
        if how & 4 != 0 {
            wire.extend(b"\x89\x00");
        }
    }
    wire
}

/// What three bytes say of options, and what they come to.
fn agree(data: &mut &[u8]) -> (CompressionOptions, AgreedCompression) {
    let (config, bits, level) = (take(data), take(data), take(data));
    let compression = match config & 1 {
        0 => Compression::NoContextTakeover,
        _ => Compression::ContextTakeover,
    };
    let options = CompressionOptions::new(compression)
        .threshold(usize::from(config >> 1) * 3)
        .server_max_window_bits(bits & 15)
        .client_max_window_bits(bits >> 4)
        .level(level % 10);
    let offer = HeaderValue::from_static("permessage-deflate; client_max_window_bits");
    let headers = HeaderMap::from_iter([(SEC_WEBSOCKET_EXTENSIONS, offer)]);
    (options, negotiate(&headers, &options).expect("an agreement"))
}
