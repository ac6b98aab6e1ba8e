//! Prints the public API of a crate, of which rustdoc has written JSON: an item a line, sorted, in words that don't depend on where a
//! compiler or a dependency keeps its types.

use std::env;
use std::error::Error;
use std::fs;
use std::process::ExitCode;

use rustdoc_types::FORMAT_VERSION;
use serde_json::Value;

/// Skipped, to the scripts of `.ci`.
const SKIPPED: u8 = 77;

/// Auto traits that users rely on.
const PROMISED: [&str; 3] = ["Send", "Sync", "Unpin"];

/// Traits of the compiler's own.
const UNSTABLE: [&str; 3] = ["Freeze", "StructuralPartialEq", "UnsafeUnpin"];

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let path = env::args().nth(1).ok_or("the path of rustdoc's JSON")?;
    let json = fs::read_to_string(&path)?;
    let format = serde_json::from_str::<Value>(&json)?["format_version"].as_u64();
    if format != Some(FORMAT_VERSION.into()) {
        eprintln!("rustdoc writes JSON of format {format:?}, and .ci/api reads {FORMAT_VERSION}");
        return Ok(ExitCode::from(SKIPPED));
    }
    let api = public_api::Builder::from_rustdoc_json(path).omit_blanket_impls(true).build()?;
    let mut of_trait = None;
    for line in api.items().map(|item| item.to_string()) {
        if let Some(head) = Impl::parse(&line) {
            of_trait = head.of_trait.map(|_| format!(" {}::", head.of));
            if !head.is_told() {
                continue;
            }
        }
        // The trait says what its functions are.
        let is_known = |of: &String| line.contains(" fn ") && line.contains(of);
        if !of_trait.as_ref().is_some_and(is_known) {
            println!("{}", shortened(&line));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The line of an `impl`.
struct Impl<'a> {
    of_trait: Option<&'a str>,
    of: &'a str,
    is_negative: bool,
    has_conditions: bool,
}

impl<'a> Impl<'a> {
    fn parse(line: &'a str) -> Option<Self> {
        let rest = after_generics(line.strip_prefix("impl")?).trim_start();
        let (head, conditions) = rest.split_once(" where ").unwrap_or((rest, ""));
        let (of_trait, of) = match head.split_once(" for ") {
            Some((path, of)) => (Some(path.trim_start_matches('!')), of),
            None => (None, head),
        };
        let (is_negative, has_conditions) = (head.starts_with('!'), !conditions.is_empty());
        Some(Self { of_trait, of, is_negative, has_conditions })
    }

    /// Of auto traits, only what is not what everybody expects.
    fn is_told(&self) -> bool {
        let Some((_, name)) = self.of_trait.and_then(|path| path.rsplit_once("::")) else {
            return true;
        };
        let is_auto = self.of_trait.is_some_and(|path| path.starts_with("core::marker::"))
            && PROMISED.contains(&name);
        let never = UNSTABLE.contains(&name) || name.ends_with("UnwindSafe");
        !never && (!is_auto || self.is_negative || self.has_conditions)
    }
}

/// What follows `<...>`, if it begins with that.
fn after_generics(text: &str) -> &str {
    let mut depth = 0;
    for (at, c) in text.char_indices() {
        match c {
            '<' => depth += 1,
            '>' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return if at == 0 { text } else { &text[at + 1..] };
        }
    }
    text
}

/// The line with foreign paths as users write most of them: crate, module, type.
fn shortened(line: &str) -> String {
    let is_path = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
    let mut rest = line;
    let mut all = String::new();
    while let Some(begin) = rest.find(is_path) {
        let (before, path) = rest.split_at(begin);
        let end = path.find(|c| !is_path(c)).unwrap_or(path.len());
        all.push_str(before);
        all.push_str(&short(&path[..end]));
        rest = &path[end..];
    }
    all + rest
}

fn short(path: &str) -> String {
    // `Item: std::...`, of which this public-api forgets the colon.
    for name in ["Item", "Output"] {
        if let Some(bound) = path.strip_prefix(name).filter(|it| it.starts_with(char::is_lowercase))
        {
            return format!("{name}: {}", short(bound));
        }
    }
    let mut segments: Vec<&str> = path.split("::").collect();
    let is_ours = segments[0].starts_with("ws_");
    let Some(named) = segments.iter().position(|it| it.starts_with(char::is_uppercase)) else {
        return path.to_owned();
    };
    if named > 0 && !is_ours {
        segments.drain(2.min(named)..named);
        if ["alloc", "core"].contains(&segments[0]) {
            segments[0] = "std";
        }
    }
    segments.join("::")
}
