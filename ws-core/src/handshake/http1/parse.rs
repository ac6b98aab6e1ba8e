//! Parsing a complete head into `http`'s types.

use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri, Version,
};
use httparse::{EMPTY_HEADER, Header, Status};

use super::error::{HeadError, Malformed};

/// Parses a whole request head.
pub(super) fn request(head: &[u8], max_headers: usize) -> Result<Request<()>, HeadError> {
    let mut headers = header_lines(head, max_headers)?;
    let mut parsed = httparse::Request::new(&mut headers);
    whole(parsed.parse(head))?;
    let method = parsed
        .method
        .and_then(|it| Method::from_bytes(it.as_bytes()).ok())
        .ok_or(Malformed::StartLine)?;
    let mut request = Request::new(());
    *request.uri_mut() = target(&method, parsed.path.unwrap_or_default())?;
    *request.method_mut() = method;
    *request.version_mut() = version(parsed.version)?;
    *request.headers_mut() = header_map(parsed.headers, max_headers)?;
    Ok(request)
}

/// Parses a whole response head; its reason phrase is dropped.
pub(super) fn response(head: &[u8], max_headers: usize) -> Result<Response<()>, HeadError> {
    let mut headers = header_lines(head, max_headers)?;
    let mut parsed = httparse::Response::new(&mut headers);
    whole(parsed.parse(head))?;
    let status =
        parsed.code.and_then(|code| StatusCode::from_u16(code).ok()).ok_or(Malformed::StartLine)?;
    let mut response = Response::new(());
    *response.status_mut() = status;
    *response.version_mut() = version(parsed.version)?;
    *response.headers_mut() = header_map(parsed.headers, max_headers)?;
    Ok(response)
}

/// Room for exactly the lines that the head has: a limit that is raised costs nothing until a peer
/// uses it.
fn header_lines<'a>(head: &[u8], limit: usize) -> Result<Vec<Header<'a>>, HeadError> {
    let line_ends = head.iter().filter(|b| **b == b'\n').count();
    let lines = line_ends.saturating_sub(START_AND_EMPTY_LINE);
    if lines > limit {
        Err(HeadError::TooManyHeaders { limit })
    } else {
        Ok(vec![EMPTY_HEADER; lines])
    }
}

fn whole(parsed: Result<Status<usize>, httparse::Error>) -> Result<(), Malformed> {
    match parsed {
        Ok(Status::Complete(_)) => Ok(()),
        Ok(Status::Partial) => Err(Malformed::StartLine),
        Err(error) => Err(malformed(error)),
    }
}

/// A target in one of the forms that its method may have (RFC 9112, 3.2): `Uri` alone would take
/// `chat` for an authority.
fn target(method: &Method, path: &str) -> Result<Uri, Malformed> {
    let uri = Uri::try_from(path).map_err(|_| Malformed::Target)?;
    let fits = match uri.scheme() {
        Some(_) => true,
        None if uri.authority().is_some() => method == Method::CONNECT,
        None => path.starts_with('/') || (path == "*" && method == Method::OPTIONS),
    };
    if fits { Ok(uri) } else { Err(Malformed::Target) }
}

fn version(minor: Option<u8>) -> Result<Version, Malformed> {
    match minor {
        Some(0) => Ok(Version::HTTP_10),
        Some(1) => Ok(Version::HTTP_11),
        _ => Err(Malformed::Version),
    }
}

