//! What one step of the decoder comes to: an event by place rather than by reference, so that borrowed and owned
//! events are both made from it.

use std::ops::Range;

use super::assembler::Assembler;
use super::in_place::InPlace;
use crate::message::{Control, MessageKind, More};

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
    /// A message put together from fragments.
    Gathered(Assembler),
    /// A part of a message, in the input.
    Piece(MessageKind, Range<usize>, More),
    /// A part of a message, in memory of its own.
    OwnPiece(MessageKind, Assembler, More),
    Control(Control),
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
}

impl Found {
    /// The same place, seen from `before` bytes earlier.
    pub(super) fn behind(self, before: usize) -> Self {
        let moved = |place: Range<usize>| before + place.start..before + place.end;
        match self {
            Self::Whole(message) => Self::Whole(InPlace { place: moved(message.place), ..message }),
            Self::Piece(kind, place, more) => Self::Piece(kind, moved(place), more),
            placeless @ (Self::Gathered(_) | Self::OwnPiece(..) | Self::Control(_)) => placeless,
        }
    }
}
