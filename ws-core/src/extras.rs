//! State that few codecs have, behind one pointer: a compression stage, and counters.

use crate::counts::Counts;

/// A stage, counters, both, or most often neither.
#[derive(Debug)]
pub(crate) struct Extras<T>(Option<Box<Extra<T>>>);

#[derive(Debug)]
struct Extra<T> {
    stage: Option<T>,
    counts: Option<Box<Counts>>,
}

impl<T> Extras<T> {
    pub(crate) const NONE: Self = Self(None);

    #[cfg(feature = "deflate")]
    pub(crate) fn set_stage(&mut self, stage: Option<T>) {
        if stage.is_some() {
            self.extra().stage = stage;
        }
    }

    pub(crate) fn drop_stage(&mut self) {
        if let Some(extra) = &mut self.0 {
            extra.stage = None;
        }
    }

    #[inline]
    pub(crate) fn stage(&self) -> Option<&T> {
        self.0.as_ref()?.stage.as_ref()
    }

    #[inline]
    pub(crate) fn stage_mut(&mut self) -> Option<&mut T> {
        self.0.as_mut()?.stage.as_mut()
    }

    /// Starts counting.
    pub(crate) fn count(&mut self) {
        self.extra().counts = Some(Box::default());
    }

    pub(crate) fn is_counting(&self) -> bool {
        self.counts().is_some()
    }

    pub(crate) fn counts(&self) -> Option<Counts> {
        self.0.as_ref()?.counts.as_deref().copied()
    }

    /// Counts a message in one frame.
    #[inline]
    pub(crate) fn count_whole(&mut self, len: usize) {
        self.add(1, 1, len);
    }

    /// Counts a frame of any kind.
    #[inline]
    pub(crate) fn count_frame(&mut self) {
        self.add(0, 1, 0);
    }

    /// Counts frames whose payload is counted elsewhere.
    pub(crate) fn count_frames(&mut self, frames: u32) {
        self.add(0, frames.into(), 0);
    }

    /// Counts a part of a message.
    pub(crate) fn count_part(&mut self, len: usize) {
        self.add(0, 0, len);
    }

    /// Counts a message's end.
    pub(crate) fn count_end(&mut self) {
        self.add(1, 0, 0);
    }

    #[inline]
    fn add(&mut self, messages: u64, frames: u64, payload: usize) {
        if let Some(counts) = self.0.as_mut().and_then(|extra| extra.counts.as_mut()) {
            counts.messages += messages;
            counts.frames += frames;
            counts.payload_bytes += payload as u64;
        }
    }

    fn extra(&mut self) -> &mut Extra<T> {
        self.0.get_or_insert_with(|| Box::new(Extra { stage: None, counts: None }))
    }
}
