//! The sending direction: messages are encoded into a queue, and the queue is written.

mod messages;
mod write;

use std::time::Duration;

use ws_core::{CloseFrame, Control, EncodeError, Encoder, SendQueue};

use crate::error::Error;
use crate::events::Event;
use crate::machine::counters::Traffic;
use crate::machine::failure::Failure;
use crate::machine::news::{More, News};
use crate::machine::pings::{Ping, Pings};
use crate::machine::pool::ThreadPool;
use crate::machine::wants::Wants;
use crate::settings::Settings;

/// Pongs are queued in order up to this many bytes. Beyond that only the newest is kept (RFC 6455, 5.5.3), so that a
/// flood of pings can't grow the queue.
const OWED_PONGS: u32 = 4096;

#[derive(Debug)]
pub(crate) struct Outbound {
    encoder: Encoder,
    queue: SendQueue,
    queue_limit: u32,
    high_water: u32,
    /// Bytes written since the connection began.
    written: u64,
    /// Bytes of pongs queued since the queue was last empty.
    pongs: u32,
    rare: Option<Box<Rare>>,
    /// Whether the transport may hold bytes that were not flushed.
    unflushed: bool,
    /// Who can go on, and whether there is more news.
    noted: Wants,
    /// Whether the transport failed, so that nothing can be written.
    broken: bool,
}

/// State that few connections have, or only for a while.
#[derive(Debug, Default)]
struct Rare {
    /// The newest pong, if it has no place in the queue yet.
    owed: Option<Box<Control>>,
    pings: Pings,
    /// News other than who can go on.
    news: More,
    /// The transport's error.
    failure: Option<Failure>,
    /// Whether queued bytes were lost with it.
    lost: bool,
}

impl Outbound {
    pub(crate) fn new(encoder: Encoder, settings: &Settings) -> Self {
        Self {
            encoder,
            queue: SendQueue::new(),
            // So that an empty queue is never full.
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

    /// Returns an error if nothing can be sent any more.
    #[inline]
    pub(crate) fn may_send(&self) -> Result<(), Error> {
        if self.encoder.is_closed() {
            return Err(Error::Send(EncodeError::Closed));
        }
        if self.broken {
            return Err(Error::Io(self.failure()));
        }
        Ok(())
    }

    /// Sets the least size of messages that are compressed.
    #[cfg(feature = "deflate")]
    pub(crate) fn set_compression_threshold(&mut self, bytes: usize) {
        self.encoder.set_compression_threshold(bytes);
    }

    /// Sets the compression level.
    #[cfg(feature = "deflate")]
    pub(crate) fn set_compression_level(&mut self, level: u8) {
        self.encoder.set_compression_level(level);
    }

    /// Queues a control frame that isn't an answer.
    pub(crate) fn control(&mut self, control: &Control) -> Result<(), EncodeError> {
        self.encoder.control(control, &mut self.queue, &mut ThreadPool)?;
        if let Control::Close(frame) = control {
            // Nothing can be sent after this, and receivers start the deadline.
            self.wake(Wants::ALL);
            self.note(|| Event::CloseQueued(frame.as_ref().map(CloseFrame::code)));
        }
        // If the transport failed, it will never be written.
        if self.broken {
            self.release();
        }
        Ok(())
    }

    /// Queues a ping, and returns the future of its round-trip time.
    pub(crate) fn ping(&mut self) -> Result<Ping, Error> {
        self.may_send()?;
        let rare = self.rare();
        let (payload, ping) = rare.pings.start(&mut rare.news.answered);
        self.control(&Control::Ping(payload))?;
        Ok(ping)
    }

    /// Resolves the ping that a pong answers.
    pub(crate) fn pong_received(&mut self, payload: &[u8]) {
        if let Some(rare) = &mut self.rare {
            rare.pings.pong_received(payload, &mut rare.news.answered);
            self.wake(Wants::MORE);
        }
    }

    /// Notes that these can go on.
    pub(crate) const fn wake(&mut self, wants: Wants) {
        self.noted = self.noted.or(wants);
    }

    /// Notes an event for `tracing`.
    pub(crate) fn note(&mut self, event: impl FnOnce() -> Event) {
        if cfg!(feature = "tracing") {
            self.wake(Wants::MORE);
            self.rare().news.events.push(event());
        }
    }

    /// Takes the news, to be told after unlocking.
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

    /// Queues an answer that the protocol requires; none after our close frame.
    pub(crate) fn reply(&mut self, control: Control) {
        if matches!(control, Control::Pong(_)) && self.pongs >= OWED_PONGS {
            self.rare().owed = Some(Box::new(control));
            return;
        }
        let before = self.queue.len();
        if self.control(&control).is_ok() && matches!(control, Control::Pong(_)) {
            self.pongs += (self.queue.len() - before) as u32; // at most 139
        }
    }

    /// Queues a close frame unless one was queued.
    pub(crate) fn close(&mut self, frame: Option<CloseFrame>) {
        _ = self.take_owed();
        _ = self.control(&Control::Close(frame));
    }

    /// Whether a close frame was queued.
    pub(crate) const fn is_closed(&self) -> bool {
        self.encoder.is_closed()
    }

    /// Returns the sent traffic, if counting is enabled.
    pub(crate) fn traffic(&self) -> Option<Traffic> {
        Some(Traffic { counts: self.encoder.counts()?, wire_bytes: self.written })
    }

    /// Bytes written since the connection began.
    pub(crate) const fn written(&self) -> u64 {
        self.written
    }

    /// Bytes queued.
    pub(crate) fn queued(&self) -> usize {
        self.queue.len()
    }

    /// Whether there is nothing to write and nothing to flush.
    pub(crate) fn is_flushed(&self) -> bool {
        self.queue.is_empty() && !self.unflushed
    }

    /// Returns where the queue ends, in bytes since the connection began; infinity when nothing can be written any
    /// more.
    pub(crate) fn mark(&self) -> u64 {
        if self.broken { u64::MAX } else { self.written + self.queue.len() as u64 }
    }

    /// Whether the queue is at its limit. An empty queue never is, so that one message always fits.
    #[inline]
    pub(crate) fn is_full(&self) -> bool {
        self.queue.len() >= self.queue_limit as usize
    }

    /// Whether enough is queued to start writing.
    #[inline]
    pub(crate) fn is_high(&self) -> bool {
        self.queue.len() >= self.high_water as usize
    }

    /// Whether a message of `len` bytes has room; one longer than the limit has room in an empty queue.
    #[inline]
    pub(crate) fn has_room(&self, len: usize) -> bool {
        let queued = self.queue.len();
        queued == 0 || queued.saturating_add(len) <= self.queue_limit as usize
    }

    /// Whether a message of `len` bytes has room without writing first.
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
        self.release();
    }
}
