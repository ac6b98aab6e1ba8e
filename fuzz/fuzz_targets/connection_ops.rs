//! `cargo +nightly fuzz run connection_ops`
#![no_main]

#[path = "../src/connection_ops/mod.rs"]
mod connection_ops;

#[path = "../../ws-tokio/tests/support"]
#[expect(dead_code, reason = "the tests use more of it")]
mod support {
    pub(crate) mod parse;
    pub(crate) mod scripted;
    pub(crate) mod wire;
}

libfuzzer_sys::fuzz_target!(|data: &[u8]| connection_ops::connection_ops(data));
