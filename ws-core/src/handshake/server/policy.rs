//! The judge of requests, for raw TCP, HTTP servers' upgrades and HTTP/2.

use std::borrow::Cow;

use http::header::{
    CONNECTION, CONTENT_LENGTH, HOST, ORIGIN, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL,
    SEC_WEBSOCKET_VERSION, TRANSFER_ENCODING, UPGRADE,
};
use http::{HeaderMap, HeaderValue, Method, Version};

use super::accepted::{Accepted, Proof};
use super::head::Head;
use super::refusal::Refusal;
use super::upgrade::Upgrade;
use crate::deflate::options::CompressionOptions;
use crate::handshake::extension::negotiate;
use crate::handshake::headers::{Occurrence, has_token, occurrence, tokens};
use crate::handshake::key::Key;
use crate::handshake::origin::OriginPolicy;

/// What a server accepts. Default: any path, no subprotocol, no compression, pages of its own host.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    subprotocols: Vec<String>,
    origins: OriginPolicy,
    compression: CompressionOptions,
}

impl Policy {
    /// Makes the default policy.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the subprotocols that this server speaks, in order of preference. Default none.
    ///
    /// Matched in any case, and answered as the client wrote them. If there is none in common, the handshake succeeds
    /// without one, but a browser that asked for one fails the connection.
    pub fn subprotocols<I: IntoIterator<Item: Into<String>>>(mut self, subprotocols: I) -> Self {
        self.subprotocols = subprotocols.into_iter().map(Into::into).collect();
        self
    }

    /// Sets which pages may connect. Default [`OriginPolicy::SameHost`].
    pub fn origins(mut self, origins: OriginPolicy) -> Self {
        self.origins = origins;
        self
    }

    /// Sets whether and how to compress. Default off.
    #[cfg(feature = "deflate")]
    pub fn compression(mut self, options: impl Into<CompressionOptions>) -> Self {
        self.compression = options.into();
        self
    }

    /// Judges a request (RFC 6455, 4.2.1; RFC 8441, 5), or only its [`Parts`](http::request::Parts).
    ///
    /// # Errors
    ///
    /// The first violation, in the order of [`Refusal`]'s variants.
    pub fn judge<'a>(
        &self,
        request: impl Into<Head<'a>>,
        upgrade: Upgrade,
    ) -> Result<Accepted, Refusal> {
        let head = request.into();
        let headers = head.headers;
        let host = host(&head, upgrade)?;
        check_no_body(headers)?;
        check_upgrade(&head, upgrade)?;
        check_method(head.method, upgrade)?;
        check_version(headers)?;
        let proof = proof(headers, upgrade)?;
        self.check_origin(headers, &host)?;
        let compression = negotiate(headers, &self.compression);
        let offered = headers.get_all(SEC_WEBSOCKET_PROTOCOL).iter().cloned().collect();
        Ok(Accepted { proof, offered, subprotocol: self.choose_subprotocol(headers), compression })
    }

    fn check_origin(&self, headers: &HeaderMap, host: &str) -> Result<(), Refusal> {
        if self.origins.allows(headers, host) {
            return Ok(());
        }
        let origins =
            headers.get_all(ORIGIN).iter().map(|origin| String::from_utf8_lossy(origin.as_bytes()));
        Err(Refusal::Origin { origin: origins.collect::<Vec<_>>().join(", "), host: host.into() })
    }

    fn choose_subprotocol(&self, headers: &HeaderMap) -> Option<HeaderValue> {
        let offered = |ours: &String| {
            tokens(headers, &SEC_WEBSOCKET_PROTOCOL)
                .find(|theirs| theirs.eq_ignore_ascii_case(ours))
        };
        self.subprotocols
            .iter()
            .find_map(offered)
            .and_then(|chosen| HeaderValue::from_str(chosen).ok())
    }
}

/// The host that the request was sent to: that of an absolute target or `:authority` if there is
/// one (RFC 9112, 3.2.2).
fn host<'a>(head: &Head<'a>, upgrade: Upgrade) -> Result<Cow<'a, str>, Refusal> {
    let authority = head.uri.authority().map(|it| it.as_str());
    let target = authority.map(|it| it.rsplit_once('@').map_or(it, |(_, host)| host).into());
    match (upgrade, occurrence(head.headers, &HOST), target) {
        (_, Occurrence::Repeated, _) => Err(Refusal::HostRepeated),
        (_, Occurrence::Once(b""), _) => Err(Refusal::HostEmpty),
        (Upgrade::Http1, Occurrence::Missing, _)
        | (Upgrade::ExtendedConnect, Occurrence::Missing, None) => Err(Refusal::HostMissing),
        (_, Occurrence::Once(_) | Occurrence::Missing, Some(target)) => Ok(target),
        (_, Occurrence::Once(host), None) => {
            Ok(std::str::from_utf8(host)
                .map_or_else(|_| String::from_utf8_lossy(host), Cow::Borrowed))
        }
    }
}

