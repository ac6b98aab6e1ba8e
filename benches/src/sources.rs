//! The workspace's own sources, for the tests that read them.

use std::fs;
use std::path::{Path, PathBuf};

/// Every Rust file in a folder and in those below it.
#[must_use]
pub fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let entries =
        fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    entries
        .flat_map(|path| if path.is_dir() { rust_files(&path) } else { vec![path] })
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .collect()
}
