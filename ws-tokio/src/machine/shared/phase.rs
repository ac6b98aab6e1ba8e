//! The phases of a connection, and its result.

use std::pin::Pin;

use tokio::time::Sleep;
use ws_core::{CloseCode, DecodeError};

use crate::machine::failure::Failure;
use crate::machine::linger::Linger;

/// A connection's phase.
#[derive(Debug)]
pub(crate) enum Phase {
    /// Messages are exchanged.
    Open,
    Ending(Box<Ending>),
}

/// The phases of ending.
#[derive(Debug)]
pub(crate) enum Ending {
    /// Our close frame was queued; the peer's is awaited.
    Closing(Deadline),
    /// Only the end of the stream is awaited.
    Lingering(Deadline, Linger, End),
    /// The stream is no longer used.
    Ended(End),
}

impl Phase {
    pub(super) fn ending(ending: Ending) -> Self {
        Self::Ending(Box::new(ending))
    }

    /// Returns how the connection ended, if it has.
    pub(super) fn ended(&self) -> Option<&End> {
        let Self::Ending(ending) = self else { return None };
        match &**ending {
            Ending::Closing(_) | Ending::Lingering(..) => None,
            Ending::Ended(end) => Some(end),
        }
    }
}

/// What may still arrive on a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arriving {
    Messages,
    /// Messages that nobody can answer any more: the peer may not know yet that we go away. They are dropped.
    Late,
    Nothing,
}

/// The single timer for all of closing, which is never extended.
pub(super) type Deadline = Pin<Box<Sleep>>;

/// How the connection ended.
#[derive(Clone, Debug)]
pub(crate) enum End {
    /// Both close frames were exchanged; the peer's had 1000, 1001 or no code.
    Normal,
    /// Both close frames were exchanged; the peer's had another code.
    Closed,
    /// The peer violated the protocol.
    Protocol(DecodeError),
    /// The peer sent an unexpected message.
    Refused,
    /// The peer violated the application's protocol, or was too slow.
    Failed(CloseCode),
    /// The stream ended without a close frame, or this end cut it. Contains the transport's error, if any.
    Cut(Option<Failure>),
    /// The peer did not answer a heartbeat ping.
    Lost,
    /// The deadline expired before the peer's close frame arrived.
    Timeout,
    /// The transport failed.
    Io(Failure),
}

impl From<Failure> for End {
    /// A stream that breaks without a close frame counts as cut, whatever the transport's error kind.
    fn from(failure: Failure) -> Self {
        if failure.is_cut() { Self::Cut(Some(failure)) } else { Self::Io(failure) }
    }
}
