//! Whole connections over a stream in memory. One iteration is a burst of binary messages that a client, which masked them
//! beforehand, sends to an echo server in another task, and the check of every byte that comes back.

use criterion::{BenchmarkId, Criterion, Throughput};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::runtime::{Builder, Runtime};
use ws_benches::load::raw::{Checker, REQUEST, check_response, masked, payload};
use ws_benches::servers::{Deflate, SERVERS, Server};

pub(super) fn in_memory(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("echo in memory");
    for (size, in_flight) in [(20, 1), (20, 16), (1024, 16), (16_384, 4), (65_536, 1)] {
        let payload = payload(size);
        let burst = masked(&payload, 1, [0x37, 0xfa, 0x21, 0x3d]).repeat(in_flight);
        group.throughput(Throughput::Elements(in_flight as u64));
        for server in SERVERS {
            let runtime = runtime();
            let mut client = runtime.block_on(connect(server));
            let mut buffer = vec![0; STREAM];
            group.bench_function(
                BenchmarkId::new(server.name, format!("{size} B, {in_flight} in flight")),
                |bencher| {
                    bencher.iter(|| {
                        runtime.block_on(async {
                            client.write_all(&burst).await.expect("open");
                            let (mut checker, mut awaited) = (Checker::default(), in_flight);
                            while awaited > 0 {
                                let read = client.read(&mut buffer).await.expect("open");
                                assert_ne!(read, 0, "the server went away");
                                awaited -= checker.take(&buffer[..read], &payload);
                            }
                        });
                    });
                },
            );
        }
    }
}

/// Bytes that a stream in memory holds.
const STREAM: usize = 256 * 1024;

pub(super) fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().expect("a runtime")
}

/// A client after its handshake with a server in a task of its own.
pub(super) async fn connect(server: &Server) -> DuplexStream {
    let (near, far) = duplex(STREAM);
    (server.memory)(far, Deflate::OFF);
    let mut client = near;
    client.write_all(REQUEST).await.expect("open");
    let mut head = Vec::with_capacity(1024);
    while !head.ends_with(b"\r\n\r\n") {
        assert_ne!(client.read_buf(&mut head).await.expect("open"), 0, "{}", server.name);
    }
    check_response(&head);
    client
}
