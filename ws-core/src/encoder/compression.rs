//! What an encoder does where permessage-deflate was agreed.

use super::send_queue::SendQueue;
use super::{Coding, Encoder};
#[cfg(feature = "deflate")]
use crate::deflate::{AgreedCompression, CompressionOptions, Deflater};
use crate::frame::opcode::Opcode;
use crate::message::piece::More;
use crate::pool::Pool;
#[cfg(feature = "deflate")]
use crate::role::Role;

#[cfg(feature = "deflate")]
impl Encoder {
    /// Deflates messages, as the handshake agreed and these options say. To be said at the start of a connection.
    #[must_use]
    pub fn with_compression(
        mut self,
        agreed: &AgreedCompression,
        options: &CompressionOptions,
    ) -> Self {
        let role = if self.keys.is_some() { Role::Client } else { Role::Server };
        self.extras.set_stage(Deflater::new(role, agreed, options));
        self
    }

    /// The smallest message that is deflated, in bytes; `None` where none ever is.
    #[must_use]
    pub fn compression_threshold(&self) -> Option<usize> {
        self.extras.stage().map(Deflater::threshold)
    }

    /// From the next message on, deflates messages of at least so many bytes. With `usize::MAX` around it, a
    /// message opts out.
    pub fn set_compression_threshold(&mut self, bytes: usize) {
        if let Some(deflater) = self.extras.stage_mut() {
            deflater.set_threshold(bytes);
        }
    }

    /// From the next message on, deflates at this level, from 0 to 9; more is 9. What was remembered of earlier
    /// messages is forgotten.
    pub fn set_compression_level(&mut self, level: u8) {
        if let Some(deflater) = self.extras.stage_mut() {
            deflater.set_level(level);
        }
    }
}

impl Encoder {
    /// The payload in memory of the pool, where it is to go out deflated.
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

    /// How a message goes out that begins with so many bytes.
    #[inline]
    pub(super) fn coding(&self, first: usize) -> Coding {
        match self.extras.stage() {
            Some(deflater) if deflater.wants(first) => Coding::Deflated,
            Some(_) | None => Coding::Plain,
        }
    }
}
