//! Why a connection failed.

use std::error;
use std::fmt;
use std::io;

use ws_core::{CloseCode, CloseFrame, DecodeError, EncodeError};

/// Why receiving or sending failed.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The peer closed the connection with a code other than 1000 or 1001.
    Closed(CloseFrame),
    /// The connection was cut: its bytes ended without a close frame. Where the transport said why (a reset, or TLS
    /// that ended without its own close), that is the source.
    Cut(Option<io::Error>),
    /// The peer broke the protocol or a limit; it was told so with the fact's close code.
    Protocol(DecodeError),
    /// The peer sent a message where none is taken any more; it was told so with 1008.
    UnexpectedMessage,
    /// The peer did not answer a ping of the heartbeat in time.
    HeartbeatTimeout,
    /// This end failed the connection, for what the peer sent is no part of its protocol, or for it was too slow for a
    /// [`Broadcast`](crate::Broadcast); the peer was told so with this code. See
    /// [`Connection::fail`](crate::Connection::fail).
    Failed(CloseCode),
    /// Closing took longer than its timeout.
    CloseTimeout,
    /// What the caller wanted to send can't be sent; nothing of it was queued.
    Send(EncodeError),
    /// The transport failed.
    Io(io::Error),
}

impl Error {
    /// The code in the peer's close frame; `None` where none was received.
    #[must_use]
    pub fn close_code(&self) -> Option<CloseCode> {
        match self {
            Self::Closed(frame) => Some(frame.code()),
            Self::Cut(_)
            | Self::Protocol(_)
            | Self::UnexpectedMessage
            | Self::HeartbeatTimeout
            | Self::Failed(_)
            | Self::CloseTimeout
            | Self::Send(_)
            | Self::Io(_) => None,
        }
    }
}

/// To whoever closes, the peer's code, whatever it is, makes no error.
pub(crate) fn closed(result: Result<(), Error>) -> Result<(), Error> {
    match result {
        Err(Error::Closed(_)) => Ok(()),
        result => result,
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed(frame) => write!(f, "the peer closed the connection with {frame}"),
            Self::Cut(None) => f.write_str("the connection was cut without a close frame"),
            Self::Cut(Some(error)) => {
                write!(f, "the connection was cut without a close frame: {error}")
            }
            Self::Protocol(error) => write!(f, "the peer broke the protocol: {error}"),
            Self::UnexpectedMessage => f.write_str("the peer sent a message where none is taken"),
            Self::HeartbeatTimeout => f.write_str("the peer did not answer a ping in time"),
            Self::Failed(code) => write!(f, "this end failed the connection with {code}"),
            Self::CloseTimeout => f.write_str("the peer did not close the connection in time"),
            Self::Send(error) => write!(f, "can't send: {error}"),
            Self::Io(error) => write!(f, "the transport failed: {error}"),
        }
    }
}

impl error::Error for Error {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::Protocol(error) => Some(error),
            Self::Send(error) => Some(error),
            Self::Cut(Some(error)) | Self::Io(error) => Some(error),
            Self::Closed(_)
            | Self::Cut(None)
            | Self::UnexpectedMessage
            | Self::HeartbeatTimeout
            | Self::Failed(_)
            | Self::CloseTimeout => None,
        }
    }
}

impl From<EncodeError> for Error {
    fn from(error: EncodeError) -> Self {
        Self::Send(error)
    }
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<Error> for io::Error {
    fn from(error: Error) -> Self {
        match error {
            Error::Io(error) => error,
            error @ Error::Cut(_) => Self::new(io::ErrorKind::UnexpectedEof, error),
            error @ (Error::Closed(_)
            | Error::Protocol(_)
            | Error::UnexpectedMessage
            | Error::HeartbeatTimeout
            | Error::Failed(_)
            | Error::CloseTimeout
            | Error::Send(_)) => Self::other(error),
        }
    }
}
