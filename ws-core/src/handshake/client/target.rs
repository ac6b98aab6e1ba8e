//! A WebSocket URL, taken apart into what a client needs to connect and to ask (RFC 6455, 3).

use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::net::Ipv6Addr;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::uri::{InvalidUri, PathAndQuery};
use http::{HeaderValue, Uri};
use percent_encoding::{AsciiSet, percent_decode_str, utf8_percent_encode};

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
    /// `ws` and `http`: anyone on the way can read it. Default port 80.
    Plain,
    /// `wss` and `https`. Default port 443.
    Tls,
}

impl Target {
    /// Reads a `ws`, `wss`, `http` or `https` URL, its scheme in any case.
    ///
    /// Characters of the path and query that are not ASCII are percent-encoded. A fragment is
    /// dropped. `user:password` is percent-decoded and becomes
    /// [`authorization`](Self::authorization), no part of the host.
    ///
    /// # Errors
    ///
    /// The URL has another scheme or none, no host, no valid port, or is no URL.
    pub fn parse(url: &str) -> Result<Self, UrlError> {
        let uri = Uri::from_str(&encode(url)).map_err(UrlError::Syntax)?;
        let security = security(uri.scheme_str().ok_or(UrlError::SchemeMissing)?)?;
        let authority = uri.authority().ok_or(UrlError::HostMissing)?.as_str();
        let (user_info, authority) =
            authority.rsplit_once('@').map_or((None, authority), |(u, a)| (Some(u), a));
        let (host, port) = split_port(authority)?;
        let port = port.unwrap_or(security.default_port());
        let host_header =
            if port == security.default_port() { host.into() } else { format!("{host}:{port}") };
        Ok(Self {
            security,
            host: host.trim_start_matches('[').trim_end_matches(']').into(),
            port,
            host_header: HeaderValue::try_from(host_header).expect("an authority is visible ASCII"),
            path: origin_form(&uri)?,
            authorization: user_info.filter(|it| !it.is_empty()).map(basic),
        })
    }

    /// Whether to connect through TLS. Where it says [`Security::Tls`], never speak in plain text.
    pub fn security(&self) -> Security {
        self.security
    }

    /// The host to connect to and to verify a certificate for: a name or an address, IPv6 without
    /// brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port to connect to.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The value of `Host`: with brackets, and with the port unless it is the scheme's default.
    pub fn host_header(&self) -> &HeaderValue {
        &self.host_header
    }

    /// The request's target: path and query, at least `/`.
    pub fn path(&self) -> &PathAndQuery {
        &self.path
    }

    /// `Authorization` from the URL's `user:password` (RFC 7617), if it has one. Marked as
    /// sensitive.
    pub fn authorization(&self) -> Option<&HeaderValue> {
        self.authorization.as_ref()
    }

    /// The same target with these credentials where it has none of its own.
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
    /// 80 or 443.
    pub fn default_port(self) -> u16 {
        match self {
            Self::Plain => 80,
            Self::Tls => 443,
        }
    }
}

/// Why a text is no URL to connect to.
#[derive(Debug)]
pub enum UrlError {
    /// It is no URL.
    Syntax(InvalidUri),
    /// It has no scheme.
    SchemeMissing,
    /// Its scheme is none of `ws`, `wss`, `http` and `https`.
    Scheme(String),
    /// It has no host.
    HostMissing,
    /// Its host has brackets that hold no IPv6 address.
    Host(String),
    /// Its port is not a number up to 65 535.
    Port(String),
}

impl fmt::Display for UrlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax(_) => f.write_str("not a URL"),
            Self::SchemeMissing => f.write_str("the URL has no scheme (ws or wss)"),
            Self::Scheme(scheme) => write!(f, "the URL's scheme is {scheme:?}, not ws or wss"),
            Self::HostMissing => f.write_str("the URL has no host"),
            Self::Host(host) => write!(f, "the URL's host is {host:?}, not a name or an address"),
            Self::Port(port) => write!(f, "the URL's port is {port:?}, not a number up to 65535"),
        }
    }
}

