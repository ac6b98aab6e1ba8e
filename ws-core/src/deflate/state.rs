//! zlib's two states, as large as they are: made rarely, lent by a pool.

use std::fmt;

use flate2::{Compress, Decompress, FlushCompress, FlushDecompress, Status};

use super::options::{Level, WindowBits};

/// Bytes that are inflated at once.
const OUT: usize = 16 * 1024;

/// Least room for what is deflated at once, in bytes: a flush that begins near the end of its room is repeated.
const ROOM: usize = 64;

/// The state that deflates: 250 to 380 KiB, by its window.
pub struct Compressor {
    // zlib's own state is on the heap; so is its front, so that a compressor moves as one pointer.
    zlib: Box<Compress>,
    level: Level,
    window: WindowBits,
}

impl Compressor {
    /// A new state for a level from 0 to 9 and a window from 9 to 15 bits; what is outside counts as the nearest.
    #[must_use]
    pub fn new(level: u8, window_bits: u8) -> Self {
        Self::with(Level::nearest(level), WindowBits::nearest(window_bits))
    }

    fn with(level: Level, window: WindowBits) -> Self {
        let level_of_zlib = flate2::Compression::new(u32::from(level.get()));
        let zlib = Compress::new_with_window_bits(level_of_zlib, false, window.get());
        Self { zlib: Box::new(zlib), level, window }
    }

    /// The level that it was made for.
    #[must_use]
    pub const fn level(&self) -> u8 {
        self.level.get()
    }

    /// The window that it was made for, as the power of two of its bytes.
    #[must_use]
    pub const fn window_bits(&self) -> u8 {
        self.window.get()
    }

    /// Forgets all that it saw.
    pub(super) fn reset(&mut self) {
        self.zlib.reset();
    }

    /// Appends `input`, deflated and flushed to a byte's border, to `out`.
    pub(super) fn deflate(&mut self, mut input: &[u8], out: &mut Vec<u8>) {
        loop {
            out.reserve(ROOM.max(input.len() / 4));
            let before = self.zlib.total_in();
            self.zlib
                .compress_vec(input, out, FlushCompress::Sync)
                .expect("zlib deflates any bytes");
            input = &input[(self.zlib.total_in() - before) as usize..];
            if input.is_empty() && out.len() < out.capacity() {
                return;
            }
        }
    }
}

impl fmt::Debug for Compressor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Compressor")
            .field("level", &self.level())
            .field("window_bits", &self.window_bits())
            .finish_non_exhaustive()
    }
}

/// The state that inflates: 64 KiB. Its window is always the largest, which reads any.
pub struct Decompressor(Box<Inflate>);

struct Inflate {
    zlib: Decompress,
    out: [u8; OUT],
    /// How much of `out` was inflated last.
    filled: usize,
}

/// What became of some input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flow {
    /// All of it is inflated.
    Starved,
    /// There was no room for more.
    Full,
    /// A final block ended, and nothing came since.
    Ended,
    /// It is no deflated data. What came out before that is good.
    Broken,
}

impl Decompressor {
    /// A new state.
    #[must_use]
    pub fn new() -> Self {
        Self(Box::new(Inflate { zlib: Decompress::new(false), out: [0; OUT], filled: 0 }))
    }

    /// Begins anew, with a window that holds these bytes.
    pub(super) fn restart(&mut self, window: (&[u8], &[u8])) {
        let Inflate { zlib, filled, .. } = &mut *self.0;
        zlib.reset(false);
        *filled = 0;
        for part in [window.0, window.1] {
            zlib.set_dictionary(part).expect("raw deflate takes any window");
        }
    }

    /// Inflates from the front of `input` as much as there is room for; how many bytes of it are used.
    pub(super) fn inflate(&mut self, input: &[u8]) -> (usize, Flow) {
        let Inflate { zlib, out, filled } = &mut *self.0;
        let (read, written) = (zlib.total_in(), zlib.total_out());
        let status = zlib.decompress(input, out, FlushDecompress::Sync);
        *filled = (zlib.total_out() - written) as usize;
        let flow = match status {
            Ok(Status::StreamEnd) => Flow::Ended,
            Ok(Status::Ok | Status::BufError) if *filled == OUT => Flow::Full,
            Ok(Status::Ok | Status::BufError) => Flow::Starved,
            Err(_) => Flow::Broken,
        };
        ((zlib.total_in() - read) as usize, flow)
    }

    /// What the last call inflated.
    pub(super) fn out(&self) -> &[u8] {
        &self.0.out[..self.0.filled]
    }
}

impl Default for Decompressor {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Decompressor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decompressor").finish_non_exhaustive()
    }
}
