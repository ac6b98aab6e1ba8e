//! Closing: one deadline over all of it, and safe at any time, in any order, twice.

use std::future::pending;
use std::io::ErrorKind;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::time::{Instant, sleep, timeout};
use ws_tokio::{CloseCode, Connection, EncodeError, Error, Role, Settings};

use crate::support::memory::{self, PIPE, read_some, waits};
use crate::support::parse::frames;
use crate::support::tcp;
use crate::support::wire::{ROLES, close, close_payload, frame, peer_of};

async fn close_normally(connection: &mut Connection<DuplexStream>) -> Result<(), Error> {
    connection.close(CloseCode::NORMAL, "").await
}

#[tokio::test]
async fn close_sends_what_was_queued_and_its_frame_and_drops_what_still_comes() {
    for us in ROLES {
        let (mut connection, mut peer) = memory::connection(us, Settings::default());
        connection.feed("queued").await.unwrap();
        let sender = peer_of(us);
        let wire = [frame(sender, 0x81, b"late"), frame(sender, 0x01, b"unfinished")].concat();
        peer.write_all(&wire).await.unwrap();
        peer.write_all(&close(sender, 1000, "")).await.unwrap();
        peer.shutdown().await.unwrap();
        connection.close(CloseCode::new(4000), "why").await.unwrap();
        drop(connection);
        let read = frames(us, &memory::read_to_end(&mut peer).await);
        assert_eq!(read, [(0x81, b"queued".to_vec()), (0x88, close_payload(4000, "why"))]);
    }
}

#[tokio::test]
async fn the_server_ends_tcp_first() {
    let (mut server, mut peer) = memory::connection(Role::Server, Settings::default());
    assert!(waits(close_normally(&mut server)).await);
    peer.write_all(&close(Role::Client, 1000, "")).await.unwrap();
    assert!(waits(server.recv()).await, "the client's end is awaited");
    let read = memory::read_to_end(&mut peer).await;
    assert_eq!(frames(Role::Server, &read), [(0x88, close_payload(1000, ""))]);
    drop(peer);
    assert_eq!(server.recv().await.unwrap(), None);
}

#[tokio::test]
async fn the_client_leaves_it_to_the_server_to_end_tcp() {
    let (mut client, mut peer) = memory::connection(Role::Client, Settings::default());
    assert!(waits(close_normally(&mut client)).await);
    peer.write_all(&close(Role::Server, 1000, "")).await.unwrap();
    assert!(waits(client.recv()).await);
    read_some(&mut peer).await;
    assert!(waits(peer.read_u8()).await, "no end before the server's");
    peer.shutdown().await.unwrap();
    assert_eq!(client.recv().await.unwrap(), None);
    assert_eq!(peer.read(&mut [0]).await.unwrap(), 0, "the client's end");
}

#[tokio::test]
async fn close_reads_on_so_that_its_frame_reaches_a_peer_that_is_still_sending() {
    for us in ROLES {
        let (mut connection, mut stream) = tcp::connection(us, Settings::default()).await;
        let peer = async move {
            for _ in 0..100 {
                stream.write_all(&frame(peer_of(us), 0x82, &[7; 80_000])).await.expect("we read");
            }
            stream.write_all(&close(peer_of(us), 1000, "")).await.expect("we read");
            stream.shutdown().await.expect("an open connection");
            tcp::read_to_end(&mut stream).await
        };
        let ours = async {
            let closed = connection.close(CloseCode::GOING_AWAY, "").await;
            drop(connection);
            closed
        };
        let (closed, read) = tokio::join!(ours, peer);
        closed.unwrap();
        assert_eq!(frames(us, &read), [(0x88, close_payload(1001, ""))]);
    }
}

