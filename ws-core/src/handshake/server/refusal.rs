//! Refusals of a request, and their responses.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;

use bytes::Bytes;
use http::header::{
    ALLOW, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, SEC_WEBSOCKET_VERSION, TRANSFER_ENCODING,
    UPGRADE,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, Version};

use super::upgrade::Upgrade;
use crate::handshake::headers::has_token;
use crate::handshake::http1::{HeadError, Malformed};

/// Why a request is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// The head was not complete by the handshake's deadline (408).
    HeadTimeout,
    /// The head is over a limit (431), malformed, or of another protocol (400).
    Head(HeadError),
    /// There is no `Host` (400).
    HostMissing,
    /// `Host` is empty (400).
    HostEmpty,
    /// `Host` stands more than once (400).
    HostRepeated,
    /// There is a `Transfer-Encoding` (400): an upgrade has no body.
    TransferEncoding,
    /// There is a `Content-Length` other than 0 (400).
    ContentLength,
    /// The version is below HTTP/1.1 (426).
    HttpVersion(Version),
    /// `Connection` lacks the token `upgrade` (426).
    ConnectionLacksUpgrade,
    /// `Upgrade` lacks the token `websocket` (426).
    UpgradeLacksWebSocket,
    /// The method is not GET (405).
    NotGet(Method),
    /// The method of an extended CONNECT is not CONNECT (405).
    NotConnect(Method),
    /// `Sec-WebSocket-Version` is not exactly 13 (426).
    WebSocketVersion,
    /// There is no `Sec-WebSocket-Key` (400).
    KeyMissing,
    /// `Sec-WebSocket-Key` stands more than once (400).
    KeyRepeated,
    /// `Sec-WebSocket-Key` is not 22 characters of base64's alphabet and `==` (400).
    KeyMalformed,
    /// The policy doesn't allow the request's origin (403).
    Origin {
        /// The request's `Origin`; repeated ones are joined with commas.
        origin: String,
        /// The host that the request was sent to.
        host: String,
    },
    /// The `:protocol` of an extended CONNECT is not `websocket` (501; RFC 8441, 5).
    OtherProtocol(String),
    /// The HTTP server that read the request doesn't hand its connection over (500).
    NoUpgrade,
    /// The server is shutting down (503).
    GoingDown,
}

impl Refusal {
    /// Returns the response's status.
    pub fn status(&self) -> StatusCode {
        self.answer().0
    }

    /// Returns the whole response, whose body says why.
    ///
    /// Over an extended CONNECT it has no `Connection` and no `Upgrade` header: HTTP/2 forbids them.
    pub fn response(&self, upgrade: Upgrade) -> Response<Bytes> {
        let (status, headers) = self.answer();
        let mut response = Response::new(Bytes::from(format!("{self}\n")));
        *response.status_mut() = status;
        response.headers_mut().extend(headers.iter().cloned().map(with_value));
        refuse(response, upgrade)
    }

    /// Returns what the response says besides its text.
    fn answer(&self) -> Answer {
        match self {
            Self::HeadTimeout => (StatusCode::REQUEST_TIMEOUT, &[]),
            Self::Head(error) => (status_of_head(error), &[]),
            Self::HostMissing
            | Self::HostEmpty
            | Self::HostRepeated
            | Self::TransferEncoding
            | Self::ContentLength
            | Self::KeyMissing
            | Self::KeyRepeated
            | Self::KeyMalformed => (StatusCode::BAD_REQUEST, &[]),
            Self::HttpVersion(_) | Self::ConnectionLacksUpgrade | Self::UpgradeLacksWebSocket => {
                (StatusCode::UPGRADE_REQUIRED, TO_WEBSOCKET)
            }
            Self::WebSocketVersion => (StatusCode::UPGRADE_REQUIRED, TO_WEBSOCKET_13),
            Self::NotGet(_) => (StatusCode::METHOD_NOT_ALLOWED, &[(ALLOW, "GET")]),
            Self::NotConnect(_) => (StatusCode::METHOD_NOT_ALLOWED, &[(ALLOW, "CONNECT")]),
            Self::Origin { .. } => (StatusCode::FORBIDDEN, &[]),
            Self::OtherProtocol(_) => (StatusCode::NOT_IMPLEMENTED, &[]),
            Self::NoUpgrade => (StatusCode::INTERNAL_SERVER_ERROR, &[]),
            Self::GoingDown => (StatusCode::SERVICE_UNAVAILABLE, &[]),
        }
    }

