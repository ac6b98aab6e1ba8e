//! Targets of [`Uri`]s, which are taken as they are.

use std::net::Ipv6Addr;

use http::Uri;
use http::uri::PathAndQuery;

use super::error::{UrlError, UrlFault};
use super::{Parts, Security, Target};

impl TryFrom<&Uri> for Target {
    type Error = UrlError;

    fn try_from(uri: &Uri) -> Result<Self, UrlError> {
        match parts(uri) {
            Ok(parts) => Ok(Self::new(parts)),
            Err(fault) => Err(UrlError::new(fault, &uri.to_string())),
        }
    }
}

fn parts(uri: &Uri) -> Result<Parts<'_>, UrlFault> {
    let security = Security::of_scheme(uri.scheme_str().ok_or(UrlFault::SchemeMissing)?)?;
    let authority = uri.authority().ok_or(UrlFault::HostMissing)?.as_str();
    let (user_info, authority) =
        authority.rsplit_once('@').map_or((None, authority), |(u, a)| (Some(u), a));
    let (host, port) = split_port(authority)?;
    let credentials = user_info.filter(|it| !it.is_empty());
    let credentials = credentials.map(|it| it.split_once(':').unwrap_or((it, "")));
    Ok(Parts { security, host, port, path: origin_form(uri)?, credentials })
}

/// Host, with an IPv6 address's brackets, and port.
fn split_port(authority: &str) -> Result<(&str, Option<u16>), UrlFault> {
    let host_end = authority.find(']').map_or(authority.find(':'), |bracket| Some(bracket + 1));
    let (host, port) = authority.split_at(host_end.unwrap_or(authority.len()));
    check_host(host)?;
    match port.strip_prefix(':') {
        Some("") => Ok((host, None)),
        Some(digits) => parse_port(digits).map(|port| (host, Some(port))),
        None if port.is_empty() => Ok((host, None)),
        None => Err(UrlFault::Port),
    }
}

/// `Authority` lets brackets stand around anything.
fn check_host(host: &str) -> Result<(), UrlFault> {
    let bracketed = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    match bracketed {
        _ if host.is_empty() => Err(UrlFault::HostMissing),
        Some(address) if address.parse::<Ipv6Addr>().is_ok() => Ok(()),
        None if !host.contains(['[', ']']) => Ok(()),
        Some(_) | None => Err(UrlFault::Host),
    }
}

/// `Authority` reads a port that is too large as none, and `parse` takes a plus sign.
fn parse_port(digits: &str) -> Result<u16, UrlFault> {
    let all_digits = digits.bytes().all(|b| b.is_ascii_digit());
    digits.parse().ok().filter(|_| all_digits).ok_or(UrlFault::Port)
}

fn origin_form(uri: &Uri) -> Result<PathAndQuery, UrlFault> {
    match uri.path_and_query().map(PathAndQuery::as_str) {
        None | Some("") => Ok(PathAndQuery::from_static("/")),
        Some(query) if query.starts_with('?') => {
            format!("/{query}").parse().map_err(|_| UrlFault::Path)
        }
        Some(path) => path.parse().map_err(|_| UrlFault::Path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(uri: &'static str) -> Result<Target, UrlError> {
        Target::try_from(&Uri::from_static(uri))
    }

    #[test]
    fn uri_is_taken_as_it_is() {
        let uri = target("WS://user:p%40ss@A.com:8080/a/../b[1]?c|d").expect("a target");
        assert_eq!(
            (uri.host(), uri.port(), uri.path().as_str()),
            ("A.com", 8080, "/a/../b[1]?c|d")
        );
        assert_eq!(uri.authorization().expect("a user"), "Basic dXNlcjpwQHNz");
        assert_eq!(target("wss://[::1]?a").expect("a target").path(), "/?a");
    }

    #[test]
    fn uri_that_cannot_be_connected_to_is_an_error_that_says_why() {
        for (uri, fault) in [
            ("/path", UrlFault::SchemeMissing),
            ("host:80", UrlFault::SchemeMissing),
            ("ftp://a/", UrlFault::Scheme("ftp".into())),
            ("ws://:80/", UrlFault::HostMissing),
            ("ws://[a]/", UrlFault::Host),
            ("ws://[@]/", UrlFault::Host),
            ("ws://[::1]80/", UrlFault::Port),
            ("ws://a:65536/", UrlFault::Port),
            ("ws://a:+80/", UrlFault::Port),
        ] {
            assert_eq!(target(uri).expect_err(uri).fault(), &fault, "{uri}");
        }
    }
}
