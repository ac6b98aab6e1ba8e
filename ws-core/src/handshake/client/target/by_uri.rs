//! URLs in text by [`Uri`], for those who leave the `url` crate out.

use std::str::FromStr;

use http::Uri;
use percent_encoding::{AsciiSet, utf8_percent_encode};

use super::Target;
use super::error::{UrlError, UrlFault};

pub(super) fn parse(url: &str) -> Result<Target, UrlError> {
    let encoded = utf8_percent_encode(url, NOTHING_IN_ASCII).to_string();
    let uri = Uri::from_str(&encoded).map_err(|_| UrlError::new(UrlFault::Syntax, url))?;
    Target::try_from(&uri)
}

/// Resolves a reference against a target (RFC 3986, 5.2).
pub(super) fn resolve(base: &Target, reference: &str) -> Result<Target, UrlError> {
    if has_scheme(reference) {
        return parse(reference);
    }
    let origin = base.origin();
    match reference.strip_prefix("//") {
        Some(authority) => {
            let scheme = origin.split("//").next().unwrap_or_default();
            parse(&format!("{scheme}//{authority}"))
        }
        None => parse(&(origin + &resolve_path(base, reference))),
    }
}

fn resolve_path(base: &Target, reference: &str) -> String {
    let split = reference.find(['?', '#']).unwrap_or(reference.len());
    let (path, query) = reference.split_at(split);
    let directory = base.path().path();
    match path {
        "" if query.starts_with('?') => format!("{directory}{query}"),
        "" => base.path().to_string(),
        path if path.starts_with('/') => without_dots(path) + query,
        path => {
            let directory = directory.rsplit_once('/').map_or("", |(directory, _)| directory);
            without_dots(&format!("{directory}/{path}")) + query
        }
    }
}

fn has_scheme(reference: &str) -> bool {
    let Some((scheme, _)) = reference.split_once(':') else { return false };
    scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b))
}

/// An absolute path without its `.` and `..` segments (RFC 3986, 5.2.4).
fn without_dots(path: &str) -> String {
    let mut kept = Vec::new();
    let mut segments = path.split('/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        match segment {
            "." => {}
            ".." => drop(kept.pop()),
            segment => kept.push(segment),
        }
        if matches!(segment, "." | "..") && segments.peek().is_none() {
            kept.push("");
        }
    }
    format!("/{}", kept.join("/"))
}

/// Nothing is encoded but what is not ASCII.
const NOTHING_IN_ASCII: &AsciiSet = &AsciiSet::EMPTY;
