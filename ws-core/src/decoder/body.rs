//! The destination of a message's bytes, if they leave the input as they arrive.

use std::num::NonZeroUsize;

use super::assembler::Assembler;
use crate::text::utf8::Utf8;

/// One of these, for the whole message.
#[derive(Debug)]
pub(super) enum Body {
    Gathered(Assembler),
    /// To the user, in pieces of at most this many bytes.
    Streamed(Utf8, NonZeroUsize),
}
