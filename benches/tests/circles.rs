//! No two files import each other, not by way of others either: this reads the paths in every file and follows them.
//!
//! A method needs no import, so what is spread over the files of one type isn't seen.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use ws_benches::sources::{from_root, module_of, paths, rust_files};

/// Each crate, with its root.
const TREES: [(&str, &str); 8] = [
    ("ws-mask/src", "lib"),
    ("ws-core/src", "lib"),
    ("ws-tokio/src", "lib"),
    ("ws-json/src", "lib"),
    ("benches/src", "lib"),
    ("benches/benches/compare", "main"),
    ("benches/benches/peers", "main"),
    ("fuzz/src", "lib"),
];

/// A file is named by its module's path; the root by none.
type Circle = Vec<Vec<String>>;
type Imports = BTreeMap<Vec<String>, BTreeSet<Vec<String>>>;

#[test]
fn no_files_import_each_other() {
    let circles: Vec<_> = TREES.iter().flat_map(|(tree, root)| circles_in(tree, root)).collect();
    assert!(circles.is_empty(), "{circles:#?}");
}

#[test]
fn a_circle_is_found_however_its_imports_are_written() {
    let read = |files: &[(&str, &'static str)]| {
        let module = |name: &str| match name {
            "" => Vec::new(),
            name => name.split("::").map(String::from).collect(),
        };
        circles(&imports(&files.iter().map(|(name, text)| (module(name), *text)).collect()))
    };
    assert_eq!(
        read(&[("", "mod a; use a::A;"), ("a", "use std::fmt;"), ("a::b", "")]),
        [] as [Circle; 0]
    );
    for circle in [
        &[("a", "use crate::b::B;"), ("b", "fn b(_: crate::a::A) {}")][..],
        &[("a", "mod b; pub use b::B;"), ("a::b", "use super::{A, C};")],
        &[("a::b", "use super::{c::C, D};"), ("a::c", "use crate::{a::{b::B}, e};")],
        &[("a::b", "use super::super::c::C;"), ("c", "use super::d;"), ("d", "use crate::a::b;")],
    ] {
        assert_eq!(read(circle).len(), 1, "{circle:?}");
    }
    let two = [("a", "use crate::b;"), ("b", "use crate::a;"), ("c", "use super::{b, d};")];
    assert_eq!(read(&[&two[..], &[("d", "use crate::c;")]].concat()).len(), 2, "{two:?}");
}

fn circles_in(tree: &str, root: &str) -> Vec<String> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(tree);
    let read = |file: &Path| {
        let module = module_of(&src, file);
        let module = if module == [root] { Vec::new() } else { module };
        (module, fs::read_to_string(file).expect("a source file"))
    };
    let files: BTreeMap<_, _> = rust_files(&src).iter().map(|file| read(file)).collect();
    let show = |circle: &Circle| {
        let names: Vec<_> = circle.iter().map(|module| module.join("::")).collect();
        format!("{tree}: {}", names.join(" <- "))
    };
    circles(&imports(&files)).iter().map(show).collect()
}

/// The other files that each file's paths lead to.
fn imports<T: AsRef<str>>(files: &BTreeMap<Vec<String>, T>) -> Imports {
    let of = |module: &Vec<String>, text: &T| {
        let used = paths(text.as_ref()).into_iter();
        let used = used.filter_map(|path| file_of(&path, module, files));
        used.filter(|used| used != module).collect()
    };
    files.iter().map(|(module, text)| (module.clone(), of(module, text))).collect()
}

/// The file that a path leads to: the innermost on its way.
fn file_of<T>(
    path: &[String],
    module: &[String],
    files: &BTreeMap<Vec<String>, T>,
) -> Option<Vec<String>> {
    let child = || {
        let (name, behind) = path.split_first()?;
        let child = [module, std::slice::from_ref(name)].concat();
        (!behind.is_empty() && files.contains_key(&child)).then(|| [module, path].concat())
    };
    let path = from_root(path, module).or_else(child)?;
    let prefixes = (0..=path.len()).rev().map(|len| path[..len].to_vec());
    prefixes.into_iter().find(|prefix| files.contains_key(prefix))
}

/// Every file that leads back to itself, with those on the way, last import first; each circle once.
fn circles(imports: &Imports) -> Vec<Circle> {
    let mut circles: Vec<Circle> = Vec::new();
    for start in imports.keys() {
        if circles.iter().all(|circle| !circle.contains(start)) {
            circles.extend(way(start, start, imports, &mut BTreeSet::new()));
        }
    }
    circles
}

fn way(
    from: &Vec<String>,
    to: &Vec<String>,
    imports: &Imports,
    seen: &mut BTreeSet<Vec<String>>,
) -> Option<Vec<Vec<String>>> {
    let next = imports.get(from)?;
    if next.contains(to) {
        return Some(vec![to.clone(), from.clone()]);
    }
    let fresh: Vec<_> = next.iter().filter(|module| seen.insert((*module).clone())).collect();
    let mut way = fresh.into_iter().find_map(|module| way(module, to, imports, seen))?;
    way.push(from.clone());
    Some(way)
}
