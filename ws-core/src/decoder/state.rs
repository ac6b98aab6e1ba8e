//! The state of a decoder between calls.

use std::mem;

use super::assembler::Assembler;
use super::open_message::OpenMessage;
use super::whole::WholeFrame;
use crate::pool::Pool;

#[derive(Debug)]
pub(super) enum State {
    /// Between messages, with the last message that was assembled: it is lent until the next call, and its memory is
    /// reused.
    Start(Option<Assembler>),
    /// In a frame that is a whole message.
    Whole(WholeFrame),
    /// In a message whose bytes leave the input as they arrive.
    Open(OpenMessage),
    /// After a close frame or an error.
    Closed,
}

impl State {
    /// Returns memory to assemble a message in: the last one's, or the pool's.
    pub(super) fn memory(&mut self, pool: &mut dyn Pool) -> Vec<u8> {
        match mem::replace(self, Self::Start(None)) {
            Self::Start(Some(last)) => last.into_memory(),
            Self::Start(None) | Self::Whole(_) | Self::Open(_) | Self::Closed => pool.take(),
        }
    }

    /// Gives the memory of the last message back.
    pub(super) fn forget_last(&mut self, pool: &mut dyn Pool) {
        if let Self::Start(last) = self {
            if let Some(last) = last.take() {
                pool.give(last.into_memory());
            }
        }
    }

    /// Ends the current message; an assembled one is kept to be lent.
    pub(super) fn end_message(&mut self) {
        if let Self::Open(message) = mem::replace(self, Self::Start(None)) {
            *self = Self::Start(message.into_gathered());
        }
    }
}
