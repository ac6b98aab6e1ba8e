//! The payload of a close frame: a code, and a reason for logs (RFC 6455, 5.5.1).

use std::fmt;

use bytes::Bytes;

use super::close_code::CloseCode;
use super::header::MAX_CONTROL;
use crate::error::{DecodeError, EncodeError};
use crate::text::utf8_bytes::Utf8Bytes;

/// Longest reason of a close frame in bytes: a control payload less the code (RFC 6455, 5.5).
pub const MAX_REASON: usize = MAX_CONTROL - 2;

/// A close frame's code and reason. By construction, the code may be sent and the reason fits.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct CloseFrame {
    code: CloseCode,
    reason: Utf8Bytes,
}

impl CloseFrame {
    /// Makes a close frame with a code and a reason, which may be empty.
    ///
    /// # Errors
    /// [`EncodeError::CloseCodeInvalid`] for a code that may not be sent, [`EncodeError::ReasonTooLong`] for a reason
    /// longer than 123 bytes.
    pub fn new(code: CloseCode, reason: impl Into<Utf8Bytes>) -> Result<Self, EncodeError> {
        let reason = reason.into();
        if !code.is_sendable() {
            return Err(EncodeError::CloseCodeInvalid(code.get()));
        }
        if reason.len() > MAX_REASON {
            return Err(EncodeError::ReasonTooLong(reason.len()));
        }
        Ok(Self { code, reason })
    }

    /// Returns a close frame with code 1000 and no reason.
    #[must_use]
    pub const fn normal() -> Self {
        Self::bare(CloseCode::NORMAL)
    }

    /// Returns the code.
    #[must_use]
    pub const fn code(&self) -> CloseCode {
        self.code
    }

    /// Returns the reason, which is often empty and not meant for users (5.5.1).
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// Makes a frame of a code alone, which must be one that may be sent.
    pub(crate) const fn bare(code: CloseCode) -> Self {
        debug_assert!(code.is_sendable());
        Self { code, reason: Utf8Bytes::from_static("") }
    }

    /// Returns the payload on the wire, at most 125 bytes.
    pub(crate) fn payload(&self) -> Vec<u8> {
        [&self.code.get().to_be_bytes(), self.reason.as_bytes().as_ref()].concat()
    }

    /// Parses a close payload; `None` if it is empty.
    pub(crate) fn parse(payload: &[u8]) -> Result<Option<Self>, DecodeError> {
        let (code, reason) = match payload {
            [] => return Ok(None),
            [_] => return Err(DecodeError::ClosePayloadTooShort),
            [a, b, reason @ ..] => (CloseCode::new(u16::from_be_bytes([*a, *b])), reason),
        };
        if !code.is_sendable() {
            return Err(DecodeError::CloseCodeInvalid(code.get()));
        }
        let reason = Utf8Bytes::try_from(Bytes::copy_from_slice(reason))
            .map_err(|_| DecodeError::InvalidUtf8)?;
        Ok(Some(Self { code, reason }))
    }
}

impl From<CloseFrame> for (CloseCode, Utf8Bytes) {
    fn from(frame: CloseFrame) -> Self {
        (frame.code, frame.reason)
    }
}

impl fmt::Display for CloseFrame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.reason() {
            "" => write!(f, "{}", self.code),
            reason => write!(f, "{} ({reason})", self.code),
        }
    }
}

impl fmt::Debug for CloseFrame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CloseFrame")
            .field("code", &self.code.get())
            .field("reason", &self.reason)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_close_payload_is_a_code_and_a_reason() {
        let frame = CloseFrame::parse(b"\x0f\xa1bye").unwrap().unwrap();
        assert_eq!((frame.code().get(), frame.reason()), (4001, "bye"));
        assert_eq!(CloseFrame::parse(b""), Ok(None));
        assert_eq!(CloseFrame::parse(b"\x03\xe8").unwrap().unwrap().reason(), "");
    }

    #[test]
    fn a_close_payload_of_one_byte_is_refused() {
        assert_eq!(CloseFrame::parse(b"\x03"), Err(DecodeError::ClosePayloadTooShort));
    }

    #[test]
    fn a_close_code_that_may_not_be_sent_is_refused_both_ways() {
        assert_eq!(CloseFrame::parse(b"\x03\xed"), Err(DecodeError::CloseCodeInvalid(1005)));
        assert_eq!(
            CloseFrame::new(CloseCode::new(1005), ""),
            Err(EncodeError::CloseCodeInvalid(1005))
        );
    }

    #[test]
    fn a_close_reason_that_is_not_utf8_is_refused() {
        assert_eq!(CloseFrame::parse(b"\x03\xe8\xff"), Err(DecodeError::InvalidUtf8));
        assert_eq!(CloseFrame::parse(b"\x03\xe8\xe2\x82"), Err(DecodeError::InvalidUtf8));
    }

    #[test]
    fn a_close_reason_is_at_most_123_bytes() {
        let fits = "x".repeat(123);
        assert_eq!(CloseFrame::new(CloseCode::NORMAL, &*fits).unwrap().reason(), fits);
        assert_eq!(
            CloseFrame::new(CloseCode::NORMAL, "x".repeat(124)),
            Err(EncodeError::ReasonTooLong(124))
        );
    }

    #[test]
    fn a_close_frame_is_shown_as_its_code_and_its_reason_where_it_has_one() {
        let frame = CloseFrame::new(CloseCode::new(4001), "bye").unwrap();
        assert_eq!(frame.to_string(), "4001 (bye)");
        assert_eq!(format!("{frame:?}"), r#"CloseFrame { code: 4001, reason: "bye" }"#);
        assert_eq!(CloseFrame::normal().to_string(), "1000");
    }
}
