//! What a client asks for, and whether an answer keeps to it.

use std::error::Error;
use std::fmt;

use http::header::{
    AUTHORIZATION, CONNECTION, COOKIE, HOST, PROXY_AUTHORIZATION, SEC_WEBSOCKET_ACCEPT,
    SEC_WEBSOCKET_EXTENSIONS, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION,
    UPGRADE,
};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, Uri};

use super::target::Target;
use crate::handshake::headers::{Occurrence, has_token, is_reserved, is_token, occurrence, tokens};
use crate::handshake::key::Key;

/// What a client asks for, the same for every attempt: only target and key change. Default: nothing beyond a WebSocket.
#[derive(Clone, Debug, Default)]
pub struct Offer {
    host: Option<HeaderValue>,
    headers: HeaderMap,
    subprotocols: Vec<String>,
}

impl Offer {
    /// The default.
    pub fn new() -> Self {
        Self::default()
    }

    /// A value for `Host` other than the target's own. Default none.
    pub fn host(mut self, host: HeaderValue) -> Self {
        self.host = Some(host);
        self
    }

    /// Headers to send along. `Authorization` among them is sent in place of the URL's. Default none.
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

    /// Subprotocols to ask for, the one liked best first. Default none.
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

    /// The offer to another host after a redirect: without the caller's `Authorization`, `Cookie`, `Cookie2`,
    /// `Proxy-Authorization` and its override of `Host`.
    pub fn without_credentials(mut self) -> Self {
        self.host = None;
        for name in [AUTHORIZATION, COOKIE, COOKIE2, PROXY_AUTHORIZATION] {
            self.headers.remove(name);
        }
        self
    }

    /// The request to send to the target (RFC 6455, 4.1). The key must be new for each attempt.
    pub fn request(&self, target: &Target, key: &Key) -> Request<()> {
        let mut request = Request::new(());
        *request.uri_mut() = Uri::from(target.path().clone());
        let headers = request.headers_mut();
        headers.insert(HOST, self.host.as_ref().unwrap_or(target.host_header()).clone());
        headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
        headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
        headers.insert(SEC_WEBSOCKET_KEY, HeaderValue::from(*key));
        headers.extend(self.subprotocol_list().map(|list| (SEC_WEBSOCKET_PROTOCOL, list)));
        let own =
            (!self.headers.contains_key(AUTHORIZATION)).then(|| target.authorization()).flatten();
        headers.extend(own.map(|it| (AUTHORIZATION, it.clone())));
        headers.extend(self.headers.clone());
        request
    }

    /// Judges the answer to the request with this key (RFC 6455, 4.1).
    ///
    /// # Errors
    ///
    /// The answer switches protocols, but not to what was asked for: the connection can't be used.
    pub fn judge(&self, response: Response<()>, key: &Key) -> Result<Answer, AnswerError> {
        match response.status() {
            StatusCode::SWITCHING_PROTOCOLS => {}
            status if status.is_informational() => return Ok(Answer::Interim),
            _ => return Ok(Answer::Refused(response)),
        }
        check_upgrade(response.headers())?;
        check_accept(response.headers(), key)?;
        check_extensions(response.headers())?;
        let subprotocol = self.check_subprotocol(response.headers())?;
        Ok(Answer::Accepted(Accepted { response, subprotocol }))
    }

    /// A repeated header, or a list in one, is not what was asked for either.
    fn check_subprotocol(&self, headers: &HeaderMap) -> Result<Option<String>, AnswerError> {
        let answered: Vec<_> = tokens(headers, &SEC_WEBSOCKET_PROTOCOL).collect();
        match answered.as_slice() {
            [] => Ok(None),
            [one] if self.asked_for(one).is_some() => Ok(self.asked_for(one).map(Into::into)),
            unasked => Err(AnswerError::SubprotocolNotAskedFor(unasked.join(", "))),
        }
    }

    fn asked_for(&self, subprotocol: &str) -> Option<&str> {
        self.subprotocols
            .iter()
            .find(|asked| asked.eq_ignore_ascii_case(subprotocol))
            .map(String::as_str)
    }

    fn subprotocol_list(&self) -> Option<HeaderValue> {
        let list = self.subprotocols.join(", ");
        (!list.is_empty()).then(|| HeaderValue::try_from(list).expect("tokens are visible ASCII"))
    }
}

/// What a response means to a client's handshake.
#[derive(Debug)]
pub enum Answer {
    /// The connection is a WebSocket from the first byte behind this head.
    Accepted(Accepted),
    /// An informational response other than 101: skip it and read the next head.
    Interim,
    /// Any other status. Its body, if wanted, is for [`RefusalBody`](super::RefusalBody); a redirect for
    /// [`Target::redirect`].
    Refused(Response<()>),
}

