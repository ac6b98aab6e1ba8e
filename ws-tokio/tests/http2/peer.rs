//! Peers that speak HTTP/2 by `h2` alone, and do what ours doesn't.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use h2::client::SendRequest;
use h2::ext::Protocol;
use h2::{RecvStream, SendStream};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, mpsc};
use ws_tokio::Connection;
use ws_tokio::http::{Method, Request, Response, Version};
use ws_tokio::rustls::ServerConfig;
use ws_tokio::tokio_rustls::TlsAcceptor;

use crate::authority::Authority;

/// A session of a client of `h2`'s, whose connection is driven by a task.
pub(crate) async fn client(address: SocketAddr) -> SendRequest<Bytes> {
    client_with(address, &h2::client::Builder::new()).await
}

pub(crate) async fn client_with(
    address: SocketAddr,
    builder: &h2::client::Builder,
) -> SendRequest<Bytes> {
    let stream = TcpStream::connect(address).await.expect("a server");
    stream.set_nodelay(true).expect("a socket");
    let (requests, connection) = builder.handshake(stream).await.expect("HTTP/2");
    tokio::spawn(async move { _ = connection.await });
    let mut requests = requests.ready().await.expect("a session");
    while !requests.is_extended_connect_protocol_enabled() {
        tokio::task::yield_now().await;
        requests = requests.ready().await.expect("a session");
    }
    requests
}

/// An extended CONNECT.
pub(crate) fn request() -> Request<()> {
    let mut request = Request::new(());
    *request.method_mut() = Method::CONNECT;
    *request.version_mut() = Version::HTTP_2;
    *request.uri_mut() = "http://server/".parse().expect("a URI");
    request.headers_mut().insert("sec-websocket-version", "13".parse().expect("a value"));
    request.extensions_mut().insert(Protocol::from_static("websocket"));
    request
}

/// Opens a WebSocket.
pub(crate) async fn websocket(
    requests: &mut SendRequest<Bytes>,
) -> (SendStream<Bytes>, RecvStream) {
    let (response, send) = requests.send_request(request(), false).expect("a stream");
    let response = response.await.expect("an answer");
    assert_eq!(response.status(), 200);
    (send, response.into_body())
}

/// All that comes until the end of the stream.
pub(crate) async fn read_to_end(recv: &mut RecvStream) -> Result<Vec<u8>, h2::Error> {
    let mut read = Vec::new();
    while let Some(chunk) = recv.data().await {
        let chunk = chunk?;
        recv.flow_control().release_capacity(chunk.len())?;
        read.extend_from_slice(&chunk);
    }
    Ok(read)
}

/// So many bytes.
pub(crate) async fn read_exact(recv: &mut RecvStream, count: usize) -> Vec<u8> {
    let mut read = Vec::new();
    while read.len() < count {
        let chunk = recv.data().await.expect("not the end").expect("not reset");
        recv.flow_control().release_capacity(chunk.len()).expect("held");
        read.extend_from_slice(&chunk);
    }
    assert_eq!(read.len(), count, "{read:02x?}");
    read
}

/// A masked frame; the mask is zero.
pub(crate) fn frame(first: u8, payload: &[u8]) -> Bytes {
    let mut frame = BytesMut::from(&[first][..]);
    match u16::try_from(payload.len()).expect("short") {
        length @ ..126 => frame.extend_from_slice(&[0x80 | length as u8]),
        length => {
            frame.extend_from_slice(&[0x80 | 126]);
            frame.extend_from_slice(&length.to_be_bytes());
        }
    }
    frame.extend_from_slice(&[0; 4]);
    frame.extend_from_slice(payload);
    frame.freeze()
}

/// A server over TLS that speaks HTTP/2 without extended CONNECT, and echoes over HTTP/1.1.
pub(crate) async fn tls_without_connect(authority: &Authority) -> SocketAddr {
    crate::choose_provider();
    let issued = authority.issue(&["localhost"]);
    let config = ServerConfig::builder().with_no_client_auth();
    let mut config = config.with_single_cert(issued.chain, issued.key).expect("a certificate");
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a listener");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.expect("a client");
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let stream = acceptor.accept(stream).await.expect("TLS");
                if stream.get_ref().1.alpn_protocol() == Some(b"h2") {
                    let mut connection = h2::server::handshake(stream).await.expect("HTTP/2");
                    while connection.accept().await.is_some() {}
                } else {
                    let mut connection = ws_tokio::accept(stream).await.expect("a handshake");
                    _ = connection.run(|message, outbox| outbox.send(message)).await;
                }
            });
        }
    });
    address
}

