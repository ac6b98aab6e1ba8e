//! Payloads to mask, the ways of masking them, and the check that all ways agree.

use std::hint::black_box;
use std::mem::MaybeUninit;
use std::rc::Rc;

use ws_mask::{Kernel, MaskKey, available};

/// The key of RFC 6455, 5.7.
pub const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// Where payloads begin behind headers: of servers' frames at 2, 4 and 10, of clients' at 6, 8 and 14.
pub const OFFSETS: [usize; 6] = [2, 4, 6, 8, 10, 14];

/// One way of masking in place.
pub struct Masker {
    /// What the tables call it.
    pub name: String,
    /// The way itself; all are called through a pointer.
    pub mask: Rc<MaskFn>,
}

type MaskFn = dyn Fn(&mut [u8], [u8; 4]);

impl Masker {
    fn new(name: &str, mask: impl Fn(&mut [u8], [u8; 4]) + 'static) -> Self {
        Self { name: name.to_owned(), mask: Rc::new(mask) }
    }

    fn of_kernel(kernel: &'static Kernel) -> Self {
        Self::new(&format!("kernel {}", kernel.name()), move |data, key| {
            black_box(kernel.mask(data, key.into()));
        })
    }
}

/// The crate's function, the peers' public ones, and every kernel of ours; each checked against masking byte by byte.
pub fn maskers() -> Vec<Masker> {
    let mut all = vec![
        Masker::new("ws-mask", |data, key| {
            black_box(ws_mask::mask(data, key.into()));
        }),
        Masker::new("fastwebsockets", fastwebsockets::unmask),
        Masker::new("sockudo-ws", sockudo_ws::simd::apply_mask),
        Masker::new("align_to::<u32>", align_to_u32),
    ];
    all.extend(available().map(Masker::of_kernel));
    all.iter().for_each(agrees_with_the_oracle);
    all
}

fn agrees_with_the_oracle(masker: &Masker) {
    for len in [0, 1, 31, 32, 300, 5000] {
        let data: Vec<u8> = (0..len).map(|i: u32| (i * 7) as u8).collect();
        let expected: Vec<_> = data.iter().zip(KEY.iter().cycle()).map(|(a, b)| a ^ b).collect();
        let mut masked = data;
        (masker.mask)(&mut masked, KEY);
        assert!(masked == expected, "{} at {len} bytes", masker.name);
    }
}

/// What tungstenite does: words between two loops over bytes.
fn align_to_u32(data: &mut [u8], key: [u8; 4]) {
    fn bytewise(bytes: &mut [u8], key: [u8; 4]) {
        bytes.iter_mut().enumerate().for_each(|(i, byte)| *byte ^= key[i % 4]);
    }
    // SAFETY: any four bytes are a u32, and any u32 is four bytes.
    let (head, words, tail) = unsafe { data.align_to_mut::<u32>() };
    bytewise(head, key);
    let key = MaskKey::from(key).advance(head.len()).to_bytes();
    let word_key = u32::from_ne_bytes(key);
    words.iter_mut().for_each(|word| *word ^= word_key);
    bytewise(tail, key);
}

/// Two buffers that begin on page boundaries but for 2 KiB: a copy between them meets no false dependency.
pub struct Arena {
    bytes: Vec<u8>,
    first: usize,
    second: usize,
}

impl Arena {
    /// Room for two payloads of `longest` bytes, at offsets of less than a page.
    pub fn new(longest: usize) -> Self {
        let room = longest.next_multiple_of(4096) + 4096;
        let bytes: Vec<u8> = (0..2 * room + 8192).map(|i| (i * 7) as u8).collect();
        let first = bytes.as_ptr().align_offset(4096);
        Self { bytes, first, second: first + room + 2048 }
    }

    /// `len` bytes that begin `offset` bytes behind a page boundary.
    pub fn payload(&mut self, offset: usize, len: usize) -> &mut [u8] {
        black_box(&mut self.bytes[self.first + offset..][..len])
    }

    /// A source on a page boundary, and a destination `offset` bytes behind the middle of a page.
    pub fn pair(&mut self, offset: usize, len: usize) -> (&[u8], &mut [u8]) {
        let (src, dst) = self.bytes.split_at_mut(self.second);
        (black_box(&src[self.first..][..len]), black_box(&mut dst[offset..][..len]))
    }

    /// The physical limit: a copy between two buffers aligned to 64 bytes.
    pub fn copy(&mut self, len: usize) {
        let (src, dst) = self.pair(0, len);
        dst.copy_from_slice(src);
        black_box(dst.as_ptr());
    }

    /// `mask_copy` to a destination at `offset`.
    pub fn mask_copy(&mut self, offset: usize, len: usize) {
        let (src, dst) = self.pair(offset, len);
        // SAFETY: the same layout; `mask_copy` writes initialised bytes only.
        let dst = unsafe { &mut *(std::ptr::from_mut(dst) as *mut [MaybeUninit<u8>]) };
        let (written, key) = ws_mask::mask_copy(src, dst, black_box(KEY).into());
        black_box((written.as_ptr(), key));
    }
}

/// A place and a length for each of `count` payloads of `lengths` bytes, in random order, at [`OFFSETS`] within a page.
pub fn spots(count: usize, lengths: std::ops::Range<usize>) -> Vec<(usize, usize)> {
    let mut state = 1u64;
    let mut below = |limit: usize| {
        state = state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
        (state >> 33) as usize % limit
    };
    (0..count)
        .map(|_| (OFFSETS[below(6)] + 64 * below(60), lengths.start + below(lengths.len())))
        .collect()
}

/// Texts by what their code points take: one byte, one to two, three, four.
///
/// XORed with [`ONES`] each is valid UTF-8 of the same kind: masking it again and again is the same work each time.
pub const TEXTS: [(&str, &str); 4] = [
    ("ASCII", "The quick brown fox jumps over the lazy dog. "),
    ("Latin", "Größe, naïveté, ça va? Señor, øre, fjörður. "),
    ("CJK", "常用漢字表文字列"),
    ("emoji", "😀😁😂🤣😃😄😅"),
];

/// The key for [`TEXTS`].
pub const ONES: [u8; 4] = [1; 4];

/// At most `len` bytes of the sample over and over, cut between code points.
pub fn text(sample: &str, len: usize) -> String {
    let mut whole = sample.repeat(len / sample.len() + 1);
    whole.truncate((0..=len).rev().find(|at| whole.is_char_boundary(*at)).unwrap_or(0));
    whole
}

/// Unmasks all of `data`, then validates all of it.
pub fn mask_then_validate(data: &mut [u8], key: [u8; 4]) -> bool {
    ws_mask::mask(data, key.into());
    simdutf8::basic::from_utf8(data).is_ok()
}

/// Validates only what `mask_ascii` says isn't ASCII.
pub fn mask_ascii_then_validate(data: &mut [u8], key: [u8; 4]) -> bool {
    let (_, ascii) = ws_mask::mask_ascii(data, key.into());
    ascii || simdutf8::basic::from_utf8(data).is_ok()
}
