//! The one vocabulary of both directions: what the decoder yields is what the encoder takes.

use std::fmt;
use std::ops::Deref;

use bytes::Bytes;
use ws_mask::{MaskKey, mask};

use crate::close_code::CloseCode;
use crate::close_frame::CloseFrame;
use crate::error::EncodeError;
use crate::header::MAX_CONTROL;
use crate::opcode::Opcode;
use crate::utf8_bytes::Utf8Bytes;

/// Whether a message is text or binary.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MessageKind {
    /// UTF-8 text.
    Text,
    /// Any bytes.
    Binary,
}

impl MessageKind {
    /// The opcode of the message's first frame.
    #[must_use]
    pub const fn opcode(self) -> Opcode {
        match self {
            Self::Text => Opcode::Text,
            Self::Binary => Opcode::Binary,
        }
    }
}

/// A whole message. Control frames are never messages.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Message {
    /// UTF-8 text.
    Text(Utf8Bytes),
    /// Any bytes.
    Binary(Bytes),
}

impl Message {
    /// A text message.
    pub fn text(text: impl Into<Utf8Bytes>) -> Self {
        Self::Text(text.into())
    }

    /// A binary message.
    pub fn binary(bytes: impl Into<Bytes>) -> Self {
        Self::Binary(bytes.into())
    }

    /// Whether it is text or binary.
    #[must_use]
    pub const fn kind(&self) -> MessageKind {
        match self {
            Self::Text(_) => MessageKind::Text,
            Self::Binary(_) => MessageKind::Binary,
        }
    }

    /// The payload, of whichever kind.
    #[must_use]
    pub const fn as_bytes(&self) -> &Bytes {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Binary(bytes) => bytes,
        }
    }

    /// The payload, of whichever kind.
    #[must_use]
    pub fn into_bytes(self) -> Bytes {
        match self {
            Self::Text(text) => text.into_bytes(),
            Self::Binary(bytes) => bytes,
        }
    }

    /// The text, or `None` for a binary message.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Binary(_) => None,
        }
    }

    /// The message, borrowed.
    #[must_use]
    pub fn as_ref(&self) -> MessageRef<'_> {
        match self {
            Self::Text(text) => MessageRef::Text(text),
            Self::Binary(bytes) => MessageRef::Binary(bytes),
        }
    }
}

impl From<MessageRef<'_>> for Message {
    fn from(message: MessageRef<'_>) -> Self {
        message.to_message()
    }
}

impl From<&str> for Message {
    fn from(text: &str) -> Self {
        Self::text(text)
    }
}

impl From<String> for Message {
    fn from(text: String) -> Self {
        Self::text(text)
    }
}

impl From<Utf8Bytes> for Message {
    fn from(text: Utf8Bytes) -> Self {
        Self::Text(text)
    }
}

impl From<Bytes> for Message {
    fn from(bytes: Bytes) -> Self {
        Self::Binary(bytes)
    }
}

impl From<Vec<u8>> for Message {
    fn from(bytes: Vec<u8>) -> Self {
        Self::binary(bytes)
    }
}

/// A whole message, borrowed from the buffer that it arrived in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MessageRef<'a> {
    /// UTF-8 text.
    Text(&'a str),
    /// Any bytes.
    Binary(&'a [u8]),
}

impl<'a> MessageRef<'a> {
    /// Whether it is text or binary.
    #[must_use]
    pub const fn kind(&self) -> MessageKind {
        match self {
            Self::Text(_) => MessageKind::Text,
            Self::Binary(_) => MessageKind::Binary,
        }
    }

    /// The payload, of whichever kind.
    #[must_use]
    pub const fn as_bytes(&self) -> &'a [u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Binary(bytes) => bytes,
        }
    }

    /// A copy that owns its payload.
    #[must_use]
    pub fn to_message(&self) -> Message {
        match *self {
            Self::Text(text) => Message::text(text),
            Self::Binary(bytes) => Message::binary(Bytes::copy_from_slice(bytes)),
        }
    }
}

impl<'a> From<&'a str> for MessageRef<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(text)
    }
}

impl<'a> From<&'a [u8]> for MessageRef<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Self::Binary(bytes)
    }
}

impl<'a> From<&'a Message> for MessageRef<'a> {
    fn from(message: &'a Message) -> Self {
        message.as_ref()
    }
}

/// Whether more of the message follows a piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum More {
    /// The message goes on.
    Follows,
    /// This was its last piece.
    Ended,
}

/// A part of a message that is streamed: at most one frame of it.
///
/// A piece of text is bytes: a code point may be cut by its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PieceRef<'a> {
    /// What the message is.
    pub kind: MessageKind,
    /// This part of it, which may be empty.
    pub data: &'a [u8],
    /// Whether it was the last.
    pub more: More,
}

impl PieceRef<'_> {
    /// A copy that owns its bytes.
    #[must_use]
    pub fn to_piece(&self) -> Piece {
        Piece { kind: self.kind, data: Bytes::copy_from_slice(self.data), more: self.more }
    }
}

/// A part of a message that is streamed, owning its bytes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Piece {
    /// What the message is.
    pub kind: MessageKind,
    /// This part of it, which may be empty.
    pub data: Bytes,
    /// Whether it was the last.
    pub more: More,
}

/// A control frame: at most 125 bytes, whole, and allowed between a message's fragments (RFC 6455, 5.5).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Control {
    /// Asks for a pong with the same payload.
    Ping(ControlPayload),
    /// Answers a ping, or comes unasked.
    Pong(ControlPayload),
    /// The last frame of its direction, with a code and a reason where it says why.
    Close(Option<CloseFrame>),
}

