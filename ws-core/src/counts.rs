//! What passed in one direction, for whoever asks to have it counted.

/// What passed in one direction so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// Messages, once they are whole.
    pub messages: u64,
    /// Frames, control frames among them.
    pub frames: u64,
    /// Bytes of the messages, before deflating and after inflating.
    pub payload_bytes: u64,
}

/// Where they are kept, if they are: most connections have none.
#[derive(Debug)]
pub(crate) struct Counting(Option<Box<Counts>>);

impl Counting {
    pub(crate) const OFF: Self = Self(None);

    pub(crate) fn on() -> Self {
        Self(Some(Box::default()))
    }

    pub(crate) const fn is_on(&self) -> bool {
        self.0.is_some()
    }

    pub(crate) fn get(&self) -> Option<Counts> {
        self.0.as_deref().copied()
    }

    /// A message in one frame.
    #[inline]
    pub(crate) fn whole(&mut self, len: usize) {
        self.add(1, 1, len);
    }

    /// A frame, whatever it carries.
    #[inline]
    pub(crate) fn frame(&mut self) {
        self.add(0, 1, 0);
    }

    /// A part of a message.
    pub(crate) fn part(&mut self, len: usize) {
        self.add(0, 0, len);
    }

    /// A message's end.
    pub(crate) fn end(&mut self) {
        self.add(1, 0, 0);
    }

    /// So many frames, whose payload is counted elsewhere.
    pub(crate) fn frames(&mut self, frames: u32) {
        self.add(0, frames.into(), 0);
    }

    #[inline]
    fn add(&mut self, messages: u64, frames: u64, payload: usize) {
        if let Some(counts) = &mut self.0 {
            counts.messages += messages;
            counts.frames += frames;
            counts.payload_bytes += payload as u64;
        }
    }
}