fn check_no_body(headers: &HeaderMap) -> Result<(), Refusal> {
    if headers.contains_key(TRANSFER_ENCODING) {
        return Err(Refusal::TransferEncoding);
    }
    let lengths = headers.get_all(CONTENT_LENGTH);
    if lengths.iter().all(|length| length.as_bytes().trim_ascii() == b"0") {
        Ok(())
    } else {
        Err(Refusal::ContentLength)
    }
}

fn check_upgrade(head: &Head<'_>, upgrade: Upgrade) -> Result<(), Refusal> {
    if head.version < Version::HTTP_11 {
        return Err(Refusal::HttpVersion(head.version));
    }
    match upgrade {
        Upgrade::Http1 if !has_token(head.headers, &CONNECTION, "upgrade") => {
            Err(Refusal::ConnectionLacksUpgrade)
        }
        Upgrade::Http1 if !has_token(head.headers, &UPGRADE, "websocket") => {
            Err(Refusal::UpgradeLacksWebSocket)
        }
        Upgrade::Http1 | Upgrade::ExtendedConnect => Ok(()),
    }
}

fn check_method(method: &Method, upgrade: Upgrade) -> Result<(), Refusal> {
    match upgrade {
        Upgrade::Http1 if method != Method::GET => Err(Refusal::NotGet(method.clone())),
        Upgrade::ExtendedConnect if method != Method::CONNECT => {
            Err(Refusal::NotConnect(method.clone()))
        }
        Upgrade::Http1 | Upgrade::ExtendedConnect => Ok(()),
    }
}

fn check_version(headers: &HeaderMap) -> Result<(), Refusal> {
    match occurrence(headers, &SEC_WEBSOCKET_VERSION) {
        Occurrence::Once(b"13") => Ok(()),
        Occurrence::Once(_) | Occurrence::Missing | Occurrence::Repeated => {
            Err(Refusal::WebSocketVersion)
        }
    }
}

fn proof(headers: &HeaderMap, upgrade: Upgrade) -> Result<Proof, Refusal> {
    match (upgrade, occurrence(headers, &SEC_WEBSOCKET_KEY)) {
        (Upgrade::ExtendedConnect, _) => Ok(Proof::None),
        (Upgrade::Http1, Occurrence::Missing) => Err(Refusal::KeyMissing),
        (Upgrade::Http1, Occurrence::Repeated) => Err(Refusal::KeyRepeated),
        (Upgrade::Http1, Occurrence::Once(key)) => {
            Key::parse(key).map(|key| Proof::Accept(key.accept())).ok_or(Refusal::KeyMalformed)
        }
    }
}

#[cfg(test)]
mod tests {
    use http::Request;
    use http::header::SEC_WEBSOCKET_ACCEPT;
    use proptest::prelude::*;

    use super::*;
    use crate::handshake::http1::{HeadLimits, HeadReader};

    const REQUEST: &str = "GET /chat HTTP/1.1\r\nHost: server\r\n\
        Connection: keep-alive, Upgrade\r\n\
        Upgrade: websocket\r\n\
        Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

    fn judge(policy: &Policy, head: &str) -> Result<Accepted, Refusal> {
        let mut reader = HeadReader::new(HeadLimits::default());
        let (request, _) = reader.request(format!("{head}\r\n").as_bytes())?.expect("a whole head");
        policy.judge(&request, Upgrade::Http1)
    }

    /// The plain policy's answer to the request after some text in it was replaced.
    fn with(from: &str, to: &str) -> Result<Accepted, Refusal> {
        assert!(REQUEST.contains(from));
        judge(&Policy::new(), &REQUEST.replace(from, to))
    }

    fn adding(line: &str) -> Result<Accepted, Refusal> {
        judge(&Policy::new(), &format!("{REQUEST}{line}\r\n"))
    }

