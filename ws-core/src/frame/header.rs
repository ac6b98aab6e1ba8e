//! Frame headers: two to fourteen bytes on the wire (RFC 6455, 5.2).

use ws_mask::MaskKey;

use super::opcode::Opcode;
use crate::error::DecodeError;

pub(crate) const FIN: u8 = 0x80;
const RSV1: u8 = 0x40;
const RSV2_RSV3: u8 = 0x30;
const MASKED: u8 = 0x80;

/// Longest payload of a control frame in bytes (RFC 6455, 5.5).
pub const MAX_CONTROL: usize = 125;
/// The 7-bit length if a 16-bit length follows.
const LENGTH_16: u8 = 126;
/// The 7-bit length if a 64-bit length follows.
const LENGTH_64: u8 = 127;

/// A frame's header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Whether this is the last frame of its message.
    pub fin: bool,
    /// RSV1: whether the message is compressed (RFC 7692, 6).
    pub rsv1: bool,
    /// The kind of frame.
    pub opcode: Opcode,
    /// The masking key, if the payload is masked.
    pub mask: Option<MaskKey>,
    /// The length of the payload in bytes, at most 2^63 - 1.
    pub len: u64,
}

impl Header {
    /// The longest header in bytes: two, a 64-bit length, and a key.
    pub const MAX_LEN: usize = 14;

    /// Parses the header at the start of `input`, and returns it with its length; `None` if it is incomplete.
    ///
    /// Checks the rules that don't depend on other frames. A rule on the first two bytes is checked as soon as these
    /// have arrived, so that later bytes can't change the verdict.
    ///
    /// # Errors
    /// The first rule of RFC 6455, 5.2 and 5.5, that the header violates.
    #[inline]
    pub fn parse(input: &[u8]) -> Result<Option<(Self, usize)>, DecodeError> {
        let [first, second, ..] = input else { return Ok(None) };
        let opcode = judge_first_two(*first, *second)?;
        let Some(Extent { mask, len, start }) = Extent::parse(input)? else { return Ok(None) };
        let header = Self { fin: first & FIN != 0, rsv1: first & RSV1 != 0, opcode, mask, len };
        Ok(Some((header, start)))
    }

    /// Returns the key to unmask with: zeros, which change nothing, if the payload isn't masked.
    #[inline]
    pub(crate) fn key(&self) -> MaskKey {
        self.mask.unwrap_or(MaskKey::ZERO)
    }

    /// Encodes the header: returns an array and how many of its bytes are the header.
    #[inline]
    #[must_use]
    pub fn encode(&self) -> ([u8; Self::MAX_LEN], usize) {
        let (mut out, mut end) = ([0; Self::MAX_LEN], 0);
        self.put(|bytes| {
            out[end..end + bytes.len()].copy_from_slice(bytes);
            end += bytes.len();
        });
        (out, end)
    }

    /// Emits the header in runs whose lengths the compiler knows.
    #[inline(always)]
    pub(crate) fn put(&self, mut put: impl FnMut(&[u8])) {
        let first =
            self.opcode as u8 | if self.fin { FIN } else { 0 } | if self.rsv1 { RSV1 } else { 0 };
        let masked = if self.mask.is_some() { MASKED } else { 0 };
        if self.len <= MAX_CONTROL as u64 {
            put(&[first, masked | self.len as u8]);
        } else if let Ok(len) = u16::try_from(self.len) {
            let [high, low] = len.to_be_bytes();
            put(&[first, masked | LENGTH_16, high, low]);
        } else {
            put(&[first, masked | LENGTH_64]);
            put(&self.len.to_be_bytes());
        }
        if let Some(key) = self.mask {
            put(&<[u8; 4]>::from(key));
        }
    }
}

/// What a header says after its first byte.
pub(crate) struct Extent {
    pub(crate) mask: Option<MaskKey>,
    /// The length of the payload in bytes, at most 2^63 - 1.
    pub(crate) len: u64,
    /// Where the payload starts.
    pub(crate) start: usize,
}

impl Extent {
    /// Parses it from the header at the start of `input`, if complete. The rules on the first two bytes hold for data
    /// frames.
    #[inline]
    pub(crate) fn parse(input: &[u8]) -> Result<Option<Self>, DecodeError> {
        let [_, second, rest @ ..] = input else { return Ok(None) };
        let Some((len, rest)) = parse_len(*second, rest)? else { return Ok(None) };
        let (mask, rest) = match rest {
            rest if second & MASKED == 0 => (None, rest),
            [a, b, c, d, rest @ ..] => (Some(MaskKey::from([*a, *b, *c, *d])), rest),
            _ => return Ok(None),
        };
        Ok(Some(Self { mask, len, start: input.len() - rest.len() }))
    }

    /// Parses it if it is complete, violates no rule, and is masked exactly if the peer has to mask.
    #[inline]
    pub(crate) fn fitting(input: &[u8], masked: bool) -> Option<Self> {
        Self::parse(input).ok()?.filter(|extent| extent.mask.is_some() == masked)
    }

    /// Returns the key to unmask with: zeros, which change nothing, if the payload isn't masked.
    #[inline]
    pub(crate) fn key(&self) -> MaskKey {
        self.mask.unwrap_or(MaskKey::ZERO)
    }
}

