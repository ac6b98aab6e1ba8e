//! A WebSocket URL, split into what a client needs to connect and to make a request (RFC 6455, 3).
//!
//! Layers, lowest first: error; this; uri; text (by the `url` crate or by `http::Uri`).

mod error;
#[cfg_attr(feature = "url", path = "by_url.rs")]
#[cfg_attr(not(feature = "url"), path = "by_uri.rs")]
mod text;
mod uri;

use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;
use http::uri::PathAndQuery;
use percent_encoding::percent_decode_str;

pub use error::{UrlError, UrlFault};

/// Where to connect, and what to ask for there.
///
/// ```
/// # use ws_core::handshake::client::{Security, Target};
/// let target = Target::parse("wss://user:secret@[2001:db8::1]/chat?room=1")?;
/// assert_eq!(target.security(), Security::Tls);
/// assert_eq!((target.host(), target.port()), ("2001:db8::1", 443));
/// assert_eq!(target.host_header(), "[2001:db8::1]");
/// assert_eq!(target.path(), "/chat?room=1");
/// assert_eq!(target.authorization().unwrap(), "Basic dXNlcjpzZWNyZXQ=");
/// # Ok::<(), ws_core::handshake::client::UrlError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    security: Security,
    host: String,
    port: u16,
    host_header: HeaderValue,
    path: PathAndQuery,
    authorization: Option<HeaderValue>,
}

/// Whether a connection goes through TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Security {
    /// `ws` and `http`: readable by anyone on the way. Default port 80.
    Plain,
    /// `wss` and `https`. Default port 443.
    Tls,
}

/// The parts of a valid URL.
struct Parts<'a> {
    security: Security,
    /// With brackets around an IPv6 address. Visible ASCII.
    host: &'a str,
    port: Option<u16>,
    path: PathAndQuery,
    /// User and password, percent-encoded.
    credentials: Option<(&'a str, &'a str)>,
}

impl Target {
    /// Reads a `ws`, `wss`, `http` or `https` URL, its scheme in any case.
    ///
    /// With the feature `url`, it is read as browsers read it (WHATWG's URL Standard): surrounding white space is
    /// ignored, characters that are not allowed in a path or a query are percent-encoded, and an international host
    /// name becomes its ASCII form (`xn--`). Without it, it is read as an [`http::Uri`], and only non-ASCII characters
    /// of the path and query are percent-encoded.
    ///
    /// A fragment is dropped. `user:password` is percent-decoded and becomes [`authorization`](Self::authorization); it
    /// is not part of the host.
    ///
    /// # Errors
    ///
    /// The URL has another scheme or none, no host, no valid port, or is not a URL. The error shows it without its
    /// password.
    pub fn parse(url: &str) -> Result<Self, UrlError> {
        text::parse(url)
    }

    fn new(parts: Parts<'_>) -> Self {
        let Parts { security, host, port, path, credentials } = parts;
        let port = port.unwrap_or(security.default_port());
        let host_header =
            if port == security.default_port() { host.into() } else { format!("{host}:{port}") };
        Self {
            security,
            host: host.trim_start_matches('[').trim_end_matches(']').into(),
            port,
            host_header: HeaderValue::try_from(host_header).expect("a host is visible ASCII"),
            path,
            authorization: credentials.map(basic),
        }
    }

    /// Returns the target that a reference leads to from this one.
    pub(super) fn resolve(&self, reference: &str) -> Result<Self, UrlError> {
        text::resolve(self, reference)
    }

    /// Scheme, host and port, as in a URL.
    fn origin(&self) -> String {
        let scheme = match self.security {
            Security::Plain => "ws",
            Security::Tls => "wss",
        };
        format!("{scheme}://{}", self.host_header.to_str().unwrap_or_default())
    }

    /// Returns whether to connect through TLS. Never speak plain text to a [`Security::Tls`] target.
    pub fn security(&self) -> Security {
        self.security
    }

    /// Returns the host to connect to and to verify a certificate for: a name or an address, IPv6 without brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Returns the port to connect to.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Returns the value of `Host`: with brackets, and with the port unless it is the scheme's default.
    pub fn host_header(&self) -> &HeaderValue {
        &self.host_header
    }

    /// Returns the request's target: path and query, at least `/`.
    pub fn path(&self) -> &PathAndQuery {
        &self.path
    }

    /// Returns `Authorization` from the URL's `user:password` (RFC 7617), if it has one. It is marked as sensitive.
    pub fn authorization(&self) -> Option<&HeaderValue> {
        self.authorization.as_ref()
    }

    /// Returns the same server with another path, which begins with `/`, and may have a query.
    ///
    /// ```
    /// # use ws_core::handshake::client::Target;
    /// let target = Target::parse("wss://user:secret@example.com/chat")?.with_path("/news?since=7")?;
    /// assert_eq!((target.host(), target.path().as_str()), ("example.com", "/news?since=7"));
    /// assert!(target.with_path("news").is_err());
    /// # Ok::<(), ws_core::handshake::client::UrlError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// It does not begin with `/`, or can't be sent.
    pub fn with_path(&self, path: &str) -> Result<Self, UrlError> {
        let parsed = path.starts_with('/').then(|| path.parse()).and_then(Result::ok);
        let path = parsed.ok_or_else(|| UrlError::new(UrlFault::Path, path))?;
        Ok(Self { path, ..self.clone() })
    }

    /// Returns the same target with these credentials, unless it has its own.
    pub(super) fn or_authorization(mut self, authorization: Option<HeaderValue>) -> Self {
        self.authorization = self.authorization.or(authorization);
        self
    }
}

impl FromStr for Target {
    type Err = UrlError;

