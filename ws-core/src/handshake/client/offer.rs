//! What a client asks for.

use std::error::Error;
use std::fmt;

use http::header::{
    AUTHORIZATION, CONNECTION, COOKIE, HOST, PROXY_AUTHORIZATION, SEC_WEBSOCKET_EXTENSIONS,
    SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION, UPGRADE,
};
use http::uri::Scheme;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri, Version};

use super::target::{Security, Target};
use crate::deflate::options::CompressionOptions;
use crate::handshake::headers::{is_reserved, is_token};
use crate::handshake::key::Key;

/// A client's request, except for target and key, which differ for each attempt. By default, it asks for nothing beyond
/// a WebSocket.
#[derive(Clone, Debug, Default)]
pub struct Offer {
    host: Option<HeaderValue>,
    headers: HeaderMap,
    subprotocols: Vec<String>,
    compression: CompressionOptions,
}

impl Offer {
    /// Makes the default offer.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the value of `Host`. Default: the target's.
    pub fn host(mut self, host: HeaderValue) -> Self {
        self.host = Some(host);
        self
    }

    /// Sets headers to send along. An `Authorization` among them replaces the URL's. Default none.
    ///
    /// # Errors
    ///
    /// One of them is the handshake's own ([`is_reserved`]).
    pub fn headers(mut self, headers: HeaderMap) -> Result<Self, OfferError> {
        match headers.keys().find(|name| is_reserved(name)) {
            Some(name) => Err(OfferError::ReservedHeader(name.clone())),
            None => {
                self.headers = headers;
                Ok(self)
            }
        }
    }

    /// Sets the subprotocols to ask for, in order of preference. Default none.
    ///
    /// # Errors
    ///
    /// One of them is not a token of RFC 9110, 5.6.2, or stands twice.
    pub fn subprotocols<I: IntoIterator<Item: Into<String>>>(
        mut self,
        subprotocols: I,
    ) -> Result<Self, OfferError> {
        self.subprotocols.clear();
        for subprotocol in subprotocols.into_iter().map(Into::into) {
            if !is_token(&subprotocol) {
                return Err(OfferError::SubprotocolNotToken(subprotocol));
            }
            if self.asked_for(&subprotocol).is_some() {
                return Err(OfferError::SubprotocolRepeated(subprotocol));
            }
            self.subprotocols.push(subprotocol);
        }
        Ok(self)
    }

    /// Sets whether and how to compress, if the server agrees. Default off.
    #[cfg(feature = "deflate")]
    pub fn compression(mut self, options: impl Into<CompressionOptions>) -> Self {
        self.compression = options.into();
        self
    }

    /// Returns the offer for another host after a redirect: without the caller's `Authorization`, `Cookie`, `Cookie2`,
    /// `Proxy-Authorization` and `Host`. Other headers stay; they should hold no secrets.
    pub fn without_credentials(mut self) -> Self {
        self.host = None;
        for name in [AUTHORIZATION, COOKIE, COOKIE2, PROXY_AUTHORIZATION] {
            self.headers.remove(name);
        }
        self
    }

    /// Returns the request for the target (RFC 6455, 4.1). The key must be new for each attempt.
    pub fn request(&self, target: &Target, key: &Key) -> Request<()> {
        let mut request = Request::new(());
        *request.uri_mut() = Uri::from(target.path().clone());
        let headers = request.headers_mut();
        headers.insert(HOST, self.host_of(target).clone());
        headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
        headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
        headers.insert(SEC_WEBSOCKET_KEY, HeaderValue::from(*key));
        self.ask(target, headers);
        request
    }

