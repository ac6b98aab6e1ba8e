//! Errors of connecting.

use std::error;
use std::fmt;
use std::io;

use bytes::Bytes;
use http::{Response, StatusCode};
use ws_core::handshake::client::{AnswerError, OfferError, RedirectError, UrlError};
use ws_core::handshake::http1::HeadError;

use super::progress::Step;
#[cfg(feature = "proxy")]
use super::proxy::ProxyError;
#[cfg(feature = "rustls")]
use crate::tls::TlsError;

/// An error while connecting.
#[derive(Debug)]
#[non_exhaustive]
pub enum ConnectError {
    /// The URL is invalid.
    Url(UrlError),
    /// The request can't be built from the options.
    Offer(OfferError),
    /// The URL asks for TLS, which this build lacks: turn on the feature `rustls`, or use
    /// [`ConnectOptions::connect_over`](super::ConnectOptions::connect_over) with a TLS stream.
    TlsUnsupported,
    /// The server refused the handshake. Contains its response, with as much of the body as arrived within 250 ms, up
    /// to 1 KiB.
    Refused(Box<Response<Bytes>>),
    /// The server's redirect can't be followed.
    Redirect(RedirectError),
    /// The server's response is not HTTP, or exceeds the limits.
    Head(HeadError),
    /// The server switched protocols, but its response doesn't match the request.
    Answer(AnswerError),
    /// The stream ended before the response.
    NoAnswer,
    /// Connecting took longer than the handshake timeout; what it was at then.
    Timeout(Step),
    /// TLS can't be had, or its handshake failed.
    #[cfg(feature = "rustls")]
    Tls(TlsError),
    /// The proxy gave no tunnel.
    #[cfg(feature = "proxy")]
    Proxy(ProxyError),
    /// The server carries no WebSockets over HTTP/2.
    #[cfg(feature = "http2")]
    Http2(Http2Error),
    /// The stream could not be opened, or failed.
    Io(io::Error),
}

/// Why a server carries no WebSockets over HTTP/2.
#[cfg(feature = "http2")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Http2Error {
    /// It doesn't speak HTTP/2: it did not choose it when TLS was negotiated (ALPN).
    NotSpoken,
    /// It doesn't allow extended CONNECTs: its settings lack `SETTINGS_ENABLE_CONNECT_PROTOCOL` (RFC 8441, 3).
    NotAllowed,
    /// It has too many streams, and did not look at the request (`REFUSED_STREAM`): it may be asked again.
    Busy,
}

#[cfg(feature = "http2")]
impl fmt::Display for Http2Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotSpoken => "the server doesn't speak HTTP/2",
            Self::NotAllowed => "the server doesn't allow WebSockets over HTTP/2",
            Self::Busy => "the server has too many streams, and may be asked again",
        })
    }
}

#[cfg(feature = "http2")]
impl error::Error for Http2Error {}

impl ConnectError {
    /// Returns the status of the server's refusal.
    #[must_use]
    pub fn status(&self) -> Option<StatusCode> {
        match self {
            Self::Refused(response) => Some(response.status()),
            _ => None,
        }
    }
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url(error) => error.fmt(f),
            Self::Offer(error) => error.fmt(f),
            Self::TlsUnsupported => {
                f.write_str("the URL asks for TLS, and the feature `rustls` is off")
            }
            Self::Refused(response) => write!(f, "the server refused with {}", response.status()),
            Self::Redirect(error) => error.fmt(f),
            Self::Head(error) => write!(f, "the server's answer can't be read: {error}"),
            Self::Answer(error) => error.fmt(f),
            Self::NoAnswer => f.write_str("the server ended the connection without an answer"),
            Self::Timeout(step) => write!(f, "connecting took too long, at {step}"),
            #[cfg(feature = "rustls")]
            Self::Tls(error) => error.fmt(f),
            #[cfg(feature = "proxy")]
            Self::Proxy(error) => error.fmt(f),
            #[cfg(feature = "http2")]
            Self::Http2(error) => error.fmt(f),
            Self::Io(error) => write!(f, "the transport failed: {error}"),
        }
    }
}

impl error::Error for ConnectError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::Url(error) => Some(error),
            Self::Offer(error) => Some(error),
            Self::Redirect(error) => Some(error),
            Self::Head(error) => Some(error),
            Self::Answer(error) => Some(error),
            Self::Io(error) => Some(error),
            #[cfg(feature = "rustls")]
            Self::Tls(error) => Some(error),
            #[cfg(feature = "proxy")]
            Self::Proxy(error) => Some(error),
            #[cfg(feature = "http2")]
            Self::Http2(error) => Some(error),
            Self::TlsUnsupported | Self::Refused(_) | Self::NoAnswer | Self::Timeout(_) => None,
        }
    }
}

macro_rules! from {
    ($($error:ident => $variant:ident),*) => {$(
        impl From<$error> for ConnectError {
            fn from(error: $error) -> Self {
                Self::$variant(error)
            }
        }
    )*};
}
from!(UrlError => Url, OfferError => Offer, RedirectError => Redirect, HeadError => Head, AnswerError => Answer);

#[cfg(feature = "rustls")]
from!(TlsError => Tls);
#[cfg(feature = "http2")]
from!(Http2Error => Http2);
#[cfg(feature = "proxy")]
from!(ProxyError => Proxy);

impl From<io::Error> for ConnectError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}