fn header_map(lines: &[Header<'_>], limit: usize) -> Result<HeaderMap, HeadError> {
    // `HeaderMap` has a limit of its own, above any that makes sense here.
    let too_many = |_| HeadError::TooManyHeaders { limit };
    let mut headers = HeaderMap::try_with_capacity(lines.len()).map_err(too_many)?;
    for line in lines {
        let name =
            HeaderName::from_bytes(line.name.as_bytes()).map_err(|_| Malformed::HeaderName)?;
        let value = HeaderValue::from_bytes(line.value).map_err(|_| Malformed::HeaderValue)?;
        headers.try_append(name, value).map_err(too_many)?;
    }
    Ok(headers)
}

/// Not a `From`, which would be public: that httparse parses is nobody's business.
fn malformed(error: httparse::Error) -> Malformed {
    match error {
        httparse::Error::HeaderName => Malformed::HeaderName,
        httparse::Error::HeaderValue => Malformed::HeaderValue,
        httparse::Error::NewLine => Malformed::LineEnd,
        httparse::Error::Version => Malformed::Version,
        // Too many can't be: `header_lines` made room for each line.
        httparse::Error::Status | httparse::Error::Token | httparse::Error::TooManyHeaders => {
            Malformed::StartLine
        }
    }
}

const START_AND_EMPTY_LINE: usize = 2;

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(head: &str) -> HeadError {
        request(head.as_bytes(), 128).expect_err(head)
    }

    #[test]
    fn request_is_read_with_its_version_for_the_judge() {
        let head = b"GET /chat?a=b HTTP/1.0\r\nHost: a\r\nX-Two: 1\r\nx-two:\t2 \r\n\r\n";
        let request = request(head, 128).expect("a request");
        assert_eq!(
            (request.method(), request.uri().to_string()),
            (&Method::GET, "/chat?a=b".into())
        );
        assert_eq!(request.version(), Version::HTTP_10);
        assert_eq!(request.headers().get_all("x-two").iter().collect::<Vec<_>>(), ["1", "2"]);
    }

    #[test]
    fn absolute_form_is_fine() {
        let request =
            request(b"GET http://a.com:8080/chat HTTP/1.1\r\n\r\n", 128).expect("a request");
        assert_eq!((request.uri().host(), request.uri().path()), (Some("a.com"), "/chat"));
    }

    #[test]
    fn target_that_is_no_uri_is_an_error_and_never_a_panic() {
        for target in [
            "chat",
            "a:b",
            "*",
            "ht!tp://a",
            "http://",
            "/\x7f",
            "/\u{1}",
            "http://[::1/",
            "?a",
            "/<>",
        ] {
            let error = refused(&format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n"));
            assert!(
                matches!(error, HeadError::Malformed(Malformed::Target | Malformed::StartLine)),
                "{target:?} {error:?}"
            );
        }
    }

    #[test]
    fn authority_and_asterisk_are_targets_of_their_methods() {
        assert!(request(b"CONNECT a.com:443 HTTP/1.1\r\n\r\n", 0).is_ok());
        assert!(request(b"OPTIONS * HTTP/1.1\r\n\r\n", 0).is_ok());
    }

    #[test]
    fn empty_line_before_the_request_is_skipped() {
        assert!(request(b"\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", 128).is_ok(), "RFC 9112, 2.2");
    }

    #[test]
    fn malformed_heads_are_told_apart() {
        use Malformed as M;
        let heads = [
            ("\r\n\r\n", M::StartLine),
            ("GET /\r\n\r\n", M::StartLine),
            ("GET / HTTP/2.0\r\n\r\n", M::Version),
            ("GET / HTTP/1.1 x\r\n\r\n", M::LineEnd),
            ("G(T / HTTP/1.1\r\n\r\n", M::StartLine),
            ("GET / HTTP/1.1\r\nHost : a\r\n\r\n", M::HeaderName),
            ("GET / HTTP/1.1\r\n: a\r\n\r\n", M::HeaderName),
            ("GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n", M::HeaderName),
            ("GET / HTTP/1.1\r\nHost: a\x00\r\n\r\n", M::HeaderValue),
        ];
        for (head, part) in heads {
            assert_eq!(refused(head), HeadError::Malformed(part), "{head:?}");
        }
    }

    #[test]
    fn header_lines_are_counted_against_the_limit() {
        let head = |n| format!("GET / HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(n)).into_bytes();
        assert_eq!(request(&head(128), 128).expect("within the limit").headers().len(), 128);
        assert_eq!(
            request(&head(129), 128).expect_err("over it"),
            HeadError::TooManyHeaders { limit: 128 }
        );
    }

    #[test]
    fn map_that_can_hold_no_more_headers_is_an_error_and_never_a_panic() {
        let head = format!(
            "GET / HTTP/1.1\r\n{}\r\n",
            (0..40_000).map(|n| format!("h{n}:\r\n")).collect::<String>()
        );
        let error = request(head.as_bytes(), usize::MAX).expect_err("more than the map holds");
        assert_eq!(error, HeadError::TooManyHeaders { limit: usize::MAX });
    }

    #[test]
    fn response_needs_no_reason_phrase() {
        for head in [
            "HTTP/1.1 101 Switching Protocols\r\n\r\n",
            "HTTP/1.1 101 \r\n\r\n",
            "HTTP/1.1 101\r\n\r\n",
        ] {
            assert_eq!(
                response(head.as_bytes(), 128).expect(head).status(),
                StatusCode::SWITCHING_PROTOCOLS
            );
        }
        assert!(response(b"HTTP/1.1 099 Low\r\n\r\n", 128).is_err());
        assert!(response(b"HTTP/1.1 10\r\n\r\n", 128).is_err());
    }
}
