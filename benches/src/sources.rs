//! The workspace's own sources, for the tests that read them.

use std::fs;
use std::mem;
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

/// The module that a file below `src` is, with `lib` or `main` for the root.
#[must_use]
pub fn module_of(src: &Path, file: &Path) -> Vec<String> {
    let inside = file.strip_prefix(src).expect("a file under src").with_extension("");
    let names = inside.components().map(|name| name.as_os_str().to_string_lossy().into_owned());
    names.filter(|name| name != "mod").collect()
}

/// The paths in code, not in comments, and not in the tests at a file's end; with what a brace has in front of it.
#[must_use]
pub fn paths(text: &str) -> Vec<Vec<String>> {
    let code = text.split("#[cfg(test)]\nmod tests").next().unwrap_or(text);
    let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
    let (mut paths, mut before, mut path) = (Vec::new(), vec![String::new()], String::new());
    for c in lines.flat_map(|line| line.chars().chain(['\n'])) {
        if c.is_alphanumeric() || c == '_' || c == ':' {
            path.push(c);
            continue;
        }
        let here = before.last().map_or("", String::as_str).to_owned() + &mem::take(&mut path);
        match c {
            '{' if here.ends_with("::") => before.push(here),
            '{' => before.push(String::new()),
            '}' => {
                before.pop();
                paths.push(here);
            }
            _ => paths.push(here),
        }
    }
    paths.iter().map(|path| segments(path)).collect()
}

/// The path from the crate's root where it begins with `crate` or `super`, as code of `module` writes it; none where that
/// is all of it, as in `pub(super)`.
#[must_use]
pub fn from_root(path: &[String], module: &[String]) -> Option<Vec<String>> {
    let (first, rest) = path.split_first().filter(|(_, rest)| !rest.is_empty())?;
    match first.as_str() {
        "crate" => Some(rest.to_vec()),
        "super" => {
            let above = &module[..module.len().saturating_sub(1)];
            let nested = rest.first().is_some_and(|next| next == "super");
            if nested { from_root(rest, above) } else { Some([above, rest].concat()) }
        }
        _ => None,
    }
}

fn segments(path: &str) -> Vec<String> {
    path.split("::").filter(|segment| !segment.is_empty()).map(String::from).collect()
}
