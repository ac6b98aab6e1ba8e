//! The workspace as cargo knows it, for the tests that read it.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// The crates that are published.
pub const CRATES: [&str; 4] = ["ws-mask", "ws-core", "ws-tokio", "ws-json"];

/// What `cargo metadata` says, with these arguments.
#[must_use]
pub fn metadata(args: &[&str]) -> Value {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked"])
        .args(args)
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

/// The package of the workspace with this name.
///
/// # Panics
/// If there is none.
#[must_use]
pub fn package<'a>(metadata: &'a Value, name: &str) -> &'a Value {
    let packages = metadata["packages"].as_array().expect("packages");
    packages
        .iter()
        .find(|package| package["name"] == name && package["source"].is_null())
        .unwrap_or_else(|| panic!("a package {name}"))
}

/// The texts of files, by their paths from the workspace's root.
///
/// # Panics
/// If one can't be read.
#[must_use]
pub fn texts(paths: &[&str]) -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let read = |path: &&str| {
        fs::read_to_string(root.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    };
    paths.iter().map(read).collect()
}
