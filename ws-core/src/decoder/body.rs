//! Where the bytes of a message go that are taken away as they arrive.

use std::num::NonZeroUsize;

use super::assembler::Assembler;
use crate::text::utf8::Utf8;

/// To one of these, from its first byte to its last.
#[derive(Debug)]
pub(super) enum Body {
    Gathered(Assembler),
    /// To the user, in pieces of at most so many bytes.
    Streamed(Utf8, NonZeroUsize),
}
