//! Following redirects, and which credentials may go along.

use std::error::Error;
use std::fmt;
use std::str;

use http::header::LOCATION;
use http::{Response, StatusCode};

use super::target::{Security, Target, UrlError};

/// A redirect's target.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Redirect {
    /// The next target. On the same host it keeps the credentials of the previous URL, unless it has its own.
    pub target: Target,
    /// Whether the offer's credentials may be sent there.
    pub credentials: Credentials,
}

/// Whether credentials may be sent to the next target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Credentials {
    /// Same host, port and security.
    Keep,
    /// Another host: go on with `Offer::without_credentials`, even if a later redirect leads back.
    Drop,
}

impl Target {
    /// Returns where a response redirects a request to this target; `None` unless the status is 301, 302, 303, 307 or
    /// 308 and there is a `Location`. The caller should bound the number of redirects.
    ///
    /// # Errors
    ///
    /// `Location` is no URL to connect to, or leads from TLS to plain text.
    pub fn redirect(&self, response: &Response<()>) -> Result<Option<Redirect>, RedirectError> {
        let (true, Some(location)) =
            (redirects(response.status()), response.headers().get(LOCATION))
        else {
            return Ok(None);
        };
        let location = str::from_utf8(location.as_bytes()).map_err(|_| RedirectError::NotText)?;
        let target = self.resolve(location).map_err(RedirectError::Url)?;
        match (self.security(), target.security()) {
            (Security::Tls, Security::Plain) => Err(RedirectError::Downgrade),
            (Security::Plain, _) | (Security::Tls, Security::Tls) => {
                Ok(Some(self.leading_to(target)))
            }
        }
    }

    fn leading_to(&self, target: Self) -> Redirect {
        if self.same_origin(&target) {
            let target = target.or_authorization(self.authorization().cloned());
            Redirect { target, credentials: Credentials::Keep }
        } else {
            Redirect { target, credentials: Credentials::Drop }
        }
    }

    fn same_origin(&self, other: &Self) -> bool {
        let host = self.host().eq_ignore_ascii_case(other.host());
        host && (self.port(), self.security()) == (other.port(), other.security())
    }
}

/// A redirect that can't be followed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RedirectError {
    /// `Location` is not UTF-8.
    NotText,
    /// `Location` is no URL to connect to.
    Url(UrlError),
    /// `Location` leads from TLS to plain text.
    Downgrade,
}

impl fmt::Display for RedirectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotText => "the redirect's Location is not text",
            Self::Url(_) => "the redirect's Location can't be connected to",
            Self::Downgrade => "the redirect leads from TLS to plain text",
        })
    }
}

impl Error for RedirectError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Url(error) => Some(error),
            Self::NotText | Self::Downgrade => None,
        }
    }
}

fn redirects(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn follow(from: &str, location: &str) -> Result<Option<Redirect>, RedirectError> {
        follow_bytes(from, location.as_bytes())
    }

    fn follow_bytes(from: &str, location: &[u8]) -> Result<Option<Redirect>, RedirectError> {
        let response = Response::builder().status(302).header(LOCATION, location);
        Target::parse(from).expect(from).redirect(&response.body(()).expect("a response"))
    }

    fn next(from: &str, location: &str) -> Redirect {
        follow(from, location).expect("a URL").expect("a redirect")
    }

    #[test]
    fn references_are_resolved_against_the_target() {
        let references = [
            ("ws://other/x", "ws://other/x"),
            ("HTTPS://other", "wss://other/"),
            ("//other:81/x", "ws://other:81/x"),
            ("/x?y", "ws://a:8080/x?y"),
            ("x", "ws://a:8080/b/x"),
            ("./x/../y/.", "ws://a:8080/b/y/"),
            ("../../../x?y/../z", "ws://a:8080/x?y/../z"),
            ("..", "ws://a:8080/"),
            ("?y", "ws://a:8080/b/c?y"),
            ("#z", "ws://a:8080/b/c?d"),
            ("x:y", "x:y"),
            ("x/y:z", "ws://a:8080/b/x/y:z"),
            ("/ü", "ws://a:8080/%C3%BC"),
        ];
        for (reference, url) in references {
            let followed = follow("ws://a:8080/b/c?d", reference);
            match Target::parse(url) {
                Ok(target) => {
                    assert_eq!(followed.expect(url).expect(url).target, target, "{reference}");
                }
                Err(_) => assert!(matches!(followed, Err(RedirectError::Url(_))), "{reference}"),
            }
        }
    }

    #[test]
    fn credentials_are_dropped_across_hosts() {
        for other in
            ["ws://b/", "ws://a:81/", "//user@b/", "wss://a/", "ws://a.evil/", "ws://[::1]/"]
        {
            let redirect = next("ws://user:secret@a/", other);
            assert_eq!(redirect.credentials, Credentials::Drop, "{other}");
            assert_ne!(
                redirect.target.authorization(),
                Target::parse("ws://user:secret@a").expect("a URL").authorization()
            );
        }
    }

    #[test]
    fn credentials_stay_on_the_same_host() {
        for same in ["/x", "ws://A/x", "http://a:80/x"] {
            let redirect = next("ws://user:secret@a/", same);
            assert_eq!(redirect.credentials, Credentials::Keep);
            assert_eq!(redirect.target.authorization().expect("kept"), "Basic dXNlcjpzZWNyZXQ=");
        }
        let own = next("ws://user:secret@a/", "ws://Aladdin:open%20sesame@a/").target;
        assert_eq!(own.authorization().expect("its own"), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
    }

    #[test]
    fn redirect_from_tls_to_plain_text_is_refused() {
        assert!(matches!(follow("wss://a/", "ws://a/"), Err(RedirectError::Downgrade)));
        assert!(matches!(follow("wss://a/", "http://b/"), Err(RedirectError::Downgrade)));
        assert_eq!(next("ws://a/", "wss://a/").target.security(), Security::Tls);
        assert_eq!(next("wss://a/", "//b/").target.security(), Security::Tls);
    }

    #[test]
    fn only_five_statuses_with_a_location_redirect() {
        let target = Target::parse("ws://a/").expect("a URL");
        let follow = |status: u16, header: &str| {
            let response = Response::builder()
                .status(status)
                .header(header, "/x")
                .body(())
                .expect("a response");
            target.redirect(&response).expect("a URL").is_some()
        };
        let statuses = (100..1000).filter(|status| follow(*status, "location")).collect::<Vec<_>>();
        assert_eq!(statuses, [301, 302, 303, 307, 308]);
        assert!(!follow(302, "x"));
    }

    proptest! {
        #[test]
        fn no_location_panics(location: Vec<u8>, like in "[-a:/.?#@\\[\\]]{0,12}") {
            for location in [&location, like.as_bytes()] {
                if http::HeaderValue::from_bytes(location).is_ok() {
                    let _ = follow_bytes("ws://user@a/b/c?d", location);
                }
            }
        }
    }
}
