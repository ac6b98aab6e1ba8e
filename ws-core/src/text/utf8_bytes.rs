//! Text as `Bytes`, and text that is being assembled, without validating any of it twice.
//!
//! Sound by construction: each type owns the bytes that it vouches for, and nobody else can write to them.
#![expect(
    unsafe_code,
    reason = "text that these types validated is read as str without a second look"
)]

use std::borrow::Borrow;
use std::fmt;
use std::ops::{Deref, Range};
use std::str::Utf8Error;

use bytes::{Buf, Bytes, BytesMut};
use ws_mask::{MaskKey, mask, mask_extend};

use super::utf8::{InvalidUtf8, Utf8};
use crate::pool::{self, Pool};

/// Largest payload in bytes that is copied out of the read buffer instead of sharing its memory.
pub(crate) const COPY_UP_TO: usize = 1024;

/// Immutable UTF-8 text that is cheap to clone; it is to [`Bytes`] what `str` is to `[u8]`.
#[derive(Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Utf8Bytes(
    /// Invariant: UTF-8.
    Bytes,
);

impl Utf8Bytes {
    /// Makes text from a static string, without copying it.
    #[must_use]
    pub const fn from_static(text: &'static str) -> Self {
        Self(Bytes::from_static(text.as_bytes()))
    }

    /// Returns the text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // SAFETY: the invariant of the field; `Bytes` can't change.
        unsafe { std::str::from_utf8_unchecked(&self.0) }
    }

    /// Returns the bytes of the text, sharing them.
    #[must_use]
    pub const fn as_bytes(&self) -> &Bytes {
        &self.0
    }

    /// Returns the bytes of the text.
    #[must_use]
    pub fn into_bytes(self) -> Bytes {
        self.0
    }
}

impl Deref for Utf8Bytes {
    type Target = str;

    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl AsRef<str> for Utf8Bytes {
    fn as_ref(&self) -> &str {
        self
    }
}

impl AsRef<[u8]> for Utf8Bytes {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Borrow<str> for Utf8Bytes {
    fn borrow(&self) -> &str {
        self
    }
}

impl From<String> for Utf8Bytes {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl From<&str> for Utf8Bytes {
    fn from(text: &str) -> Self {
        Self(Bytes::copy_from_slice(text.as_bytes()))
    }
}

impl From<Utf8Bytes> for Bytes {
    fn from(text: Utf8Bytes) -> Self {
        text.0
    }
}

impl TryFrom<Bytes> for Utf8Bytes {
    type Error = Utf8Error;

    fn try_from(bytes: Bytes) -> Result<Self, Utf8Error> {
        std::str::from_utf8(&bytes)?;
        Ok(Self(bytes))
    }
}

impl PartialEq<str> for Utf8Bytes {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<&str> for Utf8Bytes {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}

impl fmt::Display for Utf8Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_str().fmt(f)
    }
}

impl fmt::Debug for Utf8Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

/// Unmasks a whole text in place.
pub(crate) fn unmask_str(data: &mut [u8], key: MaskKey) -> Result<&str, InvalidUtf8> {
    let mut utf8 = Utf8::new();
    utf8.unmask(data, key)?;
    utf8.finish()?;
    // SAFETY: `utf8` saw all of `data`, in this call, and found it whole.
    Ok(unsafe { std::str::from_utf8_unchecked(data) })
}

/// Unmasks a whole text in place and takes it out of `input`, along with the bytes before it.
pub(crate) fn unmask_text(
    input: &mut BytesMut,
    place: Range<usize>,
    key: MaskKey,
) -> Result<Utf8Bytes, InvalidUtf8> {
    unmask_str(&mut input[place.clone()], key)?;
    Ok(Utf8Bytes(take_out(input, place, MaskKey::ZERO)))
}

/// Unmasks these bytes and takes them out of `input`, along with the bytes before them. Few bytes are copied, so that a
/// small message never pins a large buffer; others are shared.
#[inline(always)]
pub(crate) fn take_out(input: &mut BytesMut, place: Range<usize>, key: MaskKey) -> Bytes {
    if place.len() <= COPY_UP_TO {
        let copy = unmask_copy(&input[place.clone()], key);
        input.advance(place.end);
        return copy;
    }
    mask(&mut input[place.clone()], key);
    input.advance(place.start);
    input.split_to(place.len()).freeze()
}

/// Copies bytes, unmasking them.
#[inline(always)]
pub(crate) fn unmask_copy(data: &[u8], key: MaskKey) -> Bytes {
    let mut copy = Vec::with_capacity(data.len());
    mask_extend(&mut copy, data, key);
    copy.into()
}

/// Copies a whole text, unmasking it. Out of line, so that a copy of bytes is made in one place of the caller.
#[inline(never)]
pub(crate) fn unmask_text_copy(data: &[u8], key: MaskKey) -> Result<Utf8Bytes, InvalidUtf8> {
    let mut copy = data.to_vec();
    unmask_str(&mut copy, key)?;
    Ok(Utf8Bytes(copy.into()))
}

/// Text that is being assembled from fragments.
#[derive(Debug, Default)]
pub(crate) struct Utf8Buf {
    /// Invariant: all of it went through `utf8`.
    bytes: Vec<u8>,
    utf8: Utf8,
}

impl Utf8Buf {
    pub(crate) fn new(mut memory: Vec<u8>) -> Self {
        memory.clear();
        Self { bytes: memory, utf8: Utf8::new() }
    }

    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    pub(crate) fn capacity(&self) -> usize {
        self.bytes.capacity()
    }