impl Error for UrlError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Syntax(error) => Some(error),
            Self::SchemeMissing
            | Self::Scheme(_)
            | Self::HostMissing
            | Self::Host(_)
            | Self::Port(_) => None,
        }
    }
}

fn encode(url: &str) -> Cow<'_, str> {
    utf8_percent_encode(url, NOTHING_IN_ASCII).into()
}

fn security(scheme: &str) -> Result<Security, UrlError> {
    match scheme.to_ascii_lowercase().as_str() {
        "ws" | "http" => Ok(Security::Plain),
        "wss" | "https" => Ok(Security::Tls),
        _ => Err(UrlError::Scheme(scheme.into())),
    }
}

/// Host, with an IPv6 address's brackets, and port.
fn split_port(authority: &str) -> Result<(&str, Option<u16>), UrlError> {
    let host_end = authority.find(']').map_or(authority.find(':'), |bracket| Some(bracket + 1));
    let (host, port) = authority.split_at(host_end.unwrap_or(authority.len()));
    check_host(host)?;
    match port.strip_prefix(':') {
        Some("") => Ok((host, None)),
        Some(digits) => parse_port(digits).map(|port| (host, Some(port))),
        None if port.is_empty() => Ok((host, None)),
        None => Err(UrlError::Port(port.into())),
    }
}

/// `Authority` lets brackets stand around anything.
fn check_host(host: &str) -> Result<(), UrlError> {
    let bracketed = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    match bracketed {
        _ if host.is_empty() => Err(UrlError::HostMissing),
        Some(address) if address.parse::<Ipv6Addr>().is_ok() => Ok(()),
        None if !host.contains(['[', ']']) => Ok(()),
        Some(_) | None => Err(UrlError::Host(host.into())),
    }
}

/// `Authority` reads a port that is too large as none, and `parse` takes a plus sign.
fn parse_port(digits: &str) -> Result<u16, UrlError> {
    let all_digits = digits.bytes().all(|b| b.is_ascii_digit());
    digits.parse().ok().filter(|_| all_digits).ok_or_else(|| UrlError::Port(digits.into()))
}

fn origin_form(uri: &Uri) -> Result<PathAndQuery, UrlError> {
    match uri.path_and_query().map(PathAndQuery::as_str) {
        None | Some("") => Ok(PathAndQuery::from_static("/")),
        Some(query) if query.starts_with('?') => {
            format!("/{query}").parse().map_err(UrlError::Syntax)
        }
        Some(path) => path.parse().map_err(UrlError::Syntax),
    }
}

fn basic(user_info: &str) -> HeaderValue {
    let (user, password) = user_info.split_once(':').unwrap_or((user_info, ""));
    let mut plain: Vec<u8> = percent_decode_str(user).collect();
    plain.push(b':');
    plain.extend(percent_decode_str(password));
    let value = format!("Basic {}", STANDARD.encode(plain));
    let mut value = HeaderValue::try_from(value).expect("base64 is visible ASCII");
    value.set_sensitive(true);
    value
}

/// Nothing is encoded but what is not ASCII.
const NOTHING_IN_ASCII: &AsciiSet = &AsciiSet::EMPTY;

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
            ("", "not a URL"),
            ("ws://", "not a URL"),
            ("ws://a b", "not a URL"),
            ("ws://ä", "not a URL"),
            ("ws://[::1", "not a URL"),
            ("/path", "no scheme"),
            ("example.com", "no scheme"),
            ("ftp://a", "\"ftp\""),
            ("ws://:80", "no host"),
            ("ws://[]:80", "\"[]\""),
            ("ws://[@]", "\"]\""),
            ("ws://[a]", "\"[a]\""),
            ("ws://[::1]80", "\"80\""),
            ("ws://a:65536", "\"65536\""),
            ("ws://a:x", "\"x\""),
            ("ws://a:+80", "\"+80\""),
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
