//! Judging a server's answer.

use std::error::Error;
use std::fmt;

use http::header::{CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_PROTOCOL, UPGRADE};
use http::{HeaderMap, Response, StatusCode};

use super::offer::Offer;
use crate::deflate::params::AgreedCompression;
use crate::handshake::extension::{elements, is_deflate, params};
use crate::handshake::headers::{Occurrence, has_token, occurrence, tokens};
use crate::handshake::key::Key;

impl Offer {
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
        self.agreed(response)
    }

    /// Judges the answer to an extended CONNECT (RFC 8441, 5), which any 2xx accepts.
    ///
    /// # Errors
    ///
    /// The answer accepts, but not what was asked for: the stream can't be used.
    pub fn judge_connect(&self, response: Response<()>) -> Result<Answer, AnswerError> {
        match response.status() {
            status if status.is_success() => self.agreed(response),
            status if status.is_informational() => Ok(Answer::Interim),
            _ => Ok(Answer::Refused(response)),
        }
    }

    /// Judges what an answer that accepts has chosen.
    fn agreed(&self, response: Response<()>) -> Result<Answer, AnswerError> {
        let compression = self.check_extensions(response.headers())?;
        let subprotocol = self.check_subprotocol(response.headers())?;
        Ok(Answer::Accepted(Accepted { response, subprotocol, compression }))
    }

    fn check_extensions(
        &self,
        headers: &HeaderMap,
    ) -> Result<Option<AgreedCompression>, AnswerError> {
        let (chosen, asked) = (elements(headers), self.asked_compression());
        match chosen.as_slice() {
            [] => Ok(None),
            [one] if asked.offer().is_some() && is_deflate(one) => {
                let agreed = params(one).and_then(|answer| asked.judge(&answer));
                agreed.map(Some).ok_or_else(|| AnswerError::ExtensionParameters(one.clone()))
            }
            unasked => Err(AnswerError::ExtensionNotAskedFor(unasked.join(", "))),
        }
    }

    /// A repeated header, or a list in one, was not asked for either.
    fn check_subprotocol(&self, headers: &HeaderMap) -> Result<Option<String>, AnswerError> {
        let answered: Vec<_> = tokens(headers, &SEC_WEBSOCKET_PROTOCOL).collect();
        match answered.as_slice() {
            [] => Ok(None),
            [one] if self.asked_for(one).is_some() => Ok(self.asked_for(one).map(Into::into)),
            unasked => Err(AnswerError::SubprotocolNotAskedFor(unasked.join(", "))),
        }
    }
}

/// What a response means for the client.
#[derive(Debug)]
pub enum Answer {
    /// The connection is a WebSocket from the first byte behind this head.
    Accepted(Accepted),
    /// An informational response other than 101: skip it and read the next head.
    Interim,
    /// Any other status. Its body, if wanted, is for `RefusalBody`; a redirect for
    /// `Target::redirect`.
    Refused(Response<()>),
}

/// An answer that conforms to the offer.
#[derive(Debug)]
pub struct Accepted {
    response: Response<()>,
    subprotocol: Option<String>,
    #[cfg_attr(
        not(feature = "deflate"),
        expect(dead_code, reason = "without the feature none is agreed on")
    )]
    compression: Option<AgreedCompression>,
}

impl Accepted {
    /// Returns the agreed compression.
    #[cfg(feature = "deflate")]
    pub fn compression(&self) -> Option<AgreedCompression> {
        self.compression
    }

    /// Returns the agreed subprotocol, as the client wrote it.
    pub fn subprotocol(&self) -> Option<&str> {
        self.subprotocol.as_deref()
    }

    /// Returns the head of the response.
    pub fn response(&self) -> &Response<()> {
        &self.response
    }

    /// Returns the head of the response, owned.
    pub fn into_response(self) -> Response<()> {
        self.response
    }
}

/// A 101 that doesn't conform to the request.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AnswerError {
    /// `Connection` lacks the token `upgrade`.
    ConnectionLacksUpgrade,
    /// `Upgrade` lacks the token `websocket`.
    UpgradeLacksWebSocket,
    /// There is no `Sec-WebSocket-Accept`.
    AcceptMissing,
    /// `Sec-WebSocket-Accept` doesn't match the key, or is repeated: whoever answered did not read this request.
    AcceptWrong,
    /// The server chose an extension that was not asked for.
    ExtensionNotAskedFor(String),
    /// The server chose permessage-deflate with parameters that the offer doesn't allow (RFC 7692, 7.1).
    ExtensionParameters(String),
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
            Self::ExtensionParameters(chosen) => {
                write!(f, "the server chose {chosen:?}, which was not offered")
            }
            Self::SubprotocolNotAskedFor(name) => {
                write!(f, "the server chose the subprotocol {name:?}, unasked")
            }
        }
    }
}

impl Error for AnswerError {}

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

#[cfg(test)]
mod tests {
    use http::header::SEC_WEBSOCKET_EXTENSIONS;
    use proptest::prelude::*;

    use super::*;
    use crate::handshake::http1::{HeadLimits, HeadReader};

    fn key() -> Key {
        Key::from_random(*b"the sample nonce")
    }

    const ANSWER: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\n\
        Connection: upgrade\r\n\
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
    fn answer_that_keeps_to_the_offer_is_accepted() {
        let Ok(Answer::Accepted(accepted)) = adding("X-Own: 1\r\nSec-WebSocket-Protocol: chat")
        else {
            panic!("not accepted")
        };
        assert_eq!(accepted.subprotocol(), Some("Chat"), "as the client wrote it");
        assert_eq!(accepted.into_response().headers()["x-own"], "1");
        assert!(matches!(adding("X: y"), Ok(Answer::Accepted(it)) if it.subprotocol().is_none()));
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
    fn a_2xx_accepts_a_connect_and_what_it_chose_is_judged() {
        let offer = Offer::new().subprotocols(["Chat"]).expect("a token");
        let answer = |status: u16, chosen: &'static str| {
            let builder = Response::builder().status(status);
            let response = builder.header(SEC_WEBSOCKET_PROTOCOL, chosen).body(());
            offer.judge_connect(response.expect("a response"))
        };
        for status in [200, 204] {
            let Ok(Answer::Accepted(accepted)) = answer(status, "chat") else { panic!("{status}") };
            assert_eq!(accepted.subprotocol(), Some("Chat"));
        }
        assert_eq!(
            answer(200, "other").expect_err("unasked"),
            AnswerError::SubprotocolNotAskedFor("other".into())
        );
        assert!(matches!(answer(103, "chat"), Ok(Answer::Interim)));
        for status in [101, 302, 404, 501] {
            let refused = !matches!(answer(status, "chat"), Ok(Answer::Accepted(_)));
            assert!(refused, "{status}");
        }
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
        fn no_answer_panics(
            values in proptest::collection::vec((0..5_usize, "[ -~]{0,30}"), 0..9),
            status in 100..1000_u16,
        ) {
            let known = [
                CONNECTION, UPGRADE, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_PROTOCOL,
                SEC_WEBSOCKET_EXTENSIONS,
            ];
            let mut response = Response::builder().status(status).body(()).expect("a response");
            for (n, value) in values {
                response.headers_mut().append(&known[n], value.parse().expect("visible ASCII"));
            }
            let _ = Offer::new().judge(response, &key());
        }
    }
}
