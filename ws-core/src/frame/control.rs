//! Control frames: ping, pong and close (RFC 6455, 5.5).

use std::fmt;
use std::ops::Deref;

use ws_mask::{MaskKey, mask};

use super::close_code::CloseCode;
use super::close_frame::CloseFrame;
use super::header::MAX_CONTROL;
use crate::error::{DecodeError, EncodeError};
use crate::text::utf8_bytes::Utf8Bytes;

/// A control frame: at most 125 bytes, never fragmented, allowed between a message's fragments (RFC 6455, 5.5).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Control {
    /// Asks for a pong with the same payload.
    Ping(ControlPayload),
    /// Answers a ping, or is unsolicited.
    Pong(ControlPayload),
    /// The last frame of its direction, with a code and a reason if it has any.
    Close(Option<CloseFrame>),
}

impl Control {
    /// Returns the answer that the protocol requires: a pong for a ping, a close with the same code for a close (5.5.1,
    /// 5.5.3). It is the only link between receiving and sending.
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

    /// Makes a close frame with this code and no reason.
    ///
    /// # Errors
    /// [`EncodeError::CloseCodeInvalid`] for a code that may not be sent.
    pub fn close(code: CloseCode) -> Result<Self, EncodeError> {
        CloseFrame::new(code, Utf8Bytes::default()).map(|frame| Self::Close(Some(frame)))
    }
}

impl From<DecodeError> for Control {
    /// Makes the close frame for a violation: its [`close_code`](DecodeError::close_code) and no reason.
    fn from(error: DecodeError) -> Self {
        Self::Close(Some(CloseFrame::bare(error.close_code())))
    }
}

/// The payload of a control frame, up to 125 bytes, stored in place: a ping costs no allocation.
#[derive(Clone)]
pub struct ControlPayload {
    bytes: [u8; MAX_CONTROL],
    len: u8,
}

impl ControlPayload {
    /// Copies these bytes.
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

    /// Unmasks the payload of a control frame, whose header was checked.
    pub(crate) fn unmasked(masked: &[u8], key: MaskKey) -> Self {
        let mut bytes = [0; MAX_CONTROL];
        let place = &mut bytes[..masked.len()];
        place.copy_from_slice(masked);
        mask(place, key);
        Self { bytes, len: masked.len() as u8 }
    }
}

impl Default for ControlPayload {
    /// Returns an empty payload.
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
    fn a_violation_is_told_by_its_code_alone() {
        let told = Control::from(DecodeError::MessageTooBig { limit: 1 });
        assert_eq!(Ok(told), Control::close(CloseCode::TOO_BIG));
    }

    #[test]
    fn a_control_payload_holds_at_most_125_bytes() {
        assert_eq!(&*ControlPayload::new(&[7; 125]).unwrap(), &[7; 125]);
        assert_eq!(ControlPayload::new(&[7; 126]), Err(EncodeError::ControlTooLong(126)));
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
