//! Masking beside a copy and beside the peers, round by round in one process: ratios survive a noisy machine.
//!
//! `cargo bench -p ws-benches --bench mask_ratios`. Every figure is the best round's nanoseconds per call; the ratio is the
//! median over the rounds of (this / the first column), both taken in the same round. Results are checked before anything is timed.

use std::hint::black_box;
use std::mem::MaybeUninit;
use std::time::Instant;

use ws_mask::{Kernel, MaskKey, available, mask, mask_ascii, mask_copy};

const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];
const ROUNDS: usize = 41;

fn main() {
    let mut arena = Arena::new();
    lengths(&mut arena);
    short(&mut arena);
    text(&mut arena);
}

/// One way to do the work of one call.
type Contender<'a> = (&'a str, Box<dyn Fn(&mut Arena) + 'a>);

/// Times all contenders in turn, `ROUNDS` times over, and prints one row.
fn row(title: &str, calls: usize, arena: &mut Arena, contenders: &[Contender<'_>]) {
    let mut times = vec![Vec::new(); contenders.len()];
    for _ in 0..ROUNDS {
        for (times, (_, work)) in times.iter_mut().zip(contenders) {
            let start = Instant::now();
            for _ in 0..calls {
                work(arena);
            }
            times.push(start.elapsed().as_nanos() as f64 / calls as f64);
        }
    }
    print!("{title:24}");
    for of in &times {
        let best = of.iter().copied().fold(f64::INFINITY, f64::min);
        let mut ratios: Vec<_> = of.iter().zip(&times[0]).map(|(a, b)| a / b).collect();
        ratios.sort_by(f64::total_cmp);
        print!(" {best:>10.1} {:>5.2}", ratios[ROUNDS / 2]);
    }
    println!();
}

fn heading(title: &str, contenders: &[Contender<'_>]) {
    print!("\n{title:24}");
    for (name, _) in contenders {
        print!(" {name:>16}");
    }
    println!();
}

/// Two buffers on page boundaries, 2 KiB apart modulo 4 KiB: a copy between them meets no false dependency.
struct Arena {
    bytes: Vec<u8>,
    from: usize,
}

const LONGEST: usize = 1 << 20;

impl Arena {
    fn new() -> Self {
        let bytes: Vec<u8> = (0..2 * LONGEST as u32 + 16384).map(|i| (i * 7) as u8).collect();
        let from = bytes.as_ptr().align_offset(4096);
        Self { bytes, from }
    }

    fn payload(&mut self, offset: usize, len: usize) -> &mut [u8] {
        black_box(&mut self.bytes[self.from + offset..][..len])
    }

    fn pair(&mut self, offset: usize, len: usize) -> (&[u8], &mut [u8]) {
        let (src, dst) = self.bytes[self.from..].split_at_mut(LONGEST + 4096 + 2048);
        black_box((&src[..len], &mut dst[offset..][..len]))
    }
}

fn uninit(bytes: &mut [u8]) -> &mut [MaybeUninit<u8>] {
    // SAFETY: the same layout; `mask_copy` only ever writes initialised bytes.
    unsafe { &mut *(std::ptr::from_mut(bytes) as *mut [MaybeUninit<u8>]) }
}

/// What tungstenite does: words between two loops over bytes.
#[inline(never)]
fn align_to_u32(data: &mut [u8], key: [u8; 4]) {
    // SAFETY: any four bytes are a u32, and any u32 four bytes.
    let (head, words, tail) = unsafe { data.align_to_mut::<u32>() };
    let each = |bytes: &mut [u8], key: [u8; 4]| {
        bytes.iter_mut().enumerate().for_each(|(i, byte)| *byte ^= key[i % 4]);
    };
    each(head, key);
    let key = MaskKey::from(key).advance(head.len()).to_bytes();
    let word_key = u32::from_ne_bytes(key);
    words.iter_mut().for_each(|word| *word ^= word_key);
    each(tail, key);
}

fn key() -> [u8; 4] {
    black_box(KEY)
}

fn assert_all_agree() {
    let data: Vec<u8> = (0..300u32).map(|i| (i * 7) as u8).collect();
    let expected: Vec<u8> = data.iter().zip(KEY.iter().cycle()).map(|(a, b)| a ^ b).collect();
    for work in [
        |data: &mut [u8]| drop(mask(data, KEY.into())),
        |data: &mut [u8]| fastwebsockets::unmask(data, KEY),
        |data: &mut [u8]| sockudo_ws::simd::apply_mask(data, KEY),
        |data: &mut [u8]| align_to_u32(data, KEY),
    ] {
        let mut data = data.clone();
        work(&mut data);
        assert_eq!(data, expected);
    }
}

fn lengths(arena: &mut Arena) {
    assert_all_agree();
    let kernels: Vec<&Kernel> = available().collect();
    for offset in [0, 2, 6, 10, 14] {
        for (n, len) in [64, 128, 256, 512, 1024, 4096, 8192, 16384, 32768, 65536, LONGEST].into_iter().enumerate() {
            let mut contenders: Vec<Contender<'_>> = vec![
                ("copy_from_slice", Box::new(move |a| {
                    let (src, dst) = a.pair(0, len);
                    dst.copy_from_slice(src);
                })),
                ("mask", Box::new(move |a| drop(black_box(mask(a.payload(offset, len), key().into()))))),
                ("mask_copy", Box::new(move |a| {
                    let (src, dst) = a.pair(offset, len);
                    black_box(mask_copy(src, uninit(dst), key().into()));
                })),
                ("mask_ascii", Box::new(move |a| drop(black_box(mask_ascii(a.payload(offset, len), key().into()))))),
                ("fastwebsockets", Box::new(move |a| fastwebsockets::unmask(a.payload(offset, len), key()))),
                ("sockudo-ws", Box::new(move |a| sockudo_ws::simd::apply_mask(a.payload(offset, len), key()))),
                ("align_to::<u32>", Box::new(move |a| align_to_u32(a.payload(offset, len), key()))),
            ];
            for kernel in kernels.iter().skip(1) {
                contenders.push((kernel.name(), Box::new(move |a| drop(black_box(kernel.mask(a.payload(offset, len), key().into()))))));
            }
            if n == 0 {
                heading(&format!("offset {offset}"), &contenders);
            }
            row(&format!("{len} B"), (200_000 / (len + 64)).max(1) * 2, arena, &contenders);
        }
    }
}

/// 4 096 payloads of 0 to 128 bytes behind 2 to 14 bytes of header, in random order; one figure per payload.
fn short(arena: &mut Arena) {
    let mut state = 1u64;
    let mut random = |below: u64| {
        state = state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1442695040888963407);
        (state >> 33) % below
    };
    for (title, from, to) in [("0 to 128 B", 0, 129), ("0 to 31 B", 0, 32), ("32 to 128 B", 32, 129)] {
        let offsets = [2, 4, 6, 8, 10, 14];
        let spots: Vec<(usize, usize)> = (0..4096)
            .map(|_| (offsets[random(6) as usize] + 64 * random(64) as usize, (from + random(to - from)) as usize))
            .collect();
        let each = |arena: &mut Arena, work: &dyn Fn(&mut Arena)| { let _ = (arena, work); };
        let _ = each;
        let spots = &spots;
        macro_rules! over { ($work:expr) => { Box::new(move |a: &mut Arena| for (offset, len) in spots { let w = $work; w(a, *offset, *len) }) } }
        let contenders: Vec<Contender<'_>> = vec![
            ("copy_from_slice", over!(|a: &mut Arena, _o, l| { let (s, d) = a.pair(0, l); d.copy_from_slice(s) })),
            ("mask", over!(|a: &mut Arena, o, l| drop(black_box(mask(a.payload(o, l), key().into()))))),
            ("mask_copy", over!(|a: &mut Arena, o, l| { let (s, d) = a.pair(o, l); black_box(mask_copy(s, uninit(d), key().into())); })),
            ("mask_ascii", over!(|a: &mut Arena, o, l| drop(black_box(mask_ascii(a.payload(o, l), key().into()))))),
            ("fastwebsockets", over!(|a: &mut Arena, o, l| fastwebsockets::unmask(a.payload(o, l), key()))),
            ("sockudo-ws", over!(|a: &mut Arena, o, l| sockudo_ws::simd::apply_mask(a.payload(o, l), key()))),
            ("align_to::<u32>", over!(|a: &mut Arena, o, l| align_to_u32(a.payload(o, l), key()))),
        ];
        heading("4096 x", &contenders);
        row(title, 20, arena, &contenders);
    }
}

