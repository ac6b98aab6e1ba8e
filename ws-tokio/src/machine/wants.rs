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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_has_exactly_what_was_put_into_it() {
        for want in Want::EACH {
            let set = Wants::NONE.with(want);
            assert!(set.has(want) && Wants::ALL.has(want) && !Wants::NONE.has(want));
            assert_eq!(Want::EACH.into_iter().filter(|other| set.has(*other)).count(), 1);
            assert_eq!(set.with(want), set);
            assert_eq!((set.without(want), set.is_empty()), (Wants::NONE, false));
            assert_eq!(Wants::NONE.without(want), Wants::NONE);
        }
        assert!(Wants::NONE.is_empty() && !Wants::MORE.is_empty());
        assert!(Want::EACH.into_iter().all(|want| !Wants::MORE.has(want)));
    }

    #[test]
    fn sets_are_united_intersected_and_subtracted() {
        let reading = Wants::NONE.with(Want::Message).with(Want::End);
        assert_eq!(Wants::READING, reading);
        let flush = Wants::NONE.with(Want::Flush);
        let message = Wants::NONE.with(Want::Message);
        assert_eq!(reading.or(message).or(flush), reading.with(Want::Flush));
        assert_eq!((reading.and(message), reading.and(flush)), (message, Wants::NONE));
        assert_eq!(reading.except(message.or(flush)), Wants::NONE.with(Want::End));
    }
}
