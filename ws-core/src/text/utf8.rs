//! Incremental UTF-8 validation: the first bad byte is found when it arrives, however the text is cut.

use std::error::Error;
use std::fmt;

use ws_mask::{MaskKey, mask_ascii};

/// Text is unmasked and validated in blocks of this size, so that validation finds the block in the first-level cache.
const BLOCK: usize = 4096;

/// Bytes that no UTF-8 text holds there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct InvalidUtf8;

impl fmt::Display for InvalidUtf8 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("text is not UTF-8")
    }
}

impl Error for InvalidUtf8 {}

/// An incremental validator. It remembers at most three bytes: the start of an incomplete code point.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Utf8 {
    carry: [u8; 3],
    len: u8,
}

impl Utf8 {
    /// Makes a validator at the start of a text.
    #[must_use]
    pub const fn new() -> Self {
        Self { carry: [0; 3], len: 0 }
    }

    /// Validates the next bytes of the text.
    ///
    /// # Errors
    /// If no continuation could make the bytes so far valid.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), InvalidUtf8> {
        let rest = self.complete(bytes)?;
        let (body, tail) = rest.split_at(rest.len() - unfinished(rest));
        simdutf8::basic::from_utf8(body).map_err(|_| InvalidUtf8)?;
        self.keep(tail)
    }

    /// Unmasks the next bytes of the text in place and validates them; in one pass if they are ASCII.
    ///
    /// # Errors
    /// As [`push`](Self::push). Bytes after the block with the bad byte stay masked.
    pub fn unmask(&mut self, data: &mut [u8], mut key: MaskKey) -> Result<MaskKey, InvalidUtf8> {
        for block in data.chunks_mut(BLOCK) {
            let ascii;
            (key, ascii) = mask_ascii(block, key);
            if !ascii || self.len > 0 {
                self.push(block)?;
            }
        }
        Ok(key)
    }

    /// Validates the end of the text.
    ///
    /// # Errors
    /// If the text ends inside a code point.
    pub const fn finish(&self) -> Result<(), InvalidUtf8> {
        if self.len == 0 { Ok(()) } else { Err(InvalidUtf8) }
    }

    /// Completes the code point that was cut, and returns the bytes after it.
    fn complete<'a>(&mut self, bytes: &'a [u8]) -> Result<&'a [u8], InvalidUtf8> {
        for (i, &byte) in bytes.iter().enumerate() {
            let held = usize::from(self.len);
            if held == 0 {
                return Ok(&bytes[i..]);
            }
            let mut point = [0; 4];
            point[..held].copy_from_slice(&self.carry[..held]);
            point[held] = byte;
            self.len = 0;
            self.keep(&point[..=held])?;
        }
        Ok(&[])
    }

    /// Remembers an incomplete code point; forgets a complete one.
    fn keep(&mut self, start: &[u8]) -> Result<(), InvalidUtf8> {
        match std::str::from_utf8(start) {
            Ok(_) => Ok(()),
            Err(error) if error.error_len().is_some() => Err(InvalidUtf8),
            Err(_) => {
                self.carry[..start.len()].copy_from_slice(start);
                self.len = start.len() as u8;
                Ok(())
            }
        }
    }
}

/// Returns how many bytes at the end are an incomplete code point.
fn unfinished(bytes: &[u8]) -> usize {
    let tail = bytes.iter().rev().take(3);
    let lead = tail.enumerate().find(|&(_, byte)| byte & 0xc0 != 0x80);
    lead.map_or(0, |(behind, &byte)| if width(byte) > behind + 1 { behind + 1 } else { 0 })
}

