//! `cargo +nightly fuzz run deflate_roundtrip`
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ws_fuzz::deflate_roundtrip(data));
