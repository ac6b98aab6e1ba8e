//! What a newcomer reads first is true: the README's figures are those of the benchmarks, every document is listed there, and
//! every file that a document leads to exists.

use std::fs;
use std::path::{Path, PathBuf};

use ws_benches::chart::charts;
use ws_benches::packages::texts;
use ws_benches::tables::{cell, cells};

const README: &str = include_str!("../../README.md");
const ARCHITECTURE: &str = include_str!("../../docs/ARCHITECTURE.md");
const BENCHMARKS: &str = include_str!("../../docs/BENCHMARKS.md");
const BROWSER: &str = include_str!("../../docs/BROWSER.md");
const CONTRIBUTING: &str = include_str!("../../CONTRIBUTING.md");

/// The README's columns, and where each is from.
const ECHO: &str = "### Echo over TCP: ns of server CPU per message";
const IDLE: &str = "### Idle: KiB resident per connection";
const COLUMNS: [&str; 3] = [
    "20 B, 16 conn., 16 in flight",
    "1 KiB, 16 conn., 16 in flight",
    "16 KiB, 32 conn., 1 in flight",
];

#[test]
fn the_readmes_figures_are_those_of_the_benchmarks() {
    let (_, table) = README.split_once("| server |").expect("the table");
    let rows = table.lines().skip(2).take_while(|line| line.starts_with('|')).map(cells);
    let mut count = 0;
    for row in rows {
        let name = row[0].trim_matches('*');
        let echo = COLUMNS.map(|column| cell(BENCHMARKS, ECHO, name, column));
        let idle = format!("{} KiB", cell(BENCHMARKS, IDLE, name, "KiB"));
        assert_eq!(row[1..], [&echo[..], &[idle]].concat(), "{name}");
        count += 1;
    }
    assert_eq!(count, 8);
}

#[test]
fn the_sizes_of_pages_are_those_of_the_benchmarks() {
    let table = |document: &'static str| -> Vec<&str> {
        let (_, table) = document.split_once("| client |").expect("the table");
        table.lines().take_while(|line| !line.is_empty()).collect()
    };
    assert_eq!(table(BROWSER), table(BENCHMARKS));
    let heading = "### The smallest page with each client: size";
    let gzipped = cell(BENCHMARKS, heading, "ws-tokio", "gzipped, with its JavaScript");
    assert!(README.contains(&format!("takes {gzipped} gzipped")));
}

#[test]
fn the_charts_are_drawn_from_the_benchmarks() {
    for chart in charts(BENCHMARKS) {
        assert!(
            texts(&[&chart.path]) == [chart.svg],
            "`cargo run -p ws-benches --bin chart` draws {} anew",
            chart.path
        );
    }
}

#[test]
fn every_document_is_listed_in_the_readme() {
    for folder in ["", "docs"] {
        let entries = fs::read_dir(root().join(folder)).expect("a folder");
        let names = entries.map(|entry| entry.expect("an entry").file_name());
        for name in names.filter_map(|name| name.into_string().ok()) {
            let path = Path::new(folder).join(&name).display().to_string();
            if name.ends_with(".md") && name != "README.md" {
                assert!(README.contains(&format!("]({path})")), "{path}");
            }
        }
    }
}

#[test]
fn every_link_of_the_readme_leads_somewhere() {
    let links = README.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    for link in links.filter(|link| !link.starts_with("http")) {
        assert!(root().join(link).exists(), "{link}");
    }
}

#[test]
fn every_file_that_the_architecture_names_exists() {
    for line in ARCHITECTURE.lines() {
        let names: Vec<_> = names(line).collect();
        // Beside what a line has named, names are short.
        let rooms = names.iter().filter_map(|name| name.rsplit_once('/')).map(|(room, _)| room);
        let places: Vec<PathBuf> = ["", "ws-core/src", "ws-tokio/src", "ws-tokio"]
            .into_iter()
            .chain(rooms)
            .map(|place| root().join(place))
            .collect();
        for name in names.iter().filter(|name| name.ends_with(".rs") || name.contains("src/")) {
            let found = places.iter().any(|place| place.join(name).exists());
            assert!(found, "{name} in: {line}");
        }
    }
}

#[test]
fn every_file_that_contributors_are_shown_exists() {
    for name in names(CONTRIBUTING).filter(|name| name.contains('/') && name.contains('.')) {
        let found =
            [root(), root().join("benches/tests")].iter().any(|place| place.join(name).exists());
        assert!(found, "{name}");
    }
}

/// Words that may be the names of files.
fn names(text: &str) -> impl Iterator<Item = &str> {
    let apart = |c: char| !(c.is_ascii_alphanumeric() || "_-/.".contains(c));
    text.split(apart).map(|word| word.trim_end_matches('.')).filter(|word| !word.is_empty())
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}