/// An answer that keeps to the offer.
#[derive(Debug)]
pub struct Accepted {
    response: Response<()>,
    subprotocol: Option<String>,
}

impl Accepted {
    /// The subprotocol agreed on, as the client wrote it.
    pub fn subprotocol(&self) -> Option<&str> {
        self.subprotocol.as_deref()
    }

    /// The 101's head.
    pub fn response(&self) -> &Response<()> {
        &self.response
    }

    /// The 101's head, owned.
    pub fn into_response(self) -> Response<()> {
        self.response
    }
}

/// Why a 101 is not the answer to what was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AnswerError {
    /// `Connection` lacks the token `upgrade`.
    ConnectionLacksUpgrade,
    /// `Upgrade` lacks the token `websocket`.
    UpgradeLacksWebSocket,
    /// There is no `Sec-WebSocket-Accept`.
    AcceptMissing,
    /// `Sec-WebSocket-Accept` is not the key's, or stands more than once: whoever answered did not read this request.
    AcceptWrong,
    /// The server chose an extension that was not asked for.
    ExtensionNotAskedFor(String),
    /// The server chose a subprotocol that was not asked for, or more than one.
    SubprotocolNotAskedFor(String),
}

impl fmt::Display for AnswerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ConnectionLacksUpgrade => {
                f.write_str("the answer's Connection lacks the token upgrade")
            }
            Self::UpgradeLacksWebSocket => {
                f.write_str("the answer's Upgrade lacks the token websocket")
            }
            Self::AcceptMissing => f.write_str("the answer has no Sec-WebSocket-Accept"),
            Self::AcceptWrong => f.write_str("the answer's Sec-WebSocket-Accept is not the key's"),
            Self::ExtensionNotAskedFor(name) => {
                write!(f, "the server chose the extension {name:?}, unasked")
            }
            Self::SubprotocolNotAskedFor(name) => {
                write!(f, "the server chose the subprotocol {name:?}, unasked")
            }
        }
    }
}

impl Error for AnswerError {}

/// What a caller can't ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OfferError {
    /// This header is the handshake's own.
    ReservedHeader(HeaderName),
    /// This subprotocol is not a token: it is empty, or has characters such as space, comma and slash.
    SubprotocolNotToken(String),
    /// This subprotocol stands twice.
    SubprotocolRepeated(String),
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
        }
    }
}

impl Error for OfferError {}

fn check_upgrade(headers: &HeaderMap) -> Result<(), AnswerError> {
    if !has_token(headers, &CONNECTION, "upgrade") {
        return Err(AnswerError::ConnectionLacksUpgrade);
    }
    if has_token(headers, &UPGRADE, "websocket") {
        Ok(())
    } else {
        Err(AnswerError::UpgradeLacksWebSocket)
    }
}

fn check_accept(headers: &HeaderMap, key: &Key) -> Result<(), AnswerError> {
    match occurrence(headers, &SEC_WEBSOCKET_ACCEPT) {
        Occurrence::Once(accept) if accept == key.accept().as_bytes() => Ok(()),
        Occurrence::Once(_) | Occurrence::Repeated => Err(AnswerError::AcceptWrong),
        Occurrence::Missing => Err(AnswerError::AcceptMissing),
    }
}

/// None is ever asked for yet.
fn check_extensions(headers: &HeaderMap) -> Result<(), AnswerError> {
    let chosen: Vec<_> = tokens(headers, &SEC_WEBSOCKET_EXTENSIONS).collect();
    if chosen.is_empty() {
        Ok(())
    } else {
        Err(AnswerError::ExtensionNotAskedFor(chosen.join(", ")))
    }
}

