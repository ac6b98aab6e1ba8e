//! Errors of a connection.

use std::error;
use std::fmt;
use std::io;

use ws_core::{CloseCode, CloseFrame, DecodeError, EncodeError};

/// An error while receiving or sending.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The peer closed the connection with a code other than 1000 or 1001.
    Closed(CloseFrame),
    /// The stream ended without a close frame, or [`close_now`](crate::Connection::close_now) was called. Contains the
    /// transport's error, if any: a reset, or TLS that ended without its own close.
    Cut(Option<io::Error>),
    /// The peer violated the protocol or a limit; the connection was closed with the matching code.
    Protocol(DecodeError),
    /// The peer sent a message after [`Connection::close_read`](crate::Connection::close_read); the connection was
    /// closed with 1008.
    UnexpectedMessage,
    /// The peer did not answer a heartbeat ping in time.
    HeartbeatTimeout,
    /// This end closed the connection with this code: the peer violated the application's protocol (see
    /// [`Connection::fail`](crate::Connection::fail)), or was too slow for a [`Broadcast`](crate::Broadcast).
    Failed(CloseCode),
    /// More arrived than was received, beyond [`Settings::receive_limit`](crate::Settings); the connection was closed. Only in a
    /// browser, which can't be told to wait: elsewhere, the peer is held back.
    Overrun,
    /// Closing took longer than [`Settings::close_timeout`](crate::Settings).
    CloseTimeout,
    /// The message can't be sent; nothing was queued.
    Send(EncodeError),
    /// The transport failed.
    Io(io::Error),
}

impl Error {
    /// Returns the code of the peer's close frame, if this is [`Closed`](Self::Closed).
    #[must_use]
    pub fn close_code(&self) -> Option<CloseCode> {
        match self {
            Self::Closed(frame) => Some(frame.code()),
            Self::Cut(_)
            | Self::Protocol(_)
            | Self::UnexpectedMessage
            | Self::HeartbeatTimeout
            | Self::Failed(_)
            | Self::Overrun
            | Self::CloseTimeout
            | Self::Send(_)
            | Self::Io(_) => None,
        }
    }
}

/// Maps [`Error::Closed`] to success: the peer's code doesn't matter to the end that closes.
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
            Self::Overrun => f.write_str("more arrived than was received"),
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
            | Self::Overrun
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
            | Error::Overrun
            | Error::CloseTimeout
            | Error::Send(_)) => Self::other(error),
        }
    }
}