/// Checks the rules on the first two bytes, and returns the opcode.
#[inline]
fn judge_first_two(first: u8, second: u8) -> Result<Opcode, DecodeError> {
    if first & RSV2_RSV3 != 0 {
        return Err(DecodeError::ReservedBit);
    }
    let Some(opcode) = Opcode::from_bits(first) else {
        return Err(DecodeError::ReservedOpcode(first & 0x0f));
    };
    // Only the first frame of a message says that it is compressed (RFC 7692, 6.1).
    if first & RSV1 != 0 && !matches!(opcode, Opcode::Text | Opcode::Binary) {
        return Err(DecodeError::ReservedBit);
    }
    if opcode.is_control() {
        if first & FIN == 0 {
            return Err(DecodeError::ControlFragmented);
        }
        if usize::from(second & !MASKED) > MAX_CONTROL {
            return Err(DecodeError::ControlTooLong);
        }
    }
    Ok(opcode)
}

/// Parses the length and the key.
#[inline]
fn parse_len(second: u8, rest: &[u8]) -> Result<Option<(u64, &[u8])>, DecodeError> {
    let (len, least, rest) = match second & !MASKED {
        LENGTH_16 => {
            let Some((len, rest)) = rest.split_first_chunk() else { return Ok(None) };
            (u64::from(u16::from_be_bytes(*len)), MAX_CONTROL as u64 + 1, rest)
        }
        LENGTH_64 => {
            let Some((len, rest)) = rest.split_first_chunk() else { return Ok(None) };
            (u64::from_be_bytes(*len), u64::from(u16::MAX) + 1, rest)
        }
        len => (u64::from(len), 0, rest),
    };
    match len {
        len if len >> 63 != 0 => Err(DecodeError::LengthTopBit),
        len if len < least => Err(DecodeError::LengthNotMinimal),
        len => Ok(Some((len, rest))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn header(opcode: Opcode, len: u64) -> Header {
        Header { fin: true, rsv1: false, opcode, mask: None, len }
    }

    fn error(input: &[u8]) -> DecodeError {
        Header::parse(input).unwrap_err()
    }

    #[test]
    fn lengths_stand_in_their_shortest_form() {
        for (len, wire) in [
            (0, &b"\x82\x00"[..]),
            (125, b"\x82\x7d"),
            (126, b"\x82\x7e\x00\x7e"),
            (65_535, b"\x82\x7e\xff\xff"),
            (65_536, b"\x82\x7f\x00\x00\x00\x00\x00\x01\x00\x00"),
            ((1 << 63) - 1, b"\x82\x7f\x7f\xff\xff\xff\xff\xff\xff\xff"),
        ] {
            let (bytes, used) = header(Opcode::Binary, len).encode();
            assert_eq!(&bytes[..used], wire);
            assert_eq!(Header::parse(wire), Ok(Some((header(Opcode::Binary, len), wire.len()))));
        }
    }

    #[test]
    fn a_length_that_fits_a_shorter_form_is_refused() {
        assert_eq!(error(b"\x82\x7e\x00\x7d"), DecodeError::LengthNotMinimal);
        assert_eq!(
            error(b"\x82\x7f\x00\x00\x00\x00\x00\x00\xff\xff"),
            DecodeError::LengthNotMinimal
        );
    }

    #[test]
    fn a_length_with_its_top_bit_set_is_refused() {
        assert_eq!(error(b"\x82\x7f\x80\x00\x00\x00\x00\x00\x00\x00"), DecodeError::LengthTopBit);
    }

    #[test]
    fn rsv2_and_rsv3_are_refused_as_soon_as_they_are_seen() {
        assert_eq!(error(b"\xa1\x00"), DecodeError::ReservedBit);
        assert_eq!(error(b"\x91\x00"), DecodeError::ReservedBit);
    }

    #[test]
    fn rsv1_is_refused_on_continuations_and_control_frames() {
        for first in [0xc0, 0xc8, 0xc9, 0xca] {
            assert_eq!(error(&[first, 0]), DecodeError::ReservedBit);
        }
        assert!(Header::parse(b"\xc1\x00").unwrap().unwrap().0.rsv1);
    }

    #[test]
    fn reserved_opcodes_are_refused() {
        for opcode in [3, 4, 5, 6, 7, 11, 12, 13, 14, 15] {
            assert_eq!(error(&[0x80 | opcode, 0]), DecodeError::ReservedOpcode(opcode));
        }
    }

    #[test]
    fn control_frames_over_125_bytes_are_refused_before_their_length_arrives() {
        assert_eq!(error(b"\x89\x7e"), DecodeError::ControlTooLong);
        assert_eq!(error(b"\x88\xff"), DecodeError::ControlTooLong);
        assert!(Header::parse(b"\x89\x7d").unwrap().is_some());
    }

    #[test]
    fn fragmented_control_frames_are_refused() {
        assert_eq!(error(b"\x09\x00"), DecodeError::ControlFragmented);
    }

    proptest! {
        #[test]
        fn what_is_encoded_parses_back_and_no_earlier(
            fin: bool, compressed: bool, text: bool, mask in any::<Option<[u8; 4]>>(), len in 0u64..1 << 63, short in 0u32..63,
        ) {
            let opcode = if text { Opcode::Text } else { Opcode::Binary };
            let header = Header { fin, rsv1: compressed, opcode, mask: mask.map(MaskKey::from), len: len >> short };
            let (bytes, used) = header.encode();
            prop_assert_eq!(Header::parse(&bytes[..used]), Ok(Some((header, used))));
            for cut in 0..used {
                prop_assert_eq!(Header::parse(&bytes[..cut]), Ok(None));
            }
        }

        #[test]
        fn a_verdict_on_a_prefix_is_the_verdict_on_the_whole(bytes in proptest::collection::vec(any::<u8>(), 0..16)) {
            let whole = Header::parse(&bytes);
            for cut in 0..bytes.len() {
                match Header::parse(&bytes[..cut]) {
                    Ok(None) => {}
                    verdict => prop_assert_eq!(verdict, whole),
                }
            }
        }
    }
}
