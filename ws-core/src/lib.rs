//! A sans-I/O WebSocket codec (RFC 6455).
#![deny(unsafe_code)]

mod close_code;
mod close_frame;
mod decoder;
mod encoder;
mod error;
pub mod handshake;
mod header;
mod limits;
mod mask_keys;
mod message;
mod opcode;
mod pool;
mod role;
mod send_queue;
mod utf8;
mod utf8_bytes;

pub use close_code::CloseCode;
pub use close_frame::{CloseFrame, MAX_REASON};
pub use decoder::{Decoder, Delivery};
pub use encoder::{BY_REFERENCE_FROM, Encoder};
pub use error::{DecodeError, EncodeError};
pub use header::{Header, MAX_CONTROL};
pub use limits::Limits;
pub use mask_keys::MaskKeys;
pub use message::{
    Control, ControlPayload, Event, Message, MessageKind, MessageRef, More, OwnedEvent, Piece,
    PieceRef,
};
pub use opcode::Opcode;
pub use pool::{Pool, Unpooled};
pub use role::Role;
pub use send_queue::{PayloadWriter, SendQueue};
pub use utf8::{InvalidUtf8, Utf8};
pub use utf8_bytes::Utf8Bytes;
pub use ws_mask::MaskKey;
