//! Handshakes: a dropped one takes its stream along; a finished one leaves nothing behind that was read too far.

use ws_tokio::{AcceptOptions, ConnectOptions, Role};

use crate::support::parse::frames;
use crate::support::patience::Patience;
use crate::support::scripted::{Script, Scripted, Writes};
use crate::{answers, combinations, conversation, messages};

const REQUEST: &[u8] =
    b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
    Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

const ANSWER: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\
    Connection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

#[tokio::test(start_paused = true)]
async fn accept_over_any_portions_gives_a_connection_that_misses_no_early_frame() {
    let incoming = [REQUEST, &conversation(Role::Server)].concat();
    for (_, writes, &portion) in combinations(&[1, 2, 3, 7, 1000]) {
        let mut stream = Scripted::new(Script { portion, writes }, &incoming);
        let mut connection = ws_tokio::accept(&mut stream).await.expect("a handshake");
        let mut received = Vec::new();
        while let Some(message) = connection.recv().await.expect("a message") {
            received.push(message);
        }
        assert_eq!(received, messages());
        drop(connection);
        let written = stream.written().strip_prefix(ANSWER).expect("the answer first");
        assert_eq!(frames(Role::Server, written), answers());
    }
}

#[tokio::test(start_paused = true)]
async fn accept_that_is_dropped_wrote_the_beginning_of_its_answer_and_no_more() {
    let options = AcceptOptions::default();
    for polls in 0.. {
        let mut stream = Scripted::new(Script { portion: 3, writes: Writes::Plain }, REQUEST);
        let mut patience = Patience::Polls(polls);
        let accepted = patience.with(options.accept(&mut stream)).await.is_some();
        assert!(ANSWER.starts_with(stream.written()), "after {polls} polls");
        if accepted {
            assert_eq!(stream.written(), ANSWER);
            return;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn connect_that_is_dropped_wrote_the_beginning_of_its_request_and_no_more() {
    let options = ConnectOptions::default();
    for polls in 0.. {
        let mut stream = Scripted::new(Script { portion: 3, writes: Writes::Plain }, b"");
        let mut patience = Patience::Polls(polls);
        let connect = options.connect_over(&mut stream, "ws://a/");
        let answered = patience.with(connect).await.is_some();
        let start = b"GET / HTTP/1.1\r\nHost: a\r\n";
        let compared = stream.written().len().min(start.len());
        assert_eq!(stream.written()[..compared], start[..compared], "after {polls} polls");
        if answered {
            assert!(stream.written().ends_with(b"\r\n\r\n"));
            return;
        }
    }
}
