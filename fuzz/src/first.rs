//! The first of the bytes: each target reads its choices so.

/// Takes the first byte away.
pub(super) fn take(data: &mut &[u8]) -> u8 {
    let Some((&first, rest)) = data.split_first() else { return 0 };
    *data = rest;
    first
}
