//! The answer to an opening handshake that was accepted.

use http::header::{
    CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_EXTENSIONS, SEC_WEBSOCKET_PROTOCOL, UPGRADE,
};
use http::{HeaderMap, HeaderValue, Response, StatusCode};

use crate::deflate::params::AgreedCompression;
use crate::handshake::headers::is_reserved;

/// A request that is an opening handshake which the policy accepts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    pub(super) proof: Proof,
    // Invariant: visible ASCII.
    pub(super) subprotocol: Option<HeaderValue>,
    pub(super) compression: Option<AgreedCompression>,
}

impl Accepted {
    /// The subprotocol agreed on, as the client wrote it.
    pub fn subprotocol(&self) -> Option<&str> {
        self.subprotocol.as_ref().and_then(|chosen| chosen.to_str().ok())
    }

    /// The compression agreed on.
    #[cfg(feature = "deflate")]
    pub fn compression(&self) -> Option<AgreedCompression> {
        self.compression
    }

    /// The response that accepts: 101, or 200 over an extended CONNECT, with the caller's headers
    /// added.
    ///
    /// Headers that are the handshake's own ([`is_reserved`]) can't be added: the caller's are left
    /// out.
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

/// What proves to the client that its handshake was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Proof {
    Accept(HeaderValue),
    /// HTTP/2's `:protocol` proves it.
    None,
}
