//! The sending direction: messages are encoded into a queue, which is then written.

mod messages;
mod write;

use std::time::Duration;

use ws_core::{CloseFrame, Control, EncodeError, Encoder, Role, SendQueue};

use crate::error::Error;
use crate::events::{Event, Side};
use crate::machine::counters::Traffic;
use crate::machine::failure::Failure;
use crate::machine::life::Life;
use crate::machine::news::{More, News};
use crate::machine::pings::{Ping, Pings};
use crate::machine::pool::ThreadPool;
use crate::machine::wants::Wants;
use crate::settings::Settings;

/// Maximum number of bytes of pongs queued in order. Beyond that only the newest pong is kept (RFC 6455, 5.5.3), so
/// that a flood of pings can't grow the queue.
const OWED_PONGS: u32 = 4096;

#[derive(Debug)]
pub(crate) struct Outbound {
    encoder: Encoder,
    queue: SendQueue,
    queue_limit: u32,
    high_water: u32,
    /// Number of bytes written since the connection began.
    written: u64,
    /// Number of bytes of pongs queued since the queue was last empty.
    pongs: u32,
    rare: Option<Box<Rare>>,
    life: Life,
    /// Whether the transport may hold unflushed bytes.
    unflushed: bool,
    /// The tasks to wake, and whether there are other notifications.
    noted: Wants,
    /// Whether the transport failed, so that nothing can be written.
    broken: bool,
}

/// State that few connections have, or only temporarily.
#[derive(Debug, Default)]
struct Rare {
    /// The newest pong, if it is not in the queue yet.
    owed: Option<Box<Control>>,
    pings: Pings,
    /// Notifications other than the tasks to wake.
    news: More,
    /// The transport's error.
    failure: Option<Failure>,
    /// Whether queued bytes were lost because of it.
    lost: bool,
}

impl Outbound {
    pub(crate) fn new(encoder: Encoder, settings: &Settings) -> Self {
        Self {
            life: Life::new(encoder.role(), settings.counting),
            encoder,
            queue: SendQueue::new(),
            // At least 1, so that an empty queue is never full.
            queue_limit: settings.queue_limit.max(1),
            high_water: settings.high_water,
            written: 0,
            pongs: 0,
            rare: None,
            unflushed: false,
            noted: Wants::NONE,
            broken: false,
        }
    }

    pub(crate) const fn role(&self) -> Role {
        self.encoder.role()
    }

    /// Returns an error if nothing can be sent any more.
    #[inline]
    pub(crate) fn may_send(&self) -> Result<(), Error> {
        if self.encoder.is_closed() || self.broken { Err(self.refusal()) } else { Ok(()) }
    }

    #[cold]
    fn refusal(&self) -> Error {
        if self.encoder.is_closed() {
            return Error::Send(EncodeError::Closed);
        }
        Error::Io(self.failure())
    }

    /// Sets the minimum size of messages to compress.
    #[cfg(feature = "deflate")]
    pub(crate) fn set_compression_threshold(&mut self, bytes: usize) {
        self.encoder.set_compression_threshold(bytes);
    }

    /// Sets the compression level.
    #[cfg(feature = "deflate")]
    pub(crate) fn set_compression_level(&mut self, level: u8) {
        self.encoder.set_compression_level(level);
    }

    /// Queues a control frame.
    pub(crate) fn control(&mut self, control: &Control) -> Result<(), EncodeError> {
        self.encoder.control(control, &mut self.queue, &mut ThreadPool)?;
        if let Control::Close(frame) = control {
            // Nothing can be sent after this, and receivers must start the closing deadline.
            self.wake(Wants::ALL);
            self.life.closed_by(Side::Us);
            self.note(|| Event::CloseQueued(frame.as_ref().map(CloseFrame::code)));
        }
        // If the transport failed, the frame will never be written.
        if self.broken {
            self.release();
        }
        Ok(())
    }

    /// Queues a ping, and returns a future of its round-trip time.
    pub(crate) fn ping(&mut self) -> Result<Ping, Error> {
        self.may_send()?;
        let rare = self.rare();
        let (payload, ping) = rare.pings.start(&mut rare.news.answered);
        self.control(&Control::Ping(payload))?;
        Ok(ping)
    }

    /// Resolves the ping that this pong answers.
    pub(crate) fn pong_received(&mut self, payload: &[u8]) {
        if let Some(rare) = &mut self.rare {
            rare.pings.pong_received(payload, &mut rare.news.answered);
            self.wake(Wants::MORE);
        }
    }

    /// Records tasks to wake.
    pub(crate) const fn wake(&mut self, wants: Wants) {
        self.noted = self.noted.or(wants);
    }

    pub(crate) const fn life(&mut self) -> &mut Life {
        &mut self.life
    }

