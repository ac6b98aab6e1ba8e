//! How far a connection has come, and what it came to.

use std::pin::Pin;

use tokio::time::Sleep;
use ws_core::{CloseCode, DecodeError};

use crate::machine::failure::Failure;
use crate::machine::linger::Linger;

/// How far the connection has come.
#[derive(Debug)]
pub(crate) enum Phase {
    /// Messages pass.
    Open,
    Ending(Box<Ending>),
}

/// How far the end has come.
#[derive(Debug)]
pub(crate) enum Ending {
    /// Our close frame is sent, the peer's is awaited.
    Closing(Deadline),
    /// Nothing is awaited but the end of the stream.
    Lingering(Deadline, Linger, End),
    /// The stream is done with.
    Ended(End),
}

impl Phase {
    pub(super) fn ending(ending: Ending) -> Self {
        Self::Ending(Box::new(ending))
    }

    /// What the connection came to, once it has.
    pub(super) fn ended(&self) -> Option<&End> {
        let Self::Ending(ending) = self else { return None };
        match &**ending {
            Ending::Closing(_) | Ending::Lingering(..) => None,
            Ending::Ended(end) => Some(end),
        }
    }
}

/// One timer for all of closing; nothing stretches it.
pub(super) type Deadline = Pin<Box<Sleep>>;

/// What the connection came to.
#[derive(Clone, Debug)]
pub(crate) enum End {
    /// Both close frames passed; the peer's said 1000, 1001 or nothing.
    Normal,
    /// Both close frames passed; the peer's said something else.
    Closed,
    /// The peer broke the protocol.
    Protocol(DecodeError),
    /// The peer sent a message where none was taken.
    Refused,
    /// The peer sent what the application's own protocol doesn't allow.
    Failed(CloseCode),
    /// The stream ended without a close frame; why, where the transport said so.
    Cut(Option<Failure>),
    /// The peer did not answer a ping of the heartbeat.
    Lost,
    /// The deadline passed before the peer's close frame.
    Timeout,
    /// The transport failed.
    Io(Failure),
}

impl From<Failure> for End {
    /// A stream that breaks without a close frame was cut, whatever the transport calls it.
    fn from(failure: Failure) -> Self {
        if failure.is_cut() { Self::Cut(Some(failure)) } else { Self::Io(failure) }
    }
}
