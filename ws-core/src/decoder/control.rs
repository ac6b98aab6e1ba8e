//! Finding a control frame and unmasking its payload.

use ws_mask::MaskKey;

use super::step::{ControlKind, Found, Step};
use crate::error::DecodeError;
use crate::frame::close_frame::CloseFrame;
use crate::frame::control::{Control, ControlPayload};
use crate::frame::header::Header;

/// Finds a control frame, if it is complete. It may be between the frames of a message.
pub(super) fn control(kind: ControlKind, header: &Header, header_len: usize, input: &[u8]) -> Step {
    let end = header_len + header.len as usize; // at most 125
    if input.len() < end {
        return Step::STARVED;
    }
    Step::found(end, Found::Control(kind, header_len..end, header.key()))
}

/// Returns the control frame.
pub(super) fn unmasked(
    kind: ControlKind,
    payload: &[u8],
    key: MaskKey,
) -> Result<Control, DecodeError> {
    let payload = ControlPayload::unmasked(payload, key);
    Ok(match kind {
        ControlKind::Ping => Control::Ping(payload),
        ControlKind::Pong => Control::Pong(payload),
        ControlKind::Close => Control::Close(CloseFrame::parse(&payload)?),
    })
}
