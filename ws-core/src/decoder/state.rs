//! Where a decoder stands between two calls: a message under way exists exactly in the states that have one.

use std::mem;

use super::assembler::Assembler;
use super::open_message::OpenMessage;
use super::whole::WholeFrame;
use crate::pool::Pool;

#[derive(Debug)]
pub(super) enum State {
    /// Between messages, at a frame's first byte, with the last message that was put together: it is lent until more
    /// is decoded, and its memory is at hand for the next.
    Start(Option<Assembler>),
    /// In a frame that is a whole message.
    Whole(WholeFrame),
    /// In a message whose bytes are taken away as they arrive.
    Open(OpenMessage),
    /// A close frame came, or an error: nothing is read as data any more.
    Closed,
}

impl State {
    /// Memory to put a message together in: the last one's, or the pool's.
    pub(super) fn memory(&mut self, pool: &mut dyn Pool) -> Vec<u8> {
        match mem::replace(self, Self::Start(None)) {
            Self::Start(Some(last)) => last.into_memory(),
            Self::Start(None) | Self::Whole(_) | Self::Open(_) | Self::Closed => pool.take(),
        }
    }

    /// The memory of the last message that was put together goes back.
    pub(super) fn forget_last(&mut self, pool: &mut dyn Pool) {
        if let Self::Start(last) = self {
            if let Some(last) = last.take() {
                pool.give(last.into_memory());
            }
        }
    }

    /// Nothing is under way any more; a message that was put together is kept for whoever it is lent to.
    pub(super) fn end_message(&mut self) {
        if let Self::Open(message) = mem::replace(self, Self::Start(None)) {
            *self = Self::Start(message.into_gathered());
        }
    }
}
