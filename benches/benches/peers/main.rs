//! Ours beside the peers' published crates in one process: the codecs alone, echo and handshakes in memory, broadcast.

mod broadcast;
mod codec;
mod echo;
mod handshakes;

use criterion::{criterion_group, criterion_main};

criterion_group!(
    benches,
    codec::decode,
    codec::encode,
    echo::in_memory,
    handshakes::in_memory,
    broadcast::over_tcp
);
criterion_main!(benches);
