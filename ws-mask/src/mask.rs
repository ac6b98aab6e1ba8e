//! Masking, five ways: in place, on the way to the front, into another buffer, appended to a vector, in place with a look
//! at what came out.

use core::mem::MaybeUninit;
use core::ops::Range;

#[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
use crate::dispatch::BEST;
use crate::key::MaskKey;
#[cfg(not(any(target_arch = "x86", target_arch = "x86_64")))]
use crate::table::BEST;

/// Masks or unmasks `data` in place. Returns the key for the byte after it.
///
/// Masking and unmasking are the same (RFC 6455, 5.3). A payload may be masked in parts of any length: pass on the
/// returned key. A key of zeros leaves `data` untouched and costs nothing.
///
/// # Examples
///
/// ```
/// use ws_mask::{MaskKey, mask};
///
/// let mut data = *b"Hello";
/// let next = mask(&mut data, MaskKey::from([0x37, 0xfa, 0x21, 0x3d]));
/// assert_eq!(&data, b"\x7f\x9f\x4d\x51\x58");
/// assert_eq!(next, MaskKey::from([0xfa, 0x21, 0x3d, 0x37]));
/// ```
#[inline]
pub fn mask(data: &mut [u8], key: MaskKey) -> MaskKey {
    BEST.mask(data, key)
}

/// Masks `src` into `dst` in one pass. Returns what it wrote and the key for the byte after it.
///
/// `dst` may be uninitialised: every byte of it is written, none is read.
///
/// # Panics
///
/// If `src` and `dst` differ in length.
///
/// # Examples
///
/// ```
/// use std::mem::MaybeUninit;
/// use ws_mask::{MaskKey, mask_copy};
///
/// let mut frame = [MaybeUninit::uninit(); 5];
/// let (masked, _) = mask_copy(b"Hello", &mut frame, MaskKey::from([0x37, 0xfa, 0x21, 0x3d]));
/// assert_eq!(masked, b"\x7f\x9f\x4d\x51\x58");
/// ```
#[inline]
#[track_caller]
pub fn mask_copy<'a>(
    src: &[u8],
    dst: &'a mut [MaybeUninit<u8>],
    key: MaskKey,
) -> (&'a mut [u8], MaskKey) {
    BEST.mask_copy(src, dst, key)
}

/// Masks `data[src]` and moves it to `dest`, at or before its place, in one pass. Returns the key for the byte after it.
///
/// So the payloads of several frames are joined where they stand, which may overlap:
/// [`copy_within`](slice::copy_within) for masked bytes.
///
/// # Panics
///
/// If `src` is not in `data`, or `dest` is after its start.
///
/// # Examples
///
/// ```
/// use ws_mask::{MaskKey, mask_within};
///
/// let mut frame = *b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58";
/// mask_within(&mut frame, 6..11, 2, MaskKey::from([0x37, 0xfa, 0x21, 0x3d]));
/// assert_eq!(&frame[2..7], b"Hello");
/// ```
#[inline]
#[track_caller]
pub fn mask_within(data: &mut [u8], src: Range<usize>, dest: usize, key: MaskKey) -> MaskKey {
    BEST.mask_within(data, src, dest, key)
}

/// Masks or unmasks `data` in place and says, from the same pass, whether all that came out is ASCII.
///
/// Text that is all ASCII is valid UTF-8: only the rest needs a validator. Empty `data` is ASCII.
///
/// # Examples
///
/// ```
/// use ws_mask::{MaskKey, mask_ascii};
///
/// let mut data = *b"\x7f\x9f\x4d\x51\x58";
/// let (_, ascii) = mask_ascii(&mut data, MaskKey::from([0x37, 0xfa, 0x21, 0x3d]));
/// assert!(ascii);
/// assert_eq!(&data, b"Hello");
/// ```
#[inline]
#[must_use = "without the answer, `mask` does the same"]
pub fn mask_ascii(data: &mut [u8], key: MaskKey) -> (MaskKey, bool) {
    BEST.mask_ascii(data, key)
}

/// Appends `src`, masked, to `dst` in one pass. Returns the key for the byte after it.
///
/// # Panics
///
/// If the capacity would exceed `isize::MAX` bytes, as [`Vec::reserve`](alloc::vec::Vec::reserve) does.
///
/// # Examples
///
/// ```
/// use ws_mask::{MaskKey, mask_extend};
///
/// let mut frame = b"\x81\x85\x37\xfa\x21\x3d".to_vec();
/// mask_extend(&mut frame, b"Hello", MaskKey::from([0x37, 0xfa, 0x21, 0x3d]));
/// assert_eq!(frame, b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58");
/// ```
#[cfg(feature = "alloc")]
#[inline]
pub fn mask_extend(dst: &mut alloc::vec::Vec<u8>, src: &[u8], key: MaskKey) -> MaskKey {
    dst.reserve(src.len());
    let (_, key) = mask_copy(src, &mut dst.spare_capacity_mut()[..src.len()], key);
    // SAFETY: `mask_copy` wrote the `src.len()` bytes behind the old length.
    unsafe { dst.set_len(dst.len() + src.len()) };
    key
}
