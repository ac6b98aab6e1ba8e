//! Ours beside the peers' published crates in one process: the codecs alone, echo and handshakes in memory, broadcast, topics.

mod broadcast;
mod codec;
mod echo;
mod handshakes;
mod hub;

use criterion::{criterion_group, criterion_main};

criterion_group!(
    benches,
    codec::decode,
    codec::encode,
    echo::in_memory,
    handshakes::in_memory,
    broadcast::over_tcp,
    hub::to_subscribers,
    hub::beside_silent_ones,
    hub::among_topics
);
criterion_main!(benches);
