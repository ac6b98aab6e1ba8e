//! Random bytes from the operating system.

/// Returns random bytes from the operating system.
///
/// # Panics
/// If the operating system has no randomness.
pub(crate) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the operating system has randomness");
    bytes
}
