//! Receiving: whole messages in order, and how the end is told.

use std::error::Error as _;
use std::io::{self, ErrorKind};
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};
use ws_tokio::{
    CloseCode, Connection, DecodeError, Error, Message, MessageKind, Negotiated, Role, Settings,
};

use crate::support::parse::frames;
use crate::support::wire::{ROLES, close, close_payload, frame, peer_of};
use crate::support::{memory, tcp};

/// What our end makes of a peer that sends these bytes and ends its stream.
async fn received(us: Role, wire: &[u8]) -> (Vec<Message>, Result<(), Error>) {
    let (mut connection, mut peer) = memory::connection(us, Settings::default());
    peer.write_all(wire).await.expect("the pipe holds it");
    peer.shutdown().await.expect("an open pipe");
    let mut messages = Vec::new();
    loop {
        match connection.recv().await {
            Ok(Some(message)) => messages.push(message),
            Ok(None) => return (messages, Ok(())),
            Err(error) => return (messages, Err(error)),
        }
    }
}

#[tokio::test]
async fn messages_arrive_whole_and_in_order() {
    for us in ROLES {
        let peer = peer_of(us);
        let wire = [
            frame(peer, 0x81, b"text"),
            frame(peer, 0x02, b"frag"),
            frame(peer, 0x8a, b"an unasked pong between"),
            frame(peer, 0x00, b""),
            frame(peer, 0x80, b"ments"),
            frame(peer, 0x82, b""),
            frame(peer, 0x82, &[7; 40_000]),
            close(peer, 1000, ""),
        ];
        let (messages, end) = received(us, &wire.concat()).await;
        let sent: [Message; 4] = [
            "text".into(),
            b"fragments".to_vec().into(),
            Vec::new().into(),
            vec![7; 40_000].into(),
        ];
        assert_eq!(messages, sent);
        assert!(matches!(end, Ok(())));
    }
}

#[tokio::test]
async fn recv_into_replaces_the_contents_and_tells_the_kind() {
    for us in ROLES {
        let (mut connection, mut peer) = memory::connection(us, Settings::default());
        let wire = [frame(peer_of(us), 0x81, b"text"), frame(peer_of(us), 0x82, b"\xff")];
        peer.write_all(&wire.concat()).await.unwrap();
        let mut buffer = b"before".to_vec();
        assert_eq!(connection.recv_into(&mut buffer).await.unwrap(), Some(MessageKind::Text));
        assert_eq!(buffer, b"text");
        assert_eq!(connection.recv_into(&mut buffer).await.unwrap(), Some(MessageKind::Binary));
        assert_eq!(buffer, b"\xff");
        drop(peer);
        assert!(matches!(connection.recv_into(&mut buffer).await, Err(Error::Cut(_))));
        assert_eq!(buffer, b"\xff", "an end leaves the buffer as it is");
    }
}

#[tokio::test]
async fn what_was_read_behind_the_handshake_is_received_first() {
    let leftover = BytesMut::from(&frame(Role::Client, 0x81, b"early")[..]);
    let (ours, mut peer) = tokio::io::duplex(1024);
    let (role, settings) = (Role::Server, Settings::default());
    let mut connection =
        Connection::from_upgraded(ours, role, leftover, Negotiated::default(), settings);
    peer.write_all(&frame(Role::Client, 0x81, b"late")).await.unwrap();
    assert_eq!(connection.recv().await.unwrap(), Some("early".into()));
    assert_eq!(connection.recv().await.unwrap(), Some("late".into()));
}

#[tokio::test]
async fn a_normal_close_is_the_end_and_tells_code_and_reason() {
    for us in ROLES {
        for code in [1000, 1001] {
            let (mut connection, mut peer) = memory::connection(us, Settings::default());
            peer.write_all(&close(peer_of(us), code, "bye")).await.unwrap();
            peer.shutdown().await.unwrap();
            assert_eq!(connection.close_frame(), None);
            assert_eq!(connection.recv().await.unwrap(), None);
            assert_eq!(connection.recv().await.unwrap(), None, "as often as it is asked");
            let frame = connection.close_frame().expect("a code");
            assert_eq!((frame.code().get(), frame.reason()), (code, "bye"));
        }
    }
}

#[tokio::test]
async fn a_close_without_a_code_is_a_normal_end() {
    for us in ROLES {
        let (mut connection, mut peer) = memory::connection(us, Settings::default());
        peer.write_all(&frame(peer_of(us), 0x88, b"")).await.unwrap();
        peer.shutdown().await.unwrap();
        assert_eq!(connection.recv().await.unwrap(), None);
        assert_eq!(connection.close_frame(), None);
    }
}

#[tokio::test]
async fn any_other_close_is_an_error_with_code_and_reason() {
    for us in ROLES {
        for code in [1002, 1003, 1007, 1011, 1014, 3000, 4999] {
            let (messages, end) = received(us, &close(peer_of(us), code, "why")).await;
            let error = end.expect_err("an error");
            assert_eq!(error.close_code(), Some(CloseCode::new(code)));
            let told = error.to_string();
            assert!(told.contains(&code.to_string()) && told.contains("why"), "{told}");
            assert!(matches!(error, Error::Closed(frame) if frame.reason() == "why"));
            assert!(messages.is_empty());
        }
    }
}