    /// Records an event for `tracing` or `metrics`.
    pub(crate) fn note(&mut self, event: impl FnOnce() -> Event) {
        if cfg!(any(feature = "tracing", feature = "metrics")) {
            self.wake(Wants::MORE);
            self.rare().news.events.push(event());
        }
    }

    /// Takes the notifications, to be delivered after unlocking.
    #[inline]
    pub(crate) fn take_news(&mut self) -> Option<News> {
        if self.noted.is_empty() { None } else { Some(self.collect_news()) }
    }

    #[cold]
    fn collect_news(&mut self) -> News {
        let wake = std::mem::take(&mut self.noted);
        let more = self.rare.as_mut().map(|rare| std::mem::take(&mut rare.news));
        News { wake, more: more.unwrap_or_default() }
    }

    /// Returns the last round-trip time of a ping.
    pub(crate) fn round_trip(&self) -> Option<Duration> {
        self.rare.as_ref()?.pings.last()
    }

    /// Queues an answer that the protocol requires, unless our close frame was queued.
    pub(crate) fn reply(&mut self, control: Control) {
        if matches!(control, Control::Pong(_)) && self.pongs >= OWED_PONGS {
            self.rare().owed = Some(Box::new(control));
            return;
        }
        let before = self.queue.len();
        if self.control(&control).is_ok() && matches!(control, Control::Pong(_)) {
            self.pongs += (self.queue.len() - before) as u32; // at most 131
        }
    }

    /// Queues a close frame, unless one was already queued.
    pub(crate) fn close(&mut self, frame: Option<CloseFrame>) {
        _ = self.take_owed();
        _ = self.control(&Control::Close(frame));
    }

    /// Returns whether a close frame was queued.
    pub(crate) const fn is_closed(&self) -> bool {
        self.encoder.is_closed()
    }

    /// Returns the sent traffic, if counting is enabled.
    pub(crate) fn traffic(&self) -> Option<Traffic> {
        Some(Traffic { counts: self.encoder.counts()?, wire_bytes: self.written })
    }

    /// Returns whether the caller sees the counters.
    pub(crate) fn shows_counters(&self) -> bool {
        self.life.shows_counters()
    }

    /// Records the received traffic so far, for `metrics`.
    #[cfg(feature = "metrics")]
    pub(crate) fn passed(&mut self, received: &Traffic) {
        let sent = self.traffic();
        if let Some(passed) = self.life.passed(received, sent) {
            self.wake(Wants::MORE);
            self.rare().news.passed.push(passed);
        }
    }

    /// Records the end, for `tracing` and `metrics`.
    pub(crate) fn ended(&mut self, code: u16, result: Result<(), Error>) {
        let sent = self.traffic();
        let ended = self.life.ended(code, sent);
        self.note(|| Event::Ended(ended, result));
    }

    /// Returns the number of bytes written since the connection began.
    pub(crate) const fn written(&self) -> u64 {
        self.written
    }

    /// Returns the number of queued bytes.
    pub(crate) fn queued(&self) -> usize {
        self.queue.len()
    }

    /// Returns whether there is nothing to write or flush.
    pub(crate) fn is_flushed(&self) -> bool {
        self.queue.is_empty() && !self.unflushed
    }

    /// Returns the position of the queue's end, in bytes since the connection began; `u64::MAX` if nothing can be
    /// written any more.
    pub(crate) fn mark(&self) -> u64 {
        if self.broken { u64::MAX } else { self.written + self.queue.len() as u64 }
    }

    /// Returns whether the queue is at its limit. An empty queue never is, so one message always fits.
    #[inline]
    pub(crate) fn is_full(&self) -> bool {
        self.queue.len() >= self.queue_limit as usize
    }

    /// Returns whether enough is queued to start writing.
    #[inline]
    pub(crate) fn is_high(&self) -> bool {
        self.queue.len() >= self.high_water as usize
    }

    /// Returns whether there is room for a message of `len` bytes. One longer than the limit fits into an empty queue.
    #[inline]
    pub(crate) fn has_room(&self, len: usize) -> bool {
        let queued = self.queue.len();
        queued == 0 || queued.saturating_add(len) <= self.queue_limit as usize
    }

    /// Returns whether there is room for a message of `len` bytes without writing first.
    #[inline]
    pub(crate) fn has_room_at_once(&self, len: usize) -> bool {
        !self.is_high() && self.has_room(len)
    }

    fn take_owed(&mut self) -> Option<Box<Control>> {
        self.rare.as_mut()?.owed.take()
    }

    fn rare(&mut self) -> &mut Rare {
        self.rare.get_or_insert_default()
    }
}

impl Drop for Outbound {
    fn drop(&mut self) {
        let sent = self.traffic();
        self.life.dropped(sent);
        self.release();
    }
}
