//! A connection as a byte stream.

use std::io::{self, ErrorKind};
use std::time::Duration;

use tokio::io::{
    AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, DuplexStream, copy, split,
};
use tokio::task::yield_now;
use tokio::time::timeout;
use ws_tokio::{
    AcceptOptions, ByteStream, CloseCode, ConnectOptions, Connection, DecodeError, EncodeError,
    Error, Message, MessageKind, Role, Settings, pipe, pipe_with,
};

use crate::support::memory::{self, PIPE, read_some, waits};
use crate::support::parse::frames;
use crate::support::wire::{ROLES, close, close_payload, frame, peer_of};

fn binary(connection: Connection<DuplexStream>) -> ByteStream<DuplexStream> {
    ByteStream::new(connection, MessageKind::Binary)
}

/// A byte stream, and its peer's raw end.
fn stream(us: Role, settings: Settings) -> (ByteStream<DuplexStream>, DuplexStream) {
    let (connection, peer) = memory::connection(us, settings);
    (binary(connection), peer)
}

/// All that our end reads of a peer that sends these bytes and ends its stream.
async fn read(us: Role, wire: &[u8]) -> (Vec<u8>, io::Result<usize>) {
    let (mut stream, mut peer) = stream(us, Settings::default());
    peer.write_all(wire).await.expect("the pipe holds it");
    peer.shutdown().await.expect("an open pipe");
    let mut read = Vec::new();
    let end = stream.read_to_end(&mut read).await;
    (read, end)
}

/// The connection's error inside one of input and output.
fn inside(error: &io::Error) -> &Error {
    error.get_ref().and_then(|inner| inner.downcast_ref()).expect("an error of the connection")
}

#[tokio::test]
async fn reading_crosses_messages_and_fragments() {
    for us in ROLES {
        let peer = peer_of(us);
        let wire = [
            frame(peer, 0x82, b"one "),
            frame(peer, 0x82, b""),
            frame(peer, 0x02, b"mess"),
            frame(peer, 0x89, b"a ping between"),
            frame(peer, 0x00, b""),
            frame(peer, 0x80, b"age"),
            close(peer, 1000, ""),
        ];
        assert!(matches!(read(us, &wire.concat()).await, (read, Ok(11)) if read == b"one message"));
    }
}

#[tokio::test]
async fn a_normal_close_is_the_end_of_the_stream_as_often_as_it_is_read() {
    for us in ROLES {
        for end in [
            close(peer_of(us), 1000, "bye"),
            close(peer_of(us), 1001, ""),
            frame(peer_of(us), 0x88, b""),
        ] {
            let (mut stream, mut peer) = stream(us, Settings::default());
            peer.write_all(&end).await.unwrap();
            peer.shutdown().await.unwrap();
            for _ in 0..2 {
                assert_eq!(stream.read(&mut [0; 9]).await.unwrap(), 0);
            }
            stream.shutdown().await.unwrap();
        }
    }
}

#[tokio::test]
async fn any_other_end_is_an_error_with_the_connections_error_inside() {
    for us in ROLES {
        let (_, end) = read(us, &close(peer_of(us), 4000, "why")).await;
        let error = end.unwrap_err();
        assert!(matches!(inside(&error), Error::Closed(frame) if frame.reason() == "why"));
        let (bytes, end) = read(us, &frame(peer_of(us), 0x82, b"cut")).await;
        assert_eq!(bytes, b"cut");
        assert!(matches!(inside(&end.unwrap_err()), Error::Cut(_)));
        let (_, end) = read(us, &frame(peer_of(us), 0x83, b"")).await;
        assert!(matches!(
            inside(&end.unwrap_err()),
            Error::Protocol(DecodeError::ReservedOpcode(3))
        ));
    }
}

#[tokio::test]
async fn a_close_in_the_middle_of_a_message_is_no_end_of_the_stream() {
    for us in ROLES {
        let wire = [frame(peer_of(us), 0x02, b"half"), close(peer_of(us), 1000, "")];
        let (bytes, end) = read(us, &wire.concat()).await;
        assert_eq!(bytes, b"half");
        assert_eq!(end.unwrap_err().kind(), ErrorKind::UnexpectedEof);
    }
}

