//! Every kernel that this CPU has, against masking byte by byte.

use std::mem::MaybeUninit;
use std::ops::RangeInclusive;

use proptest::prelude::*;
use ws_mask::{Kernel, MaskKey, available, mask, mask_ascii, mask_copy, mask_extend, mask_within};

const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];
const GUARD: u8 = 0xa5;
/// Guard bytes on each side, at least: more than the widest vector.
const MARGIN: usize = 128;

/// RFC 6455, 5.3: octet i of the transformed data is octet i of the original XOR octet i MOD 4 of the key.
fn oracle(data: &[u8], key: MaskKey) -> Vec<u8> {
    data.iter().zip(key.to_bytes().iter().cycle()).map(|(byte, key)| byte ^ key).collect()
}

/// Bytes that repeat with no period that a vector's width could hide.
fn noise(len: usize) -> Vec<u8> {
    (0..len as u32).map(|i| (i.wrapping_mul(0x9e37_79b1) >> 24) as u8).collect()
}

/// A buffer of guard bytes; the payload lies in it at any alignment.
struct Arena {
    bytes: Vec<u8>,
    from: usize,
    len: usize,
}

impl Arena {
    fn new(longest: usize) -> Self {
        Self { bytes: vec![GUARD; longest + 2 * MARGIN + 64], from: 0, len: 0 }
    }

    /// Puts `data` where its address is `align` modulo 64.
    fn place(&mut self, data: &[u8], align: usize) -> &mut [u8] {
        self.bytes[self.from..][..self.len].fill(GUARD);
        let skew = (align + 64 - (self.bytes.as_ptr().addr() + MARGIN) % 64) % 64;
        (self.from, self.len) = (MARGIN + skew, data.len());
        let payload = &mut self.bytes[self.from..][..self.len];
        payload.copy_from_slice(data);
        payload
    }

    fn guards_are_untouched(&self) -> bool {
        let before = &self.bytes[self.from - MARGIN..self.from];
        let after = &self.bytes[self.from + self.len..][..MARGIN];
        before == [GUARD; MARGIN] && after == [GUARD; MARGIN]
    }
}

fn uninit(bytes: &mut [u8]) -> &mut [MaybeUninit<u8>] {
    // SAFETY: the same layout; what is written through it is initialised.
    unsafe { &mut *(std::ptr::from_mut(bytes) as *mut [MaybeUninit<u8>]) }
}

/// The functions of the crate, of one kernel, at one length, alignment and phase.
fn check(kernel: &Kernel, arena: &mut Arena, data: &[u8], masked: &[u8], key: MaskKey, at: usize) {
    let context = || format!("{}, {} bytes at {at}, {key:?}", kernel.name(), data.len());
    let next = key.advance(data.len());

    let payload = arena.place(data, at);
    assert_eq!(kernel.mask(payload, key), next, "{}", context());
    assert!(payload == masked, "{}", context());
    assert!(arena.guards_are_untouched(), "{}", context());

    let payload = arena.place(data, at);
    assert_eq!(kernel.mask_ascii(payload, key), (next, masked.is_ascii()), "{}", context());
    assert!(payload == masked, "{}", context());
    assert!(arena.guards_are_untouched(), "{}", context());

    let payload = arena.place(&vec![GUARD; data.len()], at);
    let (written, after) = kernel.mask_copy(data, uninit(payload), key);
    assert!(written == masked && after == next, "{}", context());
    assert!(arena.guards_are_untouched(), "{}", context());

    arena.place(data, at);
    let from = arena.from;
    let to = from - at % 15;
    let (written, source) = (to..to + data.len(), from..from + data.len());
    let after = kernel.mask_within(&mut arena.bytes, source.clone(), to, key);
    assert!(arena.bytes[written.clone()] == *masked && after == next, "{}", context());
    let rest = written.end.max(from)..source.end;
    assert!(arena.bytes[rest.clone()] == data[data.len() - rest.len()..], "{}", context());
    arena.bytes[to..from].fill(GUARD);
    assert!(arena.guards_are_untouched(), "{}", context());
}

/// All alignments and all phases, at these lengths.
fn check_lengths(lengths: RangeInclusive<usize>) {
    let longest = *lengths.end();
    let data = noise(longest);
    let mut arena = Arena::new(longest);
    for phase in 0..4 {
        let key = MaskKey::from(KEY).advance(phase);
        let masked = oracle(&data, key);
        for kernel in available() {
            for len in lengths.clone() {
                for align in 0..64 {
                    check(kernel, &mut arena, &data[..len], &masked[..len], key, align);
                }
            }
        }
    }
}

