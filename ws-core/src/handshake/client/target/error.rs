//! Errors of URLs, which never show a password.

use std::error::Error;
use std::fmt;

/// A URL that can't be connected to. It is shown without its password.
///
/// ```
/// # use ws_core::handshake::client::{Target, UrlFault};
/// let error = Target::parse("ftp://user:secret@host/").unwrap_err();
/// assert_eq!(error.fault(), &UrlFault::Scheme("ftp".into()));
/// assert_eq!(error.to_string(), r#"the scheme of "ftp://user:***@host/" is "ftp", not ws or wss"#);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UrlError {
    fault: UrlFault,
    // Invariant: without a password.
    url: Box<str>,
}

/// What is wrong with a URL.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum UrlFault {
    /// It is no URL.
    Syntax,
    /// It has no scheme.
    SchemeMissing,
    /// Its scheme is none of `ws`, `wss`, `http` and `https`.
    Scheme(String),
    /// It has no host.
    HostMissing,
    /// Its host is neither a name nor an address.
    Host,
    /// Its port is not a number up to 65 535.
    Port,
    /// Its path and query can't be sent: they are longer than 65 534 bytes, say.
    Path,
}

impl UrlError {
    pub(super) fn new(fault: UrlFault, url: &str) -> Self {
        Self { fault, url: without_password(url).into() }
    }

    /// Returns what is wrong.
    pub fn fault(&self) -> &UrlFault {
        &self.fault
    }

    /// Returns the URL with `***` for its password. If it is unclear what the password is, more is left out.
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl fmt::Display for UrlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let url = &self.url;
        match &self.fault {
            UrlFault::Syntax => write!(f, "{url:?} is no URL"),
            UrlFault::SchemeMissing => write!(f, "{url:?} has no scheme (ws or wss)"),
            UrlFault::Scheme(it) => write!(f, "the scheme of {url:?} is {it:?}, not ws or wss"),
            UrlFault::HostMissing => write!(f, "{url:?} has no host"),
            UrlFault::Host => write!(f, "the host of {url:?} is neither a name nor an address"),
            UrlFault::Port => write!(f, "the port of {url:?} is not a number up to 65535"),
            UrlFault::Path => write!(f, "the path and query of {url:?} can't be sent"),
        }
    }
}

impl Error for UrlError {}

/// The text with `***` for what stands between a user and the last `@`: a password may have any character, where
/// nobody escaped it.
fn without_password(text: &str) -> String {
    let text = text.trim();
    let (before, rest) = text.split_at(authority(text));
    let password = rest.rfind('@').and_then(|end| Some((rest[..end].find(':')? + 1, end)));
    match password {
        Some((from, to)) => format!("{before}{}***{}", &rest[..from], &rest[to..]),
        None => text.into(),
    }
}

/// Where the authority begins: behind a scheme, where there is one with two slashes.
fn authority(text: &str) -> usize {
    let Some((scheme, _)) = text.split_once("//") else { return 0 };
    let name = scheme.strip_suffix(':').unwrap_or(scheme);
    let is_scheme = name.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b));
    if is_scheme { scheme.len() + "//".len() } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn password_is_left_out_also_of_what_is_no_url() {
        for (text, shown) in [
            ("ws://user:secret@host/", "ws://user:***@host/"),
            ("ws://:secret@host:x/", "ws://:***@host:x/"),
            ("ws://user:sec@ret@host", "ws://user:***@host"),
            ("ws://user:sec/ret@host", "ws://user:***@host"),
            ("ws://user:sec?re#t@ho st", "ws://user:***@ho st"),
            ("//user:secret@host", "//user:***@host"),
            ("user:secret@host", "user:***@host"),
            ("ws:user:secret@host", "ws:***@host"),
            ("ws:\\\\user:secret@host", "ws:***@host"),
            ("user:sec//ret@host", "user:***@host"),
            ("ws:user:secret@ho//st", "ws:***@ho//st"),
            ("ws://user@host:x/", "ws://user@host:x/"),
            ("ws://host:x/", "ws://host:x/"),
            ("ws://host/room", "ws://host/room"),
            ("", ""),
        ] {
            let error = UrlError::new(UrlFault::Syntax, text);
            assert_eq!(error.url(), shown, "{text}");
            assert!(!format!("{error} {error:?}").contains("secret"), "{error:?}");
        }
    }
}