    /// Returns the extended CONNECT for the target (RFC 8441, 5), for HTTP/2 and later. Its `:protocol`, which must be `websocket`, is
    /// set by whoever sends it.
    ///
    /// # Errors
    ///
    /// The caller's `Host` is no authority.
    pub fn connect_request(&self, target: &Target) -> Result<Request<()>, OfferError> {
        let scheme = match target.security() {
            Security::Plain => Scheme::HTTP,
            Security::Tls => Scheme::HTTPS,
        };
        let host = self.host_of(target);
        let uri = Uri::builder().scheme(scheme).authority(host.as_bytes());
        let uri = uri.path_and_query(target.path().clone()).build();
        let mut request = Request::new(());
        *request.method_mut() = Method::CONNECT;
        *request.version_mut() = Version::HTTP_2;
        *request.uri_mut() = uri.map_err(|_| OfferError::HostNotAuthority(host.clone()))?;
        let headers = request.headers_mut();
        headers.insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
        self.ask(target, headers);
        Ok(request)
    }

    fn host_of<'a>(&'a self, target: &'a Target) -> &'a HeaderValue {
        self.host.as_ref().unwrap_or(target.host_header())
    }

    /// Adds what is asked for over every version of HTTP.
    fn ask(&self, target: &Target, headers: &mut HeaderMap) {
        headers.extend(self.subprotocol_list().map(|list| (SEC_WEBSOCKET_PROTOCOL, list)));
        headers.extend(self.extensions().map(|offer| (SEC_WEBSOCKET_EXTENSIONS, offer)));
        headers.extend(target.authorization().map(|it| (AUTHORIZATION, it.clone())));
        // Replaces headers of the same name; only `Authorization` can be one.
        headers.extend(self.headers.clone());
    }

    /// Finds a subprotocol among those asked for, in any case.
    pub(super) fn asked_for(&self, subprotocol: &str) -> Option<&str> {
        self.subprotocols
            .iter()
            .find(|asked| asked.eq_ignore_ascii_case(subprotocol))
            .map(String::as_str)
    }

    /// Returns the compression that was asked for.
    pub(super) fn asked_compression(&self) -> &CompressionOptions {
        &self.compression
    }

    fn extensions(&self) -> Option<HeaderValue> {
        let offer = self.compression.offer()?.to_string();
        Some(HeaderValue::try_from(offer).expect("tokens are visible ASCII"))
    }

    fn subprotocol_list(&self) -> Option<HeaderValue> {
        let list = self.subprotocols.join(", ");
        (!list.is_empty()).then(|| HeaderValue::try_from(list).expect("tokens are visible ASCII"))
    }
}

/// What a caller can't ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OfferError {
    /// This header is the handshake's own.
    ReservedHeader(HeaderName),
    /// This subprotocol is not a token: it is empty, or has characters such as space, comma and
    /// slash.
    SubprotocolNotToken(String),
    /// This subprotocol stands twice.
    SubprotocolRepeated(String),
    /// This `Host` can't be an `:authority`, which stands for it over HTTP/2.
    HostNotAuthority(HeaderValue),
}

impl fmt::Display for OfferError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ReservedHeader(name) => {
                write!(f, "the header {name} is set by the handshake itself")
            }
            Self::SubprotocolNotToken(name) => write!(f, "the subprotocol {name:?} is not a token"),
            Self::SubprotocolRepeated(name) => {
                write!(f, "the subprotocol {name:?} is asked for twice")
            }
            Self::HostNotAuthority(host) => write!(f, "the host {host:?} can't be an authority"),
        }
    }
}

impl Error for OfferError {}

/// The predecessor's cookies (RFC 2965) still pass for cookies at some servers.
const COOKIE2: HeaderName = HeaderName::from_static("cookie2");

#[cfg(test)]
mod tests {
    use super::*;
    use crate::handshake::http1::write_request;

    fn key() -> Key {
        Key::from_random(*b"the sample nonce")
    }

    fn headers(headers: &[(&str, &str)]) -> HeaderMap {
        let parse = |(name, value): &(&str, &str)| {
            (name.parse().expect("a name"), value.parse().expect("a value"))
        };
        headers.iter().map(parse).collect::<HeaderMap>()
    }

    fn written(offer: &Offer, url: &str) -> String {
        let mut out = Vec::new();
        write_request(&offer.request(&Target::parse(url).expect(url), &key()), &mut out);
        String::from_utf8(out).expect("ASCII")
    }

