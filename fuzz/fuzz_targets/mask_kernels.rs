//! `cargo +nightly fuzz run mask_kernels`
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ws_fuzz::mask_kernels(data));
