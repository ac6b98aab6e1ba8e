//! Errors of reading a head.

use std::error::Error;
use std::fmt;

use super::not_http::NotHttp;

/// An error while reading a head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HeadError {
    /// The first bytes can't begin a head: the peer speaks another protocol.
    NotHttp(NotHttp),
    /// The head has not ended within the limit.
    TooLong {
        /// The limit, in bytes.
        limit: usize,
    },
    /// The head has more header lines than the limit.
    TooManyHeaders {
        /// The limit.
        limit: usize,
    },
    /// The head violates HTTP's syntax.
    Malformed(Malformed),
}

/// The part of a head that violates HTTP's syntax.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Malformed {
    /// A line ends in something other than CR LF, or a CR or LF stands alone.
    LineEnd,
    /// The request or status line: its method, its status, or its parts.
    StartLine,
    /// A version other than HTTP/1.0 and HTTP/1.1.
    Version,
    /// The target is no URI, or has a form that doesn't fit the method (RFC 9112, 3.2).
    Target,
    /// A header's name.
    HeaderName,
    /// A header's value.
    HeaderValue,
}

impl fmt::Display for HeadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotHttp(not_http) => not_http.fmt(f),
            Self::TooLong { limit } => write!(f, "the head is longer than {limit} bytes"),
            Self::TooManyHeaders { limit } => write!(f, "the head has more than {limit} headers"),
            Self::Malformed(part) => part.fmt(f),
        }
    }
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::LineEnd => "a line of the head does not end in CR LF",
            Self::StartLine => "the head's first line is malformed",
            Self::Version => "the version is neither HTTP/1.0 nor HTTP/1.1",
            Self::Target => "the target is no URI that fits the method",
            Self::HeaderName => "a header's name is malformed",
            Self::HeaderValue => "a header's value is malformed",
        })
    }
}

impl Error for HeadError {}

impl Error for Malformed {}

impl From<Malformed> for HeadError {
    fn from(part: Malformed) -> Self {
        Self::Malformed(part)
    }
}

impl From<NotHttp> for HeadError {
    fn from(not_http: NotHttp) -> Self {
        Self::NotHttp(not_http)
    }
}