    fn text(&self) -> Cow<'static, str> {
        match self {
            Self::HeadTimeout => "the request's head did not arrive in time".into(),
            Self::Head(error) => error.to_string().into(),
            Self::HostMissing => "the request has no Host".into(),
            Self::HostEmpty => "the request's Host is empty".into(),
            Self::HostRepeated => "the request has more than one Host".into(),
            Self::TransferEncoding => "a WebSocket handshake has no Transfer-Encoding".into(),
            Self::ContentLength => "a WebSocket handshake has no body".into(),
            Self::HttpVersion(it) => {
                format!("a WebSocket handshake needs HTTP/1.1, not {it:?}").into()
            }
            Self::ConnectionLacksUpgrade => {
                "the request's Connection lacks the token upgrade".into()
            }
            Self::UpgradeLacksWebSocket => "the request's Upgrade lacks the token websocket".into(),
            Self::NotGet(it) => format!("a WebSocket handshake is a GET, not a {it}").into(),
            Self::NotConnect(it) => {
                format!("a WebSocket handshake over HTTP/2 is a CONNECT, not a {it}").into()
            }
            Self::WebSocketVersion => "the request's Sec-WebSocket-Version is not 13".into(),
            Self::KeyMissing => "the request has no Sec-WebSocket-Key".into(),
            Self::KeyRepeated => "the request has more than one Sec-WebSocket-Key".into(),
            Self::KeyMalformed => {
                "the request's Sec-WebSocket-Key is not 16 bytes in base64".into()
            }
            Self::Origin { origin, host } => {
                format!("origin {origin:?} is not allowed to connect to host {host:?}").into()
            }
            Self::OtherProtocol(protocol) => {
                format!("the protocol {protocol:?} is not spoken here").into()
            }
            Self::NoUpgrade => "the HTTP server does not hand its connections over".into(),
            Self::GoingDown => "the server is shutting down".into(),
        }
    }
}

fn status_of_head(error: &HeadError) -> StatusCode {
    match error {
        HeadError::NotHttp(_) | HeadError::Malformed(_) => StatusCode::BAD_REQUEST,
        HeadError::TooLong { .. } | HeadError::TooManyHeaders { .. } => {
            StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE
        }
    }
}

/// Completes a refusal of the caller's own.
///
/// Status, headers and body stay, except: `Content-Length` becomes the body's, `Content-Type` defaults to `text/plain;
/// charset=utf-8`, `Transfer-Encoding` is removed, and `Connection` gets `close`. A status that would accept (1xx; over
/// an extended CONNECT also 2xx) becomes 500. A body that HTTP doesn't allow (204, 304) is removed. Over an extended
/// CONNECT, `Connection` and `Upgrade` are removed: HTTP/2 forbids them.
pub fn refuse(mut response: Response<Bytes>, upgrade: Upgrade) -> Response<Bytes> {
    if accepts(response.status(), upgrade) {
        *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    }
    set_body_headers(&mut response);
    match upgrade {
        Upgrade::Http1 => add_close(response.headers_mut()),
        Upgrade::ExtendedConnect => remove_hop_by_hop(response.headers_mut()),
    }
    response
}

fn add_close(headers: &mut HeaderMap) {
    if !has_token(headers, &CONNECTION, "close") {
        headers.append(CONNECTION, HeaderValue::from_static("close"));
    }
}

fn remove_hop_by_hop(headers: &mut HeaderMap) {
    headers.remove(CONNECTION);
    headers.remove(UPGRADE);
}

fn accepts(status: StatusCode, upgrade: Upgrade) -> bool {
    match upgrade {
        Upgrade::Http1 => status.is_informational(),
        Upgrade::ExtendedConnect => status.is_informational() || status.is_success(),
    }
}

fn set_body_headers(response: &mut Response<Bytes>) {
    response.headers_mut().remove(TRANSFER_ENCODING);
    if matches!(response.status(), StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED) {
        *response.body_mut() = Bytes::new();
        response.headers_mut().remove(CONTENT_LENGTH);
        return;
    }
    let length = response.body().len().into();
    response.headers_mut().insert(CONTENT_LENGTH, length);
    response
        .headers_mut()
        .entry(CONTENT_TYPE)
        .or_insert(HeaderValue::from_static("text/plain; charset=utf-8"));
}

fn with_value((name, value): (HeaderName, &'static str)) -> (HeaderName, HeaderValue) {
    (name, HeaderValue::from_static(value))
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text())
    }
}

impl Error for Refusal {}

impl From<HeadError> for Refusal {
    fn from(error: HeadError) -> Self {
        Self::Head(error)
    }
}

impl From<Malformed> for Refusal {
    fn from(part: Malformed) -> Self {
        Self::Head(part.into())
    }
}

type Answer = (StatusCode, Headers);

type Headers = &'static [(HeaderName, &'static str)];

/// What a 426 must say (RFC 9110, 15.5.22).
const TO_WEBSOCKET: Headers = &[(CONNECTION, "Upgrade"), (UPGRADE, "websocket")];