#[tokio::test]
async fn a_message_of_the_other_kind_closes_1003() {
    for us in ROLES {
        for (kind, ours, theirs) in
            [(MessageKind::Binary, 0x82, 0x81), (MessageKind::Text, 0x81, 0x82)]
        {
            let (connection, mut peer) = memory::connection(us, Settings::default());
            let mut stream = ByteStream::new(connection, kind);
            let wire = [frame(peer_of(us), ours, b"fine"), frame(peer_of(us), theirs, b"bad")];
            peer.write_all(&wire.concat()).await.unwrap();
            peer.shutdown().await.unwrap();
            let mut bytes = Vec::new();
            let error = stream.read_to_end(&mut bytes).await.unwrap_err();
            assert!(matches!(inside(&error), Error::Failed(CloseCode::UNSUPPORTED)), "{error:?}");
            assert_eq!(bytes, b"fine");
            let told = frames(us, &read_some(&mut peer).await);
            assert_eq!((told[0].0, &told[0].1[..2]), (0x88, &b"\x03\xeb"[..]));
        }
    }
}

#[tokio::test]
async fn no_limit_applies_to_a_byte_stream() {
    for us in ROLES {
        let settings = Settings::default().max_message(10).max_fragments(2);
        let (mut stream, mut peer) = stream(us, settings);
        let says = async {
            peer.write_all(&frame(peer_of(us), 0x02, &[7; 100_000])).await.expect("we read");
            for _ in 0..1000 {
                peer.write_all(&frame(peer_of(us), 0x00, &[7])).await.expect("we read");
            }
            peer.write_all(&frame(peer_of(us), 0x80, &[7; 2_000_000])).await.expect("we read");
        };
        let mut bytes = vec![0; 2_101_000];
        let ((), read) = tokio::join!(says, stream.read_exact(&mut bytes));
        read.unwrap();
        assert!(bytes.iter().all(|&byte| byte == 7));
    }
}

#[tokio::test]
async fn the_limits_hold_again_on_the_connection_that_is_taken_back() {
    for us in ROLES {
        let (mut stream, mut peer) = stream(us, Settings::default().max_message(10));
        let wire = [
            frame(peer_of(us), 0x02, &[7; 100]),
            frame(peer_of(us), 0x80, b"the rest"),
            frame(peer_of(us), 0x81, b"whole"),
            frame(peer_of(us), 0x81, b"over the limit"),
        ];
        peer.write_all(&wire.concat()).await.unwrap();
        assert_eq!(stream.read(&mut [0; 5]).await.unwrap(), 5);
        let mut connection = stream.into_inner();
        assert_eq!(connection.recv().await.unwrap(), Some("whole".into()), "the rest is dropped");
        drop(peer);
        let error = connection.recv().await.unwrap_err();
        assert!(matches!(error, Error::Protocol(DecodeError::MessageTooBig { limit: 10 })));
    }
}

#[tokio::test]
async fn a_message_that_began_without_limits_is_not_gathered_beyond_them() {
    for us in ROLES {
        let (mut stream, mut peer) = stream(us, Settings::default().max_message(1000));
        let whole = frame(peer_of(us), 0x82, &[7; 2000]);
        peer.write_all(&whole[..500]).await.unwrap();
        assert!(waits(stream.read(&mut [0; 5])).await, "no piece of it is whole");
        let mut connection = stream.into_inner();
        peer.write_all(&whole[500..]).await.unwrap();
        drop(peer);
        let error = connection.recv().await.unwrap_err();
        assert!(matches!(error, Error::Protocol(DecodeError::MessageTooBig { limit: 1000 })));
    }
}

#[tokio::test]
async fn a_message_that_began_under_limits_keeps_them_in_a_byte_stream() {
    for us in ROLES {
        let (mut connection, mut peer) =
            memory::connection(us, Settings::default().max_message(1000));
        peer.write_all(&frame(peer_of(us), 0x02, &[7; 600])).await.unwrap();
        assert!(waits(connection.recv()).await, "it is gathered");
        let mut stream = binary(connection);
        peer.write_all(&frame(peer_of(us), 0x80, &[7; 600])).await.unwrap();
        drop(peer);
        let error = stream.read(&mut [0; 5]).await.unwrap_err();
        assert!(matches!(
            inside(&error),
            Error::Protocol(DecodeError::MessageTooBig { limit: 1000 })
        ));
    }
}

