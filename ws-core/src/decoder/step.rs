//! The result of one decoding step: an event by its place, from which borrowed and owned events are made.

use std::ops::Range;

use ws_mask::MaskKey;

use super::in_place::InPlace;
use crate::message::MessageKind;
use crate::message::piece::More;

/// A step's result.
pub(super) struct Step {
    /// Bytes of input that were used.
    pub(super) used: usize,
    pub(super) outcome: Outcome,
}

pub(super) enum Outcome {
    /// Take the next step.
    Again,
    /// More bytes are needed.
    Starved,
    Found(Found),
}

pub(super) enum Found {
    /// A message in the input.
    Whole(InPlace),
    /// An assembled message, which the decoder holds.
    Gathered,
    /// A piece of a message, in the input.
    Piece(MessageKind, Range<usize>, More),
    /// A piece of a compressed message, which the decompression stage holds.
    OwnPiece(MessageKind, More),
    /// The place of a control frame's payload in the input, and its key.
    Control(ControlKind, Range<usize>, MaskKey),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ControlKind {
    Ping,
    Pong,
    Close,
}

impl Step {
    pub(super) const AGAIN: Self = Self::again(0);
    pub(super) const STARVED: Self = Self { used: 0, outcome: Outcome::Starved };

    pub(super) const fn again(used: usize) -> Self {
        Self { used, outcome: Outcome::Again }
    }

    pub(super) const fn found(used: usize, found: Found) -> Self {
        Self { used, outcome: Outcome::Found(found) }
    }

    /// Whether this ends the current message.
    pub(super) const fn ends_message(&self) -> bool {
        match &self.outcome {
            Outcome::Again | Outcome::Starved => false,
            Outcome::Found(found) => found.ends_message(),
        }
    }
}

impl Found {
    pub(super) const fn ends_message(&self) -> bool {
        match self {
            Self::Whole(_) | Self::Gathered => true,
            Self::Piece(_, _, more) | Self::OwnPiece(_, more) => matches!(more, More::Ended),
            Self::Control(..) => false,
        }
    }

    /// The same place, relative to `before` bytes earlier.
    pub(super) fn behind(self, before: usize) -> Self {
        let moved = |place: Range<usize>| before + place.start..before + place.end;
        match self {
            Self::Whole(InPlace { kind, place, key, end }) => {
                Self::Whole(InPlace { kind, place: moved(place), key, end: before + end })
            }
            Self::Piece(kind, place, more) => Self::Piece(kind, moved(place), more),
            Self::Control(kind, place, key) => Self::Control(kind, moved(place), key),
            placeless @ (Self::Gathered | Self::OwnPiece(..)) => placeless,
        }
    }
}
