//! Where the codec's memory comes from: an argument, so that an idle connection can own none.

/// Lends buffers to the codec and takes them back.
///
/// A caller with many connections keeps a few buffers per thread; [`Unpooled`] asks the allocator each time.
pub trait Pool {
    /// An empty buffer, with whatever capacity is at hand.
    fn take(&mut self) -> Vec<u8>;

    /// Takes back a buffer that is no longer needed. It may be of any capacity and hold anything.
    fn give(&mut self, buffer: Vec<u8>);
}

/// A pool that holds nothing: every buffer is new, and freed after use.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unpooled;

impl Pool for Unpooled {
    fn take(&mut self) -> Vec<u8> {
        Vec::new()
    }

    fn give(&mut self, _: Vec<u8>) {}
}
