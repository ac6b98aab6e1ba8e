//! What tasks wait for on a connection.

/// What a task waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Want {
    /// The next message. The waiting task also writes the queue.
    Message = 1,
    /// Room in the send queue.
    Room = 2,
    /// The queue to be written.
    Flush = 4,
    /// The end of the connection. If there is no receiving half, the waiting task also reads.
    End = 8,
}

/// A set of [`Want`]s.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Wants(u8);

impl Want {
    pub(crate) const EACH: [Self; 4] = [Self::Message, Self::Room, Self::Flush, Self::End];
}

impl Wants {
    pub(crate) const NONE: Self = Self(0);
    pub(crate) const ALL: Self = Self(15);
    /// Not a task's want: set if there are notifications other than wake-ups.
    pub(crate) const MORE: Self = Self(16);
    /// Wants that are met by reading. A task that waits for one also writes the queue.
    pub(crate) const READING: Self = Self(Want::Message as u8 | Want::End as u8);

    #[inline]
    pub(crate) const fn is_empty(self) -> bool {
        self.0 == 0
    }

    #[inline]
    pub(crate) const fn has(self, want: Want) -> bool {
        self.0 & want as u8 != 0
    }

    #[inline]
    pub(crate) const fn with(self, want: Want) -> Self {
        Self(self.0 | want as u8)
    }

    #[inline]
    pub(crate) const fn without(self, want: Want) -> Self {
        Self(self.0 & !(want as u8))
    }

    #[inline]
    pub(crate) const fn except(self, others: Self) -> Self {
        Self(self.0 & !others.0)
    }

    /// Returns the union.
    pub(crate) const fn or(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }

    /// Returns the intersection.
    pub(crate) const fn and(self, others: Self) -> Self {
        Self(self.0 & others.0)
    }
}