#[tokio::test]
async fn each_write_is_one_message_of_at_most_64_kib_and_needs_no_flush() {
    for us in ROLES {
        let (mut stream, mut peer) = stream(us, Settings::default());
        assert_eq!(stream.write(b"").await.unwrap(), 0);
        assert_eq!(stream.write(b"one").await.unwrap(), 3);
        assert_eq!(stream.write(b"two").await.unwrap(), 3);
        let written = frames(us, &read_some(&mut peer).await);
        assert_eq!(written, [(0x82, b"one".to_vec()), (0x82, b"two".to_vec())]);
        assert_eq!(stream.write(&[7; 100_000]).await.unwrap(), 65_536);
        let rest = async {
            stream.flush().await.unwrap();
            drop(stream);
        };
        let ((), written) = tokio::join!(rest, memory::read_to_end(&mut peer));
        assert_eq!(frames(us, &written), [(0x82, vec![7; 65_536])]);
    }
}

#[tokio::test]
async fn a_full_queue_makes_writers_of_a_byte_stream_wait() {
    for us in ROLES {
        let (mut stream, _peer) = stream(us, Settings::default().queue_limit(1000));
        let mut written = 0;
        while !waits(stream.write(&[7; 300])).await {
            written += 300;
            assert!(written <= PIPE + 1000);
        }
    }
}

#[tokio::test]
async fn text_may_be_cut_inside_a_code_point_by_any_write() {
    for us in ROLES {
        let (connection, mut peer) = memory::connection(us, Settings::default());
        let mut stream = ByteStream::new(connection, MessageKind::Text);
        for write in [&b"za\xc5"[..], b"\xbc", b"\xc3", b"\xb3\xc5\x82"] {
            stream.write_all(write).await.unwrap();
        }
        let written = frames(us, &read_some(&mut peer).await);
        let expected = [
            (0x01, b"za\xc5".to_vec()),
            (0x80, b"\xbc".to_vec()),
            (0x01, b"\xc3".to_vec()),
            (0x80, b"\xb3\xc5\x82".to_vec()),
        ];
        assert_eq!(written, expected);
    }
}

#[tokio::test]
async fn what_no_text_can_hold_is_an_error_and_not_queued() {
    for us in ROLES {
        let (connection, mut peer) = memory::connection(us, Settings::default());
        let mut stream = ByteStream::new(connection, MessageKind::Text);
        let error = stream.write(b"bad\xff").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidData);
        stream.write_all(b"good").await.unwrap();
        assert_eq!(frames(us, &read_some(&mut peer).await), [(0x81, b"good".to_vec())]);
    }
}

#[tokio::test]
async fn a_byte_stream_never_goes_on_with_a_message_that_was_left_unfinished() {
    for us in ROLES {
        let (mut connection, _peer) = memory::connection(us, Settings::default());
        let mut writer = connection.writer(MessageKind::Binary).unwrap();
        writer.write_all(b"half").await.unwrap();
        writer.flush().await.unwrap();
        drop(writer);
        let error = binary(connection).write(b"other").await.unwrap_err();
        assert!(matches!(inside(&error), Error::Send(EncodeError::MessageUnderWay)));
    }
}

#[tokio::test]
async fn shutdown_closes_with_1000_and_waits_for_the_answer() {
    for us in ROLES {
        let (mut stream, mut peer) = stream(us, Settings::default());
        assert!(waits(stream.shutdown()).await);
        assert_eq!(frames(us, &read_some(&mut peer).await), [(0x88, close_payload(1000, ""))]);
        let error = stream.write(b"late").await.unwrap_err();
        assert!(matches!(inside(&error), Error::Send(EncodeError::Closed)));
        peer.write_all(&close(peer_of(us), 1000, "")).await.unwrap();
        peer.shutdown().await.unwrap();
        for _ in 0..2 {
            stream.shutdown().await.unwrap();
        }
        assert_eq!(stream.read(&mut [0; 9]).await.unwrap(), 0);
    }
}

