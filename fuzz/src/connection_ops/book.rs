//! The model: what the user of a connection knows of it, written down as it happens.

use std::cell::RefCell;
use std::future::Future;
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use ws_core::Header;
use ws_tokio::{CloseCode, Error, Ping};

use super::input::Input;
use super::plan::{Plan, Step};
use super::received::Received;
use super::sent::{Mark, Sent};
use super::speech::Heard;
use crate::support::scripted::{ReadEnd, WriteEnd};

/// Shared by the operations of one run.
pub(super) type Shared = Rc<RefCell<Book>>;

pub(super) struct Book {
    pub(super) received: Received,
    pub(super) sent: Sent,
    pub(super) pings: Vec<Ping>,
    /// So many of them are written.
    pub(super) pings_written: usize,
    /// The codes that we closed with; the first queues a close frame unless another was.
    pub(super) codes: Vec<u16>,
    /// Since when nothing may be sent any more.
    closed: Option<u32>,
    /// Whether the connection was ended without a closing handshake.
    pub(super) cut: bool,
    silent: bool,
    queue_limit: usize,
    /// Whether time may have passed while the connection was left alone.
    slow: bool,
}

impl Book {
    pub(super) fn new(plan: &Plan, heard: Heard) -> Self {
        let silent = plan.read_end == ReadEnd::Silence;
        let stalls = matches!(plan.write_end, Some((_, WriteEnd::Stalls)));
        let left_alone = |step: &Step| matches!(step, Step::Sleep(_) | Step::Together { .. });
        Self {
            received: Received::new(plan, heard),
            sent: Sent::default(),
            pings: Vec::new(),
            pings_written: 0,
            codes: Vec::new(),
            closed: None,
            cut: false,
            silent,
            queue_limit: plan.limits.queue_limit,
            slow: silent || stalls || plan.program.iter().any(left_alone),
        }
    }

    /// We close with this code, if it may be sent.
    pub(super) fn close(&mut self, code: u16) {
        if !CloseCode::new(code).is_sendable() {
            return;
        }
        self.codes.push(code);
        self.nothing_follows();
        self.received.draining = true;
        if self.slow {
            self.received.may_end(Error::CloseTimeout);
        }
    }

    /// We fail the connection with this code, if it may be sent.
    pub(super) fn fail(&mut self, code: u16) {
        if !CloseCode::new(code).is_sendable() {
            return;
        }
        self.codes.push(code);
        self.nothing_follows();
        self.received.draining = true;
        self.received.may_end(Error::Failed(CloseCode::new(code)));
    }

    pub(super) fn close_now(&mut self) {
        self.cut = true;
        self.nothing_follows();
        self.received.may_end(Error::Cut(None));
        self.received.draining = true;
    }

    fn nothing_follows(&mut self) {
        let now = self.sent.tick();
        self.closed.get_or_insert(now);
    }

    /// Something was accepted for sending by an operation that began then.
    pub(super) fn accepted(&self, began: u32) {
        assert!(self.closed.is_none_or(|closed| began < closed), "accepted after our close frame");
    }

    /// Whether whoever receives may wait for ever.
    pub(super) fn may_wait(&self) -> bool {
        self.silent && self.is_untouched()
    }

    /// Whether nobody but the peer closed.
    pub(super) fn is_untouched(&self) -> bool {
        self.codes.is_empty() && !self.cut
    }

    pub(super) fn written(&mut self, mark: Mark, pings: usize) {
        self.sent.written(mark);
        self.pings_written = self.pings_written.max(pings);
    }

    /// The queue keeps its limit, but for one message and what one call of a handler replies, and for control frames.
    pub(super) fn judge_queue(&self, queued: usize) {
        let largest = self.sent.largest();
        let replies = 2 * (Input::MOST_OF_SMALL + Header::MAX_LEN);
        let pongs = self.received.heard.pong_bytes().min(4096 + 125 + Header::MAX_LEN);
        let controls = pongs + (8 + Header::MAX_LEN) * self.pings.len() + 125 + Header::MAX_LEN;
        let most = self.queue_limit.max(largest) + largest + replies + controls;
        assert!(queued <= most, "{queued} bytes queued, at most {most} should be");
    }

    /// A message of `len` bytes was queued just now: there was room for it, or it is alone.
    pub(super) fn judge_room(&self, len: usize, queued: usize) {
        let most = self.queue_limit.max(len) + Header::MAX_LEN;
        assert!(queued <= most, "{queued} bytes queued, there was room for {most}");
    }

    /// The connection is over: no ping waits, and one that was answered had a pong.
    pub(super) fn judge_pings(&mut self) {
        let numbers = self.received.heard.pongs.iter();
        let numbers =
            numbers.filter_map(|pong| Some(u64::from_be_bytes(pong[..].try_into().ok()?)));
        let newest = numbers.max().unwrap_or(0);
        for (ping, number) in self.pings.iter_mut().zip(1..) {
            match pin!(ping).poll(&mut Context::from_waker(Waker::noop())) {
                Poll::Ready(Ok(_)) => assert!(number <= newest, "ping {number} had no pong"),
                Poll::Ready(Err(error)) => assert!(matches!(error, Error::Cut(_))),
                Poll::Pending => panic!("ping {number} waits although the connection is over"),
            }
        }
    }
}
