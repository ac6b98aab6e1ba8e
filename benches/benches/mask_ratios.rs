//! Masking beside a copy and beside the peers, in turn, round by round, in one process: a ratio survives a noisy machine.
//!
//! One iteration is one payload. A figure in nanoseconds is that of the best round; a ratio is the median, over the rounds, of the
//! ratio to the first column in the same round. The output is what `docs/BENCHMARKS.md` shows.

use std::hint::black_box;
use std::ops::Range;
use std::rc::Rc;
use std::time::Instant;

use ws_benches::masking::{
    Arena, KEY, Masker, ONES, TEXTS, mask_ascii_then_validate, mask_then_validate, maskers, spots,
    text,
};

const ROUNDS: usize = 61;
const LENGTHS: [usize; 11] = [64, 128, 256, 512, 1024, 4096, 8192, 16_384, 32_768, 65_536, 1 << 20];

fn main() {
    let maskers = maskers();
    let mut arena = Arena::new(1 << 20);
    by_offset(&mut arena);
    by_masker(&mut arena, &maskers);
    random_order(&mut arena, &maskers);
    validated_text(&mut arena);
}

/// One column of a table: its name and the work of one payload.
struct Column<'a> {
    name: String,
    work: Box<dyn Fn(&mut Arena) + 'a>,
}

fn column<'a>(name: impl Into<String>, work: impl Fn(&mut Arena) + 'a) -> Column<'a> {
    Column { name: name.into(), work: Box::new(work) }
}

fn heading(title: &str, corner: &str, columns: &[Column<'_>]) {
    let names: Vec<_> = columns.iter().map(|column| column.name.as_str()).collect();
    println!("\n{title}\n\n| {corner} | {} |", names.join(" | "));
    println!("|---|{}", "---|".repeat(names.len()));
}

/// Times the columns in turn, `ROUNDS` times over, for about 20 microseconds each, and prints them.
fn row(title: &str, payloads: usize, arena: &mut Arena, columns: &[Column<'_>]) {
    let calls = calls_for_a_round(arena, &columns[0]);
    let mut rounds = Vec::new();
    for _ in 0..ROUNDS {
        let each = |column| time(arena, column, calls) / payloads as f64;
        rounds.push(columns.iter().map(each).collect::<Vec<_>>());
    }
    print!("| {title} ");
    for i in 0..columns.len() {
        let best = rounds.iter().map(|round| round[i]).fold(f64::INFINITY, f64::min);
        let mut ratios: Vec<_> = rounds.iter().map(|round| round[i] / round[0]).collect();
        ratios.sort_by(f64::total_cmp);
        match i {
            0 => print!("| {best:.1} ns "),
            _ => print!("| {:.2} x ({best:.1}) ", ratios[ROUNDS / 2]),
        }
    }
    println!("|");
}

/// Nanoseconds per call.
fn time(arena: &mut Arena, column: &Column<'_>, calls: usize) -> f64 {
    let start = Instant::now();
    for _ in 0..calls {
        (column.work)(arena);
    }
    start.elapsed().as_nanos() as f64 / calls as f64
}

fn calls_for_a_round(arena: &mut Arena, column: &Column<'_>) -> usize {
    (20_000.0 / time(arena, column, 10)).ceil() as usize
}

fn by_offset(arena: &mut Arena) {
    let offsets = [0, 2, 6, 10, 14];
    let columns = |len: usize| {
        let mut columns = vec![column("copy_from_slice", move |arena| arena.copy(len))];
        columns.extend(offsets.map(|offset| {
            column(format!("mask at {offset}"), move |arena| {
                black_box(ws_mask::mask(arena.payload(offset, len), black_box(KEY).into()));
            })
        }));
        columns.push(column("mask_copy to 6", move |arena| arena.mask_copy(6, len)));
        columns.push(column("mask_ascii at 6", move |arena| {
            black_box(ws_mask::mask_ascii(arena.payload(6, len), black_box(KEY).into()));
        }));
        columns
    };
    heading("### Against a copy, by offset from a page's start", "bytes", &columns(0));
    for len in LENGTHS {
        row(&len.to_string(), 1, arena, &columns(len));
    }
}

fn by_masker(arena: &mut Arena, maskers: &[Masker]) {
    let columns = |len: usize| -> Vec<_> {
        let work = |masker| move |arena: &mut Arena| mask_one(masker, arena, 6, len);
        maskers.iter().map(|masker| column(&masker.name, work(masker))).collect()
    };
    heading("### Against peers and kernel by kernel, at offset 6", "bytes", &columns(0));
    for len in LENGTHS {
        row(&len.to_string(), 1, arena, &columns(len));
    }
}

fn mask_one(masker: &Masker, arena: &mut Arena, offset: usize, len: usize) {
    (masker.mask)(arena.payload(offset, len), black_box(KEY));
}

/// The work of one payload of some length at some offset.
type Work = dyn Fn(&mut Arena, usize, usize);

fn random_order(arena: &mut Arena, maskers: &[Masker]) {
    const COUNT: usize = 16_384;
    let columns = |lengths: Range<usize>| -> Vec<_> {
        let spots = Rc::new(spots(COUNT, lengths));
        let over = |work: Box<Work>| {
            let spots = spots.clone();
            move |arena: &mut Arena| {
                spots.iter().for_each(|(offset, len)| work(arena, *offset, *len));
            }
        };
        let mut columns: Vec<_> = maskers
            .iter()
            .map(|masker| {
                let mask = masker.mask.clone();
                let work =
                    move |arena: &mut Arena, at, len| mask(arena.payload(at, len), black_box(KEY));
                column(&masker.name, over(Box::new(work)))
            })
            .collect();
        let copy = |arena: &mut Arena, _, len| arena.copy(len);
        columns.push(column("copy_from_slice", over(Box::new(copy))));
        columns
    };
    heading("### Lengths, and offsets from 2 to 14, in random order", "bytes", &columns(0..1));
    for (name, lengths) in [
        ("0 to 128", 0..129),
        ("0 to 31", 0..32),
        ("32 to 128", 32..129),
        ("129 to 1024", 129..1025),
    ] {
        row(name, COUNT, arena, &columns(lengths));
    }
}

fn validated_text(arena: &mut Arena) {
    let columns = |len: usize| {
        vec![
            column("mask, then simdutf8", move |arena| {
                assert!(mask_then_validate(arena.payload(6, len), black_box(ONES)));
            }),
            column("mask_ascii, then simdutf8 if need be", move |arena| {
                assert!(mask_ascii_then_validate(arena.payload(6, len), black_box(ONES)));
            }),
        ]
    };
    heading("### Text, unmasked and validated", "text, bytes", &columns(0));
    for (name, sample) in TEXTS {
        for len in [256, 1024, 4096, 16_384] {
            let text = text(sample, len);
            arena.payload(6, text.len()).copy_from_slice(text.as_bytes());
            row(&format!("{name} {len}"), 1, arena, &columns(text.len()));
        }
    }
}