    fn from_str(url: &str) -> Result<Self, UrlError> {
        Self::parse(url)
    }
}

impl Security {
    /// That of a URL with this scheme, in any case.
    fn of_scheme(scheme: &str) -> Result<Self, UrlFault> {
        match scheme.to_ascii_lowercase().as_str() {
            "ws" | "http" => Ok(Self::Plain),
            "wss" | "https" => Ok(Self::Tls),
            _ => Err(UrlFault::Scheme(scheme.into())),
        }
    }

    /// 80 or 443.
    pub fn default_port(self) -> u16 {
        match self {
            Self::Plain => 80,
            Self::Tls => 443,
        }
    }
}

fn basic((user, password): (&str, &str)) -> HeaderValue {
    let mut plain: Vec<u8> = percent_decode_str(user).collect();
    plain.push(b':');
    plain.extend(percent_decode_str(password));
    let value = format!("Basic {}", STANDARD.encode(plain));
    let mut value = HeaderValue::try_from(value).expect("base64 is visible ASCII");
    value.set_sensitive(true);
    value
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn target(url: &str) -> Target {
        Target::parse(url).expect(url)
    }

    fn parts(url: &str) -> (Security, String, u16, String) {
        let target = target(url);
        let host_header = target.host_header().to_str().expect("ASCII").into();
        (target.security(), target.host().into(), target.port(), host_header)
    }

    #[test]
    fn schemes_are_read_in_any_case_and_give_the_default_port() {
        let (plain, tls) = (
            (Security::Plain, "a.com".into(), 80, "a.com".into()),
            (Security::Tls, "a.com".into(), 443, "a.com".into()),
        );
        for url in ["ws://a.com", "WS://a.com/", "http://a.com:80", "Http://a.com:"] {
            assert_eq!(parts(url), plain, "{url}");
        }
        for url in ["wss://a.com", "WsS://a.com/", "https://a.com:443", "HTTPS://a.com"] {
            assert_eq!(parts(url), tls, "{url}");
        }
    }

    #[test]
    fn port_other_than_the_default_goes_into_the_host_header() {
        assert_eq!(
            parts("ws://a.com:443"),
            (Security::Plain, "a.com".into(), 443, "a.com:443".into())
        );
        assert_eq!(
            parts("wss://a.com:0080"),
            (Security::Tls, "a.com".into(), 80, "a.com:80".into())
        );
    }

    #[test]
    fn ipv6_is_connected_to_without_brackets_and_sent_with_them() {
        assert_eq!(parts("ws://[::1]"), (Security::Plain, "::1".into(), 80, "[::1]".into()));
        assert_eq!(
            parts("ws://u:p@[::1]:81"),
            (Security::Plain, "::1".into(), 81, "[::1]:81".into())
        );
    }

    #[test]
    fn path_is_at_least_a_slash_and_loses_its_fragment() {
        let urls = [
            ("ws://a", "/"),
            ("ws://a?b=c", "/?b=c"),
            ("ws://a/b?c#d", "/b?c"),
            ("ws://a#d", "/"),
            ("ws://a/b%20c//d", "/b%20c//d"),
            ("ws://a/b/../c", if cfg!(feature = "url") { "/c" } else { "/b/../c" }),
            ("ws://a/ü?ü", "/%C3%BC?%C3%BC"),
        ];
        for (url, path) in urls {
            assert_eq!(target(url).path(), path, "{url}");
        }
    }

    #[test]
    fn user_and_password_are_decoded_into_basic_auth_and_never_into_the_host() {
        let auth =
            |url| target(url).authorization().map(|it| it.to_str().expect("ASCII").to_owned());
        assert_eq!(
            auth("ws://Aladdin:open%20sesame@a"),
            Some("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==".into())
        );
        assert_eq!(auth("ws://a%40b:%3a@a"), Some(format!("Basic {}", STANDARD.encode("a@b::"))));
        assert_eq!(auth("ws://user@a"), Some(format!("Basic {}", STANDARD.encode("user:"))));
        assert_eq!(auth("ws://:pass@a"), Some(format!("Basic {}", STANDARD.encode(":pass"))));
        assert_eq!(auth("ws://a"), None);
        assert_eq!(target("ws://user:secret@a").host_header(), "a");
    }

    #[test]
    fn password_is_not_printed() {
        let target = target("ws://user:secret@a");
        assert!(!format!("{target:?}").contains(&STANDARD.encode("user:secret")));
    }

    #[test]
    fn url_that_cannot_be_connected_to_is_an_error_that_says_why() {
        let urls = [
            ("", "no "),
            ("ws://", "no "),
            ("ws://a b", "\"ws://a b\""),
            ("ws://[::1", "\"ws://[::1\""),
            ("/path", "no scheme"),
            ("example.com", "no scheme"),
            ("ftp://a", "\"ftp\""),
            ("ws://:80", "no host"),
            ("ws://[]:80", "host of"),
            ("ws://[@]", "host of"),
            ("ws://[a]", "host of"),
            ("ws://a:65536", "port of"),
            ("ws://a:x", "port of"),
            ("ws://a:+80", "port of"),
        ];
        for (url, why) in urls {
            let error = Target::parse(url).expect_err(url).to_string();
            assert!(error.contains(why), "{url}: {error}");
        }
    }

    proptest! {
        #[test]
        fn no_url_panics(any: String, like in "(ws|wss)://[-a@:%.\\[\\]0-9+?#/é]{0,12}") {
            for url in [any, like] {
                let Ok(target) = Target::parse(&url) else { continue };
                prop_assert!(!target.host().is_empty() && target.path().as_str().starts_with('/'));
            }
        }
    }
}
