//! Our stream of TLS, both sides and by both versions: how its bytes are cut and gathered, and how it ends.

use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::Poll;

use tokio::io::{
    AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufStream, DuplexStream,
    duplex,
};
use ws_tokio::rustls::ProtocolVersion;
use ws_tokio::{ServerTls, TlsError};

use crate::authority::Authority;
use crate::peer::{Stream, all_terms, open};
use crate::support::now::now;

/// Room for whatever a test sends.
const WIDE: usize = 1 << 20;

/// Bytes of which each tells its place.
fn numbered(len: usize) -> Vec<u8> {
    (0..len).map(|index| (index / 7) as u8 ^ (index / 1000) as u8).collect()
}

async fn read_exact(stream: &mut (impl AsyncRead + Unpin), len: usize) -> Vec<u8> {
    let mut read = vec![0; len];
    stream.read_exact(&mut read).await.expect("enough");
    read
}

#[tokio::test]
async fn handshakes_and_records_pass_however_narrow_the_pipe_is() {
    for pipe in [7, 8, 61, 1000, 20_000] {
        for terms in all_terms(pipe) {
            let (ours, mut peer) = open(terms).await;
            let (mut reading, mut writing) = tokio::io::split(ours);
            let sent = numbered(40_000);
            let echo = async {
                let echoed = read_exact(&mut reading, sent.len()).await;
                writing.write_all(&echoed).await.unwrap();
                writing.shutdown().await.unwrap();
                assert_eq!(reading.read(&mut [0; 8]).await.unwrap(), 0);
            };
            let peer = async {
                peer.send(&sent).await;
                assert_eq!(peer.receive(sent.len()).await, sent, "{terms:?}");
                while !peer.session.process_new_packets().unwrap().peer_has_closed() {
                    assert!(peer.read().await.unwrap().is_empty());
                }
                peer.close().await;
            };
            tokio::join!(echo, peer);
        }
    }
}

#[tokio::test]
async fn a_record_can_be_cut_at_each_byte_and_the_reader_dropped() {
    for terms in all_terms(WIDE) {
        let (mut ours, mut peer) = open(terms).await;
        for cut in 0.. {
            let records = peer.sealed(b"what is cut");
            if cut > records.len() {
                break;
            }
            peer.pipe.write_all(&records[..cut]).await.unwrap();
            let mut read = [0; 64];
            let early = now(ours.read(&mut read)).await;
            assert_eq!(early.is_some(), cut == records.len(), "{terms:?}: {cut}");
            peer.pipe.write_all(&records[cut..]).await.unwrap();
            let len = match early {
                Some(len) => len.unwrap(),
                None => ours.read(&mut read).await.unwrap(),
            };
            assert_eq!(&read[..len], b"what is cut");
        }
    }
}

#[tokio::test]
async fn records_that_arrived_together_are_one_read_and_small_reads_lose_nothing() {
    for terms in all_terms(WIDE) {
        let (mut ours, mut peer) = open(terms).await;
        let records: Vec<u8> = (0..5).flat_map(|index| peer.sealed(&[index; 100])).collect();
        peer.pipe.write_all(&records).await.unwrap();
        let mut read = [9; 1024];
        assert_eq!(ours.read(&mut read).await.unwrap(), 500, "{terms:?}");
        assert!(read[..500].iter().enumerate().all(|(at, &byte)| usize::from(byte) == at / 100));

        let sent = numbered(50_000);
        peer.send(&sent).await;
        let mut got = Vec::new();
        for room in [0, 1, 2, 3, 5, 100, 16_384, 20_000].into_iter().cycle() {
            let mut read = vec![0; room];
            let len = ours.read(&mut read).await.unwrap();
            assert_eq!(len == 0, room == 0, "no end");
            got.extend_from_slice(&read[..len]);
            if got.len() == sent.len() {
                break;
            }
            // Writing goes on while records wait.
            assert_eq!(ours.write(b"x").await.unwrap(), 1);
        }
        assert_eq!(got, sent);
        assert!(peer.read().await.unwrap().iter().all(|&byte| byte == b'x'));
    }
}

#[tokio::test]
async fn records_without_contents_are_no_end() {
    for terms in all_terms(WIDE) {
        let (mut ours, mut peer) = open(terms).await;
        peer.send(b"").await;
        assert!(now(ours.read(&mut [0; 8])).await.is_none());
        while now(peer.read()).await.is_some() {}
        ours.write_all(b"").await.unwrap();
        assert!(now(peer.read()).await.is_none(), "nothing to send, no record");
        peer.send(b"x").await;
        assert_eq!(read_exact(&mut ours, 1).await, b"x");
    }
}

async fn write_vectored(stream: &mut Box<dyn Stream>, slices: &[&[u8]]) -> usize {
    let slices: Vec<_> = slices.iter().map(|slice| IoSlice::new(slice)).collect();
    stream.write_vectored(&slices).await.expect("written")
}