/// A server that accepts every stream and echoes its bytes, and says on each connection that it goes away once it is notified; it
/// notifies in turn then. Masks are zero, so that what a client sent is what a server would.
pub(crate) async fn leaving_server() -> (SocketAddr, Arc<Notify>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a listener");
    let address = listener.local_addr().expect("an address");
    let gone = Arc::new(Notify::new());
    let leave = gone.clone();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.expect("a client");
            let leave = leave.clone();
            tokio::spawn(async move {
                let mut builder = h2::server::Builder::new();
                builder.enable_connect_protocol();
                let mut connection = builder.handshake(stream).await.expect("HTTP/2");
                let mut told = false;
                loop {
                    tokio::select! {
                        asked = connection.accept() => {
                            let Some(Ok((request, respond))) = asked else { return };
                            tokio::spawn(echo(request, respond));
                        }
                        () = leave.notified(), if !told => {
                            told = true;
                            connection.graceful_shutdown();
                            let leave = leave.clone();
                            tokio::spawn(async move {
                                // Past the round trip of its ping.
                                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
                                leave.notify_one();
                            });
                        }
                    }
                }
            });
        }
    });
    (address, gone)
}

type Bare = (SendStream<Bytes>, RecvStream);

/// A WebSocket of our client's, and the stream at its bare server's end.
pub(crate) async fn opened() -> (Connection, Bare) {
    let (address, mut streams) = bare_server().await;
    let session = crate::session(address);
    let opening = tokio::spawn(async move { crate::open(&session, "/").await });
    let stream = streams.recv().await.expect("a stream");
    (opening.await.expect("a WebSocket"), stream)
}

/// A server that accepts every stream, and hands it over.
async fn bare_server() -> (SocketAddr, mpsc::Receiver<Bare>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a listener");
    let address = listener.local_addr().expect("an address");
    let (streams, received) = mpsc::channel(1);
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.expect("a client");
            let streams = streams.clone();
            tokio::spawn(async move {
                let mut builder = h2::server::Builder::new();
                builder.enable_connect_protocol();
                let mut connection = builder.handshake(stream).await.expect("HTTP/2");
                while let Some(Ok((request, mut respond))) = connection.accept().await {
                    let send = respond.send_response(Response::new(()), false).expect("open");
                    _ = streams.send((send, request.into_body())).await;
                }
            });
        }
    });
    (address, received)
}

/// Echoes messages: a WebSocket of ours over `h2`'s stream.
async fn echo(request: Request<RecvStream>, mut respond: h2::server::SendResponse<Bytes>) {
    let mut recv = request.into_body();
    let mut send = respond.send_response(Response::new(()), false).expect("an answer");
    let (ours, theirs) = tokio::io::duplex(64 << 10);
    let mut connection = ws_tokio::Connection::from_upgraded(
        ours,
        ws_tokio::Role::Server,
        BytesMut::new(),
        ws_tokio::Negotiated::default(),
        ws_tokio::Settings::default(),
    );
    tokio::spawn(async move { _ = connection.run(|message, outbox| outbox.send(message)).await });
    let (mut read, mut write) = tokio::io::split(theirs);
    let incoming = async move {
        use tokio::io::AsyncWriteExt;
        while let Some(Ok(chunk)) = recv.data().await {
            _ = recv.flow_control().release_capacity(chunk.len());
            write.write_all(&chunk).await.expect("open");
        }
    };
    let outgoing = async move {
        use tokio::io::AsyncReadExt;
        let mut buffer = BytesMut::new();
        while read.read_buf(&mut buffer).await.expect("open") > 0 {
            send.send_data(buffer.split().freeze(), false).expect("open");
        }
    };
    tokio::join!(incoming, outgoing);
}
