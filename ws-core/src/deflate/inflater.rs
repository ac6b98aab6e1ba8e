//! One direction's messages, inflated: the state within one, and what is remembered between them.

use std::collections::VecDeque;

use super::params::AgreedCompression;
use super::state::{Decompressor, Flow};
use crate::error::DecodeError;
use crate::pool::Pool;
use crate::role::Role;

/// What every message's data lacks at its end (RFC 7692, 7.2.2), and an empty final block behind it: only data that
/// is whole gets to the end of that.
const TAIL: &[u8] = b"\x00\x00\xff\xff\x01\x00\x00\xff\xff";

/// Inflates one message after the other: what comes out is to be taken before more goes in.
#[derive(Debug)]
pub(crate) struct Inflater {
    /// What the peer may refer back to; none where it forgets.
    window: Option<Window>,
    /// The pool's, while a message is under way.
    decompressor: Option<Decompressor>,
    /// What became of the last bytes that went in.
    flow: Flow,
    /// How much of what came out is taken.
    taken: usize,
    /// What is still to be added to the message's data.
    tail: &'static [u8],
}

impl Inflater {
    /// For what arrives at this end.
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
        // As behind a final block: the data starts anew, and may be none at all.
        (self.flow, self.taken, self.tail) = (Flow::Ended, 0, TAIL);
    }

    /// What came out and is not taken.
    pub(crate) fn out(&self) -> &[u8] {
        self.decompressor.as_ref().map_or(&[], |decompressor| &decompressor.out()[self.taken..])
    }

    /// Takes bytes off the front of what came out.
    pub(crate) fn take(&mut self, bytes: usize) {
        self.taken += bytes;
    }

    /// Whether nothing more will come out of what went in. To be asked once all that came out is taken.
    ///
    /// # Errors
    /// [`DecodeError::NotDeflated`] where the data is broken behind that.
    pub(crate) fn is_drained(&self) -> Result<bool, DecodeError> {
        debug_assert!(self.out().is_empty());
        match self.flow {
            Flow::Starved | Flow::Ended => Ok(true),
            Flow::Full => Ok(false),
            Flow::Broken => Err(DecodeError::NotDeflated),
        }
    }

    /// Inflates from the front of `input`; says how many bytes of it are used. At most 16 KiB come out.
    pub(crate) fn push(&mut self, input: &[u8], pool: &mut dyn Pool) -> usize {
        let decompressor = self.decompressor.get_or_insert_with(|| pool.take_decompressor());
        if self.flow == Flow::Ended {
            // What follows a final block is a stream of its own, but the window goes on.
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

    /// Adds what the message's data lacks at its end, once all of that is drained; whether there is nothing to add.
    ///
    /// # Errors
    /// [`DecodeError::NotDeflated`] where the data ends too early.
    pub(crate) fn push_tail(&mut self, pool: &mut dyn Pool) -> Result<bool, DecodeError> {
        // Some peers end a message with a final block and leave it at that.
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

/// The last bytes of what was inflated.
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
        // In powers of two, of which the size is one: never beyond it.
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
