//! The halves as a `Stream` and a `Sink` of the futures crates.

use std::future::poll_fn;
use std::pin::Pin;

use futures_core::Stream;
use futures_sink::Sink;
use tokio::io::AsyncWriteExt;
use ws_tokio::{EncodeError, Error, MessageKind, Role, SendHalf, Settings};

use crate::closing::{answer, halves};
use crate::gated::{Gated, gated};
use crate::support::memory::{over, read_some};
use crate::support::parse::frames;
use crate::support::wire::{ROLES, close_payload, frame, peer_of};
use crate::{payloads, settle};

async fn ready(half: &mut SendHalf<Gated>) -> Result<(), Error> {
    poll_fn(|cx| Pin::new(&mut *half).poll_ready(cx)).await
}

#[tokio::test]
async fn a_sink_that_waits_for_room_or_to_be_flushed_wakes() {
    for us in ROLES {
        let (stream, gate) = gated();
        let settings = Settings::default().queue_limit(10);
        let (_receiving, mut sending) = over(stream, us, settings).split();
        let sink = tokio::spawn(async move {
            for number in 0..3_u8 {
                ready(&mut sending).await.unwrap();
                Pin::new(&mut sending).start_send(vec![number; 20].into()).unwrap();
            }
            poll_fn(|cx| Pin::new(&mut sending).poll_flush(cx)).await
        });
        let message = frame(us, 0x82, &[0; 20]).len();
        for written in 0..3 {
            settle().await;
            assert!(!sink.is_finished());
            assert_eq!(gate.written().len(), written * message);
            gate.take(message);
        }
        sink.await.unwrap().unwrap();
        assert_eq!(payloads(us, &gate.written()), [0, 1, 2].map(|number| vec![number; 20]));
    }
}

#[tokio::test]
async fn a_stream_ends_with_the_connection_that_a_sink_closes() {
    for us in ROLES {
        let (mut receiving, mut sending, mut peer) = halves(us);
        peer.write_all(&frame(peer_of(us), 0x81, b"one")).await.unwrap();
        let streaming = tokio::spawn(async move {
            let mut received = Vec::new();
            while let Some(next) = poll_fn(|cx| Pin::new(&mut receiving).poll_next(cx)).await {
                received.push(next.unwrap());
            }
            received
        });
        let closing =
            tokio::spawn(async move { poll_fn(|cx| Pin::new(&mut sending).poll_close(cx)).await });
        assert_eq!(frames(us, &read_some(&mut peer).await), [(0x88, close_payload(1000, ""))]);
        answer(&mut peer, us).await;
        closing.await.unwrap().unwrap();
        assert_eq!(streaming.await.unwrap(), ["one".into()]);
    }
}

#[tokio::test]
async fn a_sink_takes_no_message_while_another_task_streams_one() {
    let (_receiving, sending, _peer) = halves(Role::Server);
    let mut sink = sending.clone();
    let mut writer = sending.writer(MessageKind::Text).await.unwrap();
    writer.write_all(b"streamed").await.unwrap();
    writer.flush().await.unwrap();
    let refused = Pin::new(&mut sink).start_send("x".into());
    assert!(matches!(refused, Err(Error::Send(EncodeError::MessageUnderWay))));
    writer.finish().await.unwrap();
    Pin::new(&mut sink).start_send("x".into()).unwrap();
}
