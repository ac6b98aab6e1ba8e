//! How the handshake reads headers: token lists, single values, and reserved names.

use std::str;

use http::header::{
    CONNECTION, CONTENT_LENGTH, HOST, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_EXTENSIONS,
    SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION, TRANSFER_ENCODING, UPGRADE,
};
use http::{HeaderMap, HeaderName, HeaderValue};

/// Returns the elements of a comma-separated list, across repeated headers, trimmed and without empty ones (RFC 9110,
/// 5.6.1).
///
/// For lists of plain tokens: a comma inside quotes separates too. Elements that are not UTF-8 are left out.
pub fn tokens<'a>(
    headers: &'a HeaderMap,
    name: &HeaderName,
) -> impl Iterator<Item = &'a str> + use<'a> {
    tokens_in(headers.get_all(name))
}

/// The elements of these values' lists, as [`tokens`].
pub(super) fn tokens_in<'a>(
    values: impl IntoIterator<Item = &'a HeaderValue>,
) -> impl Iterator<Item = &'a str> {
    let elements = values.into_iter().flat_map(|value| value.as_bytes().split(|b| *b == b','));
    elements
        .filter_map(|element| str::from_utf8(element.trim_ascii()).ok())
        .filter(|token| !token.is_empty())
}

/// Returns whether the list has this token, in any case.
pub fn has_token(headers: &HeaderMap, name: &HeaderName, token: &str) -> bool {
    tokens(headers, name).any(|it| it.eq_ignore_ascii_case(token))
}

/// Returns whether a header of this name is reserved for the handshake or for framing, so that a caller can't add it.
///
/// Reserved are `Host`, `Connection`, `Upgrade`, `Content-Length`, `Transfer-Encoding`, and `Sec-WebSocket-` with
/// `Key`, `Accept`, `Version`, `Protocol`, `Extensions`.
pub fn is_reserved(name: &HeaderName) -> bool {
    RESERVED.contains(name)
}

/// How often a single-valued header occurs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Occurrence<'a> {
    Missing,
    /// The value, trimmed.
    Once(&'a [u8]),
    Repeated,
}

pub(super) fn occurrence<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Occurrence<'a> {
    let mut values = headers.get_all(name).into_iter();
    match (values.next(), values.next()) {
        (None, _) => Occurrence::Missing,
        (Some(value), None) => Occurrence::Once(value.as_bytes().trim_ascii()),
        (Some(_), Some(_)) => Occurrence::Repeated,
    }
}

/// Whether this is a token (RFC 9110, 5.6.2).
pub(super) fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(is_token_byte)
}

/// Whether a token may have this byte.
pub(super) fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

const RESERVED: [HeaderName; 10] = [
    HOST,
    CONNECTION,
    UPGRADE,
    CONTENT_LENGTH,
    TRANSFER_ENCODING,
    SEC_WEBSOCKET_KEY,
    SEC_WEBSOCKET_ACCEPT,
    SEC_WEBSOCKET_VERSION,
    SEC_WEBSOCKET_PROTOCOL,
    SEC_WEBSOCKET_EXTENSIONS,
];

#[cfg(test)]
mod tests {
    use super::*;

    fn connection(values: &[&'static str]) -> HeaderMap {
        values.iter().map(|value| (CONNECTION, HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn lists_go_over_commas_and_repeated_headers() {
        let headers = connection(&["keep-alive,\tUpgrade", "", " , x ,"]);
        assert_eq!(
            tokens(&headers, &CONNECTION).collect::<Vec<_>>(),
            ["keep-alive", "Upgrade", "x"]
        );
    }

    #[test]
    fn tokens_are_found_in_any_case_and_only_whole() {
        assert!(has_token(&connection(&["keep-alive", "x, UPGRADE"]), &CONNECTION, "upgrade"));
        assert!(!has_token(&connection(&["upgrades", "up grade"]), &CONNECTION, "upgrade"));
        assert!(!has_token(&connection(&[]), &CONNECTION, "upgrade"));
    }

    #[test]
    fn element_that_is_not_utf8_hides_no_other() {
        let headers = HeaderMap::from_iter([(
            CONNECTION,
            HeaderValue::from_bytes(b"\xff, upgrade").expect("obs-text"),
        )]);
        assert_eq!(tokens(&headers, &CONNECTION).collect::<Vec<_>>(), ["upgrade"]);
    }

    #[test]
    fn header_that_may_stand_once_is_counted() {
        assert_eq!(occurrence(&connection(&[]), &CONNECTION), Occurrence::Missing);
        assert_eq!(occurrence(&connection(&[" a "]), &CONNECTION), Occurrence::Once(b"a"));
        assert_eq!(occurrence(&connection(&["a", "a"]), &CONNECTION), Occurrence::Repeated);
    }

    #[test]
    fn only_whole_tokens_are_tokens() {
        assert!(is_token("graphql-transport-ws") && is_token("v1.chat~x"));
        assert!(
            ["", "a b", "a,b", "a/b", "\"a\"", "a\r\n", "ä"]
                .into_iter()
                .all(|text| !is_token(text))
        );
    }
}