fn text(arena: &mut Arena) {
    for (name, sample) in [("ASCII", "The quick brown fox. "), ("Latin", "Größe, naïveté, ça va? "), ("CJK", "常用漢字表文字"), ("emoji", "😀😁😂🤣")] {
        for (n, len) in [256, 1024, 4096, 16384].into_iter().enumerate() {
            let whole: String = sample.chars().cycle().take(len).collect();
            let mut cut = len;
            while !whole.is_char_boundary(cut) { cut -= 1; }
            let text = &whole.as_bytes()[..cut];
            arena.payload(6, cut).copy_from_slice(text);
            // Each of these texts XORed with ones is valid UTF-8 again: masking twice is the same work.
            let ones = || MaskKey::from(black_box([1; 4]));
            let contenders: Vec<Contender<'_>> = vec![
                ("mask, simdutf8", Box::new(move |a| {
                    let data = a.payload(6, cut);
                    mask(data, ones());
                    assert!(simdutf8::basic::from_utf8(data).is_ok());
                })),
                ("mask_ascii", Box::new(move |a| {
                    let data = a.payload(6, cut);
                    let (_, ascii) = mask_ascii(data, ones());
                    assert!(ascii || simdutf8::basic::from_utf8(data).is_ok());
                })),
            ];
            if n == 0 { heading(name, &contenders); }
            row(&format!("{len} B"), 2_000_000 / len, arena, &contenders);
        }
    }
}