#[tokio::test]
async fn slices_are_written_in_order_the_small_ones_in_one_record() {
    for terms in all_terms(WIDE) {
        let (mut ours, mut peer) = open(terms).await;
        let parts = [numbered(3), numbered(0), numbered(10), numbered(30_000), numbered(20)];
        let whole = parts.concat();
        let slices: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
        assert_eq!(write_vectored(&mut ours, &slices).await, whole.len());
        assert_eq!(peer.receive(whole.len()).await, whole, "{terms:?}");
        assert!(ours.is_write_vectored());
        assert_eq!(write_vectored(&mut ours, &[b"a", b"bc", b"", b"d"]).await, 4);
        let mut record = [0; 256];
        let len = peer.pipe.read(&mut record).await.unwrap();
        let payload = usize::from(u16::from_be_bytes([record[3], record[4]]));
        assert_eq!(len, 5 + payload, "one record");
        assert_eq!(write_vectored(&mut ours, &[]).await, 0);
    }
}

#[tokio::test]
async fn a_peer_that_does_not_read_stops_the_writer_and_nothing_is_lost() {
    const PIPE: usize = 1000;
    for terms in all_terms(PIPE) {
        let (mut ours, mut peer) = open(terms).await;
        let sent = numbered(500_000);
        let mut accepted = 0;
        while let Some(len) = now(ours.write(&sent[accepted..])).await {
            accepted += len.unwrap();
        }
        assert!(accepted <= 80 << 10, "{accepted} bytes ahead of the pipe");
        let rest = async {
            ours.write_all(&sent[accepted..]).await.unwrap();
            ours.flush().await.unwrap();
        };
        let (got, ()) = tokio::join!(peer.receive(sent.len()), rest);
        assert_eq!(got, sent);
    }
}

#[tokio::test]
async fn after_our_close_notify_the_peer_can_still_be_read_and_nothing_written() {
    for terms in all_terms(WIDE) {
        let (mut ours, mut peer) = open(terms).await;
        ours.write_all(b"the last").await.unwrap();
        ours.shutdown().await.unwrap();
        assert_eq!(peer.receive(8).await, b"the last");
        assert!(peer.session.process_new_packets().unwrap().peer_has_closed(), "{terms:?}");
        let error = ours.write(b"more").await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
        ours.shutdown().await.expect("done before");
        peer.send(b"answer").await;
        assert_eq!(read_exact(&mut ours, 6).await, b"answer");
        peer.close().await;
        assert_eq!(ours.read(&mut [0; 8]).await.unwrap(), 0);
        let error = ours.write(b"more").await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
    }
}

#[tokio::test]
async fn the_peers_close_notify_is_an_end_behind_which_all_is_ignored_and_we_can_still_write() {
    for terms in all_terms(WIDE) {
        let (mut ours, mut peer) = open(terms).await;
        let mut records = peer.sealed(b"the last");
        peer.session.send_close_notify();
        records.extend(peer.unsent());
        records.extend_from_slice(b"no record");
        peer.pipe.write_all(&records).await.unwrap();
        assert_eq!(read_exact(&mut ours, 8).await, b"the last", "{terms:?}");
        for _ in 0..3 {
            assert_eq!(ours.read(&mut [0; 8]).await.unwrap(), 0);
        }
        ours.write_all(b"answer").await.unwrap();
        assert_eq!(peer.receive(6).await, b"answer");
        ours.shutdown().await.unwrap();
        _ = peer.read().await.unwrap();
        assert!(peer.session.process_new_packets().unwrap().peer_has_closed());
    }
}

#[tokio::test]
async fn an_end_without_close_notify_is_an_error_behind_what_came_before() {
    for terms in all_terms(WIDE) {
        for of_another in [0, 1, 20] {
            let (mut ours, mut peer) = open(terms).await;
            let mut records = peer.sealed(b"the last");
            records.extend_from_slice(&peer.sealed(b"cut")[..of_another]);
            peer.pipe.write_all(&records).await.unwrap();
            drop(peer);
            assert_eq!(read_exact(&mut ours, 8).await, b"the last", "{terms:?}");
            for _ in 0..2 {
                let error = ours.read(&mut [0; 8]).await.unwrap_err();
                assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
            }
        }
    }
}

#[tokio::test]
async fn lines_pass_through_a_buffered_stream() {
    for terms in all_terms(WIDE) {
        let (ours, mut peer) = open(terms).await;
        let mut ours = BufStream::with_capacity(10, 10, ours);
        peer.send(b"one line\nanother\n").await;
        let mut line = String::new();
        ours.read_line(&mut line).await.unwrap();
        ours.read_line(&mut line).await.unwrap();
        assert_eq!(line, "one line\nanother\n");
        ours.write_all(b"an answer that is longer").await.unwrap();
        ours.flush().await.unwrap();
        assert_eq!(peer.receive(24).await, b"an answer that is longer");
    }
}