    #[test]
    fn handshake_is_answered_with_101_and_the_accept() {
        let response = adding("X: y").expect("a handshake").response(&HeaderMap::new());
        assert_eq!(response.status(), 101);
        assert_eq!(response.headers()[SEC_WEBSOCKET_ACCEPT], "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
        assert_eq!(response.headers()[CONNECTION], "Upgrade");
        assert_eq!(response.headers()[UPGRADE], "websocket");
        assert_eq!(response.headers().len(), 3);
    }

    #[test]
    fn request_with_a_bad_host_is_a_400() {
        assert_eq!(with("Host: server\r\n", ""), Err(Refusal::HostMissing));
        assert_eq!(with("Host: server", "Host: \t"), Err(Refusal::HostEmpty));
        assert_eq!(adding("host: server"), Err(Refusal::HostRepeated));
    }

    #[test]
    fn request_with_a_body_is_a_400() {
        assert_eq!(adding("Transfer-Encoding: identity"), Err(Refusal::TransferEncoding));
        assert_eq!(adding("Content-Length: 1"), Err(Refusal::ContentLength));
        assert_eq!(adding("Content-Length: 0\r\nContent-Length: 5"), Err(Refusal::ContentLength));
        assert!(adding("Content-Length: 0").is_ok());
    }

    #[test]
    fn request_that_asks_for_no_upgrade_is_a_426() {
        assert_eq!(with("HTTP/1.1", "HTTP/1.0"), Err(Refusal::HttpVersion(Version::HTTP_10)));
        assert_eq!(with("keep-alive, Upgrade", "keep-alive"), Err(Refusal::ConnectionLacksUpgrade));
        assert_eq!(with("websocket", "h2c"), Err(Refusal::UpgradeLacksWebSocket));
        assert!(with("Upgrade: websocket", "Upgrade: h2c, WebSocket").is_ok());
        assert!(
            with(
                "Connection: keep-alive, Upgrade",
                "Connection: keep-alive\r\nconnection: UPGRADE"
            )
            .is_ok()
        );
    }

    #[test]
    fn method_other_than_get_is_a_405() {
        assert_eq!(with("GET", "POST"), Err(Refusal::NotGet(Method::POST)));
        assert_eq!(
            with("GET", "get"),
            Err(Refusal::NotGet(Method::from_bytes(b"get").expect("a token")))
        );
    }

    #[test]
    fn version_other_than_exactly_13_is_a_426() {
        for version in [
            "Sec-WebSocket-Version: 8",
            "Sec-WebSocket-Version: 13, 8",
            "Sec-WebSocket-Version: 013",
            "X: y",
        ] {
            assert_eq!(
                with("Sec-WebSocket-Version: 13", version),
                Err(Refusal::WebSocketVersion),
                "{version}"
            );
        }
        assert_eq!(adding("Sec-WebSocket-Version: 13"), Err(Refusal::WebSocketVersion));
    }

    #[test]
    fn bad_key_is_a_400() {
        let line = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==";
        assert_eq!(with(line, "X: y"), Err(Refusal::KeyMissing));
        assert_eq!(with(line, "Sec-WebSocket-Key: c2hvcnQ="), Err(Refusal::KeyMalformed));
        assert_eq!(adding(line), Err(Refusal::KeyRepeated));
    }

    #[test]
    fn foreign_origin_is_a_403_whose_body_names_origin_and_host() {
        let refusal = adding("Origin: https://evil.com").expect_err("a foreign origin");
        assert_eq!(refusal.status(), 403);
        assert!(
            refusal.to_string().contains("https://evil.com")
                && refusal.to_string().contains("server")
        );
        assert!(adding("Origin: https://SERVER:443").is_ok());
    }

    #[test]
    fn faults_are_judged_in_the_contracts_order() {
        let mut head = "POST / HTTP/1.0\r\nOrigin: null\r\nContent-Length: 1\r\n".to_owned();
        let mut order = Vec::new();
        for (from, to) in [
            ("Origin", "Host: server\r\nOrigin"),
            ("Content-Length: 1", "Content-Length: 0"),
            ("HTTP/1.0", "HTTP/1.1"),
            ("Content", "Connection: upgrade\r\nContent"),
            ("Content", "Upgrade: websocket\r\nContent"),
            ("POST", "GET"),
            ("Content", "Sec-WebSocket-Version: 13\r\nContent"),
            ("Content", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nContent"),
            ("Origin: null\r\n", ""),
        ] {
            order.push(judge(&Policy::new(), &head).expect_err("still at fault").status().as_u16());
            head = head.replacen(from, to, 1);
        }
        assert_eq!(order, [400, 400, 426, 426, 426, 405, 426, 400, 403]);
        assert!(judge(&Policy::new(), &head).is_ok());
    }

    #[test]
    fn host_of_an_absolute_target_is_the_requests_host_without_its_password() {
        let head = REQUEST.replace("/chat", "http://user:secret@other:80/chat");
        assert!(judge(&Policy::new(), &format!("{head}Origin: http://other\r\n")).is_ok());
        let refusal = judge(&Policy::new(), &format!("{head}Origin: http://server\r\n"))
            .expect_err("a foreign origin");
        assert_eq!(
            refusal,
            Refusal::Origin { origin: "http://server".into(), host: "other:80".into() }
        );
    }

    #[test]
    fn servers_preference_wins_and_the_clients_casing_is_answered() {
        let policy = Policy::new().subprotocols(["v2", "v1"]);
        let choose = |lines: &str| {
            let accepted = judge(&policy, &format!("{REQUEST}{lines}")).expect("a handshake");
            assert_eq!(
                accepted.response(&HeaderMap::new()).headers().get(SEC_WEBSOCKET_PROTOCOL),
                accepted.subprotocol.as_ref()
            );
            accepted.subprotocol().map(str::to_owned)
        };
        assert_eq!(
            choose("Sec-WebSocket-Protocol: v1, other\r\nSec-WebSocket-Protocol: V2\r\n"),
            Some("V2".into())
        );
        assert_eq!(choose("Sec-WebSocket-Protocol: v1\r\n"), Some("v1".into()));
        assert_eq!(choose("Sec-WebSocket-Protocol: v\r\n"), None, "none in common is no error");
        assert_eq!(choose(""), None);
    }

    #[test]
    fn callers_headers_are_added_but_never_replace_the_handshakes_own() {
        let accepted = judge(
            &Policy::new().subprotocols(["a"]),
            &format!("{REQUEST}Sec-WebSocket-Protocol: a\r\n"),
        );
        let extra = [
            "set-cookie",
            "set-cookie",
            "sec-websocket-accept",
            "connection",
            "sec-websocket-protocol",
            "content-length",
        ];
        let value = HeaderValue::from_static("b");
        let extra =
            extra.into_iter().map(|name| (name.parse().expect("a name"), value.clone())).collect();
        let response = accepted.expect("a handshake").response(&extra);
        assert_eq!(response.headers().get_all("set-cookie").iter().count(), 2);
        assert_eq!(response.headers().len(), 6);
        assert_eq!(response.headers()[SEC_WEBSOCKET_PROTOCOL], "a");
    }

    fn extended_connect(method: &str, uri: &str) -> Request<()> {
        let request = Request::builder().method(method).uri(uri).version(Version::HTTP_2);
        request.header("sec-websocket-version", "13").body(()).expect("a request")
    }

    #[test]
    fn extended_connect_needs_no_key_and_is_answered_with_200() {
        let request = extended_connect("CONNECT", "https://server/chat");
        let accepted =
            Policy::new().judge(&request, Upgrade::ExtendedConnect).expect("a handshake");
        let response = accepted.response(&HeaderMap::new());
        assert_eq!((response.status().as_u16(), response.headers().len()), (200, 0));
    }

    #[test]
    fn extended_connect_is_judged_by_the_same_rules() {
        let judge = |request: Request<()>| Policy::new().judge(&request, Upgrade::ExtendedConnect);
        assert_eq!(
            judge(extended_connect("GET", "https://server/")),
            Err(Refusal::NotConnect(Method::GET))
        );
        assert_eq!(judge(extended_connect("CONNECT", "/")), Err(Refusal::HostMissing));
        let mut request = extended_connect("CONNECT", "https://server/");
        request.headers_mut().insert(ORIGIN, HeaderValue::from_static("https://evil.com"));
        assert_eq!(judge(request.clone()).expect_err("a foreign origin").status(), 403);
        request.headers_mut().insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("8"));
        assert_eq!(judge(request), Err(Refusal::WebSocketVersion));
    }

    proptest! {
        #[test]
        fn no_request_panics(
            names in proptest::collection::vec((0..9_usize, "[ -~]{0,30}"), 0..9),
            target in "/[!-~]{0,9}|http://[a-z@:]{1,9}/",
        ) {
            let known = [
                HOST, ORIGIN, CONNECTION, UPGRADE, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION,
                SEC_WEBSOCKET_PROTOCOL, CONTENT_LENGTH, TRANSFER_ENCODING,
            ];
            let Ok(mut request) = Request::get(target).body(()) else { return Ok(()) };
            for (n, value) in names {
                request.headers_mut().append(&known[n], value.parse().expect("visible ASCII"));
            }
            for upgrade in [Upgrade::Http1, Upgrade::ExtendedConnect] {
                match Policy::new().subprotocols(["a"]).judge(&request, upgrade) {
                    Ok(accepted) => drop(accepted.response(request.headers())),
                    Err(refusal) => drop(refusal.response(upgrade)),
                }
            }
        }
    }
}
