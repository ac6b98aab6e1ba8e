//! Parts of a message that is streamed (RFC 6455, 5.4).

use bytes::Bytes;

use super::MessageKind;

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
