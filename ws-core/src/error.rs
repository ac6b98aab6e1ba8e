//! Errors of decoding and encoding, and the close code for each.

use std::error::Error;
use std::fmt;
use std::io;

use crate::frame::close_code::CloseCode;
use crate::text::utf8::InvalidUtf8;

/// A violation of the protocol or of a limit by the peer.
///
/// The connection should be closed with [`close_code`](Self::close_code): [`Control::from`](crate::Control) makes the
/// close frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DecodeError {
    /// A reserved bit is set that no agreed extension uses (RFC 6455, 5.2).
    ReservedBit,
    /// An opcode that is not defined: 3 to 7 or 11 to 15 (5.2).
    ReservedOpcode(u8),
    /// A control frame longer than 125 bytes (5.5).
    ControlTooLong,
    /// A control frame that is not final (5.5).
    ControlFragmented,
    /// A continuation without a message to continue (5.4).
    ContinuationWithoutStart,
    /// A new message before the current one ended (5.4).
    MessageInsideMessage,
    /// An unmasked frame from a client (5.1).
    MaskMissing,
    /// A masked frame from a server (5.1).
    MaskUnexpected,
    /// A length that is not in its shortest form (5.2).
    LengthNotMinimal,
    /// A 64-bit length with its top bit set (5.2).
    LengthTopBit,
    /// A close payload of one byte (5.5.1).
    ClosePayloadTooShort,
    /// A close code that may not be sent (7.4).
    CloseCodeInvalid(u16),
    /// Text, or the reason of a close, that is not UTF-8 (8.1).
    InvalidUtf8,
    /// A compressed message that can't be decompressed, or ends too early (RFC 7692, 7.2.2).
    NotDeflated,
    /// A message over the size limit, after decompression.
    MessageTooBig {
        /// The limit in bytes.
        limit: usize,
    },
    /// A message with more frames than the limit.
    TooManyFragments {
        /// The limit in frames.
        limit: u32,
    },
}

impl DecodeError {
    /// Returns the code for the close frame (7.4.1).
    #[must_use]
    pub const fn close_code(&self) -> CloseCode {
        match self {
            Self::ReservedBit
            | Self::ReservedOpcode(_)
            | Self::ControlTooLong
            | Self::ControlFragmented
            | Self::ContinuationWithoutStart
            | Self::MessageInsideMessage
            | Self::MaskMissing
            | Self::MaskUnexpected
            | Self::LengthNotMinimal
            | Self::LengthTopBit
            | Self::ClosePayloadTooShort
            | Self::CloseCodeInvalid(_) => CloseCode::PROTOCOL_ERROR,
            Self::InvalidUtf8 | Self::NotDeflated => CloseCode::INVALID_PAYLOAD,
            Self::MessageTooBig { .. } => CloseCode::TOO_BIG,
            Self::TooManyFragments { .. } => CloseCode::POLICY_VIOLATION,
        }
    }
}

impl From<InvalidUtf8> for DecodeError {
    fn from(InvalidUtf8: InvalidUtf8) -> Self {
        Self::InvalidUtf8
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ReservedBit => {
                f.write_str("a reserved bit is set without an extension that uses it")
            }
            Self::ReservedOpcode(opcode) => write!(f, "opcode {opcode} is reserved"),
            Self::ControlTooLong => f.write_str("a control frame is longer than 125 bytes"),
            Self::ControlFragmented => f.write_str("a control frame is fragmented"),
            Self::ContinuationWithoutStart => {
                f.write_str("a continuation frame continues no message")
            }
            Self::MessageInsideMessage => f.write_str("a new message starts inside another"),
            Self::MaskMissing => f.write_str("a client's frame is not masked"),
            Self::MaskUnexpected => f.write_str("a server's frame is masked"),
            Self::LengthNotMinimal => f.write_str("a frame's length is not in its shortest form"),
            Self::LengthTopBit => f.write_str("a frame's length has its top bit set"),
            Self::ClosePayloadTooShort => f.write_str("a close frame's payload is one byte long"),
            Self::CloseCodeInvalid(code) => write!(f, "close code {code} may not be sent"),
            Self::InvalidUtf8 => InvalidUtf8.fmt(f),
            Self::NotDeflated => f.write_str("a compressed message does not inflate"),
            Self::MessageTooBig { limit } => write!(f, "a message is larger than {limit} bytes"),
            Self::TooManyFragments { limit } => {
                write!(f, "a message has more than {limit} fragments")
            }
        }
    }
}

impl Error for DecodeError {}

/// A message or frame that can't be sent, because of this end's caller. Nothing was queued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EncodeError {
    /// A close frame was sent; nothing may follow it (RFC 6455, 5.5.1).
    Closed,
    /// A streamed message is unfinished; no other can begin (5.4).
    MessageUnderWay,
    /// A piece of a different kind than its message.
    KindChanged,
    /// A close code that may not be sent (7.4).
    CloseCodeInvalid(u16),
    /// A close reason longer than 123 bytes (5.5).
    ReasonTooLong(usize),
    /// A ping or pong payload longer than 125 bytes (5.5).
    ControlTooLong(usize),
}

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => f.write_str("a close frame was sent already"),
            Self::MessageUnderWay => f.write_str("a streamed message is unfinished"),
            Self::KindChanged => f.write_str("a message can't be both text and binary"),
            Self::CloseCodeInvalid(code) => write!(f, "close code {code} may not be sent"),
            Self::ReasonTooLong(len) => {
                write!(f, "a close reason of {len} bytes is longer than 123")
            }
            Self::ControlTooLong(len) => {
                write!(f, "a control payload of {len} bytes is longer than 125")
            }
        }
    }
}

impl Error for EncodeError {}

impl From<EncodeError> for io::Error {
    /// Makes an error of the kind [`InvalidInput`](io::ErrorKind::InvalidInput), for functions that also read and write.
    fn from(error: EncodeError) -> Self {
        Self::new(io::ErrorKind::InvalidInput, error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_say_in_words_what_is_wrong_and_by_how_much() {
        let shown = |error: &dyn Error| error.to_string();
        assert_eq!(shown(&DecodeError::ReservedOpcode(3)), "opcode 3 is reserved");
        assert_eq!(shown(&DecodeError::InvalidUtf8), "text is not UTF-8");
        let limit = 10;
        let too_big = "a message is larger than 10 bytes";
        assert_eq!(shown(&DecodeError::MessageTooBig { limit }), too_big);
        let too_long = "a close reason of 124 bytes is longer than 123";
        assert_eq!(shown(&EncodeError::ReasonTooLong(124)), too_long);
    }

    #[test]
    fn an_encode_error_is_invalid_input_among_errors_of_io() {
        let error = io::Error::from(EncodeError::Closed);
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
        assert_eq!(error.to_string(), "a close frame was sent already");
    }
}
