//! Features add: each builds alone, in a crate that is built by itself, and `docs/FEATURES.md` tells of it.
//!
//! A build of the whole workspace unifies features, and hides what one of them forgot to ask for.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;
use ws_benches::packages::{CRATES, metadata, package, texts};
use ws_benches::tables::cells;

const DOCUMENT: &str = include_str!("../../docs/FEATURES.md");

/// What a row of the document says, but for what the feature brings.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Row {
    krate: String,
    feature: String,
    by_default: bool,
    adds: BTreeSet<String>,
}

#[test]
fn every_feature_builds_alone() {
    let metadata = metadata(&["--no-deps"]);
    for krate in CRATES {
        let features = package(&metadata, krate)["features"].as_object().expect("features");
        for feature in features.keys().map(String::as_str).chain([""]) {
            check(krate, &["--no-default-features", "--features", feature]);
        }
        check(krate, &["--all-features"]);
    }
}

#[test]
fn the_document_has_every_feature() {
    let metadata = metadata(&["--no-deps"]);
    let declared: BTreeSet<Row> =
        CRATES.iter().flat_map(|krate| declared(package(&metadata, krate))).collect();
    let written: BTreeSet<Row> = written().into_iter().map(|(row, _)| row).collect();
    assert_eq!(written, declared, "docs/FEATURES.md, and the crates' manifests");
}

#[test]
fn a_feature_needs_the_rust_of_its_crate_or_of_what_it_adds() {
    let metadata = metadata(&["--all-features"]);
    let packages = metadata["packages"].as_array().expect("packages");
    for (row, rust) in written() {
        let needs = |name: &str| -> Vec<u32> {
            let newest = packages.iter().filter(|package| package["name"] == name);
            let versions = newest.filter_map(|package| package["rust_version"].as_str());
            versions.map(number).max().unwrap_or_default()
        };
        let needed = row.adds.iter().map(String::as_str).chain([&*row.krate]).map(needs).max();
        assert_eq!(needed, Some(number(&rust)), "{row:?}");
    }
}

/// The major and the minor version.
fn number(version: &str) -> Vec<u32> {
    version.split('.').take(2).map(|part| part.parse().expect("a version")).collect()
}

#[test]
fn every_feature_is_explained_where_it_is_declared() {
    for krate in CRATES {
        let manifest = texts(&[&format!("{krate}/Cargo.toml")]).remove(0);
        let (_, features) = manifest.split_once("[features]\n").expect("features");
        let lines: Vec<_> = features.lines().take_while(|line| !line.is_empty()).collect();
        for pair in lines.windows(2).filter(|pair| !pair[1].starts_with('#')) {
            assert!(pair[0].starts_with("# "), "{krate}: no comment above `{}`", pair[1]);
        }
    }
}

/// Checks a crate by itself, every warning an error.
fn check(krate: &str, features: &[&str]) {
    let target = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("features");
    let output = Command::new(env!("CARGO"))
        .args(["check", "--quiet", "--package", krate])
        .args(features)
        .env("CARGO_TARGET_DIR", target)
        .env("RUSTFLAGS", "-Dwarnings")
        .output()
        .expect("cargo runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{krate} {}:\n{said}", features.join(" "));
}

/// The features of a package, as its manifest declares them.
fn declared(package: &Value) -> Vec<Row> {
    let features = package["features"].as_object().expect("features");
    let names = |feature: &str| -> Vec<&str> {
        let list = features.get(feature).and_then(Value::as_array);
        list.into_iter().flatten().filter_map(Value::as_str).collect()
    };
    let default = names("default");
    let row = |feature: &String| Row {
        krate: package["name"].as_str().expect("a name").to_owned(),
        feature: feature.clone(),
        by_default: default.contains(&feature.as_str()),
        adds: names(feature)
            .iter()
            .filter_map(|name| name.strip_prefix("dep:"))
            .map(String::from)
            .collect(),
    };
    features.keys().filter(|feature| *feature != "default").map(row).collect()
}

/// The rows of the document, each with its oldest Rust.
fn written() -> Vec<(Row, String)> {
    let unquoted = |cell: &str| cell.trim_matches('`').to_owned();
    let rows = DOCUMENT.lines().filter(|line| line.starts_with("| `")).map(cells);
    rows.map(|cells| {
        let [krate, feature, by_default, _, adds, rust] = cells.as_slice() else {
            panic!("six cells: {cells:?}")
        };
        let adds = adds.split(", ").filter(|name| *name != "none").map(unquoted).collect();
        let (krate, feature, by_default) =
            (unquoted(krate), unquoted(feature), by_default == "yes");
        (Row { krate, feature, by_default, adds }, rust.clone())
    })
    .collect()
}
