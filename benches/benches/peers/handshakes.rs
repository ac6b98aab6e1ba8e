//! Opening handshakes in memory. One iteration is a request, its answer and the end, of a server in a task of its own.

use criterion::Criterion;
use ws_benches::servers::find;

use crate::echo::{connect, runtime};

pub(super) fn in_memory(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("handshake in memory");
    for name in ["floor", "ws-tokio run", "sockudo-ws", "tokio-websockets", "tokio-tungstenite"] {
        let server = find(name).expect("a server's name");
        let runtime = runtime();
        group.bench_function(name, |bencher| {
            bencher.iter(|| runtime.block_on(async { drop(connect(server).await) }));
        });
    }
}
