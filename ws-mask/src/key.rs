//! The masking key: four bytes as they stand on the wire, turned so that the next one due comes first.

use core::fmt;

/// A masking key (RFC 6455, 5.3): byte `i` of a payload is XORed with byte `i % 4` of the key.
///
/// The key is also the position in the payload: every function takes it by value and returns it advanced, so a
/// payload may be masked in parts of any length, and the four bytes always begin with the one that is due next.
///
/// There is no `Default`: a key of zeros must be asked for by name ([`MaskKey::ZERO`]). `Debug` prints the four bytes
/// in hexadecimal; a key is no secret, it travels in front of what it masks.
///
/// # Examples
///
/// ```
/// use ws_mask::{MaskKey, mask};
///
/// let key = MaskKey::from([0x37, 0xfa, 0x21, 0x3d]);
/// let mut hello = *b"\x7f\x9f\x4d\x51\x58"; // RFC 6455, 5.7
/// let (start, end) = hello.split_at_mut(3);
/// mask(end, mask(start, key));
/// assert_eq!(&hello, b"Hello");
/// assert_eq!(key.advance(3), MaskKey::from([0x3d, 0x37, 0xfa, 0x21]));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct MaskKey(u32); // the bytes in memory order, whatever the machine's: a rotation is a shift of phase

impl MaskKey {
    /// The key that changes nothing.
    pub const ZERO: Self = Self(0);

    /// The key made of these four bytes, in the order of the wire.
    #[inline]
    pub const fn new(bytes: [u8; 4]) -> Self {
        Self(u32::from_ne_bytes(bytes))
    }

    /// The four bytes, the one due next first.
    #[inline]
    pub const fn to_bytes(self) -> [u8; 4] {
        self.0.to_ne_bytes()
    }

    /// The key for the byte that stands `count` bytes further on in the payload.
    #[inline]
    pub const fn advance(self, count: usize) -> Self {
        let bits = (count % 4) as u32 * 8;
        Self(if cfg!(target_endian = "little") {
            self.0.rotate_right(bits)
        } else {
            self.0.rotate_left(bits)
        })
    }

    /// The four bytes as they lie in memory: what a kernel repeats over a vector.
    #[inline(always)]
    pub(crate) const fn word(self) -> u32 {
        self.0
    }
}

impl From<[u8; 4]> for MaskKey {
    #[inline]
    fn from(bytes: [u8; 4]) -> Self {
        Self::new(bytes)
    }
}

impl From<MaskKey> for [u8; 4] {
    #[inline]
    fn from(key: MaskKey) -> Self {
        key.to_bytes()
    }
}

impl fmt::Debug for MaskKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MaskKey({:08x})", u32::from_be_bytes(self.to_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::MaskKey;

    extern crate std;

    const KEY: MaskKey = MaskKey::new([1, 2, 3, 4]);

    #[test]
    fn advancing_brings_the_byte_that_is_due_to_the_front() {
        assert_eq!(KEY.advance(0).to_bytes(), [1, 2, 3, 4]);
        assert_eq!(KEY.advance(1).to_bytes(), [2, 3, 4, 1]);
        assert_eq!(KEY.advance(2).to_bytes(), [3, 4, 1, 2]);
        assert_eq!(KEY.advance(3).to_bytes(), [4, 1, 2, 3]);
        assert_eq!(KEY.advance(usize::MAX), KEY.advance(3));
    }

    #[test]
    fn a_key_goes_back_to_the_bytes_it_came_from() {
        assert_eq!(<[u8; 4]>::from(MaskKey::from([9, 8, 7, 6])), [9, 8, 7, 6]);
    }

    #[test]
    fn a_key_prints_its_bytes_in_the_order_of_the_wire() {
        assert_eq!(std::format!("{KEY:?}"), "MaskKey(01020304)");
    }
}