    pub(crate) fn park(&mut self, pool: &mut dyn Pool) {
        pool::park(&mut self.bytes, 0, pool);
    }

    /// Unmasks `data` in place, validates it and appends it.
    pub(crate) fn unmask(&mut self, data: &mut [u8], key: MaskKey) -> Result<MaskKey, InvalidUtf8> {
        let key = self.utf8.unmask(data, key)?;
        self.bytes.extend_from_slice(data);
        Ok(key)
    }

    /// Validates `data` and appends it.
    pub(crate) fn push(&mut self, data: &[u8]) -> Result<(), InvalidUtf8> {
        self.utf8.push(data)?;
        self.bytes.extend_from_slice(data);
        Ok(())
    }

    /// Returns the text, if it is complete.
    pub(crate) fn finish(&self) -> Result<&str, InvalidUtf8> {
        self.utf8.finish()?;
        // SAFETY: the invariant of `bytes`, and `utf8` says that they end with a code point's end.
        Ok(unsafe { std::str::from_utf8_unchecked(&self.bytes) })
    }

    pub(crate) fn into_memory(self) -> Vec<u8> {
        self.bytes
    }

    /// Returns the text as shared bytes, if it is complete.
    pub(crate) fn into_text(self) -> Result<Utf8Bytes, InvalidUtf8> {
        self.utf8.finish()?;
        Ok(Utf8Bytes(self.bytes.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_from_bytes_is_validated() {
        assert_eq!(Utf8Bytes::try_from(Bytes::from_static("zażółć".as_bytes())).unwrap(), "zażółć");
        assert!(Utf8Bytes::try_from(Bytes::from_static(b"\xff")).is_err());
    }

    #[test]
    fn a_buffer_lent_with_old_bytes_in_it_starts_empty() {
        let text = Utf8Buf::new(b"\xff\xff".to_vec());
        assert_eq!(text.finish(), Ok(""));
    }

    #[test]
    fn unfinished_text_is_not_handed_out() {
        let mut text = Utf8Buf::new(Vec::new());
        text.unmask(&mut b"a\xe2\x82".to_vec(), MaskKey::from([0; 4])).unwrap();
        assert_eq!(text.finish(), Err(InvalidUtf8));
        text.unmask(&mut b"\xac".to_vec(), MaskKey::from([0; 4])).unwrap();
        assert_eq!(text.finish(), Ok("a€"));
        assert_eq!(text.into_text().unwrap(), "a€");
    }

    #[test]
    fn text_is_what_its_str_is_by_every_trait() {
        let text = Utf8Bytes::from("a€");
        let (as_str, as_bytes): (&str, &[u8]) = (text.as_ref(), text.as_ref());
        assert_eq!((as_str, as_bytes), ("a€", "a€".as_bytes()));
        assert_eq!(<Utf8Bytes as Borrow<str>>::borrow(&text), "a€");
        assert!(text == *"a€" && text == "a€" && text != *"a" && text != "a");
        assert_eq!(
            (text.to_string(), format!("{text:?}")),
            ("a€".to_owned(), r#""a€""#.to_owned())
        );
        assert_eq!(Bytes::from(text), "a€".as_bytes());
    }
}
