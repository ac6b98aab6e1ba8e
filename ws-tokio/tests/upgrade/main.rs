//! Connections taken over from hyper and axum: the same judge, no byte lost, and a shutdown that reaches them.

mod behind_axum;
mod behind_hyper;
#[cfg(feature = "http2")]
mod over_http2;
#[cfg(feature = "ring")]
mod over_tls;
mod refusals;
mod shutdown;

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use ws_tokio::http::{Request, Response};
use ws_tokio::{AcceptError, AcceptOptions, Connection, Upgrading};

/// What a handler of hyper's that takes every connection over comes to.
type Taken = mpsc::UnboundedReceiver<Result<Connection, AcceptError>>;

/// The request of the RFC's example (RFC 6455, 1.2).
const REQUEST: &str = "GET /chat HTTP/1.1\r\nHost: server.example.com\r\n\
    Upgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

/// A masked text message, `hi`, with the key zero.
const HI: &[u8] = b"\x81\x82\0\0\0\0hi";

/// A hyper server on a free port, whose handler makes a response of a request.
async fn hyper_server<H, F>(handler: H) -> SocketAddr
where
    H: Fn(Request<Incoming>) -> F + Send + Sync + 'static,
    F: Future<Output = Response<Full<Bytes>>> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let handler = Arc::new(handler);
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.expect("a connection");
            tokio::spawn(serve_hyper(stream, handler.clone()));
        }
    });
    address
}

async fn serve_hyper<H, F>(stream: TcpStream, handler: Arc<H>)
where
    H: Fn(Request<Incoming>) -> F,
    F: Future<Output = Response<Full<Bytes>>> + Send + 'static,
{
    let service = service_fn(move |request| {
        let response = handler(request);
        async move { Ok::<_, Infallible>(response.await) }
    });
    let serving = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    _ = serving.with_upgrades().await;
}

/// Answers as the options say. What becomes of the connection goes to `taken`.
fn respond(
    options: &AcceptOptions,
    request: &mut Request<Incoming>,
    taken: &mpsc::UnboundedSender<Result<Connection, AcceptError>>,
) -> Response<Full<Bytes>> {
    match options.upgrade(request) {
        Ok(upgrade) => {
            let (response, connecting) = upgrade.answer();
            take(connecting, taken);
            response
        }
        Err(refused) => refused.response(),
    }
}

fn take(connecting: Upgrading, taken: &mpsc::UnboundedSender<Result<Connection, AcceptError>>) {
    let taken = taken.clone();
    tokio::spawn(async move { _ = taken.send(connecting.await) });
}

/// A hyper server with these options, and the connections that it takes over.
async fn hyper_taking(options: AcceptOptions) -> (SocketAddr, Taken) {
    let (sender, taken) = mpsc::unbounded_channel();
    let address = hyper_server(move |mut request| {
        let response = respond(&options, &mut request, &sender);
        async move { response }
    })
    .await;
    (address, taken)
}

/// axum's own server of a router, on a free port.
async fn axum_server(router: axum::Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, service).await.expect("serves") });
    address
}
