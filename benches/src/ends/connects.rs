//! Opening handshakes of clients: each connection is made, and reset.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;

use bytes::Bytes;
use futures_util::future::FutureExt;
use http_body_util::Empty;
use hyper_util::rt::TokioExecutor;
use tokio::net::TcpStream;
use ws_tokio::ConnectOptions;
use ws_tokio::http::Request;
use ws_tokio::http::header::{CONNECTION, HOST, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE};

use crate::load::handshakes;

/// One way of connecting.
pub struct Connect {
    /// What the tables call it.
    pub name: &'static str,
    /// Connects once.
    pub once: fn(SocketAddr) -> Connecting,
}

/// A connection that is made, and reset.
pub type Connecting = Pin<Box<dyn Future<Output = io::Result<()>> + Send>>;

/// Every way; the first is the floor.
pub static CONNECTS: &[Connect] = &[
    Connect { name: "floor", once: |address| handshakes::raw(address).boxed() },
    Connect { name: "ws-tokio", once: |address| ours(address).boxed() },
    Connect { name: "sockudo-ws", once: |address| sockudo(address).boxed() },
    Connect { name: "yawc", once: |address| yawc(address).boxed() },
    Connect { name: "fastwebsockets", once: |address| fastwebsockets(address).boxed() },
    Connect { name: "tokio-websockets", once: |address| tokio_websockets(address).boxed() },
    Connect { name: "tokio-tungstenite", once: |address| tungstenite(address).boxed() },
];

/// A stream that is reset when it is dropped, so that its port is free again at once.
async fn stream(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address).await?;
    stream.set_zero_linger()?;
    Ok(stream)
}

const URL: &str = "ws://localhost/";

async fn ours(address: SocketAddr) -> io::Result<()> {
    let connected = ConnectOptions::default().connect_over(stream(address).await?, URL).await;
    connected.map(drop).map_err(io::Error::other)
}

async fn sockudo(address: SocketAddr) -> io::Result<()> {
    let mut stream = stream(address).await?;
    let shaken = sockudo_ws::handshake::client_handshake(&mut stream, "localhost", "/", None);
    shaken.await.map_err(io::Error::other)?;
    drop(sockudo_ws::WebSocketStream::client(stream, sockudo_ws::Config::default()));
    Ok(())
}

async fn yawc(address: SocketAddr) -> io::Result<()> {
    let url = URL.parse().map_err(io::Error::other)?;
    let options = yawc::Options::default().without_compression();
    let connected = yawc::WebSocket::handshake(url, stream(address).await?, options);
    connected.await.map(drop).map_err(io::Error::other)
}

async fn fastwebsockets(address: SocketAddr) -> io::Result<()> {
    let request = Request::builder()
        .uri(URL)
        .header(HOST, "localhost")
        .header(UPGRADE, "websocket")
        .header(CONNECTION, "upgrade")
        .header(SEC_WEBSOCKET_KEY, fastwebsockets::handshake::generate_key())
        .header(SEC_WEBSOCKET_VERSION, "13")
        .body(Empty::<Bytes>::new())
        .map_err(io::Error::other)?;
    let stream = stream(address).await?;
    let executor = TokioExecutor::new();
    let connected = fastwebsockets::handshake::client(&executor, request, stream);
    connected.await.map(drop).map_err(io::Error::other)
}

async fn tokio_websockets(address: SocketAddr) -> io::Result<()> {
    let builder = tokio_websockets::ClientBuilder::new().uri(URL).map_err(io::Error::other)?;
    let connected = builder.connect_on(stream(address).await?);
    connected.await.map(drop).map_err(io::Error::other)
}

async fn tungstenite(address: SocketAddr) -> io::Result<()> {
    let connected = tokio_tungstenite::client_async(URL, stream(address).await?);
    connected.await.map(drop).map_err(io::Error::other)
}
