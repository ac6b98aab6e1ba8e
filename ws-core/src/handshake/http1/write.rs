//! Heads as bytes, with the casing of the RFCs: naive peers compare header names byte by byte.
//!
//! No CR or LF can get in: none of `http`'s types can hold one.

use std::io::Write;

use http::{HeaderMap, HeaderName, Request, Response, Version};

/// Appends a request's head. HTTP/1.0 is written as such, every other version as HTTP/1.1.
pub fn write_request(request: &Request<()>, out: &mut Vec<u8>) {
    out.reserve(ROOM);
    let (method, version) = (request.method(), version(request.version()));
    write!(out, "{method} {} {version}", request.uri()).expect("a vector takes all");
    write_headers(request.headers(), out);
}

/// Appends a response's head and its body. HTTP/1.0 is written as such, every other version as
/// HTTP/1.1.
pub fn write_response<B: AsRef<[u8]>>(response: &Response<B>, out: &mut Vec<u8>) {
    write_response_head(response, out);
    out.extend_from_slice(response.body().as_ref());
}

/// Appends a response's head without its body, as [`write_response`] does. A response that accepts has no body.
pub fn write_response_head<B>(response: &Response<B>, out: &mut Vec<u8>) {
    let status = response.status();
    let reason = status.canonical_reason().unwrap_or_default();
    out.reserve(ROOM);
    for part in [version(response.version()), " ", status.as_str(), " ", reason] {
        out.extend_from_slice(part.as_bytes());
    }
    write_headers(response.headers(), out);
}

/// Room for most heads, in bytes.
const ROOM: usize = 256;

fn version(version: Version) -> &'static str {
    if version == Version::HTTP_10 { "HTTP/1.0" } else { "HTTP/1.1" }
}

fn write_headers(headers: &HeaderMap, out: &mut Vec<u8>) {
    out.extend_from_slice(b"\r\n");
    for (name, value) in headers {
        write_name(name, out);
        out.extend_from_slice(b": ");
        out.extend_from_slice(value.as_bytes());
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b"\r\n");
}

/// Capitals at the start of each word, and inside those that have a form of their own.
fn write_name(name: &HeaderName, out: &mut Vec<u8>) {
    for (n, word) in name.as_str().split('-').enumerate() {
        if n > 0 {
            out.push(b'-');
        }
        let from = out.len();
        match SPECIAL.iter().find(|special| special.eq_ignore_ascii_case(word)) {
            Some(special) => out.extend_from_slice(special.as_bytes()),
            None => out.extend_from_slice(word.as_bytes()),
        }
        out[from..].iter_mut().take(1).for_each(|first| first.make_ascii_uppercase());
    }
}

/// Words that the RFCs don't write with a single capital.
const SPECIAL: [&str; 4] = ["WebSocket", "WWW", "ETag", "TE"];

#[cfg(test)]
mod tests {
    use super::*;

    fn name(lower: &str) -> String {
        let mut out = Vec::new();
        write_name(&HeaderName::from_bytes(lower.as_bytes()).expect("a name"), &mut out);
        String::from_utf8(out).expect("ASCII")
    }

    #[test]
    fn names_are_written_in_the_casing_of_the_rfcs() {
        assert_eq!(name("sec-websocket-key"), "Sec-WebSocket-Key");
        assert_eq!(name("www-authenticate"), "WWW-Authenticate");
        assert_eq!(
            ["host", "etag", "te", "x-1a--b-"].map(name),
            ["Host", "ETag", "TE", "X-1a--B-"]
        );
    }

    #[test]
    fn request_is_written_to_the_byte() {
        let request = Request::get("/chat?a=b")
            .header("host", "a")
            .header("x-a", "1")
            .header("x-a", "2")
            .body(());
        let mut out = Vec::new();
        write_request(&request.expect("a request"), &mut out);
        assert_eq!(out, b"GET /chat?a=b HTTP/1.1\r\nHost: a\r\nX-A: 1\r\nX-A: 2\r\n\r\n");
    }

    #[test]
    fn response_is_written_to_the_byte_with_or_without_a_known_reason() {
        let mut out = Vec::new();
        for status in [404, 499] {
            let response =
                Response::builder().status(status).header("content-length", "2").body("no");
            write_response(&response.expect("a response"), &mut out);
        }
        let (known, unknown) = ("HTTP/1.1 404 Not Found", "HTTP/1.1 499 ");
        let wire = format!(
            "{known}\r\nContent-Length: 2\r\n\r\nno{unknown}\r\nContent-Length: 2\r\n\r\nno"
        );
        assert_eq!(String::from_utf8(out).expect("ASCII"), wire);
    }

    #[test]
    fn head_of_a_response_is_written_whatever_its_body_is() {
        let response = Response::builder().status(101).header("upgrade", "websocket").body(());
        let mut out = Vec::new();
        write_response_head(&response.expect("a response"), &mut out);
        assert_eq!(out, b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n");
    }
}
