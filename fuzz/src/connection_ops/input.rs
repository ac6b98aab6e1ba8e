//! Bytes as choices: what is missing is zero, so that any bytes say something.

/// What is left of the bytes.
pub(super) struct Input<'a> {
    rest: &'a [u8],
    /// So many large lengths may still come: a few show all that large messages do.
    large: u8,
}

const MOST_LARGE: u8 = 2;

impl<'a> Input<'a> {
    pub(super) const MOST_OF_SMALL: usize = 23;

    pub(super) const fn new(rest: &'a [u8]) -> Self {
        Self { rest, large: MOST_LARGE }
    }

    /// Whether large lengths came.
    pub(super) const fn had_large(&self) -> bool {
        self.large < MOST_LARGE
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub(super) fn byte(&mut self) -> u8 {
        self.bytes(1).first().copied().unwrap_or(0)
    }

    pub(super) fn word(&mut self) -> usize {
        usize::from(self.byte()) << 8 | usize::from(self.byte())
    }

    /// At most so many bytes.
    pub(super) fn bytes(&mut self, len: usize) -> &'a [u8] {
        let (taken, rest) = self.rest.split_at(len.min(self.rest.len()));
        self.rest = rest;
        taken
    }

    pub(super) fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[usize::from(self.byte()) % choices.len()]
    }

    /// So many things, at most `most`.
    pub(super) fn some<T>(&mut self, most: usize, mut each: impl FnMut(&mut Self) -> T) -> Vec<T> {
        let len = usize::from(self.byte()) % (most + 1);
        (0..len).map(|_| each(self)).collect()
    }

    /// Lengths around each form of the header, and around the border of by-reference.
    pub(super) fn len(&mut self) -> usize {
        match self.byte() {
            medium @ 192..=239 => 116 + usize::from(medium % 16),
            large @ 240.. if self.large > 0 => {
                self.large -= 1;
                let base = if large == 255 { 65_528 } else { 16_376 };
                base + usize::from(self.byte() % 16)
            }
            small => usize::from(small) % (Self::MOST_OF_SMALL + 1),
        }
    }

    pub(super) fn small_len(&mut self) -> usize {
        usize::from(self.byte()) % (Self::MOST_OF_SMALL + 1)
    }
}