/// Returns the length of the code point that starts with `lead`.
const fn width(lead: u8) -> usize {
    match lead {
        0..=0xbf => 1,
        0xc0..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xff => 4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_remembered_of_a_text_is_three_bytes_however_long_it_is() {
        // So no byte is judged twice but those: the time is linear, however many pieces there are.
        assert_eq!(size_of::<Utf8>(), 4);
    }

    const SAMPLES: [&[u8]; 16] = [
        b"",
        b"Hello",
        "κόσμε".as_bytes(),
        "\u{7f}\u{80}\u{7ff}\u{800}\u{ffff}\u{10000}\u{10ffff}".as_bytes(),
        b"\xc3",
        b"\xe2\x82",
        b"\xf0\x9f\x98",
        b"\xc0\xaf",
        b"\xed\xa0\x80",
        b"\xf4\x90\x80\x80",
        b"\xf8\x88\x80\x80\x80",
        b"\x80",
        b"ok\xff",
        b"\xe2\x28\xa1",
        b"\xf0\x28\x8c\xbc",
        b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xf4\x90\x80\x80edited",
    ];

    fn judged(parts: &[&[u8]]) -> Result<(), InvalidUtf8> {
        let mut utf8 = Utf8::new();
        parts.iter().try_for_each(|part| utf8.push(part))?;
        utf8.finish()
    }

    /// The number of bytes that are taken before the first bad one, byte by byte.
    fn first_bad(bytes: &[u8]) -> Option<usize> {
        let mut utf8 = Utf8::new();
        bytes.iter().position(|&byte| utf8.push(&[byte]).is_err())
    }

    #[test]
    fn every_cut_into_three_gives_the_verdict_of_the_whole() {
        for sample in SAMPLES {
            let whole = std::str::from_utf8(sample).map(|_| ()).map_err(|_| InvalidUtf8);
            for i in 0..=sample.len() {
                for j in i..=sample.len() {
                    assert_eq!(
                        judged(&[&sample[..i], &sample[i..j], &sample[j..]]),
                        whole,
                        "{sample:x?} {i} {j}"
                    );
                }
            }
        }
    }

    #[test]
    fn text_fails_at_its_first_bad_byte_and_not_later() {
        for sample in SAMPLES {
            // Once no continuation can help, the shortest bad prefix is one that std finds broken, not just unfinished.
            let broken = |end: &usize| {
                std::str::from_utf8(&sample[..*end]).is_err_and(|e| e.error_len().is_some())
            };
            assert_eq!(
                first_bad(sample),
                (1..=sample.len()).find(broken).map(|end| end - 1),
                "{sample:x?}"
            );
        }
        assert_eq!(first_bad(b"ab\xf4\x90\x80"), Some(3));
        assert_eq!(first_bad(b"ab\xed\xa0"), Some(3));
        assert_eq!(first_bad(b"ab\xc0"), Some(2));
        assert_eq!(first_bad(b"ab\xe2\x82z"), Some(4));
    }

    #[test]
    fn text_that_ends_inside_a_code_point_is_invalid() {
        assert_eq!(judged(&[b"\xe2\x82", b""]), Err(InvalidUtf8));
        assert_eq!(judged(&[b"\xe2\x82", b"\xac"]), Ok(()));
    }

    proptest! {
        #[test]
        fn any_cuts_of_any_bytes_agree_with_std(
            bytes in prop_oneof![
                any::<String>().prop_map(String::into_bytes),
                proptest::collection::vec(prop_oneof![Just(0xe2), Just(0x82), Just(0xac), Just(0xf0), any::<u8>()], 0..80),
            ],
            cuts in proptest::collection::vec(1usize..9, 0..40),
        ) {
            let mut parts = Vec::new();
            let mut rest = &bytes[..];
            for cut in cuts {
                let (part, behind) = rest.split_at(cut.min(rest.len()));
                parts.push(part);
                rest = behind;
            }
            parts.push(rest);
            prop_assert_eq!(judged(&parts).is_ok(), std::str::from_utf8(&bytes).is_ok());
        }

        #[test]
        fn unmasking_text_judges_what_was_masked(text in any::<String>(), long in 0usize..3, key in any::<[u8; 4]>()) {
            let plain = text.repeat(1 + long * 400).into_bytes();
            let mut data = plain.clone();
            let end = ws_mask::mask(&mut data, key.into());
            let mut utf8 = Utf8::new();
            prop_assert_eq!(utf8.unmask(&mut data, key.into()), Ok(end));
            prop_assert_eq!(utf8.finish(), Ok(()));
            prop_assert_eq!(data, plain);
        }
    }
}
