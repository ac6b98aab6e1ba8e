//! What the facade of `metrics` is told of connections.
#![cfg(feature = "metrics")]

#[path = "support"]
mod support {
    #[expect(dead_code, reason = "these tests need few faults")]
    pub(crate) mod exchange;
}

use std::collections::BTreeMap;

use metrics_util::debugging::{DebugValue, DebuggingRecorder};
use tokio::io::{AsyncWriteExt, duplex};
use tokio::runtime;
use ws_tokio::{AcceptOptions, BroadcastOptions, CloseCode, Hub, HubOptions, Slow, pipe};

use support::exchange::Exchange;

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

#[test]
fn topics_messages_and_what_slow_subscribers_miss() {
    let figures = told(async {
        let queues = BroadcastOptions::default().max_messages(2).slow(Slow::DropOldest);
        let hub = Hub::with(HubOptions::default().queues(queues));
        let (both, one, gone) = (hub.subscriber(), hub.subscriber(), hub.subscriber());
        for (subscriber, topic) in [(&both, "a"), (&both, "b"), (&one, "a"), (&gone, "c")] {
            subscriber.subscribe(topic).expect("room");
        }
        drop(gone);
        for _ in 0..3 {
            hub.publish("a", "1");
        }
        hub.publish("nobody", "2");
        assert_eq!((both.dropped(), one.dropped()), (1, 1));
        std::mem::forget((both, one));
    });
    let expected = [
        ("ws_hub_delivered_total", 6),
        ("ws_hub_dropped_total policy=drop_oldest", 2),
        ("ws_hub_published_total", 3),
        ("ws_hub_subscriptions", 3),
        ("ws_hub_topics", 2),
    ];
    assert_eq!(figures, expected.map(|(name, figure)| (name.to_owned(), figure)).into());
}

#[test]
fn what_goes_over_the_bus_and_what_does_not() {
    let figures = told(async {
        let exchange = Exchange::default();
        let options = HubOptions::default().max_waiting(2, 1 << 20);
        let hubs =
            [Hub::over(exchange.node(0), options.clone()), Hub::over(exchange.node(1), options)];
        exchange.connect(1);
        while !hubs[1].bus_stats().expect("a bus").is_connected {
            tokio::task::yield_now().await;
        }
        let there = hubs[1].subscriber();
        there.subscribe("a").expect("room");
        there.settled().await;
        for _ in 0..3 {
            hubs[0].publish("a", "1");
        }
        assert_eq!(hubs[0].bus_stats().expect("a bus").waiting, 2);
        exchange.connect(0);
        while hubs[1].bus_stats().expect("a bus").gaps == 0 {
            tokio::task::yield_now().await;
        }
        std::mem::forget(there);
    });
    for (name, figure) in [
        ("ws_hub_bus_connected", 1),
        ("ws_hub_bus_dropped_total", 1),
        ("ws_hub_bus_messages_total direction=received", 2),
        ("ws_hub_bus_messages_total direction=sent", 2),
        ("ws_hub_bus_publish_seconds", 1),
        ("ws_hub_bus_waiting", 0),
        ("ws_hub_gaps_total", 1),
    ] {
        assert_eq!(figures[name], figure, "{name}");
    }
}