impl Control {
    /// What the protocol owes the peer for this frame: a pong for a ping, the code of its close for a close
    /// (5.5.1, 5.5.3). It is the only link between receiving and sending.
    #[must_use]
    pub fn reply(&self) -> Option<Self> {
        match self {
            Self::Ping(payload) => Some(Self::Pong(payload.clone())),
            Self::Pong(_) => None,
            Self::Close(frame) => {
                Some(Self::Close(frame.as_ref().map(|frame| CloseFrame::bare(frame.code()))))
            }
        }
    }

    /// A close frame with this code and no reason.
    ///
    /// # Errors
    /// [`EncodeError::CloseCodeInvalid`] for a code that may not be sent.
    pub fn close(code: CloseCode) -> Result<Self, EncodeError> {
        CloseFrame::new(code, Utf8Bytes::default()).map(|frame| Self::Close(Some(frame)))
    }
}

/// Up to 125 bytes, in place: a ping costs no allocation.
#[derive(Clone)]
pub struct ControlPayload {
    bytes: [u8; MAX_CONTROL],
    len: u8,
}

impl ControlPayload {
    /// A copy of these bytes.
    ///
    /// # Errors
    /// [`EncodeError::ControlTooLong`] for more than 125.
    pub fn new(payload: &[u8]) -> Result<Self, EncodeError> {
        let mut bytes = [0; MAX_CONTROL];
        let Some(place) = bytes.get_mut(..payload.len()) else {
            return Err(EncodeError::ControlTooLong(payload.len()));
        };
        place.copy_from_slice(payload);
        Ok(Self { bytes, len: payload.len() as u8 })
    }

    /// What a control frame carried, which a header said to be at most 125 bytes.
    pub(crate) fn unmasked(masked: &[u8], key: MaskKey) -> Self {
        let mut bytes = [0; MAX_CONTROL];
        let place = &mut bytes[..masked.len()];
        place.copy_from_slice(masked);
        mask(place, key);
        Self { bytes, len: masked.len() as u8 }
    }
}

impl Default for ControlPayload {
    /// No bytes.
    fn default() -> Self {
        Self { bytes: [0; MAX_CONTROL], len: 0 }
    }
}

impl From<[u8; 8]> for ControlPayload {
    fn from(payload: [u8; 8]) -> Self {
        let mut bytes = [0; MAX_CONTROL];
        bytes[..8].copy_from_slice(&payload);
        Self { bytes, len: 8 }
    }
}

impl Deref for ControlPayload {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }
}

impl PartialEq for ControlPayload {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for ControlPayload {}

impl std::hash::Hash for ControlPayload {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        (**self).hash(state);
    }
}

impl fmt::Debug for ControlPayload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

/// What the decoder found, borrowed from its input or from itself.
#[derive(Debug, PartialEq, Eq)]
pub enum Event<'a> {
    /// A whole message.
    Message(MessageRef<'a>),
    /// A part of a message, where the decoder was asked to stream.
    Piece(PieceRef<'a>),
    /// A control frame; it may come between a message's fragments.
    Control(Control),
}

/// What the decoder found, owned.
#[derive(Debug, PartialEq, Eq)]
pub enum OwnedEvent {
    /// A whole message.
    Message(Message),
    /// A part of a message, where the decoder was asked to stream.
    Piece(Piece),
    /// A control frame; it may come between a message's fragments.
    Control(Control),
}

#[cfg(test)]
mod tests {
    use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};

    use super::*;

    #[test]
    fn a_ping_is_owed_a_pong_with_its_payload_and_a_pong_nothing() {
        let payload = ControlPayload::new(b"hi").unwrap();
        assert_eq!(Control::Ping(payload.clone()).reply(), Some(Control::Pong(payload.clone())));
        assert_eq!(Control::Pong(payload).reply(), None);
    }

    #[test]
    fn a_close_is_answered_with_its_code_and_an_empty_reason() {
        let frame = CloseFrame::new(CloseCode::new(4001), "bye").unwrap();
        let answer = CloseFrame::new(CloseCode::new(4001), "").unwrap();
        assert_eq!(Control::Close(Some(frame)).reply(), Some(Control::Close(Some(answer))));
        assert_eq!(Control::Close(None).reply(), Some(Control::Close(None)));
    }

    #[test]
    fn a_control_payload_holds_at_most_125_bytes() {
        assert_eq!(&*ControlPayload::new(&[7; 125]).unwrap(), &[7; 125]);
        assert_eq!(ControlPayload::new(&[7; 126]), Err(EncodeError::ControlTooLong(126)));
    }

    #[test]
    fn only_a_text_message_has_text() {
        assert_eq!(Message::text("hi").as_text(), Some("hi"));
        assert_eq!(Message::binary(&b"hi"[..]).as_text(), None);
    }

    #[test]
    fn control_payloads_are_what_their_bytes_are() {
        let payload = ControlPayload::from(*b"01234567");
        assert_eq!(&*payload, b"01234567");
        assert_eq!(format!("{payload:?}"), format!("{:?}", b"01234567"));
        let other = ControlPayload::new(b"0123456").unwrap();
        assert_ne!(payload, other);
        let payloads = std::collections::HashSet::from([payload.clone(), other.clone(), payload]);
        assert_eq!(payloads.len(), 2);
        let hash = |payload: &ControlPayload| {
            BuildHasherDefault::<DefaultHasher>::default().hash_one(payload)
        };
        assert_ne!(hash(&other), hash(&ControlPayload::default()), "by all of it");
    }
}
