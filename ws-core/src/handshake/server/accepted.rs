//! The answer to an accepted handshake.

use std::error::Error;
use std::fmt;

use http::header::{
    CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_EXTENSIONS, SEC_WEBSOCKET_PROTOCOL, UPGRADE,
};
use http::{HeaderMap, HeaderValue, Response, StatusCode};

use crate::deflate::params::AgreedCompression;
use crate::handshake::headers::{is_reserved, tokens, tokens_in};

/// An opening handshake that the policy accepts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    pub(super) proof: Proof,
    /// The values of the request's `Sec-WebSocket-Protocol`.
    pub(super) offered: Vec<HeaderValue>,
    // Invariant: visible ASCII.
    pub(super) subprotocol: Option<HeaderValue>,
    pub(super) compression: Option<AgreedCompression>,
}

impl Accepted {
    /// Returns the agreed subprotocol, as the client wrote it.
    pub fn subprotocol(&self) -> Option<&str> {
        self.subprotocol.as_ref().and_then(|chosen| chosen.to_str().ok())
    }

    /// Returns the subprotocols that the client offers, as it wrote them, in order of preference.
    ///
    /// Some clients carry a secret among them (`chat, bearer.TOKEN`), since browsers let pages set no other header.
    pub fn offered_subprotocols(&self) -> impl Iterator<Item = &str> {
        tokens_in(&self.offered)
    }

    /// Chooses a subprotocol in place of the policy's choice, in any case. It is answered as the client wrote it.
    ///
    /// # Errors
    ///
    /// The client did not offer it. The previous choice stays.
    pub fn choose_subprotocol(&mut self, name: &str) -> Result<(), SubprotocolNotOffered> {
        let offered = self.offered_subprotocols().find(|it| it.eq_ignore_ascii_case(name));
        let chosen = offered.and_then(|offered| HeaderValue::from_str(offered).ok());
        self.subprotocol = Some(chosen.ok_or_else(|| SubprotocolNotOffered(name.into()))?);
        Ok(())
    }

    /// Chooses no subprotocol, whatever the policy chose. A browser that asked for one will fail the connection.
    pub fn choose_no_subprotocol(&mut self) {
        self.subprotocol = None;
    }

    /// Chooses the subprotocol in the caller's own headers, if they have a `Sec-WebSocket-Protocol`; an empty one
    /// chooses none.
    ///
    /// # Errors
    ///
    /// The client did not offer it, or there is more than one. The previous choice stays.
    pub fn choose_subprotocol_of(
        &mut self,
        headers: &HeaderMap,
    ) -> Result<(), SubprotocolNotOffered> {
        if !headers.contains_key(SEC_WEBSOCKET_PROTOCOL) {
            return Ok(());
        }
        match tokens(headers, &SEC_WEBSOCKET_PROTOCOL).collect::<Vec<_>>().as_slice() {
            [] => self.choose_no_subprotocol(),
            [name] => self.choose_subprotocol(name)?,
            names => return Err(SubprotocolNotOffered(names.join(", "))),
        }
        Ok(())
    }

    /// Returns the agreed compression.
    #[cfg(feature = "deflate")]
    pub fn compression(&self) -> Option<AgreedCompression> {
        self.compression
    }

    /// Returns the response that accepts: 101, or 200 over an extended CONNECT, with the caller's headers.
    ///
    /// Reserved headers ([`is_reserved`]) of the caller's are left out; their subprotocol is for
    /// [`choose_subprotocol_of`](Self::choose_subprotocol_of).
    pub fn response(&self, extra: &HeaderMap) -> Response<()> {
        let mut response = Response::new(());
        let headers = response.headers_mut();
        let status = match &self.proof {
            Proof::Accept(accept) => {
                headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
                headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
                headers.insert(SEC_WEBSOCKET_ACCEPT, accept.clone());
                StatusCode::SWITCHING_PROTOCOLS
            }
            Proof::None => StatusCode::OK,
        };
        headers.extend(self.subprotocol.clone().map(|chosen| (SEC_WEBSOCKET_PROTOCOL, chosen)));
        headers.extend(self.compression.map(|it| (SEC_WEBSOCKET_EXTENSIONS, it.into())));
        let allowed = extra.iter().filter(|(name, _)| !is_reserved(name));
        headers.extend(allowed.map(|(name, value)| (name.clone(), value.clone())));
        *response.status_mut() = status;
        response
    }
}

/// The proof that the client's handshake was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Proof {
    Accept(HeaderValue),
    /// HTTP/2's `:protocol`.
    None,
}

/// A server chose a subprotocol that its client did not offer, or more than one.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SubprotocolNotOffered(
    /// What the server chose.
    pub String,
);

impl fmt::Display for SubprotocolNotOffered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the client did not offer the subprotocol {:?}", self.0)
    }
}

impl Error for SubprotocolNotOffered {}

#[cfg(test)]
mod tests {
    use super::*;

    fn offering(values: &[&'static str]) -> Accepted {
        Accepted {
            proof: Proof::None,
            offered: values.iter().map(|it| HeaderValue::from_static(it)).collect(),
            subprotocol: None,
            compression: None,
        }
    }

    fn named(names: &[&'static str]) -> HeaderMap {
        let header = |name: &&'static str| (SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(name));
        names.iter().map(header).collect()
    }

    #[test]
    fn what_the_client_offers_can_be_seen_and_chosen_in_any_case() {
        let mut accepted = offering(&["Chat, bearer.a+b==", "v2"]);
        let offered: Vec<_> = accepted.offered_subprotocols().collect();
        assert_eq!(offered, ["Chat", "bearer.a+b==", "v2"]);
        assert_eq!(accepted.choose_subprotocol("cHAT"), Ok(()));
        assert_eq!(accepted.subprotocol(), Some("Chat"), "as the client wrote it");
        let response = accepted.response(&HeaderMap::new());
        assert_eq!(response.headers()[SEC_WEBSOCKET_PROTOCOL], "Chat");
        accepted.choose_no_subprotocol();
        assert!(
            !accepted.response(&HeaderMap::new()).headers().contains_key(SEC_WEBSOCKET_PROTOCOL)
        );
    }

    #[test]
    fn what_was_not_offered_cannot_be_chosen() {
        let mut accepted = offering(&["chat"]);
        accepted.choose_subprotocol("chat").expect("offered");
        for name in ["other", "", "chat, v2", "chat\r\nX: y"] {
            let error = accepted.choose_subprotocol(name).expect_err(name);
            assert_eq!(error, SubprotocolNotOffered(name.into()));
        }
        assert_eq!(accepted.subprotocol(), Some("chat"), "what was chosen before stays");
        assert!(offering(&[]).choose_subprotocol("chat").is_err());
    }

    #[test]
    fn a_callers_headers_choose_as_well() {
        let mut accepted = offering(&["Chat, v2"]);
        assert_eq!(accepted.choose_subprotocol_of(&named(&["chat"])), Ok(()));
        assert_eq!(accepted.choose_subprotocol_of(&named(&[])), Ok(()));
        assert_eq!(accepted.subprotocol(), Some("Chat"));
        for names in [&["other"][..], &["chat, v2"], &["chat", "v2"]] {
            assert!(accepted.choose_subprotocol_of(&named(names)).is_err(), "{names:?}");
        }
        assert_eq!(accepted.choose_subprotocol_of(&named(&[" "])), Ok(()));
        assert_eq!(accepted.subprotocol(), None);
    }
}
