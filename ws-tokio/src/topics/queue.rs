//! The bounded queue of one subscriber.

use std::collections::VecDeque;
use std::task::Waker;

use ws_core::{CloseCode, PreparedMessage};

use super::options::{BroadcastOptions, Slow};

/// Number of messages whose capacity an empty queue keeps; more is freed after a burst.
const KEPT: usize = 32;

/// A subscriber's queue. Invariant: empty, or within the topic's limits, or a single message.
pub(super) struct Queue {
    messages: VecDeque<PreparedMessage>,
    /// Total payload bytes.
    bytes: usize,
    dropped: u64,
    stage: Stage,
    waiting: Option<(Wish, Waker)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    Subscribed,
    /// Nothing more will be queued.
    Ended,
    /// Nothing more will be queued or taken: the subscriber was too slow, and its connection is to be closed with this
    /// code.
    Overflowed(CloseCode),
}

/// What a subscriber waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    /// A message, or the end of the topic.
    Message,
    /// An overflow, while the subscriber holds a message that it can't deliver yet.
    Overflow,
}

/// What happened to an offered message.
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

    /// Returns the number of offered messages that will never be taken.
    pub(super) const fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Queues a message, or applies the topic's policy.
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

    /// Ends the queue; queued messages may still be taken. Returns the task to wake.
    pub(super) fn finish(&mut self) -> Option<Waker> {
        self.stage = Stage::Ended;
        self.waker_for(|wish| wish == Wish::Message)
    }

    /// Empties and ends the queue.
    pub(super) fn end(&mut self, stage: Stage) {
        self.stage = stage;
        self.messages = VecDeque::new();
        self.bytes = 0;
    }

    /// Registers the subscriber's task. Returns the previous waker, to be dropped after unlocking.
    pub(super) fn wait(&mut self, wish: Wish, waker: &Waker) -> Option<(Wish, Waker)> {
        self.waiting.replace((wish, waker.clone()))
    }

    /// Returns the task to wake after an offer; a burst wakes it once.
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
