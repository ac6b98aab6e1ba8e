//! What the facade of `metrics` is told of connections.
#![cfg(feature = "metrics")]

use std::collections::BTreeMap;

use metrics_util::debugging::{DebugValue, DebuggingRecorder};
use tokio::io::{AsyncWriteExt, duplex};
use tokio::runtime;
use ws_tokio::{AcceptOptions, CloseCode, pipe};

/// What was told while `act` ran: counters and gauges by name and labels, of histograms the number of values.
fn told<F: Future>(act: F) -> BTreeMap<String, u64> {
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    metrics::with_local_recorder(&recorder, || {
        let runtime = runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime").block_on(act)
    });
    let figures = snapshotter.snapshot().into_vec().into_iter();
    let figures = figures.map(|(key, _, _, value)| {
        let (name, labels) = key.key().clone().into_parts();
        let labels = labels.iter().map(|label| format!(" {}={}", label.key(), label.value()));
        let value = match value {
            DebugValue::Counter(count) => count,
            DebugValue::Gauge(value) => value.into_inner() as u64,
            DebugValue::Histogram(values) => values.len() as u64,
        };
        (format!("{}{}", name.as_str(), labels.collect::<String>()), value)
    });
    figures.collect()
}

#[test]
fn connections_messages_bytes_and_durations() {
    let figures = told(async {
        let (mut client, mut server) = pipe().await;
        // More than is told at once.
        for _ in 0..300 {
            client.send("hello").await.expect("sent");
            server.recv().await.expect("received");
        }
        assert_eq!(client.counters(), None, "it was not asked for");
        let (closed, received) = tokio::join!(client.close(CloseCode::NORMAL, ""), server.recv());
        closed.expect("an answer");
        assert_eq!(received.expect("an end"), None);
    });
    let expected = [
        ("ws_bytes_total role=client direction=received", 4),
        // A header, a key, and the text; and a close frame.
        ("ws_bytes_total role=client direction=sent", 300 * 11 + 8),
        ("ws_bytes_total role=server direction=received", 300 * 11 + 8),
        ("ws_bytes_total role=server direction=sent", 4),
        ("ws_connection_duration_seconds role=client", 1),
        ("ws_connection_duration_seconds role=server", 1),
        ("ws_connections_active role=client", 0),
        ("ws_connections_active role=server", 0),
        ("ws_connections_closed_total role=client code=1000", 1),
        ("ws_connections_closed_total role=server code=1000", 1),
        ("ws_connections_opened_total role=client", 1),
        ("ws_connections_opened_total role=server", 1),
        ("ws_messages_total role=client direction=sent", 300),
        ("ws_messages_total role=server direction=received", 300),
    ];
    assert_eq!(figures, expected.map(|(name, figure)| (name.to_owned(), figure)).into());
}

#[test]
fn refusals_by_status() {
    let figures = told(async {
        for (request, count) in [("GET / HTTP/1.1\r\nHost: a\r\n\r\n", 2), ("nonsense\r\n\r\n", 1)]
        {
            for _ in 0..count {
                let (mut client, server) = duplex(4096);
                client.write_all(request.as_bytes()).await.expect("written");
                client.shutdown().await.expect("shut down");
                AcceptOptions::default().accept(server).await.expect_err("no handshake");
            }
        }
    });
    let expected = [
        ("ws_handshakes_refused_total status=400", 1),
        ("ws_handshakes_refused_total status=426", 2),
    ];
    assert_eq!(figures, expected.map(|(name, figure)| (name.to_owned(), figure)).into());
}

#[test]
fn connections_that_are_dropped_and_writers_that_wait() {
    let figures = told(async {
        let (mut client, server) = pipe().await;
        // Nobody reads, so the transport is full at some time.
        client.feed(vec![0; 1 << 20]).await.expect("queued");
        assert!(futures_util::FutureExt::now_or_never(client.flush()).is_none());
        drop((client, server));
    });
    assert_eq!(figures["ws_queue_stalls_total role=client"], 1);
    assert_eq!(figures["ws_connections_closed_total role=client code=1006"], 1);
    assert_eq!(figures["ws_connections_active role=client"], 0);
}