#[test]
fn every_kernel_masks_like_the_oracle_up_to_520_bytes() {
    check_lengths(0..=520);
}

#[test]
fn every_kernel_masks_like_the_oracle_around_4_kib() {
    check_lengths(4096 - 5..=4096 + 5);
}

#[test]
fn every_kernel_masks_like_the_oracle_around_64_kib() {
    check_lengths(65536 - 1..=65536 + 1);
}

#[test]
fn every_kernel_finds_the_one_byte_that_is_not_ascii() {
    for kernel in available() {
        for len in 1..=520 {
            let ascii = vec![b'a'; len];
            for at in (0..len).step_by(7).chain([len - 1]) {
                let mut text = ascii.clone();
                assert!(kernel.mask_ascii(&mut text, MaskKey::ZERO).1, "{kernel:?} {len}");
                text[at] = 0x80;
                assert!(!kernel.mask_ascii(&mut text, MaskKey::ZERO).1, "{kernel:?} {len} {at}");
            }
        }
    }
}

#[test]
fn a_key_of_zeros_changes_nothing() {
    for kernel in available() {
        for len in [0, 1, 31, 32, 33, 1000] {
            let data = noise(len);
            let mut masked = data.clone();
            assert_eq!(kernel.mask(&mut masked, MaskKey::ZERO), MaskKey::ZERO);
            assert_eq!(masked, data);
            kernel.mask_within(&mut masked, len / 3..len, 0, MaskKey::ZERO);
            assert_eq!(masked[..len - len / 3], data[len / 3..]);
            let mut copy = vec![MaybeUninit::uninit(); len];
            assert_eq!(kernel.mask_copy(&data, &mut copy, MaskKey::ZERO).0, data);
        }
    }
}

#[test]
#[should_panic = "differ in length"]
fn copying_into_a_buffer_of_another_length_panics() {
    mask_copy(b"Hello", &mut [MaybeUninit::uninit(); 6], MaskKey::from(KEY));
}

#[test]
#[should_panic = "behind the source"]
fn moving_to_the_back_panics() {
    mask_within(&mut [0; 100], 10..80, 11, MaskKey::from(KEY));
}

#[test]
#[should_panic = "out of range"]
fn moving_from_outside_panics() {
    mask_within(&mut [0; 100], 10..101, 0, MaskKey::from(KEY));
}

#[test]
fn a_kernel_that_this_cpu_has_is_available() {
    let names: Vec<_> = available().map(Kernel::name).collect();
    println!("kernels exercised on {}: {}", std::env::consts::ARCH, names.join(" "));
    let mut expected = Vec::new();
    #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
    {
        #[cfg(rust_has_avx512)]
        expected.extend(
            (is_x86_feature_detected!("avx512bw") && is_x86_feature_detected!("avx512vbmi"))
                .then_some("avx512"),
        );
        expected.extend(is_x86_feature_detected!("avx2").then_some("avx2"));
        expected.extend(is_x86_feature_detected!("sse2").then_some("sse2"));
    }
    expected.extend(cfg!(target_arch = "aarch64").then_some("neon"));
    expected.push("words");
    assert_eq!(names, expected);
    // What a script that runs these tests on a certain CPU knows of it.
    if let Ok(expected) = std::env::var("WS_MASK_KERNELS") {
        assert_eq!(names.join(" "), expected);
    }
}

proptest! {
    #[test]
    fn how_a_payload_is_cut_does_not_matter(
        data in prop::collection::vec(any::<u8>(), 0..1500),
        key: [u8; 4],
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
    ) {
        let key = MaskKey::from(key);
        let whole = oracle(&data, key);
        let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(data.len() + 1)).collect();
        cuts.sort_unstable();
        cuts.push(data.len());

        let (mut parts, mut text, mut appended) = (data.clone(), data.clone(), Vec::new());
        let (mut part_key, mut text_key, mut append_key) = (key, key, key);
        let (mut from, mut ascii) = (0, true);
        for to in cuts {
            part_key = mask(&mut parts[from..to], part_key);
            append_key = mask_extend(&mut appended, &data[from..to], append_key);
            let part;
            (text_key, part) = mask_ascii(&mut text[from..to], text_key);
            ascii &= part;
            from = to;
        }
        prop_assert_eq!(&parts, &whole);
        prop_assert_eq!(&text, &whole);
        prop_assert_eq!(&appended, &whole);
        prop_assert_eq!(ascii, whole.is_ascii());
        prop_assert!([part_key, text_key, append_key].iter().all(|k| *k == key.advance(data.len())));
    }
}