/// The predecessor's cookies (RFC 2965) still pass for cookies at some servers.
const COOKIE2: HeaderName = HeaderName::from_static("cookie2");

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::handshake::http1::{HeadLimits, HeadReader, write_request};

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

    const ANSWER: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\nConnection: upgrade\r\n\
        Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n";

    fn judge(head: &str) -> Result<Answer, AnswerError> {
        let offer = Offer::new().subprotocols(["Chat", "v2"]).expect("tokens");
        let mut reader = HeadReader::new(HeadLimits::default());
        let (response, _) =
            reader.response(format!("{head}\r\n").as_bytes()).expect("well-formed").expect("whole");
        offer.judge(response, &key())
    }

    fn refused(head: &str) -> AnswerError {
        judge(head).expect_err(head)
    }

    fn adding(line: &str) -> Result<Answer, AnswerError> {
        judge(&format!("{ANSWER}{line}\r\n"))
    }

    #[test]
    fn request_is_written_with_the_rfcs_casing_and_host_first() {
        let offer = Offer::new().subprotocols(["chat", "v2"]).expect("tokens");
        let offer = offer.headers(headers(&[("x-a", "1"), ("x-a", "2")])).expect("none reserved");
        assert_eq!(
            written(&offer, "ws://user:secret@[::1]:8080/chat?a=b"),
            "GET /chat?a=b HTTP/1.1\r\nHost: [::1]:8080\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
             Sec-WebSocket-Protocol: chat, v2\r\nAuthorization: Basic dXNlcjpzZWNyZXQ=\r\nX-A: 1\r\nX-A: 2\r\n\r\n"
        );
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

    #[test]
    fn answer_that_keeps_to_the_offer_is_accepted() {
        let Ok(Answer::Accepted(accepted)) = adding("X-Own: 1\r\nSec-WebSocket-Protocol: chat")
        else {
            panic!("not accepted")
        };
        assert_eq!(accepted.subprotocol(), Some("Chat"), "as the client wrote it");
        assert_eq!(accepted.into_response().headers()["x-own"], "1");
        assert!(
            matches!(adding("X: y"), Ok(Answer::Accepted(accepted)) if accepted.subprotocol().is_none())
        );
    }

    #[test]
    fn accept_is_checked_and_trimmed() {
        let with = |accept: &str| judge(&ANSWER.replace("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", accept));
        assert!(matches!(with("\t s3pPLMBiTxaQ9kYGzzhZRbK+xOo=  "), Ok(Answer::Accepted(_))));
        for wrong in
            ["", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo", "S3PPLMBITXAQ9KYGZZHZRBK+XOO=", &"x".repeat(8000)]
        {
            assert_eq!(with(wrong).expect_err(wrong), AnswerError::AcceptWrong);
        }
        assert_eq!(adding("Sec-WebSocket-Accept: x").expect_err("twice"), AnswerError::AcceptWrong);
        assert_eq!(refused(&ANSWER.replace("-Accept", "-Except")), AnswerError::AcceptMissing);
    }

    #[test]
    fn connection_and_upgrade_are_checked() {
        assert_eq!(
            refused(&ANSWER.replace("upgrade", "close")),
            AnswerError::ConnectionLacksUpgrade
        );
        assert_eq!(
            refused(&ANSWER.replace("WebSocket\r", "h2c\r")),
            AnswerError::UpgradeLacksWebSocket
        );
    }

    #[test]
    fn unasked_subprotocol_is_refused() {
        for unasked in ["other", "chat, v2", "chat\r\nSec-WebSocket-Protocol: chat"] {
            let error = adding(&format!("Sec-WebSocket-Protocol: {unasked}")).expect_err(unasked);
            assert!(matches!(error, AnswerError::SubprotocolNotAskedFor(_)), "{unasked}");
        }
    }

    #[test]
    fn unasked_extension_is_refused() {
        let error = adding("Sec-WebSocket-Extensions: permessage-deflate").expect_err("unasked");
        assert_eq!(error, AnswerError::ExtensionNotAskedFor("permessage-deflate".into()));
        assert!(
            matches!(adding("Sec-WebSocket-Extensions:"), Ok(Answer::Accepted(_))),
            "an empty list chooses none"
        );
    }

    #[test]
    fn informational_answers_are_skipped_and_others_refuse() {
        for status in ["100 Continue", "103 Early Hints"] {
            assert!(
                matches!(judge(&format!("HTTP/1.1 {status}\r\n")), Ok(Answer::Interim)),
                "{status}"
            );
        }
        for (status, number) in [("200 OK", 200), ("404 Not Found", 404), ("302 Found", 302)] {
            let answer = judge(&ANSWER.replace("101 Switching Protocols", status));
            assert!(
                matches!(answer, Ok(Answer::Refused(response)) if response.status() == number),
                "{status}"
            );
        }
    }

    proptest! {
        #[test]
        fn no_answer_panics(values in proptest::collection::vec((0..5_usize, "[ -~]{0,30}"), 0..9), status in 100..1000_u16) {
            let known = [CONNECTION, UPGRADE, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_EXTENSIONS];
            let mut response = Response::builder().status(status).body(()).expect("a response");
            for (n, value) in values {
                response.headers_mut().append(&known[n], value.parse().expect("visible ASCII"));
            }
            let _ = Offer::new().judge(response, &key());
        }
    }
}
