//! Echo servers behind HTTP servers: axum, as `axum::serve` serves a connection, and hyper alone.

use std::error::Error;
use std::future::ready;
use std::io;
use std::sync::LazyLock;

use axum::Router;
use axum::extract::ws::{Message, WebSocketUpgrade};
use axum::routing::any;
use hyper::body::{Body, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpStream;
use ws_tokio::http::{Request, Response};
use ws_tokio::{AcceptOptions, Connection, Upgrade};

use super::asked::Ended;
use super::peers::{Flush, echo, fastwebsockets_echo, sockudo_echo, tungstenite_echo, yawc_echo};

pub(super) fn ours_run(stream: TcpStream) {
    serve(&RUN, stream);
}

pub(super) fn ours_recv(stream: TcpStream) {
    serve(&RECV, stream);
}

pub(super) fn axums_own_fed(stream: TcpStream) {
    serve(&AXUM_FED, stream);
}

pub(super) fn axums_own_sent(stream: TcpStream) {
    serve(&AXUM_SENT, stream);
}

pub(super) fn sockudo_fed(stream: TcpStream) {
    serve(&SOCKUDO_FED, stream);
}

pub(super) fn sockudo_sent(stream: TcpStream) {
    serve(&SOCKUDO_SENT, stream);
}

pub(super) static RUN: LazyLock<Router> = LazyLock::new(|| {
    Router::new().fallback_service(any(async |upgrade: Upgrade| upgrade.accept(run)))
});

static RECV: LazyLock<Router> = LazyLock::new(|| {
    Router::new().fallback_service(any(async |upgrade: Upgrade| upgrade.accept(recv)))
});

pub(super) static AXUM_FED: LazyLock<Router> = LazyLock::new(|| axums_own(Flush::Burst));

static AXUM_SENT: LazyLock<Router> = LazyLock::new(|| axums_own(Flush::Each));

fn axums_own(flush: Flush) -> Router {
    let data =
        |message| matches!(message, Message::Text(_) | Message::Binary(_)).then_some(message);
    let ws = async move |upgrade: WebSocketUpgrade| {
        upgrade.on_upgrade(async move |mut socket| _ = echo(&mut socket, flush, data).await)
    };
    Router::new().fallback_service(any(ws))
}

static SOCKUDO_FED: LazyLock<Router> = LazyLock::new(|| sockudo(Flush::Burst));

static SOCKUDO_SENT: LazyLock<Router> = LazyLock::new(|| sockudo(Flush::Each));

fn sockudo(flush: Flush) -> Router {
    let ws = async move |upgrade: sockudo_ws::axum_integration::WebSocketUpgrade| {
        upgrade.on_upgrade(async move |mut socket| _ = sockudo_echo(&mut socket, flush).await)
    };
    Router::new().fallback_service(any(ws))
}

/// As `axum::serve` does it.
fn serve(router: &Router, stream: TcpStream) {
    let service = TowerToHyperService::new(router.clone());
    tokio::spawn(async move {
        let builder = auto::Builder::new(TokioExecutor::new());
        _ = builder.serve_connection_with_upgrades(TokioIo::new(stream), service).await;
    });
}

pub(super) async fn run(mut connection: Connection) -> Result<(), ws_tokio::Error> {
    connection.run(|message, outbox| outbox.send(message)).await
}

pub(super) async fn recv(mut connection: Connection) -> Result<(), ws_tokio::Error> {
    loop {
        match connection.recv().await {
            Ok(Some(message)) => connection.feed(message).await?,
            Ok(None) => return Ok(()),
            Err(error) => return Err(error),
        }
    }
}

pub(super) fn ours_hyper_run(stream: TcpStream) {
    ours_hyper(stream, run);
}

pub(super) fn ours_hyper_recv(stream: TcpStream) {
    ours_hyper(stream, recv);
}

fn ours_hyper<F>(stream: TcpStream, echo: fn(Connection) -> F)
where
    F: Future<Output = Result<(), ws_tokio::Error>> + Send + 'static,
{
    static OPTIONS: LazyLock<AcceptOptions> = LazyLock::new(AcceptOptions::default);
    serve_by_hyper(stream, move |request| {
        let upgrade = OPTIONS.upgrade(request)?;
        let (response, connecting) = upgrade.answer::<http_body_util::Empty<&[u8]>>();
        Ok((response, async move { Ok(echo(connecting.await?).await?) }))
    });
}

pub(super) fn fastwebsockets(stream: TcpStream) {
    serve_by_hyper(stream, |request| {
        let (response, connecting) = fastwebsockets::upgrade::upgrade(request)?;
        Ok((response, async { fastwebsockets_echo(connecting.await?).await }))
    });
}

pub(super) fn yawc_fed(stream: TcpStream) {
    yawc(stream, Flush::Burst);
}

pub(super) fn yawc_sent(stream: TcpStream) {
    yawc(stream, Flush::Each);
}

fn yawc(stream: TcpStream, flush: Flush) {
    serve_by_hyper(stream, move |request| {
        let options = yawc::Options::default().without_compression().with_utf8();
        let (response, connecting) = yawc::WebSocket::upgrade_with_options(request, options)?;
        Ok((response, async move { yawc_echo(&mut connecting.await?, flush).await }))
    });
}

pub(super) fn tungstenite_fed(stream: TcpStream) {
    tungstenite(stream, Flush::Burst);
}

pub(super) fn tungstenite_sent(stream: TcpStream) {
    tungstenite(stream, Flush::Each);
}

fn tungstenite(stream: TcpStream, flush: Flush) {
    serve_by_hyper(stream, move |request| {
        let (response, connecting) = hyper_tungstenite::upgrade(request, None)?;
        Ok((response, async move { tungstenite_echo(&mut connecting.await?, flush).await }))
    });
}

/// By hyper alone: `upgrade` answers a request, with what serves the connection that comes of it.
fn serve_by_hyper<B, F>(
    stream: TcpStream,
    upgrade: impl Fn(&mut Request<Incoming>) -> Result<(Response<B>, F), Failure> + Send + 'static,
) where
    B: Body<Data: Send, Error: Error + Send + Sync> + Send + 'static,
    F: Future<Output = Ended> + Send + 'static,
{
    let service = service_fn(move |request| ready(answered(&upgrade, request)));
    tokio::spawn(async move {
        let serving = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
        _ = serving.with_upgrades().await;
    });
}

/// The answer to a request; what it leads to is served by a task of its own.
pub(super) fn answered<B, F: Future<Output = Ended> + Send + 'static>(
    upgrade: impl Fn(&mut Request<Incoming>) -> Result<(Response<B>, F), Failure>,
    mut request: Request<Incoming>,
) -> io::Result<Response<B>> {
    let (response, serving) = upgrade(&mut request).map_err(io::Error::other)?;
    tokio::spawn(serving);
    Ok(response)
}

pub(super) type Failure = Box<dyn Error + Send + Sync>;
