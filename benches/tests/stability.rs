//! `docs/STABILITY.md` lists the crates whose types users meet in ours: this looks for them in the public API, which `.ci/api/run` has
//! written down.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use ws_benches::packages::{CRATES, metadata, package, texts};
use ws_benches::tables::cells;

const DOCUMENT: &str = include_str!("../../docs/STABILITY.md");
const HEADING: &str = "| crate | version | feature | where |";

#[test]
fn every_foreign_crate_in_a_signature_is_listed() {
    let listed: BTreeSet<String> = rows().into_keys().collect();
    assert_eq!(listed, foreign(), "docs/STABILITY.md, and docs/api");
}

#[test]
fn foreign_crates_have_the_versions_that_are_listed() {
    let metadata = metadata(&["--all-features"]);
    let packages = metadata["packages"].as_array().expect("packages");
    for (name, (version, _)) in rows() {
        let is_it =
            |package: &&Value| package["name"].as_str().expect("a name").replace('-', "_") == name;
        let prefix = format!("{version}.");
        let mut versions = packages.iter().filter(is_it).filter_map(|it| it["version"].as_str());
        assert!(versions.any(|it| it.starts_with(&prefix)), "{name} {version} is not built");
    }
}

#[test]
fn foreign_crates_at_version_0_are_behind_features() {
    let metadata = metadata(&["--no-deps"]);
    let features = CRATES.map(|krate| package(&metadata, krate)["features"].clone());
    for (name, (version, feature)) in rows() {
        assert!(!feature.is_empty() || !version.starts_with("0."), "{name} {version}");
        let is_there = features.iter().any(|of| !of[&feature].is_null());
        assert!(feature.is_empty() || is_there, "the feature {feature} of {name}");
    }
}

/// Version and feature of each crate in the table.
fn rows() -> BTreeMap<String, (String, String)> {
    let (_, table) = DOCUMENT.split_once(HEADING).expect("the table");
    let lines = table.lines().skip(2).take_while(|line| line.starts_with('|')).map(cells);
    let unquoted = |cell: &str| cell.trim_matches('`').to_owned();
    lines.map(|row| (unquoted(&row[0]), (row[1].clone(), unquoted(&row[2])))).collect()
}

/// The first segments of all paths to types that are not ours, nor the standard library's.
fn foreign() -> BTreeSet<String> {
    let texts =
        texts(&CRATES.map(|krate| format!("docs/api/{krate}.txt")).each_ref().map(String::as_str));
    let is_path = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
    let paths = texts.iter().flat_map(|text| text.split(|c| !is_path(c)));
    let crates = paths.filter_map(|path| path.split_once("::")).map(|(first, _)| first);
    let is_foreign = |name: &&str| {
        name.starts_with(char::is_lowercase) && *name != "std" && !name.starts_with("ws_")
    };
    crates.filter(is_foreign).map(String::from).collect()
}
