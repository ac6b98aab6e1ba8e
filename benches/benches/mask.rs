//! Masking by criterion: every length and offset, in place and copying, each kernel, beside a copy and the peers.
//!
//! One iteration is one payload (in `short`: 4 096 payloads). The plots are in `target/criterion/report`. For a comparison on a noisy machine see
//! `mask_ratios`, which takes its contenders in turn.

use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use ws_benches::masking::{
    Arena, KEY, ONES, TEXTS, mask_ascii_then_validate, mask_then_validate, maskers, spots, text,
};

const LONGEST: usize = 64 << 20;
const LENGTHS: [usize; 11] =
    [0, 16, 125, 512, 1024, 4096, 16_384, 65_536, 1 << 20, 16 << 20, LONGEST];

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(10)
        .nresamples(1000)
        .warm_up_time(Duration::from_millis(50))
        .measurement_time(Duration::from_millis(100));
    targets = in_place, by_offset, copying, short, validated_text
}
criterion_main!(benches);

fn in_place(criterion: &mut Criterion) {
    let mut arena = Arena::new(LONGEST);
    let mut group = criterion.benchmark_group("mask/in place, offset 6");
    for len in LENGTHS {
        group.throughput(Throughput::Bytes(len as u64));
        group.bench_function(BenchmarkId::new("copy_from_slice", len), |bencher| {
            bencher.iter(|| arena.copy(len));
        });
        for masker in maskers() {
            group.bench_function(BenchmarkId::new(&masker.name, len), |bencher| {
                bencher.iter(|| (masker.mask)(arena.payload(6, len), black_box(KEY)));
            });
        }
    }
}

fn by_offset(criterion: &mut Criterion) {
    const LEN: usize = 1024;
    let mut arena = Arena::new(LEN);
    let mut group = criterion.benchmark_group("mask/in place, 1 KiB");
    group.throughput(Throughput::Bytes(LEN as u64));
    for offset in [0, 2, 6, 10, 14] {
        for masker in maskers() {
            group.bench_function(BenchmarkId::new(&masker.name, offset), |bencher| {
                bencher.iter(|| (masker.mask)(arena.payload(offset, LEN), black_box(KEY)));
            });
        }
    }
}

fn copying(criterion: &mut Criterion) {
    let mut arena = Arena::new(LONGEST);
    let mut group = criterion.benchmark_group("mask/copying, to offset 6");
    for len in LENGTHS {
        group.throughput(Throughput::Bytes(len as u64));
        group.bench_function(BenchmarkId::new("copy_from_slice", len), |bencher| {
            bencher.iter(|| arena.copy(len));
        });
        group.bench_function(BenchmarkId::new("mask_copy", len), |bencher| {
            bencher.iter(|| arena.mask_copy(6, len));
        });
    }
}

fn short(criterion: &mut Criterion) {
    let mut arena = Arena::new(4096);
    let spots = spots(4096, 0..129);
    let mut group = criterion.benchmark_group("mask/short, random lengths and offsets");
    group.throughput(Throughput::Elements(spots.len() as u64));
    for masker in maskers() {
        group.bench_function(&masker.name, |bencher| {
            bencher.iter(|| {
                for (offset, len) in &spots {
                    (masker.mask)(arena.payload(*offset, *len), black_box(KEY));
                }
            });
        });
    }
}

fn validated_text(criterion: &mut Criterion) {
    let mut arena = Arena::new(16_384);
    type Way = fn(&mut [u8], [u8; 4]) -> bool;
    let ways: [(&str, Way); 2] = [
        ("mask, simdutf8", mask_then_validate),
        ("mask_ascii, simdutf8", mask_ascii_then_validate),
    ];
    for (name, sample) in TEXTS {
        let mut group = criterion.benchmark_group(format!("mask/text, {name}"));
        for len in [256, 1024, 4096, 16_384] {
            let text = text(sample, len);
            arena.payload(6, text.len()).copy_from_slice(text.as_bytes());
            group.throughput(Throughput::Bytes(text.len() as u64));
            for (way, validates) in ways {
                group.bench_function(BenchmarkId::new(way, len), |bencher| {
                    bencher
                        .iter(|| assert!(validates(arena.payload(6, text.len()), black_box(ONES))));
                });
            }
        }
    }
}