/// And what it says to another version of the protocol (RFC 6455, 4.4).
const TO_WEBSOCKET_13: Headers =
    &[(CONNECTION, "Upgrade"), (UPGRADE, "websocket"), (SEC_WEBSOCKET_VERSION, "13")];

#[cfg(test)]
mod tests {
    use super::*;

    fn own(status: u16, headers: &[(HeaderName, &'static str)]) -> Response<Bytes> {
        let mut response =
            Response::builder().status(status).body(Bytes::from("no")).expect("a response");
        response.headers_mut().extend(headers.iter().cloned().map(with_value));
        response
    }

    fn all<'a>(response: &'a Response<Bytes>, name: &HeaderName) -> Vec<&'a HeaderValue> {
        response.headers().get_all(name).iter().collect()
    }

    #[test]
    fn refusal_is_a_whole_response_that_says_why() {
        let response = Refusal::KeyMissing.response(Upgrade::Http1);
        assert_eq!(response.status(), 400);
        assert_eq!(all(&response, &CONNECTION), ["close"]);
        assert_eq!(all(&response, &CONTENT_TYPE), ["text/plain; charset=utf-8"]);
        assert_eq!(all(&response, &CONTENT_LENGTH), [&*response.body().len().to_string()]);
        assert_eq!(response.body(), "the request has no Sec-WebSocket-Key\n");
    }

    #[test]
    fn every_426_has_upgrade_and_connection() {
        let lacking = [
            Refusal::HttpVersion(Version::HTTP_10),
            Refusal::ConnectionLacksUpgrade,
            Refusal::UpgradeLacksWebSocket,
            Refusal::WebSocketVersion,
        ];
        for refusal in lacking {
            let response = refusal.response(Upgrade::Http1);
            assert_eq!(response.status(), 426);
            assert_eq!(all(&response, &UPGRADE), ["websocket"]);
            assert_eq!(all(&response, &CONNECTION), ["Upgrade", "close"]);
            let version = response.headers().get(SEC_WEBSOCKET_VERSION).map(|it| it.as_bytes());
            assert_eq!(version, (refusal == Refusal::WebSocketVersion).then_some(&b"13"[..]));
        }
    }

    #[test]
    fn head_that_is_late_or_over_a_limit_or_malformed_has_its_own_status() {
        assert_eq!(Refusal::HeadTimeout.status(), 408);
        assert_eq!(Refusal::Head(HeadError::TooLong { limit: 9 }).status(), 431);
        assert_eq!(Refusal::Head(HeadError::TooManyHeaders { limit: 9 }).status(), 431);
        assert_eq!(Refusal::from(Malformed::LineEnd).status(), 400);
    }

    #[test]
    fn what_the_server_cannot_do_has_a_5xx() {
        assert_eq!(Refusal::OtherProtocol("connect-udp".into()).status(), 501);
        assert_eq!(Refusal::NoUpgrade.status(), 500);
        assert_eq!(Refusal::GoingDown.status(), 503);
    }

    #[test]
    fn refusal_over_http2_has_no_headers_of_the_connection() {
        let response = Refusal::WebSocketVersion.response(Upgrade::ExtendedConnect);
        assert!(
            !response.headers().contains_key(CONNECTION)
                && !response.headers().contains_key(UPGRADE)
        );
        assert_eq!(response.headers()[SEC_WEBSOCKET_VERSION], "13");
    }

    #[test]
    fn refusal_of_the_callers_own_keeps_what_it_says() {
        let response = own(
            401,
            &[(CONTENT_TYPE, "text/html"), (CONTENT_LENGTH, "9"), (TRANSFER_ENCODING, "chunked")],
        );
        let response = refuse(response, Upgrade::Http1);
        assert_eq!((response.status().as_u16(), &response.body()[..]), (401, &b"no"[..]));
        assert_eq!(all(&response, &CONTENT_TYPE), ["text/html"]);
        assert_eq!(all(&response, &CONTENT_LENGTH), ["2"]);
        assert_eq!(all(&response, &CONNECTION), ["close"]);
        assert!(!response.headers().contains_key(TRANSFER_ENCODING));
    }

    #[test]
    fn refusal_never_accepts() {
        for (status, upgrade, written) in [
            (101, Upgrade::Http1, 500),
            (100, Upgrade::ExtendedConnect, 500),
            (200, Upgrade::ExtendedConnect, 500),
            (200, Upgrade::Http1, 200),
        ] {
            assert_eq!(refuse(own(status, &[]), upgrade).status(), written);
        }
    }

    #[test]
    fn refusal_that_can_have_no_body_has_none() {
        for status in [204, 304] {
            let response = refuse(own(status, &[(CONTENT_LENGTH, "2")]), Upgrade::Http1);
            assert!(response.body().is_empty() && !response.headers().contains_key(CONTENT_LENGTH));
        }
    }
}
