//! URLs by the `url` crate: read as browsers read them (WHATWG's URL Standard).

use url::{ParseError, Url};

use super::error::{UrlError, UrlFault};
use super::{Parts, Security, Target};

pub(super) fn parse(url: &str) -> Result<Target, UrlError> {
    target(Url::parse(url), url)
}

/// Resolves a reference against a target.
pub(super) fn resolve(base: &Target, reference: &str) -> Result<Target, UrlError> {
    let base = base.origin() + base.path().as_str();
    target(Url::options().base_url(Url::parse(&base).ok().as_ref()).parse(reference), reference)
}

impl TryFrom<&Url> for Target {
    type Error = UrlError;

    fn try_from(url: &Url) -> Result<Self, UrlError> {
        match parts(url) {
            Ok(parts) => Ok(Self::new(parts)),
            Err(fault) => Err(UrlError::new(fault, url.as_str())),
        }
    }
}

fn target(parsed: Result<Url, ParseError>, text: &str) -> Result<Target, UrlError> {
    match parsed {
        Ok(url) => Target::try_from(&url),
        Err(error) => Err(UrlError::new(fault(error), text)),
    }
}

fn parts(url: &Url) -> Result<Parts<'_>, UrlFault> {
    let security = Security::of_scheme(url.scheme())?;
    let path = &url[url::Position::BeforePath..url::Position::AfterQuery];
    Ok(Parts {
        security,
        host: url.host_str().ok_or(UrlFault::HostMissing)?,
        port: url.port(),
        path: path.parse().map_err(|_| UrlFault::Path)?,
        credentials: credentials(url),
    })
}

fn credentials(url: &Url) -> Option<(&str, &str)> {
    match (url.username(), url.password()) {
        ("", None) => None,
        (user, password) => Some((user, password.unwrap_or_default())),
    }
}

fn fault(error: ParseError) -> UrlFault {
    match error {
        ParseError::EmptyHost => UrlFault::HostMissing,
        ParseError::IdnaError
        | ParseError::InvalidIpv4Address
        | ParseError::InvalidIpv6Address
        | ParseError::InvalidDomainCharacter => UrlFault::Host,
        ParseError::InvalidPort => UrlFault::Port,
        ParseError::RelativeUrlWithoutBase => UrlFault::SchemeMissing,
        _ => UrlFault::Syntax,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::handshake::client::Offer;
    use crate::handshake::http1::{HeadLimits, HeadReader, write_request};
    use crate::handshake::key::Key;

    fn header_and_path(url: &str) -> (String, String) {
        let target = parse(url).expect(url);
        (target.host_header().to_str().expect("ASCII").into(), target.path().to_string())
    }

    #[test]
    fn url_is_read_as_browsers_read_it() {
        for (url, host, path) in [
            ("ws://bücher.example/ü?ü", "xn--bcher-kva.example", "/%C3%BC?%C3%BC"),
            ("wss://EXAMPLE.com:443", "example.com", "/"),
            (" \tws://a/ \n", "a", "/"),
            ("ws://a/b c?d e", "a", "/b%20c?d%20e"),
            ("ws://a/[1]{2}?[3]={4}|\"", "a", "/[1]%7B2%7D?[3]={4}|%22"),
            ("ws://a/<b>`?<c>", "a", "/%3Cb%3E%60?%3Cc%3E"),
            ("ws://a/b/../c/./d", "a", "/c/d"),
            ("ws:\\\\a\\b", "a", "/b"),
            ("ws:///a/b", "a", "/b"),
            ("ws://0x7f.1:81", "127.0.0.1:81", "/"),
            ("ws://[0:0::1]:81/?#x", "[::1]:81", "/?"),
            ("ws://a\n.example/\r\nX", "a.example", "/X"),
            ("ws://☃.net", "xn--n3h.net", "/"),
        ] {
            assert_eq!(header_and_path(url), (host.into(), path.into()), "{url:?}");
        }
    }

    #[test]
    fn text_that_is_no_url_says_why() {
        for (url, fault) in [
            ("localhost:9001", UrlFault::Scheme("localhost".into())),
            ("//a/", UrlFault::SchemeMissing),
            ("ws://", UrlFault::HostMissing),
            ("ws://a b/", UrlFault::Host),
            ("ws://a<b/", UrlFault::Host),
            ("ws://1.2.3.256/", UrlFault::Host),
            ("ws://[::1/", UrlFault::Host),
            ("ws://[::1]80/", UrlFault::Host),
            ("ws://xn--a/", UrlFault::Host),
        ] {
            assert_eq!(parse(url).expect_err(url).fault(), &fault, "{url}");
        }
        let long = format!("ws://a/{}", "x".repeat(1 << 16));
        assert_eq!(parse(&long).expect_err("too long").fault(), &UrlFault::Path);
    }

    #[test]
    fn empty_user_and_password_are_none() {
        for url in ["ws://@a", "ws://:@a"] {
            assert_eq!(parse(url).expect(url).authorization(), None, "{url}");
        }
    }

    proptest! {
        #[test]
        fn request_to_any_url_is_one_that_a_server_can_read(like in "ws://(é|[!-~]){1,4}/.{0,12}") {
            let Ok(target) = parse(&like) else { return Ok(()) };
            let mut wire = Vec::new();
            write_request(&Offer::new().request(&target, &Key::from_random([0; 16])), &mut wire);
            let read = HeadReader::new(HeadLimits::default()).request(&wire);
            prop_assert_eq!(read.expect("well-formed").expect("whole").1, wire.len());
            let itself = resolve(&target, "").expect("no reference");
            prop_assert_eq!(itself.path(), target.path());
        }
    }
}
