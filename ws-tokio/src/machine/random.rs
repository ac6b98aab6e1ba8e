//! Randomness from the operating system.

/// So many random bytes.
///
/// # Panics
/// Where the operating system has no randomness: nothing that is safe could be done without.
pub(crate) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the operating system has randomness");
    bytes
}
