//! A byte stream: each byte is read once and in order, and written once or not at all.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use ws_tokio::{ByteStream, MessageKind, Settings};

use crate::support::parse::frames;
use crate::support::scripted::Scripted;
use crate::support::wire::{close, frame, peer_of};
use crate::{Case, PORTIONS, after_every_poll};

/// What the peer sends in messages and fragments.
const SENT: &[u8] = b"one, two, three";

fn stream(case: Case, settings: Settings) -> ByteStream<Scripted> {
    let peer = peer_of(case.role);
    let wire = [
        frame(peer, 0x82, b"one, "),
        frame(peer, 0x02, b"two"),
        frame(peer, 0x89, b"ping"),
        frame(peer, 0x80, b", three"),
        close(peer, 1000, ""),
    ];
    ByteStream::new(case.connection(settings, &wire.concat()), MessageKind::Binary)
}

#[tokio::test(start_paused = true)]
async fn a_read_that_is_dropped_loses_no_byte() {
    after_every_poll(&PORTIONS, async |case| {
        let (mut stream, mut patience) = (stream(case, Settings::default()), case.patience);
        let (mut received, mut buffer) = (Vec::new(), [0; 4]);
        loop {
            match patience.with(stream.read(&mut buffer)).await {
                None => {}
                Some(Ok(0)) => break,
                Some(read) => received.extend_from_slice(&buffer[..read.expect("no error")]),
            }
        }
        assert_eq!(received, SENT, "{case:?}");
        patience
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_write_that_is_dropped_wrote_its_message_whole_or_not_at_all() {
    after_every_poll(&PORTIONS, async |case| {
        let mut stream = stream(case, Settings::default().queue_limit(10).high_water(5));
        let (mut patience, mut written) = (case.patience, Vec::new());
        for message in [&b"some"[..], b"more", b"bytes"] {
            if let Some(taken) = patience.with(stream.write(message)).await {
                assert_eq!(taken.expect("no error"), message.len());
                written.push((0x82, message.to_vec()));
            }
        }
        stream.flush().await.expect("no error");
        let connection = stream.into_inner();
        assert_eq!(frames(case.role, connection.get_ref().written()), written, "{case:?}");
        patience
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_that_is_dropped_and_called_again_closes_once_and_loses_no_byte() {
    after_every_poll(&PORTIONS, async |case| {
        let (mut stream, mut patience) = (stream(case, Settings::default()), case.patience);
        while patience.with(stream.shutdown()).await.is_none() {}
        let mut received = Vec::new();
        stream.read_to_end(&mut received).await.expect("a normal end");
        assert_eq!(received, SENT, "{case:?}");
        let connection = stream.into_inner();
        let closes = frames(case.role, connection.get_ref().written());
        assert_eq!(closes.last(), Some(&(0x88, b"\x03\xe8".to_vec())), "{case:?}");
        assert_eq!(closes.iter().filter(|frame| frame.0 == 0x88).count(), 1, "{case:?}");
        patience
    })
    .await;
}
