//! What one step of the decoder comes to: an event by place rather than by reference, so that borrowed and owned
//! events are both made from it.

use std::ops::Range;

use ws_mask::MaskKey;

use super::in_place::InPlace;
use crate::message::MessageKind;
use crate::message::piece::More;

/// How far a step got.
pub(super) struct Step {
    /// Bytes of the input that are done with.
    pub(super) used: usize,
    pub(super) outcome: Outcome,
}

pub(super) enum Outcome {
    /// Go on with the next step.
    Again,
    /// More bytes are needed.
    Starved,
    Found(Found),
}

pub(super) enum Found {
    /// A message in the input.
    Whole(InPlace),
    /// A message put together from fragments, which the decoder keeps.
    Gathered,
    /// A part of a message, in the input.
    Piece(MessageKind, Range<usize>, More),
    /// A part of a message that was inflated, which the inflating stage keeps.
    OwnPiece(MessageKind, More),
    /// A control frame's payload in the input, and what it is masked with.
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

    /// Whether nothing of the message under way is left to come.
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

    /// The same place, seen from `before` bytes earlier.
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
