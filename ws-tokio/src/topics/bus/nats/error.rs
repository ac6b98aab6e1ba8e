//! Why a call failed.

use std::{error, fmt};

#[derive(Clone, Copy, Debug)]
pub(super) enum CallError {
    NotConnected,
    Lost,
    TimedOut,
    LongName,
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotConnected => "there is no connection to NATS",
            Self::Lost => "the connection to NATS was lost meanwhile",
            Self::TimedOut => "NATS doesn't answer",
            Self::LongName => "the topic's name is too long for NATS",
        })
    }
}

impl error::Error for CallError {}
