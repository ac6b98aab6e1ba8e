//! `docs/COMPLIANCE.md` names files and tests for every rule: this looks for each of them.

use std::fs;
use std::path::Path;

use ws_benches::sources::rust_files;

const CRATES: [&str; 4] = ["ws-mask", "ws-core", "ws-tokio", "ws-json"];

/// Tests in pages.
const PAGES: &str = ".ci/peers/chromium";

/// What a row says in place of tests, with the reason behind it.
const NO_TEST: &str = "no test: ";

#[test]
fn every_file_and_test_that_the_document_names_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let document = fs::read_to_string(root.join("docs/COMPLIANCE.md")).expect("the document");
    let (code, pages) = (code(&root), pages(&root));
    let mut missing = Vec::new();
    for (files, tests) in document.lines().filter_map(files_and_tests) {
        let no_file = |file: &&str| !root.join(file).is_file();
        let no_test =
            |test: &&str| !code.contains(&format!("fn {test}(")) && !is_in_a_page(test, &pages);
        missing.extend(named(files).filter(no_file));
        missing.extend(named(tests).filter(no_test));
        let reasoned = tests.starts_with(NO_TEST) && tests.len() > NO_TEST.len();
        assert!(reasoned || named(tests).next().is_some(), "neither test nor reason: {files}");
        assert!(named(files).next().is_some(), "no file: {tests}");
    }
    assert!(missing.is_empty(), "these do not exist: {missing:#?}");
}

/// The last two columns of a row of four, but not those of a table's head.
fn files_and_tests(line: &str) -> Option<(&str, &str)> {
    let cells: Vec<_> = line.strip_prefix('|')?.split('|').map(str::trim).collect();
    let [_, _, files, tests, ""] = cells[..] else { return None };
    (tests != "test" && !tests.starts_with('-')).then_some((files, tests))
}

/// What stands between backticks.
fn named(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

/// Whether the name of a test in a page is this, or begins with it: what follows may be the server's.
fn is_in_a_page(test: &str, pages: &str) -> bool {
    let calls = ["law", "test"].iter().flat_map(|call| ["'", "\"", "`"].map(|quote| (call, quote)));
    calls.into_iter().any(|(call, quote)| {
        [quote, ": "].iter().any(|end| pages.contains(&format!("{call}({quote}{test}{end}")))
    })
}

/// All tests in pages.
fn pages(root: &Path) -> String {
    let entries = fs::read_dir(root.join(PAGES)).expect("a folder");
    let files = entries.map(|entry| entry.expect("an entry").path());
    let tests = files.filter(|file| file.display().to_string().ends_with(".test.js"));
    tests.map(|file| fs::read_to_string(file).expect("a test")).collect()
}

/// All code and tests of the crates.
fn code(root: &Path) -> String {
    let folders =
        CRATES.iter().flat_map(|name| [root.join(name).join("src"), root.join(name).join("tests")]);
    let files = folders.filter(|folder| folder.is_dir()).flat_map(|folder| rust_files(&folder));
    files.map(|file| fs::read_to_string(file).expect("a source file")).collect()
}