fn server() -> ServerTls {
    Authority::new().server(&["localhost"])
}

#[tokio::test]
async fn a_handshake_that_is_cut_at_any_byte_or_no_handshake_is_an_error() {
    let authority = Authority::new();
    let config = crate::roots(&authority);
    let config = ws_tokio::rustls::ClientConfig::builder()
        .with_root_certificates(config)
        .with_no_client_auth();
    let name = "localhost".try_into().unwrap();
    let mut client =
        ws_tokio::rustls::ClientConnection::new(std::sync::Arc::new(config), name).unwrap();
    let mut hello = Vec::new();
    client.write_tls(&mut hello).unwrap();
    let accept = async |bytes: &[u8]| {
        let (mut far, near) = duplex(WIDE);
        far.write_all(bytes).await.unwrap();
        far.shutdown().await.unwrap();
        match server().accept(near).await {
            Err(TlsError::Handshake(error)) => error,
            other => panic!("{other:?}"),
        }
    };
    for cut in (0..=hello.len()).step_by(11) {
        let error = accept(&hello[..cut]).await;
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof, "{cut} of {}", hello.len());
    }
    for nonsense in [&b"GET / HTTP/1.1\r\n\r\n"[..], &[0x16, 3, 1, 0xff, 0xff, 0], &[0; 100]] {
        assert_eq!(accept(nonsense).await.kind(), io::ErrorKind::InvalidData);
    }
}

#[tokio::test]
async fn a_handshake_message_without_end_is_refused() {
    let (mut far, near) = duplex(4096);
    let accepting = tokio::spawn(async move { server().accept(near).await.map(drop) });
    // A ClientHello that claims to have 65 535 bytes, one byte in each record: they cost more than they bring.
    let first = [0x16, 3, 1, 0, 4, 1, 0, 0xff, 0xff];
    far.write_all(&first).await.unwrap();
    let more = [0x16, 3, 1, 0, 1, 7].repeat(1000);
    while far.write_all(&more).await.is_ok() {}
    let error = accepting.await.unwrap().unwrap_err();
    let TlsError::Handshake(error) = error else { panic!("{error}") };
    assert_eq!(error.kind(), io::ErrorKind::InvalidData, "{error}");
}

#[tokio::test]
async fn what_was_agreed_and_the_name_that_was_asked_for_can_be_read() {
    let authority = Authority::new();
    let (server, roots) = (authority.server(&["localhost", "127.0.0.1"]), crate::roots(&authority));
    let config = ws_tokio::rustls::ClientConfig::builder()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let connector = ws_tokio::tokio_rustls::TlsConnector::from(std::sync::Arc::new(config));
    for (asked, told) in [("LocalHost", Some("localhost")), ("127.0.0.1", None)] {
        let (near, far) = duplex(WIDE);
        let name = asked.to_owned().try_into().unwrap();
        let (stream, _peer) = tokio::join!(server.accept(near), connector.connect(name, far));
        let stream = stream.unwrap();
        assert_eq!(stream.server_name(), told);
        let (_below, state): (&DuplexStream, _) = stream.get_ref();
        assert_eq!(state.protocol_version(), Some(ProtocolVersion::TLSv1_3));
    }
}

#[tokio::test]
async fn a_record_behind_the_handshake_waits_for_its_reader_while_we_write() {
    let authority = Authority::new();
    let server = authority.server(&["localhost"]);
    let config = ws_tokio::rustls::ClientConfig::builder()
        .with_root_certificates(crate::roots(&authority))
        .with_no_client_auth();
    let connector = ws_tokio::tokio_rustls::TlsConnector::from(std::sync::Arc::new(config));
    let (near, far) = duplex(WIDE);
    let client = async {
        let name = "localhost".try_into().unwrap();
        let mut stream = connector.connect(name, far).await.unwrap();
        stream.write_all(b"at once").await.unwrap();
        stream
    };
    let (ours, mut client) = tokio::join!(server.accept(near), client);
    let mut ours = ours.unwrap();
    ours.write_all(b"me first").await.unwrap();
    assert_eq!(read_exact(&mut ours, 7).await, b"at once");
    assert_eq!(read_exact(&mut client, 8).await, b"me first");
}

/// As a task would that writes and never flushes: what was accepted leaves with the next call.
#[tokio::test]
async fn what_the_pipe_did_not_take_leaves_with_the_next_flush() {
    for terms in all_terms(64) {
        let (mut ours, mut peer) = open(terms).await;
        let sent = numbered(1000);
        let written = poll_fn(|cx| Poll::Ready(Pin::new(&mut ours).poll_write(cx, &sent))).await;
        assert!(matches!(written, Poll::Ready(Ok(1000))), "{terms:?}");
        let (got, flushed) = tokio::join!(peer.receive(1000), ours.flush());
        flushed.unwrap();
        assert_eq!(got, sent);
    }
}
