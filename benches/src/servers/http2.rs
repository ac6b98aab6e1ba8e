//! Echo servers over HTTP/2: on `h2` directly, and behind hyper and axum. The floors echo the bytes of a stream, whatever they are.

use std::future::ready;
use std::sync::LazyLock;

use axum::Router;
use bytes::Bytes;
use h2::RecvStream;
use h2::server::SendResponse;
use http_body_util::Empty;
use hyper::body::Incoming;
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::service::TowerToHyperService;
use sockudo_ws::{Config, Http2, WebSocketServer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use ws_tokio::http::{Request, Response};
use ws_tokio::{AcceptOptions, Connection, Http2Options, Transport};

use super::asked::{Ended, spawn};
use super::http::{self, Failure, answered, recv, run};
use super::peers::{Flush, sockudo_echo, yawc_echo};

/// Streams of a connection: more than the loads open.
const STREAMS: u32 = 20_000;
const WINDOW: u32 = 256 << 10;
const CONNECTION: u32 = (1 << 31) - 1;

/// The bytes of a stream, as `h2` gives them.
pub(super) fn bare(stream: TcpStream) {
    spawn(async {
        let mut builder = h2::server::Builder::new();
        builder
            .enable_connect_protocol()
            .initial_window_size(WINDOW)
            .initial_connection_window_size(CONNECTION)
            .max_frame_size(64 << 10)
            .max_concurrent_streams(STREAMS);
        let mut connection = builder.handshake(stream).await?;
        while let Some(asked) = connection.accept().await {
            let (request, respond) = asked?;
            spawn(mirror(request.into_body(), respond));
        }
        Ok(())
    });
}

async fn mirror(mut recv: RecvStream, mut respond: SendResponse<Bytes>) -> Ended {
    let mut send = respond.send_response(Response::new(()), false)?;
    while let Some(chunk) = recv.data().await {
        let chunk = chunk?;
        recv.flow_control().release_capacity(chunk.len())?;
        send.send_data(chunk, false)?;
    }
    Ok(())
}

pub(super) fn ours_run(stream: TcpStream) {
    ours(stream, run);
}

pub(super) fn ours_recv(stream: TcpStream) {
    ours(stream, recv);
}

fn ours<F>(stream: TcpStream, echo: fn(Connection<Transport>) -> F)
where
    F: Future<Output = Result<(), ws_tokio::Error>> + Send + 'static,
{
    spawn(async move {
        let http2 = Http2Options::default().max_streams(STREAMS);
        let serve = |incoming: ws_tokio::Incoming<Transport>| {
            // On the heap: it would enlarge the task of the connection.
            let accepting = Box::pin(incoming.accept());
            async move { Ended::Ok(echo(accepting.await?).await?) }
        };
        Ok(AcceptOptions::default().serve_http2(stream, &http2, serve).await?)
    });
}

pub(super) fn sockudo(stream: TcpStream) {
    spawn(async {
        let mut config = Config::default();
        config.http2.max_concurrent_streams = STREAMS;
        config.http2.initial_stream_window_size = WINDOW;
        config.http2.initial_connection_window_size = CONNECTION;
        let server = WebSocketServer::<Http2>::new(config);
        let serve = async |mut ws, _| _ = sockudo_echo(&mut ws, Flush::Burst).await;
        Ok(server.serve(stream, serve).await?)
    });
}

/// The bytes of a stream, as hyper gives them.
pub(super) fn bare_hyper(stream: TcpStream) {
    serve_by_hyper(stream, |request| {
        let upgrading = hyper::upgrade::on(request);
        Ok((Response::new(Empty::new()), async {
            let mut stream = TokioIo::new(upgrading.await?);
            let mut buffer = Box::new([0; 64 << 10]);
            loop {
                let count = stream.read(&mut buffer[..]).await?;
                if count == 0 {
                    return Ok(());
                }
                stream.write_all(&buffer[..count]).await?;
            }
        }))
    });
}

pub(super) fn ours_hyper_run(stream: TcpStream) {
    static OPTIONS: LazyLock<AcceptOptions> = LazyLock::new(AcceptOptions::default);
    serve_by_hyper(stream, |request| {
        let (response, connecting) = OPTIONS.upgrade(request)?.answer();
        Ok((response, async { Ok(run(connecting.await?).await?) }))
    });
}

pub(super) fn ours_axum_run(stream: TcpStream) {
    serve_axum(&http::RUN, stream);
}

pub(super) fn axums_own(stream: TcpStream) {
    serve_axum(&http::AXUM_FED, stream);
}

pub(super) fn yawc(stream: TcpStream) {
    serve_by_hyper(stream, |request| {
        let options = yawc::Options::default().without_compression().with_utf8();
        let (response, connecting) = yawc::WebSocket::upgrade_with_options(request, options)?;
        Ok((response, async { yawc_echo(&mut connecting.await?, Flush::Burst).await }))
    });
}

fn serve_by_hyper<F>(
    stream: TcpStream,
    upgrade: impl Fn(&mut Request<Incoming>) -> Result<(Response<Empty<Bytes>>, F), Failure>
    + Clone
    + Send
    + 'static,
) where
    F: Future<Output = Ended> + Send + 'static,
{
    let service = service_fn(move |request| ready(answered(&upgrade, request)));
    tokio::spawn(async move {
        _ = builder().serve_connection(TokioIo::new(stream), service).await;
    });
}

fn serve_axum(router: &Router, stream: TcpStream) {
    let service = TowerToHyperService::new(router.clone());
    tokio::spawn(async move {
        _ = builder().serve_connection(TokioIo::new(stream), service).await;
    });
}

fn builder() -> http2::Builder<TokioExecutor> {
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder
        .enable_connect_protocol()
        .initial_stream_window_size(WINDOW)
        .initial_connection_window_size(CONNECTION)
        .max_frame_size(64 << 10)
        .max_concurrent_streams(STREAMS);
    builder
}
