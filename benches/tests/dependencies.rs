//! What the crates stand on: licences that everybody can take, one version of each crate, and no crate unseen.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use ws_benches::packages::{CRATES, metadata, package};

/// One of these has to be among the licences that a crate offers.
const LICENCES: [&str; 7] = [
    "MIT",
    "Apache-2.0",
    "BSD-3-Clause",
    // Of lists of root certificates.
    "CDLA-Permissive-2.0",
    "ISC",
    "Unicode-3.0",
    "Zlib",
];

/// Crates of which the tree has two versions, and why that can't be helped.
const TWICE: [(&str, &str); 3] = [
    ("getrandom", "ring asks for 0.2"),
    ("syn", "macros of others, while they are built: some ask for 2 still"),
    ("windows-sys", "ring asks for 0.52"),
];

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
    let metadata = metadata(&["--all-features"]);
    let mut versions: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for id in needed(&metadata) {
        let package = by_id(&metadata, id);
        let text = |key: &str| package[key].as_str().expect("text");
        versions.entry(text("name")).or_default().insert(text("version"));
    }
    versions.retain(|_, versions| versions.len() > 1);
    let known: BTreeSet<&str> = TWICE.iter().map(|(name, _)| *name).collect();
    let twice: BTreeSet<&str> = versions.keys().copied().collect();
    assert_eq!(twice, known, "{versions:?}");
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
