//! Compression in the encoder (RFC 7692).

use super::send_queue::SendQueue;
use super::{Coding, Encoder};
#[cfg(feature = "deflate")]
use crate::deflate::{AgreedCompression, CompressionOptions, Deflater};
use crate::frame::opcode::Opcode;
use crate::message::piece::More;
use crate::pool::Pool;
#[cfg(feature = "deflate")]
#[cfg(feature = "deflate")]
impl Encoder {
    /// Compresses messages, as the handshake agreed and these options say. To be called before the first message.
    #[must_use]
    pub fn with_compression(
        mut self,
        agreed: &AgreedCompression,
        options: &CompressionOptions,
    ) -> Self {
        self.extras.set_stage(Deflater::new(self.role(), agreed, options));
        self
    }

    /// Returns the size in bytes from which messages are compressed; `None` if none are.
    #[must_use]
    pub fn compression_threshold(&self) -> Option<usize> {
        self.extras.stage().map(Deflater::threshold)
    }

    /// Sets the size in bytes from which messages are compressed, from the next message on. Setting it to `usize::MAX`
    /// around a message exempts that message.
    pub fn set_compression_threshold(&mut self, bytes: usize) {
        if let Some(deflater) = self.extras.stage_mut() {
            deflater.set_threshold(bytes);
        }
    }

    /// Sets the compression level from the next message on, 0 to 9; more counts as 9. Resets the context.
    pub fn set_compression_level(&mut self, level: u8) {
        if let Some(deflater) = self.extras.stage_mut() {
            deflater.set_level(level);
        }
    }
}

impl Encoder {
    /// Returns the compressed payload, in memory of the pool, if the message is to be compressed.
    #[inline(never)] // Most messages pass it by.
    pub(super) fn deflated(&mut self, payload: &[u8], pool: &mut dyn Pool) -> Option<Vec<u8>> {
        let deflater = self.extras.stage_mut().filter(|deflater| deflater.wants(payload.len()))?;
        deflater.message(payload, pool)
    }

    #[inline(never)]
    pub(super) fn queue_deflated(
        &mut self,
        opcode: Opcode,
        more: More,
        deflated: Vec<u8>,
        out: &mut SendQueue,
        pool: &mut dyn Pool,
    ) {
        let header = self.header(opcode, Coding::Deflated, more, deflated.len());
        out.copy(&header, &deflated, pool);
        pool.give(deflated);
    }

    /// Returns how to send a message that begins with this many bytes.
    #[inline]
    pub(super) fn coding(&self, first: usize) -> Coding {
        match self.extras.stage() {
            Some(deflater) if deflater.wants(first) => Coding::Deflated,
            Some(_) | None => Coding::Plain,
        }
    }
}
