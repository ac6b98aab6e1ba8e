//! Pieces of a streamed message (RFC 6455, 5.4).

use bytes::Bytes;

use super::MessageKind;

/// Whether more of a message follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum More {
    /// The message goes on.
    Follows,
    /// This was the last piece.
    Ended,
}

/// A piece of a streamed message: at most one frame of it.
///
/// Pieces of text are bytes, since a piece may end inside a code point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PieceRef<'a> {
    /// The kind of the message.
    pub kind: MessageKind,
    /// The bytes of the piece, which may be none.
    pub data: &'a [u8],
    /// Whether more pieces follow.
    pub more: More,
}

impl PieceRef<'_> {
    /// Copies the piece into an owned one.
    #[must_use]
    pub fn to_piece(&self) -> Piece {
        Piece { kind: self.kind, data: Bytes::copy_from_slice(self.data), more: self.more }
    }
}

/// A piece of a streamed message that owns its bytes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Piece {
    /// The kind of the message.
    pub kind: MessageKind,
    /// The bytes of the piece, which may be none.
    pub data: Bytes,
    /// Whether more pieces follow.
    pub more: More,
}
