//! zlib's two states. They are large, so a pool lends them.

use std::fmt;

use flate2::{Compress, Decompress, FlushCompress, FlushDecompress, Status};

use super::options::{Level, WindowBits};

/// Bytes of output at a time.
const OUT: usize = 16 * 1024;

/// Least room for compressed output, in bytes: a flush that begins near the end of its room is repeated.
const ROOM: usize = 64;

/// A state for compressing: 250 to 380 KiB, depending on its window.
pub struct Compressor {
    // zlib's own state is on the heap, and so is the struct in front of it, so that a compressor moves as one pointer.
    zlib: Box<Compress>,
    level: Level,
    window: WindowBits,
}

impl Compressor {
    /// Makes a state for a level from 0 to 9 and a window from 9 to 15 bits; other values count as the nearest.
    #[must_use]
    pub fn new(level: u8, window_bits: u8) -> Self {
        Self::with(Level::nearest(level), WindowBits::nearest(window_bits))
    }

    fn with(level: Level, window: WindowBits) -> Self {
        let level_of_zlib = flate2::Compression::new(u32::from(level.get()));
        let zlib = Compress::new_with_window_bits(level_of_zlib, false, window.get());
        Self { zlib: Box::new(zlib), level, window }
    }

    /// Returns the level that it was made for.
    #[must_use]
    pub const fn level(&self) -> u8 {
        self.level.get()
    }

    /// Returns the window that it was made for, as the power of two of its bytes.
    #[must_use]
    pub const fn window_bits(&self) -> u8 {
        self.window.get()
    }

    /// Drops the context.
    pub(super) fn reset(&mut self) {
        self.zlib.reset();
    }

    /// Appends `input` to `out`, compressed and flushed to a byte boundary.
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

/// A state for decompressing: 64 KiB. Its window is the largest, so it can read any.
pub struct Decompressor(Box<Inflate>);

struct Inflate {
    zlib: Decompress,
    out: [u8; OUT],
    /// How much of `out` the last call filled.
    filled: usize,
}

/// What became of some input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flow {
    /// All of it was decompressed.
    Starved,
    /// There was no room for more output.
    Full,
    /// A final block ended, and nothing followed.
    Ended,
    /// It is not valid. The output before that is good.
    Broken,
}

impl Decompressor {
    /// Makes a state.
    #[must_use]
    pub fn new() -> Self {
        Self(Box::new(Inflate { zlib: Decompress::new(false), out: [0; OUT], filled: 0 }))
    }

    /// Starts anew, with a window that holds these bytes.
    pub(super) fn restart(&mut self, window: (&[u8], &[u8])) {
        let Inflate { zlib, filled, .. } = &mut *self.0;
        zlib.reset(false);
        *filled = 0;
        for part in [window.0, window.1] {
            zlib.set_dictionary(part).expect("raw deflate takes any window");
        }
    }

    /// Decompresses from the front of `input` as much as there is room for. Returns how many bytes of it were used.
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

    /// Returns the output of the last call.
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
