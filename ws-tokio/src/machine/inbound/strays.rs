//! Pieces of a message whose reader was dropped.

use bytes::Bytes;
use ws_core::{DecodeError, Message, MessageKind, More, Piece};

/// Pieces without a reader; most connections never have any.
#[derive(Debug)]
pub(super) struct Strays(Option<Box<Stray>>);

/// What to do with the pieces.
#[derive(Debug)]
enum Stray {
    /// Assemble them into a whole message: the reader was dropped before the first piece.
    Gathered(Vec<u8>),
    /// Drop them until the message ends: the reader was dropped midway.
    Dropped,
}

impl Strays {
    pub(super) const NONE: Self = Self(None);

    /// Drops the rest of the message.
    pub(super) fn drop_rest(&mut self) {
        self.0 = Some(Box::new(Stray::Dropped));
    }

    /// Adds a piece, and returns the message once it is complete. Checks the limit, since the message may have begun
    /// without one.
    pub(super) fn take(
        &mut self,
        piece: &Piece,
        limit: usize,
    ) -> Result<Option<Message>, DecodeError> {
        let mut stray = self.0.take().unwrap_or_else(|| Box::new(Stray::Gathered(Vec::new())));
        if let Stray::Gathered(gathered) = &mut *stray {
            if piece.data.len() > limit.saturating_sub(gathered.len()) {
                return Err(DecodeError::MessageTooBig { limit });
            }
            gathered.extend_from_slice(&piece.data);
        }
        if piece.more == More::Follows {
            self.0 = Some(stray);
            return Ok(None);
        }
        let Stray::Gathered(gathered) = *stray else { return Ok(None) };
        let gathered = Bytes::from(gathered);
        Ok(Some(match piece.kind {
            MessageKind::Binary => Message::Binary(gathered),
            // The decoder validated it piece by piece; the type requires validating the whole.
            MessageKind::Text => {
                Message::Text(gathered.try_into().map_err(|_| DecodeError::InvalidUtf8)?)
            }
        }))
    }

    /// Resumes streaming: returns the piece, preceded by the assembled pieces.
    pub(super) fn resume(&mut self, piece: Piece) -> Result<Option<Piece>, DecodeError> {
        match self.0.as_deref_mut() {
            None => Ok(Some(piece)),
            Some(Stray::Dropped) => self.take(&piece, 0).map(|_| None),
            Some(Stray::Gathered(gathered)) => {
                gathered.extend_from_slice(&piece.data);
                let data = std::mem::take(gathered).into();
                self.0 = None;
                Ok(Some(Piece { data, ..piece }))
            }
        }
    }
}
