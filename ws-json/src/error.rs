//! The error of typed messages, and the close frames that go with it.

use std::error;
use std::fmt;

use ws_tokio::CloseCode;

/// An error while receiving or sending a value.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The connection failed.
    Connection(ws_tokio::Error),
    /// A message was not JSON. The connection was closed with 1007.
    Syntax(serde_json::Error),
    /// A message was JSON, but not of the type's shape. The connection stays open.
    Shape(serde_json::Error),
    /// A message was binary, but JSON is text. The connection was closed with 1003.
    Binary,
    /// The value can't be JSON: a map's key is not a string, or its `Serialize` failed. Nothing of it was queued.
    Serialize(serde_json::Error),
}

impl Error {
    /// Returns the close frame for a message that violates the protocol; `None` if the connection goes on or is over.
    pub(crate) const fn refusal(&self) -> Option<(CloseCode, &'static str)> {
        match self {
            Self::Syntax(_) => Some((CloseCode::INVALID_PAYLOAD, "not JSON")),
            Self::Binary => Some((CloseCode::UNSUPPORTED, "JSON is text")),
            Self::Connection(_) | Self::Shape(_) | Self::Serialize(_) => None,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connection(error) => error.fmt(f),
            Self::Syntax(error) => write!(f, "a message is not JSON: {error}"),
            Self::Shape(error) => write!(f, "a message has another shape: {error}"),
            Self::Binary => f.write_str("a message is binary, not JSON text"),
            Self::Serialize(error) => write!(f, "the value can't be JSON: {error}"),
        }
    }
}

impl error::Error for Error {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::Connection(error) => error.source(),
            Self::Syntax(error) | Self::Shape(error) | Self::Serialize(error) => Some(error),
            Self::Binary => None,
        }
    }
}

impl From<ws_tokio::Error> for Error {
    fn from(error: ws_tokio::Error) -> Self {
        Self::Connection(error)
    }
}
