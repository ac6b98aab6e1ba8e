//! Errors of accepting.

use std::error;
use std::fmt;
use std::io;

use http::StatusCode;
use ws_core::handshake::http1::HeadError;
use ws_core::handshake::server::{Refusal, SubprotocolNotOffered};

#[cfg(feature = "rustls")]
use crate::tls::TlsError;

/// An error while accepting.
#[derive(Debug)]
#[non_exhaustive]
pub enum AcceptError {
    /// Nothing arrived before the deadline, or the client left before its request was complete. No response was sent.
    Silent,
    /// The request was refused, and the client was sent the reason.
    Refused(Refusal),
    /// The server chose a subprotocol that the client did not offer; the client was sent a 500.
    Subprotocol(SubprotocolNotOffered),
    /// The TLS handshake failed.
    #[cfg(feature = "rustls")]
    Tls(TlsError),
    /// The HTTP server did not hand the connection over before the handshake's deadline, or a middleware sent another response: the
    /// one that accepts was not sent, perhaps because the handler waited for the connection before it returned the response.
    #[cfg(feature = "hyper")]
    NotHandedOver,
    /// The stream failed.
    Io(io::Error),
}

impl AcceptError {
    /// Returns the status of the response that refused the request, if one was sent.
    #[must_use]
    pub fn status(&self) -> Option<StatusCode> {
        match self {
            Self::Refused(refusal) => Some(refusal.status()),
            Self::Subprotocol(_) => Some(StatusCode::INTERNAL_SERVER_ERROR),
            _ => None,
        }
    }
}

impl fmt::Display for AcceptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Silent => f.write_str("the peer sent no request"),
            Self::Refused(refusal) => write!(f, "refused with {}: {refusal}", refusal.status()),
            Self::Subprotocol(error) => error.fmt(f),
            #[cfg(feature = "rustls")]
            Self::Tls(error) => error.fmt(f),
            #[cfg(feature = "hyper")]
            Self::NotHandedOver => f.write_str(
                "the HTTP server did not send the response that accepts: was it returned first?",
            ),
            Self::Io(error) => write!(f, "the transport failed: {error}"),
        }
    }
}

impl error::Error for AcceptError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::Silent => None,
            #[cfg(feature = "hyper")]
            Self::NotHandedOver => None,
            Self::Refused(refusal) => Some(refusal),
            Self::Subprotocol(error) => Some(error),
            #[cfg(feature = "rustls")]
            Self::Tls(error) => Some(error),
            Self::Io(error) => Some(error),
        }
    }
}

impl From<Refusal> for AcceptError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<HeadError> for AcceptError {
    fn from(error: HeadError) -> Self {
        Self::Refused(error.into())
    }
}

impl From<SubprotocolNotOffered> for AcceptError {
    fn from(error: SubprotocolNotOffered) -> Self {
        Self::Subprotocol(error)
    }
}

#[cfg(feature = "rustls")]
impl From<TlsError> for AcceptError {
    fn from(error: TlsError) -> Self {
        Self::Tls(error)
    }
}

impl From<io::Error> for AcceptError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}
