//! Masking keys that scripts can't predict (RFC 6455, 10.3), for a few nanoseconds each.

use std::fmt;

use chacha20::ChaCha8Rng;
use chacha20::rand_core::{Rng, SeedableRng};
use ws_mask::MaskKey;

/// A buffered, cryptographically strong source of masking keys. An encoder that owns one is a client's.
pub struct MaskKeys(ChaCha8Rng);

impl MaskKeys {
    /// Makes a source from `seed`, which must come from the operating system's randomness: a seed that can be guessed
    /// lets a hostile script choose the bytes that proxies see (10.3).
    #[must_use]
    pub fn from_seed(seed: [u8; 32]) -> Self {
        Self(ChaCha8Rng::from_seed(seed))
    }

    /// Returns the next frame's key.
    #[must_use]
    pub fn next_key(&mut self) -> MaskKey {
        MaskKey::from(self.0.next_u32().to_ne_bytes())
    }
}

impl fmt::Debug for MaskKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MaskKeys") // never the state: keys must stay secret until used
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_keys_follow_from_the_seed_so_that_nobody_is_asked_for_each() {
        let (mut one, mut same) = (MaskKeys::from_seed([7; 32]), MaskKeys::from_seed([7; 32]));
        let mut other = MaskKeys::from_seed([8; 32]);
        let keys: Vec<_> = (0..1000).map(|_| one.next_key()).collect();
        assert!(keys.iter().all(|key| *key == same.next_key()));
        assert!(keys.iter().any(|key| *key != other.next_key()));
    }

    #[test]
    fn what_keys_will_come_is_never_shown() {
        assert_eq!(format!("{:?}", MaskKeys::from_seed([7; 32])), "MaskKeys");
    }
}
