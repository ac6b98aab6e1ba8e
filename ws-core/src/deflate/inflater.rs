//! Decompressing the messages of one direction.

use std::collections::VecDeque;

use super::params::AgreedCompression;
use super::state::{Decompressor, Flow};
use crate::error::DecodeError;
use crate::pool::Pool;
use crate::role::Role;

/// What every message's data lacks at its end (RFC 7692, 7.2.2), and then an empty final block: only complete data gets
/// to the end of that.
const TAIL: &[u8] = b"\x00\x00\xff\xff\x01\x00\x00\xff\xff";

/// Decompresses one message after another. Output has to be taken before more input is given.
#[derive(Debug)]
pub(crate) struct Inflater {
    /// What the peer may refer back to; `None` if it keeps no context.
    window: Option<Window>,
    /// Lent by the pool while a message is under way.
    decompressor: Option<Decompressor>,
    /// What became of the last input.
    flow: Flow,
    /// How much of the output was taken.
    taken: usize,
    /// What has yet to be appended to the message's data.
    tail: &'static [u8],
}

impl Inflater {
    /// Makes the stage for what this end receives.
    pub(crate) fn new(role: Role, agreed: &AgreedCompression) -> Self {
        let (forgets, bits) = match role {
            Role::Server => (agreed.client_no_context_takeover(), agreed.client_max_window_bits()),
            Role::Client => (agreed.server_no_context_takeover(), agreed.server_max_window_bits()),
        };
        let window = Window { bytes: VecDeque::new(), size: 1 << bits };
        let window = (!forgets).then_some(window);
        Self { window, decompressor: None, flow: Flow::Ended, taken: 0, tail: TAIL }
    }

    /// Begins a message.
    pub(crate) fn begin(&mut self) {
        // As after a final block: the data starts anew, and may be empty.
        (self.flow, self.taken, self.tail) = (Flow::Ended, 0, TAIL);
    }

    /// Returns the output that was not taken.
    pub(crate) fn out(&self) -> &[u8] {
        self.decompressor.as_ref().map_or(&[], |decompressor| &decompressor.out()[self.taken..])
    }

    /// Takes bytes off the front of the output.
    pub(crate) fn take(&mut self, bytes: usize) {
        self.taken += bytes;
    }

    /// Whether the input so far yields no more output. To be asked when all output was taken.
    ///
    /// # Errors
    /// [`DecodeError::NotDeflated`] if the data after that is broken.
    pub(crate) fn is_drained(&self) -> Result<bool, DecodeError> {
        debug_assert!(self.out().is_empty());
        match self.flow {
            Flow::Starved | Flow::Ended => Ok(true),
            Flow::Full => Ok(false),
            Flow::Broken => Err(DecodeError::NotDeflated),
        }
    }

    /// Decompresses from the front of `input`, at most 16 KiB of output. Returns how many bytes of input were used.
    pub(crate) fn push(&mut self, input: &[u8], pool: &mut dyn Pool) -> usize {
        let decompressor = self.decompressor.get_or_insert_with(|| pool.take_decompressor());
        if self.flow == Flow::Ended {
            // What follows a final block is a stream of its own, but the window continues.
            decompressor.restart(self.window.as_ref().map_or((&[], &[]), Window::as_slices));
        }
        let used;
        (used, self.flow) = decompressor.inflate(input);
        self.taken = 0;
        if let Some(window) = &mut self.window {
            window.push(decompressor.out());
        }
        used
    }

    /// Appends what the message's data lacks at its end, after all of it was drained. Returns whether there is nothing
    /// left to append.
    ///
    /// # Errors
    /// [`DecodeError::NotDeflated`] if the data ends too early.
    pub(crate) fn push_tail(&mut self, pool: &mut dyn Pool) -> Result<bool, DecodeError> {
        // Some peers end a message with a final block and nothing else.
        if self.flow == Flow::Ended && (self.tail.is_empty() || self.tail.len() == TAIL.len()) {
            return Ok(true);
        }
        if self.tail.is_empty() {
            return Err(DecodeError::NotDeflated);
        }
        let used = self.push(self.tail, pool);
        self.tail = &self.tail[used..];
        Ok(false)
    }

    /// Ends the message: the state goes back to the pool.
    pub(crate) fn end(&mut self, pool: &mut dyn Pool) {
        if let Some(decompressor) = self.decompressor.take() {
            pool.give_decompressor(decompressor);
        }
    }
}

/// The last bytes of the output.
#[derive(Debug)]
struct Window {
    bytes: VecDeque<u8>,
    size: usize,
}

impl Window {
    fn as_slices(&self) -> (&[u8], &[u8]) {
        self.bytes.as_slices()
    }

    fn push(&mut self, bytes: &[u8]) {
        let fresh = &bytes[bytes.len().saturating_sub(self.size)..];
        let over = (self.bytes.len() + fresh.len()).saturating_sub(self.size);
        self.bytes.drain(..over);
        // Powers of two, as the window's size is one: never beyond it.
        let room = (self.bytes.len() + fresh.len()).next_power_of_two();
        self.bytes.reserve_exact(room - self.bytes.len());
        self.bytes.extend(fresh);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_keeps_the_last_bytes_and_never_more_memory_than_its_size() {
        let mut window = Window { bytes: VecDeque::new(), size: 512 };
        let mut all = Vec::new();
        for len in [0, 1, 100, 300, 250, 511, 512, 513, 7, 2000, 3] {
            let bytes: Vec<u8> = (0..len).map(|i| (i * 31 % 251) as u8).collect();
            window.push(&bytes);
            all.extend_from_slice(&bytes);
            let last = &all[all.len().saturating_sub(512)..];
            assert!(window.bytes.iter().eq(last));
            assert!(window.bytes.capacity() <= 512);
        }
    }
}
