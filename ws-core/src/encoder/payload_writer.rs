//! Writing payloads of unknown length into the send queue.

use std::io;

/// Writes a payload of unknown length straight into the send queue, behind its header.
#[derive(Debug)]
pub struct PayloadWriter<'a> {
    pub(super) buffer: &'a mut Vec<u8>,
    /// The buffer's length after this is dropped: before the header, unless the payload was finished.
    pub(super) end: usize,
}

impl PayloadWriter<'_> {
    /// Lets `fill` append to memory outside a queue; if it fails, nothing is appended.
    ///
    /// # Errors
    /// The error of `fill`.
    pub fn fill<E>(
        buffer: &mut Vec<u8>,
        fill: impl FnOnce(&mut PayloadWriter<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut writer = PayloadWriter { end: buffer.len(), buffer };
        fill(&mut writer)?;
        writer.end = writer.buffer.len();
        Ok(())
    }

    /// Appends bytes to the payload.
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
