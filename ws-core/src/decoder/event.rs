//! What a decoder finds.

use crate::frame::control::Control;
use crate::message::piece::{Piece, PieceRef};
use crate::message::{Message, MessageRef};

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
