//! `docs/SCALING.md` lists whatever threads could meet at: this finds every atomic, lock, shared pointer, channel and static of
//! the crates, by the names of fields and variables, and compares.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use ws_benches::packages::CRATES;
use ws_benches::sources::rust_files;
use ws_benches::tables::cells;

const DOCUMENT: &str = include_str!("../../docs/SCALING.md");

/// Types by which threads share something, or wait for each other; and all that begin with `Atomic`.
const SHARING: [&str; 15] = [
    "Arc",
    "Barrier",
    "Condvar",
    "LazyLock",
    "Mutex",
    "Notify",
    "Once",
    "OnceLock",
    "OwnedSemaphorePermit",
    "Receiver",
    "RwLock",
    "Semaphore",
    "Sender",
    "UnboundedSender",
    "Weak",
];

/// In a browser there is one thread.
const ONE_THREAD: &str = "ws-tokio/src/browser/";

/// A file, and what it calls something that is shared.
type Shared = BTreeSet<(String, String)>;

#[test]
fn everything_that_threads_share_is_listed_and_nothing_else() {
    let (listed, found) = (listed(), found());
    let missing: Vec<_> = found.difference(&listed).collect();
    let gone: Vec<_> = listed.difference(&found).collect();
    assert!(missing.is_empty(), "docs/SCALING.md doesn't say how often: {missing:#?}");
    assert!(gone.is_empty(), "docs/SCALING.md lists what isn't there: {gone:#?}");
}

#[test]
fn what_is_shared_is_found_by_its_name() {
    let code = "
        pub struct Whole(Arc<Mutex<Parts>>);
        struct Parts<T: Sync> { plain: u8, counted: sync::atomic::AtomicU64, many: Vec<(u8, Arc<T>)> }
        enum Way { Alone, Shared(Arc<u8>), Named { by: &'static str, inner: Weak<u8> } }
        static ONE: Kind = Kind::new();
        type Made = Arc<dyn Fn(Target) -> Answer>;
        fn f(given: &Arc<u8>) { let permits = Arc::new(Semaphore::new(3)); let plain = given.clone(); }
        // struct Not(Arc<u8>);
    ";
    let expected = [
        "Made",
        "ONE",
        "Parts.counted",
        "Parts.many",
        "Way::Named",
        "Way::Shared",
        "Whole",
        "permits",
    ];
    assert_eq!(names(code).into_iter().collect::<Vec<_>>(), expected);
}

/// The rows whose last column is a file: what stands in backticks in the first is there.
fn listed() -> Shared {
    let mut listed = Shared::new();
    for row in DOCUMENT.lines().filter(|line| line.starts_with("| `")).map(cells) {
        let file = row.last().expect("a cell").trim_matches('`');
        if file.ends_with(".rs") {
            let names = row[0].split('`').skip(1).step_by(2);
            listed.extend(names.map(|name| (file.to_owned(), name.to_owned())));
        }
    }
    listed
}

fn found() -> Shared {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut found = Shared::new();
    for file in CRATES.iter().flat_map(|name| rust_files(&root.join(name).join("src"))) {
        let path = file.strip_prefix(&root).expect("below the root").display().to_string();
        if !path.starts_with(ONE_THREAD) {
            let text = fs::read_to_string(&file).expect("text");
            found.extend(names(&text).into_iter().map(|name| (path.clone(), name)));
        }
    }
    found
}

/// What is shared in a file: fields as `Type.field` or `Type` where they have no name, variants as `Type::Variant`, statics,
/// type aliases, and variables that are made of a lock or an atomic on the spot.
fn names(text: &str) -> BTreeSet<String> {
    let tokens = tokens(text);
    let mut names = BTreeSet::new();
    for (at, word) in tokens.iter().enumerate() {
        let rest = &tokens[at + 1..];
        let Some(name) = rest.first().filter(|name| is_word(name)) else { continue };
        match word.as_str() {
            "struct" => names.extend(of_type(name, &rest[1..], |_| false)),
            "enum" => names.extend(of_type(name, &rest[1..], starts_upper)),
            "static" if tokens[at.saturating_sub(1)] != "'" => _ = names.insert(name.clone()),
            "type" if statement(rest).iter().any(is_sharing) => _ = names.insert(name.clone()),
            "let" if makes_a_lock(statement(rest)) => _ = names.insert(name.clone()),
            _ => {}
        }
    }
    names
}

/// Fields and variants that share, of the type whose definition goes on with these tokens.
fn of_type(name: &str, tokens: &[String], is_variant: impl Fn(&str) -> bool) -> BTreeSet<String> {
    let (mut found, mut member, mut depth) = (BTreeSet::new(), name.to_owned(), 0);
    for (at, token) in tokens.iter().enumerate() {
        let next = tokens.get(at + 1).map_or("", String::as_str);
        match token.as_str() {
            "(" | "{" | "[" => depth += 1,
            ")" | "}" | "]" => depth -= 1,
            ";" if depth == 0 => break,
            word if depth == 1 && is_word(word) && next == ":" => member = format!("{name}.{word}"),
            word if depth == 1 && is_variant(word) && ["(", "{"].contains(&next) => {
                member = format!("{name}::{word}");
            }
            word if depth > 0 && is_sharing(word) => _ = found.insert(member.clone()),
            _ => {}
        }
        if token == "}" && depth == 0 {
            break;
        }
    }
    found
}

fn statement(tokens: &[String]) -> &[String] {
    let end = tokens.iter().position(|token| token == ";").unwrap_or(tokens.len());
    &tokens[..end]
}

/// Whether this is `name = Arc::new(...)` or the like, of no type of ours: that one's fields are listed.
fn makes_a_lock(statement: &[String]) -> bool {
    let Some(at) = statement.iter().position(|token| token == "=") else { return false };
    let [made, path, new, open, inside, ..] = &statement[at + 1..] else { return false };
    is_sharing(made)
        && [path, new, open].map(String::as_str) == ["::", "new", "("]
        && (made != "Arc" || is_sharing(inside) || !starts_upper(inside))
}

fn is_sharing(word: impl AsRef<str>) -> bool {
    SHARING.contains(&word.as_ref()) || word.as_ref().starts_with("Atomic")
}

fn is_word(token: &str) -> bool {
    token.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

fn starts_upper(token: &str) -> bool {
    token.starts_with(char::is_uppercase)
}

/// Words, `::`, and other characters, of code and not of comments, nor of the tests at a file's end.
fn tokens(text: &str) -> Vec<String> {
    let code = text.split("#[cfg(test)]\nmod tests").next().unwrap_or(text);
    // Types of traits are aliases of what stands elsewhere.
    let is_code =
        |line: &&str| !line.trim_start().starts_with("//") && !line.starts_with("    type ");
    let lines = code.lines().filter(is_code);
    let mut tokens: Vec<String> = vec![];
    let mut before = ' ';
    for c in lines.flat_map(|line| line.chars().chain(['\n'])) {
        let continues = (is_part(c) && is_part(before)) || (c == ':' && before == ':');
        match tokens.last_mut() {
            Some(last) if continues => last.push(c),
            _ if c.is_whitespace() => {}
            _ => tokens.push(c.to_string()),
        }
        before = c;
    }
    tokens
}

fn is_part(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}
