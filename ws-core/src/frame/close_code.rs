//! Close codes (RFC 6455, 7.4): a number with names.

use std::fmt;

/// The code of a close frame.
///
/// A newtype rather than an enum, because 3000 to 4999 belong to libraries and applications.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CloseCode(u16);

impl CloseCode {
    /// 1000: normal closure.
    pub const NORMAL: Self = Self(1000);
    /// 1001: the server goes down, or the browser leaves the page.
    pub const GOING_AWAY: Self = Self(1001);
    /// 1002: the peer violated the protocol.
    pub const PROTOCOL_ERROR: Self = Self(1002);
    /// 1003: a kind of message that this end doesn't accept, such as binary where it expects text.
    pub const UNSUPPORTED: Self = Self(1003);
    /// 1007: text that is not UTF-8, or compressed data that can't be decompressed.
    pub const INVALID_PAYLOAD: Self = Self(1007);
    /// 1008: the message violates a policy of this end.
    pub const POLICY_VIOLATION: Self = Self(1008);
    /// 1009: the message is over this end's limit.
    pub const TOO_BIG: Self = Self(1009);
    /// 1010: the server did not agree on an extension that the client needs.
    pub const MANDATORY_EXTENSION: Self = Self(1010);
    /// 1011: an unexpected error at this end.
    pub const INTERNAL_ERROR: Self = Self(1011);
    /// 1012: the service restarts.
    pub const SERVICE_RESTART: Self = Self(1012);
    /// 1013: try again later.
    pub const TRY_AGAIN_LATER: Self = Self(1013);
    /// 1014: a gateway got a bad response from upstream.
    pub const BAD_GATEWAY: Self = Self(1014);

    /// Makes a code from its number, which may be one that can't be sent.
    #[must_use]
    pub const fn new(number: u16) -> Self {
        Self(number)
    }

    /// Returns the number on the wire.
    #[must_use]
    pub const fn get(self) -> u16 {
        self.0
    }

    /// Returns whether the code may be in a close frame: 1000 to 1003, 1007 to 1014 and 3000 to 4999.
    ///
    /// 1004, 1005, 1006 and 1015 are reserved for reporting that no code was received (7.4.1).
    #[must_use]
    pub const fn is_sendable(self) -> bool {
        matches!(self.0, 1000..=1003 | 1007..=1014 | 3000..=4999)
    }

    /// Returns whether the code is that of a normal end: 1000 or 1001.
    #[must_use]
    pub const fn is_normal(self) -> bool {
        matches!(self, Self::NORMAL | Self::GOING_AWAY)
    }
}

impl From<u16> for CloseCode {
    fn from(number: u16) -> Self {
        Self(number)
    }
}

impl From<CloseCode> for u16 {
    fn from(code: CloseCode) -> Self {
        code.0
    }
}

impl fmt::Display for CloseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for CloseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CloseCode({})", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_may_be_sent_exactly_where_the_registry_says_so() {
        for (number, sendable) in [
            (0, false),
            (999, false),
            (1000, true),
            (1003, true),
            (1004, false),
            (1005, false),
            (1006, false),
            (1007, true),
            (1014, true),
            (1015, false),
            (2999, false),
            (3000, true),
            (4999, true),
            (5000, false),
            (u16::MAX, false),
        ] {
            assert_eq!(CloseCode::new(number).is_sendable(), sendable, "{number}");
        }
    }

    #[test]
    fn codes_1000_and_1001_alone_say_that_all_went_well() {
        let normal = (0..=u16::MAX).filter(|number| CloseCode::new(*number).is_normal());
        assert_eq!(normal.collect::<Vec<_>>(), [1000, 1001]);
    }

    #[test]
    fn a_code_is_shown_as_its_number() {
        let code = CloseCode::from(4001);
        assert_eq!((code.to_string(), u16::from(code)), ("4001".to_owned(), 4001));
        assert_eq!(format!("{code:?}"), "CloseCode(4001)");
    }
}
