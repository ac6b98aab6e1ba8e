//! Streams end: behind an error, the next item is `None`.

use std::future::ready;

use futures_util::StreamExt;
use futures_util::stream::{FusedStream, select_all};
use ws_tokio::{Connection, Error, Message, Settings};

use crate::ends;
use crate::gated::{Gated, gated};
use crate::support::memory::over;
use crate::support::wire::{ROLES, close, frame, peer_of};

/// How a connection ends behind one message.
#[derive(Clone, Copy, Debug)]
enum How {
    Normally,
    WithACode,
    Cut,
    Broken,
}

const HOWS: [How; 4] = [How::Normally, How::WithACode, How::Cut, How::Broken];

/// Connections that each receive one message and end, in every way.
fn connections() -> impl Iterator<Item = (How, Connection<Gated>)> {
    ROLES.into_iter().flat_map(|us| {
        HOWS.map(|how| {
            let (stream, gate) = gated();
            gate.take(usize::MAX);
            let last = match how {
                How::Normally => close(peer_of(us), 1000, ""),
                How::WithACode => close(peer_of(us), 4000, ""),
                How::Cut => Vec::new(),
                How::Broken => frame(peer_of(us), 0x83, b""),
            };
            gate.give(&[frame(peer_of(us), 0x81, b"in"), last].concat());
            gate.end();
            (how, over(stream, us, Settings::default()))
        })
    })
}

/// Collects a stream as people do, which spins where the error comes again and again.
async fn assert_ends(
    how: How,
    stream: &mut (impl FusedStream<Item = Result<Message, Error>> + Unpin),
) {
    assert!(!stream.is_terminated());
    let came: Vec<_> = ends(stream.by_ref().collect()).await;
    let (mut errors, mut messages) = (0, 0);
    for item in &came {
        match item {
            Ok(_) => messages += 1,
            Err(_) => errors += 1,
        }
    }
    assert_eq!((messages, errors), (1, usize::from(!matches!(how, How::Normally))), "{how:?}");
    assert!(stream.is_terminated());
    for _ in 0..3 {
        assert!(stream.next().await.is_none());
    }
}

#[tokio::test]
async fn a_connection_that_ends_with_an_error_gives_it_once_and_then_none() {
    for (how, mut connection) in connections() {
        assert_ends(how, &mut connection).await;
    }
}

#[tokio::test]
async fn a_half_that_ends_with_an_error_gives_it_once_and_then_none() {
    for (how, connection) in connections() {
        let (mut receiving, _sending) = connection.split();
        assert_ends(how, &mut receiving).await;
    }
}

#[tokio::test]
async fn recv_still_says_an_error_as_often_as_it_is_asked() {
    for (how, mut connection) in connections() {
        while connection.next().await.is_some() {}
        for _ in 0..2 {
            assert_eq!(connection.recv().await.is_err(), !matches!(how, How::Normally));
        }
    }
}

#[tokio::test]
async fn messages_are_collected_past_an_error() {
    for (_, connection) in connections() {
        let messages: Vec<_> = ends(connection.filter_map(|it| ready(it.ok())).collect()).await;
        assert_eq!(messages, ["in".into()]);
    }
}

#[tokio::test]
async fn many_streams_are_selected_until_all_have_ended() {
    let streams = connections().map(|(_, connection)| connection);
    let items: Vec<_> = ends(select_all(streams).collect()).await;
    assert_eq!(items.iter().filter(|item| item.is_ok()).count(), 8);
    assert_eq!(items.len(), 8 + 6);
}

#[tokio::test]
async fn a_stream_is_forwarded_into_the_sink_of_another_connection() {
    for us in ROLES {
        for (how, connection) in connections() {
            let (stream, gate) = gated();
            gate.take(usize::MAX);
            let mut to = over(stream, us, Settings::default());
            let messages = connection.filter_map(|it| ready(it.ok().map(Ok)));
            gate.give(&close(peer_of(us), 1000, ""));
            gate.end();
            ends(messages.forward(&mut to)).await.unwrap();
            let sent = [frame(us, 0x81, b"in"), close(us, 1000, "")];
            assert_eq!(gate.written().len(), sent.concat().len(), "{how:?}");
            assert!(to.send("late").await.is_err());
        }
    }
}
