//! Says which compiler this is: AVX-512 came with Rust 1.89, and the crate builds from 1.85 on.

use std::process::Command;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rustc-check-cfg=cfg(rust_has_avx512)");
    if minor_version().is_some_and(|minor| minor >= 89) {
        println!("cargo:rustc-cfg=rust_has_avx512");
    }
}

/// The 89 of `rustc 1.89.0 (...)`; `None`, and no AVX-512, for what doesn't say so.
fn minor_version() -> Option<u32> {
    let version = Command::new(std::env::var_os("RUSTC")?).arg("--version").output().ok()?.stdout;
    String::from_utf8(version).ok()?.strip_prefix("rustc 1.")?.split('.').next()?.parse().ok()
}
