//! The events of a decoder.

use crate::frame::control::Control;
use crate::message::piece::{Piece, PieceRef};
use crate::message::{Message, MessageRef};

/// An event, borrowed from the decoder's input or from the decoder.
#[derive(Debug, PartialEq, Eq)]
pub enum Event<'a> {
    /// A whole message.
    Message(MessageRef<'a>),
    /// A piece of a message, if the decoder was asked to stream.
    Piece(PieceRef<'a>),
    /// A control frame, which may come between a message's fragments.
    Control(Control),
}

/// An event that owns its contents.
#[derive(Debug, PartialEq, Eq)]
pub enum OwnedEvent {
    /// A whole message.
    Message(Message),
    /// A piece of a message, if the decoder was asked to stream.
    Piece(Piece),
    /// A control frame, which may come between a message's fragments.
    Control(Control),
}
