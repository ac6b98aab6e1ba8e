//! Echo servers behind HTTP servers: axum, as `axum::serve` serves a connection, and hyper alone.

use std::convert::Infallible;
use std::sync::LazyLock;

use axum::Router;
use axum::extract::ws::{Message, WebSocketUpgrade};
use axum::response::Response;
use axum::routing::any;
use futures_util::{FutureExt, StreamExt};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpStream;
use ws_tokio::http::Request;
use ws_tokio::{AcceptOptions, Connection, Upgrade};

use super::peers::fastwebsockets_echo;

pub(super) fn ours_run(stream: TcpStream) {
    serve(&RUN, stream);
}

pub(super) fn ours_recv(stream: TcpStream) {
    serve(&RECV, stream);
}

pub(super) fn axums_own(stream: TcpStream) {
    serve(&AXUM, stream);
}

/// Every message that is there is answered, then all is flushed.
pub(super) fn axums_own_fed(stream: TcpStream) {
    serve(&AXUM_FED, stream);
}

pub(super) fn sockudo(stream: TcpStream) {
    serve(&SOCKUDO, stream);
}

static RUN: LazyLock<Router> = LazyLock::new(|| {
    Router::new().fallback_service(any(async |upgrade: Upgrade| upgrade.accept(run)))
});

static RECV: LazyLock<Router> = LazyLock::new(|| {
    Router::new().fallback_service(any(async |upgrade: Upgrade| upgrade.accept(recv)))
});

static AXUM: LazyLock<Router> = LazyLock::new(|| {
    async fn ws(upgrade: WebSocketUpgrade) -> Response {
        upgrade.on_upgrade(async |mut socket| {
            while let Some(Ok(message)) = socket.recv().await {
                if matches!(message, Message::Text(_) | Message::Binary(_))
                    && socket.send(message).await.is_err()
                {
                    return;
                }
            }
        })
    }
    Router::new().fallback_service(any(ws))
});

static AXUM_FED: LazyLock<Router> = LazyLock::new(|| {
    use futures_util::SinkExt;

    async fn ws(upgrade: WebSocketUpgrade) -> Response {
        upgrade.on_upgrade(async |mut socket| {
            while let Some(Ok(first)) = socket.next().await {
                let mut next = Some(first);
                while let Some(message) = next {
                    if socket.feed(message).await.is_err() {
                        return;
                    }
                    next = socket.next().now_or_never().flatten().and_then(Result::ok);
                }
                if socket.flush().await.is_err() {
                    return;
                }
            }
        })
    }
    Router::new().fallback_service(any(ws))
});

static SOCKUDO: LazyLock<Router> = LazyLock::new(|| {
    use sockudo_ws::axum_integration::WebSocketUpgrade;

    let ws = async |upgrade: WebSocketUpgrade| {
        upgrade.on_upgrade(async |mut socket| {
            while let Some(Ok(message)) = socket.recv().await {
                if message.is_close() || socket.send(message).await.is_err() {
                    return;
                }
            }
        })
    };
    Router::new().fallback_service(any(ws))
});

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
    let service = service_fn(move |mut request: Request<Incoming>| async move {
        let upgrade = OPTIONS.upgrade(&mut request).expect("a handshake");
        let (response, connecting) = upgrade.answer::<http_body_util::Empty<&[u8]>>();
        tokio::spawn(async move {
            let connection = connecting.await;
            match connection {
                Ok(connection) => echo(connection).await,
                Err(_) => Ok(()),
            }
        });
        Ok::<_, Infallible>(response)
    });
    tokio::spawn(async move {
        let serving = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
        _ = serving.with_upgrades().await;
    });
}

pub(super) fn fastwebsockets(stream: TcpStream) {
    let service = service_fn(async move |mut request: Request<Incoming>| {
        let (response, connecting) = fastwebsockets::upgrade::upgrade(&mut request)?;
        tokio::spawn(async move { fastwebsockets_echo(connecting.await?).await });
        Ok::<_, fastwebsockets::WebSocketError>(response)
    });
    tokio::spawn(async move {
        let serving = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
        _ = serving.with_upgrades().await;
    });
}

pub(super) fn yawc(stream: TcpStream) {
    let service = service_fn(async move |mut request: Request<Incoming>| {
        let options = yawc::Options::default().without_compression().with_utf8();
        let (response, connecting) = yawc::WebSocket::upgrade_with_options(&mut request, options)?;
        tokio::spawn(async move {
            let Ok(mut ws) = connecting.await else { return };
            use futures_util::SinkExt;
            while let Some(frame) = ws.next().await {
                if frame.opcode().is_control() {
                    continue;
                }
                if ws.send(frame).await.is_err() {
                    return;
                }
            }
        });
        Ok::<_, yawc::WebSocketError>(response)
    });
    tokio::spawn(async move {
        let serving = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
        _ = serving.with_upgrades().await;
    });
}
