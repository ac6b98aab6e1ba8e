//! What the crates stand on: licences that everybody can take, one version of each crate, and no crate unseen.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;
use ws_benches::packages::{CRATES, metadata, package};

/// One of these has to be among the licences that a crate offers.
const LICENCES: [&str; 8] = [
    "MIT",
    "Apache-2.0",
    "BSD-3-Clause",
    "BSL-1.0",
    // Of lists of root certificates.
    "CDLA-Permissive-2.0",
    "ISC",
    "Unicode-3.0",
    "Zlib",
];

/// Crates of which a tree has two versions, and why that can't be helped.
const TWICE: [(&str, &str); 2] = [
    ("getrandom", "ring asks for 0.2"),
    ("syn", "tracing's macros, which the feature `nats` turns on, ask for 2"),
];

/// What the trees are looked at for: a crate's dependencies differ with the system.
const SYSTEMS: [&str; 3] =
    ["x86_64-unknown-linux-gnu", "x86_64-pc-windows-msvc", "aarch64-apple-darwin"];

#[test]
fn licences_are_such_that_everybody_can_take() {
    let metadata = metadata(&["--all-features"]);
    for id in needed(&metadata) {
        let package = by_id(&metadata, id);
        let licence = package["license"].as_str().unwrap_or_default();
        let offered = licence.replace('/', " OR ");
        let fine = |one: &str| LICENCES.contains(&one.trim_matches(['(', ')', ' ']));
        // `A AND (B OR C)`: each part has to be one that we know.
        let all = offered.split(" AND ").all(|part| part.split(" OR ").any(fine));
        assert!(all, "{}: {licence:?}", package["name"]);
    }
}

#[test]
fn no_crate_is_there_in_two_versions() {
    for system in SYSTEMS {
        let tree = tree(system);
        let mut versions: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for line in tree.lines() {
            let mut words = line.split(' ');
            let (Some(name), Some(version)) = (words.next(), words.next()) else { continue };
            versions.entry(name).or_default().insert(version);
        }
        versions.retain(|_, versions| versions.len() > 1);
        let known: BTreeSet<&str> = TWICE.iter().map(|(name, _)| *name).collect();
        let twice: BTreeSet<&str> = versions.keys().copied().collect();
        assert_eq!(twice, known, "{system}: {versions:?}");
    }
}

/// A line for everything that is built for the four crates on a system, with all features; without those that the benchmarks turn
/// on.
fn tree(system: &str) -> String {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--locked", "--all-features", "--edges", "normal,build"])
        .args(["--target", system, "--prefix", "none", "--format", "{p}"])
        .args(CRATES.iter().flat_map(|name| ["--package", name]))
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

/// Everything that is built for the four crates, with all features, on any platform; not what only tests need.
fn needed(metadata: &Value) -> BTreeSet<&str> {
    let nodes = metadata["resolve"]["nodes"].as_array().expect("nodes");
    let node = |id: &str| nodes.iter().find(|node| node["id"] == id).expect("a node");
    let mut needed = BTreeSet::new();
    let ours = CRATES.iter().map(|name| package(metadata, name)["id"].as_str().expect("an id"));
    let mut next: Vec<&str> = ours.collect();
    while let Some(id) = next.pop() {
        if needed.insert(id) {
            let deps = node(id)["deps"].as_array().expect("dependencies").iter();
            next.extend(
                deps.filter(|dep| is_built(dep)).map(|dep| dep["pkg"].as_str().expect("an id")),
            );
        }
    }
    needed
}

/// Whether a dependency is more than a test's, and not only that of the models of loom.
fn is_built(dep: &Value) -> bool {
    let kinds = dep["dep_kinds"].as_array().expect("kinds").iter();
    kinds.filter(|kind| kind["kind"] != "dev").any(|kind| kind["target"] != "cfg(ws_loom)")
}

fn by_id<'a>(metadata: &'a Value, id: &str) -> &'a Value {
    let packages = metadata["packages"].as_array().expect("packages");
    packages.iter().find(|package| package["id"] == id).expect("a package")
}
