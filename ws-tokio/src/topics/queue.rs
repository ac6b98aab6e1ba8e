//! What was published and is not yet taken by one subscriber, within bounds.

use std::collections::VecDeque;
use std::task::Waker;

use ws_core::{CloseCode, PreparedMessage};

use super::options::{BroadcastOptions, Slow};

/// An empty queue keeps room for so many messages; what a burst needed beyond that is given back.
const KEPT: usize = 32;

/// Invariant: empty, or within the topic's bounds, or a single message.
pub(super) struct Queue {
    messages: VecDeque<PreparedMessage>,
    /// Of the payloads.
    bytes: usize,
    dropped: u64,
    stage: Stage,
    waiting: Option<(Wish, Waker)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    Subscribed,
    /// Nothing will be queued any more.
    Ended,
    /// Nor will anything be taken: it was too slow, and is to be told so with this code.
    Overflowed(CloseCode),
}

/// What a subscriber waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    /// A message, or to hear that none will come.
    Message,
    /// To hear that it was too slow: it has a message already, and can't get rid of it.
    Overflow,
}

/// What became of a message that was offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Offered {
    Queued,
    Dropped,
    Overflowed,
}

impl Queue {
    pub(super) const fn new() -> Self {
        let stage = Stage::Subscribed;
        Self { messages: VecDeque::new(), bytes: 0, dropped: 0, stage, waiting: None }
    }

    pub(super) const fn stage(&self) -> Stage {
        self.stage
    }

    /// How many messages were offered and will not be taken.
    pub(super) const fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Queues a message, unless the topic's policy has it otherwise.
    pub(super) fn offer(
        &mut self,
        message: &PreparedMessage,
        options: &BroadcastOptions,
    ) -> Offered {
        let len = len(message);
        while !self.has_room(len, options) {
            self.dropped += 1;
            match options.slow {
                Slow::DropOldest => _ = self.pop(),
                Slow::DropNewest => return Offered::Dropped,
                Slow::Disconnect(code) => {
                    self.dropped += self.messages.len() as u64;
                    self.end(Stage::Overflowed(code));
                    return Offered::Overflowed;
                }
            }
        }
        self.bytes += len;
        self.messages.push_back(message.clone());
        Offered::Queued
    }

    pub(super) fn take(&mut self) -> Option<PreparedMessage> {
        let message = self.pop();
        if self.messages.is_empty() && self.messages.capacity() > KEPT {
            self.messages = VecDeque::new();
        }
        message
    }

    /// Nothing will be queued any more; what is, may still be taken.
    pub(super) fn finish(&mut self) -> Option<Waker> {
        self.stage = Stage::Ended;
        self.waker_for(|wish| wish == Wish::Message)
    }

    /// Nothing is queued, and nothing will be.
    pub(super) fn end(&mut self, stage: Stage) {
        self.stage = stage;
        self.messages = VecDeque::new();
        self.bytes = 0;
    }

    /// Registers the subscriber's task. Whoever was registered before is returned, to be dropped without the lock.
    pub(super) fn wait(&mut self, wish: Wish, waker: &Waker) -> Option<(Wish, Waker)> {
        self.waiting.replace((wish, waker.clone()))
    }

    /// Whom to wake after an offer. A burst wakes a task once.
    pub(super) fn waker_after(&mut self, offered: Offered) -> Option<Waker> {
        self.waker_for(|wish| match offered {
            Offered::Queued => wish == Wish::Message,
            Offered::Dropped => false,
            Offered::Overflowed => true,
        })
    }

    fn waker_for(&mut self, is_due: impl FnOnce(Wish) -> bool) -> Option<Waker> {
        self.waiting.take_if(|(wish, _)| is_due(*wish)).map(|(_, waker)| waker)
    }

    fn has_room(&self, len: usize, options: &BroadcastOptions) -> bool {
        self.messages.is_empty()
            || self.messages.len() < options.max_messages
                && self.bytes.saturating_add(len) <= options.max_bytes
    }

    fn pop(&mut self) -> Option<PreparedMessage> {
        let message = self.messages.pop_front()?;
        self.bytes -= len(&message);
        Some(message)
    }
}

fn len(message: &PreparedMessage) -> usize {
    message.message().as_bytes().len()
}
