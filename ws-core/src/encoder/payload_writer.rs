//! Payloads of unknown length, written where they leave from.

use std::io;

/// Where a payload of unknown length is written: straight into the send queue, behind its header.
#[derive(Debug)]
pub struct PayloadWriter<'a> {
    pub(super) buffer: &'a mut Vec<u8>,
    /// Where the buffer ends when the writer is gone: before the header, unless the payload was finished.
    pub(super) end: usize,
}

impl PayloadWriter<'_> {
    /// Lets `fill` write into memory outside a queue: behind what is there, and where it fails, nothing.
    ///
    /// # Errors
    /// What `fill` failed with.
    pub fn fill<E>(
        buffer: &mut Vec<u8>,
        fill: impl FnOnce(&mut PayloadWriter<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut writer = PayloadWriter { end: buffer.len(), buffer };
        fill(&mut writer)?;
        writer.end = writer.buffer.len();
        Ok(())
    }

    /// Adds bytes to the payload.
    #[inline]
    pub fn extend_from_slice(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }
}

impl io::Write for PayloadWriter<'_> {
    #[inline]
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    #[inline]
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.extend_from_slice(bytes);
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for PayloadWriter<'_> {
    fn drop(&mut self) {
        self.buffer.truncate(self.end);
    }
}
