//! The check of `Origin`, which keeps other sites' pages from connecting with a visitor's cookies.

use http::header::ORIGIN;
use http::{HeaderMap, HeaderValue};

/// Which origins a server accepts (RFC 6455, 10.2). Default: [`SameHost`](Self::SameHost).
///
/// A request without `Origin` doesn't come from a browser and is always accepted; so is a page of the request's own
/// host. No policy proves who is asking: clients that are not browsers send any `Origin` they like.
///
/// A proxy that rewrites `Host` makes a server's own pages look foreign. Configure it to keep `Host`, or list the
/// pages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum OriginPolicy {
    /// Pages of the request's own host and port, where a scheme's default port may be left out.
    #[default]
    SameHost,
    /// Those, and origins that match one of these patterns, in any case.
    ///
    /// A pattern with `://` is matched against `scheme://host[:port]`, any other against `host[:port]`, as browsers
    /// send them: without a scheme's default port. `*` matches any run of characters but `/`, `?` one of them. If
    /// `Origin` is repeated, all values must match.
    ///
    /// An origin without a host matches only itself, regardless of wildcards: `null` (a sandboxed page or a file),
    /// `file://` (a file in some web views) and `app://`. Origins of apps and extensions mostly have a host; list them
    /// as browsers send them: `chrome-extension://abcdefgh`, `capacitor://localhost`, `app://.`.
    ///
    /// Danger: any file and any sandboxed page, from any source, sends `null` or `file://`.
    ///
    /// Danger: `*example.com` also matches `evilexample.com`; write `example.com` and
    /// `*.example.com`.
    Patterns(Vec<String>),
    /// Pages of any site, `null` too.
    ///
    /// Danger: any page that a user visits can then connect with that user's cookies. Only for
    /// servers that authenticate by something a foreign page can't send.
    Any,
}

impl OriginPolicy {
    /// The policy [`Patterns`](Self::Patterns).
    pub fn patterns<I: IntoIterator<Item: Into<String>>>(patterns: I) -> Self {
        Self::Patterns(patterns.into_iter().map(Into::into).collect())
    }

    /// Returns whether a request with these headers, sent to this `host[:port]`, may connect.
    pub fn allows(&self, headers: &HeaderMap, host: &str) -> bool {
        let mut origins = headers.get_all(ORIGIN).iter();
        match (origins.next(), origins.next()) {
            (None, _) => true,
            (Some(origin), None) => is_of_host(origin, host) || self.lists(origin),
            (Some(_), Some(_)) => headers.get_all(ORIGIN).iter().all(|origin| self.lists(origin)),
        }
    }

    fn lists(&self, origin: &HeaderValue) -> bool {
        match self {
            Self::SameHost => false,
            Self::Patterns(patterns) => origin
                .to_str()
                .is_ok_and(|origin| patterns.iter().any(|pattern| matches(pattern, origin))),
            Self::Any => true,
        }
    }
}

fn is_of_host(origin: &HeaderValue, host: &str) -> bool {
    let Some(Origin { scheme, host: own }) = origin.to_str().ok().and_then(Origin::parse) else {
        return false;
    };
    without_default_port(scheme, own).eq_ignore_ascii_case(without_default_port(scheme, host))
}

fn without_default_port<'a>(scheme: &str, host: &'a str) -> &'a str {
    let default = DEFAULT_PORTS.iter().find(|(name, _)| scheme.eq_ignore_ascii_case(name));
    default.and_then(|(_, port)| host.strip_suffix(port)).unwrap_or(host)
}

fn matches(pattern: &str, origin: &str) -> bool {
    let Some(Origin { host, .. }) = Origin::parse(origin) else {
        return pattern.eq_ignore_ascii_case(origin) && is_without_host(origin);
    };
    glob(pattern.as_bytes(), if pattern.contains("://") { origin } else { host }.as_bytes())
}

/// Whether an origin is one that browsers and web views send without a host: `null`, `file://`, `app://`.
fn is_without_host(origin: &str) -> bool {
    let scheme = origin.strip_suffix("://").unwrap_or_default();
    let has_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b));
    has_scheme || origin.eq_ignore_ascii_case("null")
}

/// An origin that is not opaque (RFC 6454, 6.2).
struct Origin<'a> {
    scheme: &'a str,
    /// With its port, if it has one.
    host: &'a str,
}