#[tokio::test]
async fn a_close_is_answered_with_its_code_before_recv_returns_the_end() {
    for us in ROLES {
        for code in (1000..=1003).chain(1007..=1014).chain([3000, 3999, 4000, 4999]) {
            let (mut connection, mut peer) = memory::connection(us, Settings::default());
            peer.write_all(&close(peer_of(us), code, "a reason")).await.unwrap();
            peer.shutdown().await.unwrap();
            _ = connection.recv().await;
            drop(connection);
            let read = memory::read_to_end(&mut peer).await;
            assert_eq!(frames(us, &read), [(0x88, close_payload(code, ""))], "its reason is empty");
        }
    }
}

#[tokio::test]
async fn an_empty_close_is_answered_with_an_empty_one() {
    for us in ROLES {
        let (mut connection, mut peer) = memory::connection(us, Settings::default());
        peer.write_all(&frame(peer_of(us), 0x88, b"")).await.unwrap();
        peer.shutdown().await.unwrap();
        connection.recv().await.unwrap();
        drop(connection);
        assert_eq!(frames(us, &memory::read_to_end(&mut peer).await), [(0x88, vec![])]);
    }
}

#[tokio::test]
async fn nothing_behind_a_close_frame_is_read_as_data() {
    for us in ROLES {
        let message = frame(peer_of(us), 0x81, b"late");
        let wire = [close(peer_of(us), 1000, ""), message, b"garbage".to_vec()].concat();
        let (messages, end) = received(us, &wire).await;
        assert!(messages.is_empty() && end.is_ok());
    }
}

#[tokio::test]
async fn an_end_without_a_close_frame_is_a_cut() {
    for us in ROLES {
        let message = frame(peer_of(us), 0x81, b"message");
        for cut in [0, 1, message.len() - 1, message.len()] {
            let (messages, end) = received(us, &message[..cut]).await;
            let error = end.expect_err("a cut");
            assert!(matches!(error, Error::Cut(_)), "{error}");
            assert_eq!(error.close_code(), None);
            assert_eq!(messages.len(), usize::from(cut == message.len()));
        }
    }
}

#[tokio::test]
async fn a_reset_is_a_cut_with_its_source_as_often_as_it_is_asked() {
    for us in ROLES {
        let (mut connection, peer) = tcp::connection(us, Settings::default()).await;
        peer.set_zero_linger().unwrap();
        drop(peer);
        for _ in 0..2 {
            let error = connection.recv().await.unwrap_err();
            let Error::Cut(Some(reset)) = &error else { panic!("{error:?}") };
            assert_eq!(reset.kind(), ErrorKind::ConnectionReset);
            assert!(reset.raw_os_error().is_some(), "as the system said it");
            assert_eq!(error.close_code(), None);
        }
    }
}

/// A stream that fails to be read.
struct Breaks(ErrorKind, &'static str);

impl AsyncRead for Breaks {
    fn poll_read(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        _: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Poll::Ready(Err(io::Error::new(self.0, self.1)))
    }
}

impl AsyncWrite for Breaks {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(buf.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[tokio::test]
async fn a_stream_that_breaks_is_a_cut_whatever_it_calls_that_and_the_source_says_why() {
    let cuts = [
        ErrorKind::UnexpectedEof,
        ErrorKind::ConnectionReset,
        ErrorKind::ConnectionAborted,
        ErrorKind::BrokenPipe,
    ];
    for us in ROLES {
        for kind in cuts {
            let stream = Breaks(kind, "no close_notify");
            let mut connection = memory::over(stream, us, Settings::default());
            for _ in 0..2 {
                let error = connection.recv().await.unwrap_err();
                let Error::Cut(Some(why)) = &error else { panic!("{error:?}") };
                assert_eq!((why.kind(), why.to_string()), (kind, "no close_notify".into()));
                assert!(error.source().is_some() && error.to_string().contains("no close_notify"));
            }
        }
        let stream = Breaks(ErrorKind::InvalidData, "bad record");
        let mut connection = memory::over(stream, us, Settings::default());
        let error = connection.recv().await.unwrap_err();
        assert!(matches!(&error, Error::Io(it) if it.kind() == ErrorKind::InvalidData));
        assert!(error.to_string().contains("bad record"), "{error}");
    }
}

#[tokio::test]
async fn the_limit_on_messages_can_be_set_on_a_connection() {
    for us in ROLES {
        let (mut connection, mut peer) = memory::connection(us, Settings::default());
        let message = frame(peer_of(us), 0x82, &[7; 11]);
        peer.write_all(&message.repeat(2)).await.unwrap();
        peer.shutdown().await.unwrap();
        assert!(connection.recv().await.unwrap().is_some());
        connection.set_max_message(10);
        let error = connection.recv().await.unwrap_err();
        let too_big = DecodeError::MessageTooBig { limit: 10 };
        assert!(matches!(error, Error::Protocol(error) if error == too_big));
    }
}

#[tokio::test]
async fn the_limit_holds_for_recv_into_and_run() {
    let settings = Settings::default().max_message(10);
    let too_big = DecodeError::MessageTooBig { limit: 10 };
    for us in ROLES {
        let message = frame(peer_of(us), 0x82, &[7; 11]);
        let (mut connection, mut peer) = memory::connection(us, settings);
        peer.write_all(&message).await.unwrap();
        peer.shutdown().await.unwrap();
        let error = connection.recv_into(&mut Vec::new()).await.unwrap_err();
        assert!(matches!(error, Error::Protocol(error) if error == too_big));
        let (mut connection, mut peer) = memory::connection(us, settings);
        peer.write_all(&message).await.unwrap();
        peer.shutdown().await.unwrap();
        let error = connection.run(|_, _| -> () { panic!("no message") }).await.unwrap_err();
        assert!(matches!(error, Error::Protocol(error) if error == too_big));
    }
}
