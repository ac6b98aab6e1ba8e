//! .
/// A masking key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MaskKey([u8; 4]);