/// How long close takes beside this peer, whose stream stays open, and how it ends.
async fn closed_beside(
    us: Role,
    settings: Settings,
    peer: impl AsyncFnOnce(DuplexStream) -> DuplexStream,
) -> (Duration, Result<(), Error>) {
    let (mut connection, stream) = memory::connection(us, settings);
    let peer = async {
        let _open = peer(stream).await;
        pending::<()>().await;
    };
    let since = Instant::now();
    tokio::select! {
        biased;
        closed = close_normally(&mut connection) => (since.elapsed(), closed),
        () = peer => unreachable!(),
    }
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_never_answers_holds_close_for_5_seconds() {
    for us in ROLES {
        let silent = async |stream| stream;
        let (took, closed) = closed_beside(us, Settings::default(), silent).await;
        assert_eq!(took.as_secs(), 5);
        assert!(matches!(closed, Err(Error::CloseTimeout)));
        let settings = Settings::default().close_timeout(Duration::from_secs(70));
        assert_eq!(closed_beside(us, settings, silent).await.0.as_secs(), 70);
    }
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_stops_in_the_middle_of_a_frame_stretches_nothing() {
    for us in ROLES {
        let whole = frame(peer_of(us), 0x82, &[7; 1000]);
        for cut in [1, 3, 500] {
            let stops = async |mut stream: DuplexStream| {
                stream.write_all(&whole[..cut]).await.unwrap();
                stream
            };
            let (took, closed) = closed_beside(us, Settings::default(), stops).await;
            assert_eq!(took.as_secs(), 5);
            assert!(matches!(closed, Err(Error::CloseTimeout)));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_goes_on_sending_stretches_nothing() {
    for us in ROLES {
        let endless = async |mut stream: DuplexStream| loop {
            stream.write_all(&frame(peer_of(us), 0x81, b"more")).await.unwrap();
            sleep(Duration::from_millis(700)).await;
        };
        let (took, closed) = closed_beside(us, Settings::default(), endless).await;
        assert_eq!(took.as_secs(), 5);
        assert!(matches!(closed, Err(Error::CloseTimeout)));
    }
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_takes_nothing_stretches_nothing() {
    for us in ROLES {
        let (mut connection, _peer) = memory::connection(us, Settings::default());
        connection.feed(vec![7; 2 * PIPE]).await.unwrap();
        let since = Instant::now();
        assert!(matches!(close_normally(&mut connection).await, Err(Error::CloseTimeout)));
        assert_eq!(since.elapsed().as_secs(), 5);
        assert_eq!(connection.queued(), 0, "nothing more will be written");
    }
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_answers_and_stays_holds_close_for_a_quarter_of_a_second() {
    for us in ROLES {
        let stays = async |mut stream: DuplexStream| {
            sleep(Duration::from_secs(3)).await;
            stream.write_all(&close(peer_of(us), 1000, "")).await.unwrap();
            stream
        };
        let (took, closed) = closed_beside(us, Settings::default(), stays).await;
        assert_eq!(took.as_millis(), 3250);
        closed.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_broke_the_protocol_and_stays_is_left_after_a_quarter_of_a_second() {
    for us in ROLES {
        let (mut connection, mut peer) = memory::connection(us, Settings::default());
        peer.write_all(&frame(peer_of(us), 0x83, b"")).await.unwrap();
        let since = Instant::now();
        assert!(matches!(connection.recv().await, Err(Error::Protocol(_))));
        assert_eq!(since.elapsed().as_millis(), 250);
    }
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_broke_the_protocol_and_never_stops_sending_is_left_after_64_mib() {
    for us in ROLES {
        let (mut connection, mut peer) = memory::connection(us, Settings::default());
        let floods = async {
            peer.write_all(&frame(peer_of(us), 0x83, b"")).await.unwrap();
            loop {
                peer.write_all(&[0; PIPE]).await.unwrap();
            }
        };
        let since = Instant::now();
        tokio::select! {
            ended = connection.recv() => assert!(matches!(ended, Err(Error::Protocol(_)))),
            () = floods => unreachable!(),
        }
        assert_eq!(since.elapsed(), Duration::ZERO, "bounded by bytes");
    }
}

#[tokio::test(start_paused = true)]
async fn the_deadline_runs_on_while_close_is_dropped_and_called_again() {
    for us in ROLES {
        let (mut connection, _peer) = memory::connection(us, Settings::default());
        let since = Instant::now();
        let given_up = timeout(Duration::from_secs(3), close_normally(&mut connection)).await;
        assert!(given_up.is_err());
        assert!(matches!(connection.recv().await, Err(Error::CloseTimeout)));
        assert_eq!(since.elapsed().as_secs(), 5);
        assert!(matches!(close_normally(&mut connection).await, Err(Error::CloseTimeout)));
        assert_eq!(since.elapsed().as_secs(), 5, "asked again, it says so at once");
    }
}

#[tokio::test]
async fn a_peer_that_leaves_without_an_answer_is_told() {
    for us in ROLES {
        let (mut connection, peer) = memory::connection(us, Settings::default());
        drop(peer);
        let ended = close_normally(&mut connection).await;
        let Err(Error::Cut(Some(why))) = ended else { panic!("{ended:?}") };
        assert_eq!(why.kind(), ErrorKind::BrokenPipe, "our frame could not be written");
        let (mut connection, mut peer) = memory::connection(us, Settings::default());
        peer.shutdown().await.unwrap();
        assert!(matches!(close_normally(&mut connection).await, Err(Error::Cut(_))));
        let (mut connection, peer) = tcp::connection(us, Settings::default()).await;
        peer.set_zero_linger().unwrap();
        drop(peer);
        let ended = connection.close(CloseCode::NORMAL, "").await;
        assert!(matches!(ended, Err(Error::Cut(Some(_)))), "a reset: {ended:?}");
    }
}

#[tokio::test]
async fn the_peers_own_code_is_no_error_of_close() {
    for us in ROLES {
        let (mut connection, mut peer) = memory::connection(us, Settings::default());
        peer.write_all(&close(peer_of(us), 4002, "mine")).await.unwrap();
        peer.shutdown().await.unwrap();
        close_normally(&mut connection).await.unwrap();
        assert_eq!(connection.close_frame().map(|frame| frame.reason()), Some("mine"));
    }
}

#[tokio::test]
async fn close_after_the_peers_close_and_close_twice_say_how_the_connection_ended() {
    for us in ROLES {
        let (mut connection, mut peer) = memory::connection(us, Settings::default());
        peer.write_all(&close(peer_of(us), 1000, "")).await.unwrap();
        peer.shutdown().await.unwrap();
        assert_eq!(connection.recv().await.unwrap(), None);
        close_normally(&mut connection).await.unwrap();
        connection.close(CloseCode::new(4000), "again").await.unwrap();
        drop(connection);
        let read = memory::read_to_end(&mut peer).await;
        assert_eq!(frames(us, &read), [(0x88, close_payload(1000, ""))], "one close frame");
        let (mut connection, mut peer) = memory::connection(us, Settings::default());
        peer.write_all(&frame(peer_of(us), 0x83, b"")).await.unwrap();
        peer.shutdown().await.unwrap();
        connection.recv().await.unwrap_err();
        assert!(matches!(close_normally(&mut connection).await, Err(Error::Protocol(_))));
    }
}

#[tokio::test]
async fn a_bad_code_or_a_long_reason_sends_nothing() {
    for us in ROLES {
        let (mut connection, mut peer) = memory::connection(us, Settings::default());
        for code in [0, 999, 1004, 1005, 1006, 1015, 2999, 5000] {
            let error = connection.close(CloseCode::new(code), "").await.unwrap_err();
            assert!(matches!(error, Error::Send(EncodeError::CloseCodeInvalid(it)) if it == code));
        }
        let error = connection.close(CloseCode::NORMAL, "x".repeat(124)).await.unwrap_err();
        assert!(matches!(error, Error::Send(EncodeError::ReasonTooLong(124))));
        connection.send("still open").await.unwrap();
        assert_eq!(frames(us, &read_some(&mut peer).await), [(0x81, b"still open".to_vec())]);
        assert!(waits(connection.close(CloseCode::new(4999), "x".repeat(123))).await);
        let longest = [(0x88, close_payload(4999, &"x".repeat(123)))];
        assert_eq!(frames(us, &read_some(&mut peer).await), longest);
    }
}
