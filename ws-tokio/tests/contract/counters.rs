//! What passed over a connection is counted where that was asked for.

use std::time::Duration;

use tokio::io::AsyncWriteExt;
use ws_tokio::Settings;

use crate::support::memory::{self, read_some, waits};
use crate::support::wire::{ROLES, frame, peer_of};

#[tokio::test]
async fn nothing_is_counted_unless_asked_for() {
    for us in ROLES {
        let (connection, _peer) = memory::connection(us, Settings::default());
        assert_eq!(connection.counters(), None);
        let (receiving, sending) = connection.split();
        assert_eq!((receiving.counters(), sending.counters()), (None, None));
    }
}

#[tokio::test]
async fn messages_frames_and_bytes_are_counted_in_both_directions() {
    for us in ROLES {
        let (mut connection, mut peer) = memory::connection(us, Settings::default().counted());
        let peers = peer_of(us);
        let wire = [
            frame(peers, 0x81, b"whole"),
            frame(peers, 0x02, b"in "),
            frame(peers, 0x89, b"ping"),
            frame(peers, 0x80, b"two"),
        ]
        .concat();
        peer.write_all(&wire).await.unwrap();
        for _ in 0..2 {
            connection.recv().await.unwrap().unwrap();
        }
        let received = connection.counters().unwrap().received;
        assert_eq!((received.counts.messages, received.counts.frames), (2, 4));
        assert_eq!((received.counts.payload_bytes, received.wire_bytes), (11, wire.len() as u64));

        connection.feed("one").await.unwrap();
        connection.feed(vec![7; 20_000]).await.unwrap();
        let queued = connection.queued();
        assert!(waits(connection.recv()).await, "and it writes what is queued");
        let mut written = 0;
        while written < queued {
            written += read_some(&mut peer).await.len();
            connection.flush().await.unwrap();
        }
        let sent = connection.counters().unwrap().sent;
        assert_eq!((sent.counts.messages, sent.counts.frames), (2, 3), "and a pong");
        assert_eq!((sent.counts.payload_bytes, sent.wire_bytes), (20_003, queued as u64));

        let before = connection.counters();
        let (receiving, sending) = connection.split();
        assert_eq!((receiving.counters(), sending.counters()), (before, before));
    }
}

#[tokio::test(start_paused = true)]
async fn the_last_round_trip_is_kept() {
    for us in ROLES {
        let (mut connection, mut peer) = memory::connection(us, Settings::default().counted());
        assert_eq!(connection.counters().unwrap().round_trip, None);
        let ping = connection.ping().unwrap();
        connection.flush().await.unwrap();
        read_some(&mut peer).await;
        tokio::time::advance(Duration::from_millis(30)).await;
        peer.write_all(&frame(peer_of(us), 0x8a, &1u64.to_be_bytes())).await.unwrap();
        assert!(waits(connection.recv()).await);
        assert_eq!(connection.counters().unwrap().round_trip, Some(ping.await.unwrap()));
    }
}

#[cfg(feature = "deflate")]
#[tokio::test]
async fn compressed_messages_count_as_what_they_inflate_to() {
    use ws_tokio::{AcceptOptions, Compression, ConnectOptions, pipe_with};

    let settings = Settings::default().counted();
    let compression = Compression::NoContextTakeover;
    let connect = ConnectOptions::default().compression(compression).settings(settings);
    let accept = AcceptOptions::default().compression(compression).settings(settings);
    let (mut client, mut server) = pipe_with(&connect, &accept, 1 << 20).await.unwrap();
    let text = "again and ".repeat(1000);
    let (sent, received) = tokio::join!(client.send(text.clone()), server.recv());
    sent.unwrap();
    assert_eq!(received.unwrap().unwrap().as_text(), Some(&*text));
    let sent = client.counters().unwrap().sent;
    let received = server.counters().unwrap().received;
    assert_eq!(sent, received);
    assert_eq!((sent.counts.messages, sent.counts.payload_bytes), (1, 10_000));
    assert!(sent.wire_bytes < 1000, "{sent:?}");
}