    #[test]
    fn request_is_written_with_the_rfcs_casing_and_host_first() {
        let offer = Offer::new().subprotocols(["chat", "v2"]).expect("tokens");
        let offer = offer.headers(headers(&[("x-a", "1"), ("x-a", "2")])).expect("none reserved");
        assert_eq!(
            written(&offer, "ws://user:secret@[::1]:8080/chat?a=b"),
            "GET /chat?a=b HTTP/1.1\r\nHost: [::1]:8080\r\nConnection: Upgrade\r\n\
             Upgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
             Sec-WebSocket-Protocol: chat, v2\r\nAuthorization: Basic dXNlcjpzZWNyZXQ=\r\n\
             X-A: 1\r\nX-A: 2\r\n\r\n"
        );
    }

    #[test]
    fn the_connect_of_a_target_has_its_parts_and_no_key() {
        let target = Target::parse("wss://user:secret@[::1]:8443/chat?a=b").expect("a URL");
        let offer = Offer::new().subprotocols(["chat"]).expect("a token");
        let request = offer.connect_request(&target).expect("a request");
        assert_eq!((request.method(), request.version()), (&Method::CONNECT, Version::HTTP_2));
        assert_eq!(request.uri(), "https://[::1]:8443/chat?a=b");
        let names: Vec<_> = request.headers().keys().map(HeaderName::as_str).collect();
        assert_eq!(names, ["sec-websocket-version", "sec-websocket-protocol", "authorization"]);
        let virtually = offer.clone().host(HeaderValue::from_static("virtual:1"));
        let request = virtually.connect_request(&target).expect("a request");
        assert_eq!(request.uri().authority().expect("one"), "virtual:1");
        let broken = offer.host(HeaderValue::from_static("a b"));
        let error = broken.connect_request(&target).expect_err("no authority");
        assert_eq!(error.to_string(), "the host \"a b\" can't be an authority");
    }

    #[test]
    fn callers_host_and_authorization_go_before_the_urls() {
        let offer = Offer::new().host(HeaderValue::from_static("virtual"));
        let offer =
            offer.headers(headers(&[("authorization", "Bearer x")])).expect("none reserved");
        let request = offer.request(&Target::parse("ws://user:secret@a").expect("a URL"), &key());
        assert_eq!(request.headers().get_all(HOST).iter().collect::<Vec<_>>(), ["virtual"]);
        assert_eq!(
            request.headers().get_all(AUTHORIZATION).iter().collect::<Vec<_>>(),
            ["Bearer x"]
        );
    }

    #[test]
    fn headers_of_the_handshake_are_not_the_callers() {
        for name in [
            "host",
            "connection",
            "upgrade",
            "sec-websocket-key",
            "sec-websocket-extensions",
            "content-length",
        ] {
            let error = Offer::new().headers(headers(&[("x", "y"), (name, "z")])).expect_err(name);
            assert_eq!(
                error.to_string(),
                format!("the header {name} is set by the handshake itself")
            );
        }
    }

    #[test]
    fn subprotocols_are_tokens_and_stand_once() {
        let error =
            |list: [&str; 2]| Offer::new().subprotocols(list).expect_err("not to be asked for");
        assert_eq!(error(["a", "b c"]), OfferError::SubprotocolNotToken("b c".into()));
        assert_eq!(error(["a", ""]), OfferError::SubprotocolNotToken("".into()));
        assert_eq!(error(["a", "A"]), OfferError::SubprotocolRepeated("A".into()));
    }

    #[test]
    fn credentials_and_host_override_can_be_dropped() {
        let offer = Offer::new().host(HeaderValue::from_static("virtual"));
        let all = [
            ("authorization", "a"),
            ("cookie", "b"),
            ("cookie2", "c"),
            ("proxy-authorization", "d"),
            ("x-a", "e"),
        ];
        let offer = offer.headers(headers(&all)).expect("none reserved").without_credentials();
        let request = offer.request(&Target::parse("ws://a").expect("a URL"), &key());
        assert_eq!(
            (request.headers().len(), &request.headers()[HOST]),
            (6, &HeaderValue::from_static("a"))
        );
    }
}