#[tokio::test]
async fn bytes_that_come_while_it_shuts_down_are_not_lost() {
    for us in ROLES {
        let (mut stream, mut peer) = stream(us, Settings::default());
        peer.write_all(&frame(peer_of(us), 0x82, b"on their way")).await.unwrap();
        stream.shutdown().await.unwrap();
        stream.shutdown().await.unwrap();
        peer.write_all(&close(peer_of(us), 1000, "")).await.unwrap();
        peer.shutdown().await.unwrap();
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).await.unwrap();
        assert_eq!(bytes, b"on their way");
        stream.shutdown().await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_never_answers_holds_the_shutdown_for_5_seconds() {
    for us in ROLES {
        for unread in [&b""[..], b"unread"] {
            let (mut stream, mut peer) = stream(us, Settings::default());
            peer.write_all(&frame(peer_of(us), 0x82, unread)).await.unwrap();
            assert_eq!(waits(stream.fill_buf()).await, unread.is_empty());
            while !waits(stream.write(&[7; 60_000])).await {}
            let since = tokio::time::Instant::now();
            let error = stream.shutdown().await.unwrap_err();
            assert!(matches!(inside(&error), Error::CloseTimeout), "{error:?}");
            assert_eq!(since.elapsed(), Duration::from_secs(5));
        }
    }
}

#[tokio::test]
async fn both_directions_may_belong_to_different_tasks() {
    const MUCH: usize = 3_000_000;
    let (client, server) = pipe().await;
    let echo = tokio::spawn(async move {
        let (mut reading, mut writing) = split(binary(server));
        copy(&mut reading, &mut writing).await.expect("an end");
        writing.shutdown().await.expect("both have closed");
    });
    let (mut reading, mut writing) = split(binary(client));
    let writer = tokio::spawn(async move {
        for n in 0..MUCH / 1000 {
            writing.write_all(&[n as u8; 1000]).await.expect("the peer reads");
        }
        writing
    });
    let mut bytes = vec![0; MUCH];
    reading.read_exact(&mut bytes).await.unwrap();
    assert!((0..MUCH).all(|at| bytes[at] == (at / 1000) as u8));
    let mut writing = writer.await.unwrap();
    let closer = tokio::spawn(async move { writing.shutdown().await });
    assert_eq!(reading.read(&mut [0; 9]).await.unwrap(), 0, "the reader is woken too");
    closer.await.unwrap().unwrap();
    echo.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_task_that_reads_is_woken_although_another_shuts_down() {
    for us in ROLES {
        let (stream, mut peer) = stream(us, Settings::default());
        let (mut reading, mut writing) = split(stream);
        let reader = tokio::spawn(async move { reading.read(&mut [0; 9]).await });
        yield_now().await;
        let closer = tokio::spawn(async move { writing.shutdown().await });
        yield_now().await;
        peer.write_all(&close(peer_of(us), 1000, "")).await.unwrap();
        peer.shutdown().await.unwrap();
        let read = timeout(Duration::from_secs(1), reader).await.expect("it is woken");
        assert_eq!(read.unwrap().unwrap(), 0);
        closer.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn lines_are_read_across_messages() {
    let (client, mut server) = pipe().await;
    for part in ["first li", "ne\nsec", "ond line\nthird"] {
        server.send(part).await.unwrap();
    }
    let closes = tokio::spawn(async move { server.close(CloseCode::NORMAL, "").await });
    let expected = ["first line", "second line", "third"];
    let mut lines = ByteStream::new(client, MessageKind::Text).lines();
    for line in expected {
        assert_eq!(lines.next_line().await.unwrap().as_deref(), Some(line));
    }
    assert_eq!(lines.next_line().await.unwrap(), None);
    closes.await.unwrap().unwrap();
}

#[tokio::test]
async fn bytes_pass_through_a_pipe_of_one_byte_and_buffers_around_both_ends() {
    let (connect, accept) = (ConnectOptions::default(), AcceptOptions::default());
    let (client, server) = pipe_with(&connect, &accept, 1).await.unwrap();
    let (mut near, mut far) = (BufReader::new(binary(client)), binary(server));
    let writes = async {
        far.write_all(&[7; 3000]).await.expect("the peer reads");
        far.shutdown().await.expect("an answer");
    };
    let mut bytes = Vec::new();
    let ((), read) = tokio::join!(writes, near.read_to_end(&mut bytes));
    read.unwrap();
    assert_eq!(bytes, [7; 3000]);
}

#[tokio::test]
async fn a_byte_stream_gives_its_connection_back_as_it_was() {
    let (client, mut server) = pipe().await;
    let mut stream = binary(client);
    stream.write_all(b"bytes").await.unwrap();
    let mut client = stream.into_inner();
    client.send("text").await.unwrap();
    assert_eq!(server.recv().await.unwrap(), Some(b"bytes".to_vec().into()));
    assert_eq!(server.recv().await.unwrap(), Some("text".into()));
    server.send("answer").await.unwrap();
    assert_eq!(client.recv().await.unwrap(), Some(Message::text("answer")));
}
