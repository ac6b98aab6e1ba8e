//! Pieces of a message that nobody streams, or streams no more.

use bytes::Bytes;
use ws_core::{DecodeError, Message, MessageKind, More, Piece};

/// Pieces that nobody waits for; most connections never see any.
#[derive(Debug)]
pub(super) struct Strays(Option<Box<Stray>>);

/// What becomes of them.
#[derive(Debug)]
enum Stray {
    /// They make a whole message: whoever wanted to stream it gave up before its first piece.
    Gathered(Vec<u8>),
    /// They are dropped to the end of the message: whoever streamed it gave up.
    Dropped,
}

impl Strays {
    pub(super) const NONE: Self = Self(None);

    /// Those that are still to come of the message are not wanted.
    pub(super) fn drop_rest(&mut self) {
        self.0 = Some(Box::new(Stray::Dropped));
    }

    /// Takes a piece; the message, once it is whole. It may have begun when there were no limits.
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
            // The decoder judged it piece by piece; the type wants to see it whole.
            MessageKind::Text => {
                Message::Text(gathered.try_into().map_err(|_| DecodeError::InvalidUtf8)?)
            }
        }))
    }

    /// Goes on with streaming: the piece, behind what was gathered before it.
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