impl<'a> Origin<'a> {
    fn parse(origin: &'a str) -> Option<Self> {
        let (scheme, host) = origin.split_once("://")?;
        let well_formed =
            |part: &str| !part.is_empty() && !part.contains(['/', '?', '#', '@', ',', ' ', '\t']);
        (well_formed(scheme) && well_formed(host)).then_some(Self { scheme, host })
    }
}

/// Matches in any case; `*` and `?` never match `/`. At worst the product of the lengths.
fn glob(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut star = None;
    while p < pattern.len() || t < text.len() {
        match (pattern.get(p), text.get(t)) {
            (Some(b'*'), _) => {
                star = Some((p, t));
                p += 1;
            }
            (Some(want), Some(got))
                if want.eq_ignore_ascii_case(got) || (*want == b'?' && *got != b'/') =>
            {
                p += 1;
                t += 1;
            }
            // The last star takes one more. An earlier one can't help: the slashes between them are
            // fixed.
            _ => match star {
                Some((at, from)) if text.get(from).is_some_and(|b| *b != b'/') => {
                    star = Some((at, from + 1));
                    (p, t) = (at + 1, from + 1);
                }
                Some(_) | None => return false,
            },
        }
    }
    true
}

const DEFAULT_PORTS: [(&str, &str); 4] =
    [("http", ":80"), ("https", ":443"), ("ws", ":80"), ("wss", ":443")];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn allows(policy: &OriginPolicy, origins: &[&'static str], host: &str) -> bool {
        let headers =
            origins.iter().map(|origin| (ORIGIN, HeaderValue::from_static(origin))).collect();
        policy.allows(&headers, host)
    }

    fn listed(pattern: &str, origin: &'static str) -> bool {
        allows(&OriginPolicy::patterns([pattern]), &[origin], "server")
    }

    #[test]
    fn request_without_an_origin_is_allowed() {
        assert!(allows(&OriginPolicy::SameHost, &[], "example.com"));
    }

    #[test]
    fn own_host_is_allowed_in_any_case_and_by_every_policy() {
        for policy in [OriginPolicy::SameHost, OriginPolicy::patterns(["other"]), OriginPolicy::Any]
        {
            assert!(allows(&policy, &["https://EXAMPLE.com"], "example.COM"));
        }
        assert!(allows(&OriginPolicy::SameHost, &["http://[::1]:8080"], "[::1]:8080"));
        assert!(!allows(&OriginPolicy::SameHost, &["http://example.com"], "www.example.com"));
        assert!(!allows(&OriginPolicy::SameHost, &["http://example.com:8080"], "example.com:8081"));
    }

    #[test]
    fn default_port_of_the_scheme_is_stripped_on_both_sides() {
        let same = |origin, host| allows(&OriginPolicy::SameHost, &[origin], host);
        assert!(
            same("http://example.com", "example.com:80")
                && same("http://example.com:80", "example.com")
        );
        assert!(
            same("https://example.com", "example.com:443")
                && same("HTTPS://example.com:443", "example.com")
        );
        assert!(same("https://[::1]", "[::1]:443"));
        assert!(
            !same("https://example.com", "example.com:80")
                && !same("http://example.com:443", "example.com")
        );
    }

    #[test]
    fn pattern_is_matched_against_the_host_or_with_the_scheme() {
        assert!(listed("EXAMPLE.com", "https://example.COM"));
        assert!(
            listed("*.example.com", "https://a.b.example.com")
                && !listed("*.example.com", "https://example.com")
        );
        assert!(
            listed("example.com:*", "http://example.com:81")
                && !listed("example.com", "http://example.com:81")
        );
        assert!(listed("https://*.example.com", "https://a.example.com"));
        assert!(!listed("https://*.example.com", "http://a.example.com"));
        assert!(listed("*://example.com", "app://example.com") && listed("host?", "http://host1"));
    }

    #[test]
    fn star_at_the_front_also_matches_a_foreign_host() {
        assert!(listed("*example.com", "https://evilexample.com"), "as the documentation warns");
    }

    #[test]
    fn wildcards_never_match_a_slash() {
        assert!(!listed("https*example.com", "https://example.com"));
        assert!(!listed("https:??example.com", "https://example.com"));
        assert!(!listed("https://*", "https://example.com/path"));
    }

    #[test]
    fn null_is_refused_unless_listed_or_any_origin() {
        assert!(!allows(&OriginPolicy::SameHost, &["null"], "null") && !listed("*", "null"));
        assert!(listed("null", "null") && allows(&OriginPolicy::Any, &["null"], "server"));
    }

    #[test]
    fn origins_of_apps_files_and_extensions_can_be_listed_as_browsers_send_them() {
        for origin in [
            "null",
            "file://",
            "app://",
            "app://.",
            "app://obsidian.md",
            "ionic://localhost",
            "capacitor://localhost",
            "chrome-extension://knldjmfmopnpolahpmmgbagdohdnhkik",
            "moz-extension://1b7d2b6e-4f1c-4b59-9c0a-0d4c5bd0f0d1",
            "safari-web-extension://1B7D2B6E-4F1C-4B59-9C0A-0D4C5BD0F0D1",
            "vscode-webview://0vj4q8ul2qav5rd5jtbkgvmdqujh7gh8pjj9d5ln8vt9dn6n8c7l",
            "vscode-file://vscode-app",
            "tauri://localhost",
        ] {
            assert!(listed(origin, origin), "{origin}");
            assert!(!listed("other", origin), "{origin}");
            assert!(!allows(&OriginPolicy::SameHost, &[origin], "server"), "{origin}");
        }
    }

    #[test]
    fn origin_without_a_host_matches_only_itself() {
        for pattern in ["*", "file:*", "file://*", "*://*", "*://", "????://", "null"] {
            assert!(!listed(pattern, "file://"), "{pattern}");
        }
        assert!(listed("FILE://", "file://"), "in any case");
        assert!(!listed("file:///", "file:///") && !listed("://", "://") && !listed("", ""));
    }

    #[test]
    fn repeated_origins_are_refused_unless_listed_or_any_origin() {
        let twice = ["http://server", "http://a.com"];
        assert!(!allows(&OriginPolicy::SameHost, &["http://server", "http://server"], "server"));
        assert!(!allows(&OriginPolicy::patterns(["a.com"]), &twice, "server"));
        assert!(allows(&OriginPolicy::patterns(["a.com", "server"]), &twice, "server"));
        assert!(allows(&OriginPolicy::Any, &twice, "server"));
    }

    #[test]
    fn origin_that_is_none_is_no_host_of_ours() {
        for origin in [
            "server",
            "http://",
            "://server",
            "http://server/",
            "http://x@server",
            "http://a http://server",
        ] {
            assert!(
                !allows(&OriginPolicy::patterns(["*", "*://*"]), &[origin], "server"),
                "{origin}"
            );
        }
    }

    #[test]
    fn many_stars_are_matched_in_bounded_time() {
        let text = ["a".repeat(16 * 1024), "b".into()].concat();
        assert!(!glob(["*a".repeat(64), "c".into()].concat().as_bytes(), text.as_bytes()));
    }

    fn oracle(pattern: &[u8], text: &[u8]) -> bool {
        match (pattern, text) {
            ([], text) => text.is_empty(),
            ([b'*', rest @ ..], text) => {
                oracle(rest, text)
                    || matches!(text, [b, tail @ ..] if *b != b'/' && oracle(pattern, tail))
            }
            ([want, rest @ ..], [got, tail @ ..]) => {
                (want.eq_ignore_ascii_case(got) || (*want == b'?' && *got != b'/'))
                    && oracle(rest, tail)
            }
            (_, []) => false,
        }
    }

    proptest! {
        #[test]
        fn glob_agrees_with_the_naive_oracle(pattern in "[aA/*?]{0,10}", text in "[aAb/]{0,12}") {
            let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
            prop_assert_eq!(glob(pattern, text), oracle(pattern, text));
        }

        #[test]
        fn no_origin_panics(origin: Vec<u8>, pattern: String, host: String) {
            let Ok(origin) = HeaderValue::from_bytes(&origin) else { return Ok(()) };
            let headers = HeaderMap::from_iter([(ORIGIN, origin)]);
            let _ = OriginPolicy::patterns([pattern]).allows(&headers, &host);
        }
    }
}
