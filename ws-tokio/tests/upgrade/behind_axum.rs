//! The extractor as axum's users combine it: options, state, addresses, layers that others wrote, and middleware that refuses.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, AtomicUsize, Ordering};
use std::time::Duration;

use axum::extract::{ConnectInfo, Request, State};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use axum::{Extension, Router};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tower_http::compression::CompressionLayer;
use tower_http::cors::CorsLayer;
use tower_http::timeout::TimeoutLayer;
use tower_http::trace::TraceLayer;
use ws_tokio::http::header::{ACCEPT_ENCODING, ORIGIN};
use ws_tokio::http::{HeaderValue, StatusCode};
use ws_tokio::{
    AcceptOptions, ConnectOptions, Connection, Error, Refused, Tracker, Upgrade, connect,
};

use crate::{HI, REQUEST, axum_server};

async fn echo(mut connection: Connection) -> Result<(), Error> {
    connection.run(|message, outbox| outbox.send(message)).await
}

async fn ws(upgrade: Upgrade) -> Response {
    upgrade.accept(echo)
}

async fn echoes<S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin>(
    client: &mut Connection<S>,
) {
    client.send("hello").await.expect("sent");
    assert_eq!(client.recv().await.expect("received"), Some("hello".into()));
}

#[tokio::test]
async fn options_are_those_of_the_route_or_of_the_state() {
    let chat = AcceptOptions::default().subprotocols(["chat"]);
    // The layer's are still there for the handler itself.
    let by_layer =
        async |upgrade: Upgrade, Extension(_): Extension<AcceptOptions>| upgrade.accept(echo);
    let by_state = async |State(options): State<AcceptOptions>, mut request: Request| {
        Ok::<_, Refused>(options.upgrade(&mut request)?.accept(echo))
    };
    let router = Router::new()
        .route("/default", any(ws))
        .route("/route", any(by_layer).layer(Extension(chat)))
        .route("/state", any(by_state))
        .with_state(AcceptOptions::default().subprotocols(["v2"]));
    let connecting = ConnectOptions::default().subprotocols(["chat", "v2"]);
    for (path, spoken) in [("default", None), ("route", Some("chat")), ("state", Some("v2"))] {
        let url = format!("ws://localhost/{path}");
        let (mut client, _) = connecting.connect_router(router.clone(), &url).await.unwrap();
        assert_eq!(client.subprotocol(), spoken, "{path}");
        echoes(&mut client).await;
    }
}

#[tokio::test]
async fn the_peers_address_is_that_of_connect_info() {
    let handler = async |ConnectInfo(address): ConnectInfo<SocketAddr>, upgrade: Upgrade| {
        upgrade.accept(async move |mut connection| {
            assert_eq!(connection.peer_addr(), Some(address));
            connection.send(address.to_string()).await
        })
    };
    let server = axum_server(Router::new().route("/", any(handler))).await;
    let (mut client, _) = connect(&format!("ws://{server}/")).await.unwrap();
    let address = client.recv().await.unwrap().unwrap();
    assert!(address.as_text().unwrap().starts_with("127.0.0.1:"));
}

#[tokio::test]
async fn a_route_can_serve_a_page_as_well() {
    let handler = async |upgrade: Option<Upgrade>| match upgrade {
        Some(upgrade) => upgrade.accept(echo),
        None => "the page".into_response(),
    };
    let server = axum_server(Router::new().route("/", any(handler))).await;
    echoes(&mut connect(&format!("ws://{server}/")).await.unwrap().0).await;
    for (request, status, body) in [
        ("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".to_owned(), "200", "the page"),
        // Who asks for a WebSocket is judged.
        (REQUEST.replace("/chat", "/").replace("Version: 13", "Version: 8"), "426", "not 13"),
    ] {
        let mut stream = TcpStream::connect(server).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
        assert!(answer.contains(body), "{answer}");
    }
}

/// The layers that people stack, around one WebSocket route.
fn stacked(handler: axum::routing::MethodRouter) -> Router {
    Router::new()
        .route("/ws", handler)
        .layer(CompressionLayer::new())
        .layer(TimeoutLayer::with_status_code(
            StatusCode::REQUEST_TIMEOUT,
            Duration::from_millis(200),
        ))
        .layer(CorsLayer::permissive())
        .layer(TraceLayer::new_for_http())
}

#[tokio::test]
async fn the_layers_that_people_stack_neither_break_an_upgrade_nor_keep_it_waiting() {
    let server = axum_server(stacked(any(ws))).await;
    let connecting = ConnectOptions::default()
        .header(ACCEPT_ENCODING, HeaderValue::from_static("gzip"))
        .header(ORIGIN, format!("http://{server}").parse().unwrap());
    let (mut client, response) = connecting.connect(&format!("ws://{server}/ws")).await.unwrap();
    assert!(response.headers().contains_key("access-control-allow-origin"));
    echoes(&mut client).await;
    // Longer than the layer's time for a request.
    tokio::time::sleep(Duration::from_millis(300)).await;
    echoes(&mut client).await;
    // And the first frame behind the request.
    let mut stream = TcpStream::connect(server).await.unwrap();
    let request = REQUEST.replace("/chat", "/ws");
    stream.write_all(&[request.as_bytes(), HI].concat()).await.unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"\x81\x02hi") {
        assert!(stream.read_buf(&mut answer).await.unwrap() > 0);
    }
}

#[tokio::test]
async fn in_memory_a_request_passes_all_layers() {
    let (mut client, response) = ConnectOptions::default()
        .connect_router(stacked(any(ws)), "ws://localhost/ws")
        .await
        .unwrap();
    assert!(response.headers().contains_key("access-control-allow-origin"));
    echoes(&mut client).await;
    let refused =
        ConnectOptions::default().connect_router(stacked(get(ws)), "ws://localhost/no").await;
    assert_eq!(refused.unwrap_err().status(), Some(StatusCode::NOT_FOUND));
}

#[tokio::test]
async fn a_refusal_is_a_rejection_that_middleware_sees() {
    let seen = Arc::new(AtomicU16::new(0));
    let sees = seen.clone();
    let watching = move |request: Request, next: Next| {
        let sees = sees.clone();
        async move {
            let response = next.run(request).await;
            sees.store(response.status().as_u16(), Ordering::SeqCst);
            response
        }
    };
    let router = Router::new().route("/", any(ws)).layer(from_fn(watching));
    let connecting =
        ConnectOptions::default().header(ORIGIN, HeaderValue::from_static("https://evil.example"));
    let refused = connecting.connect_router(router, "ws://localhost/").await.unwrap_err();
    assert_eq!(refused.status(), Some(StatusCode::FORBIDDEN));
    assert_eq!(seen.load(Ordering::SeqCst), 403);
}

/// How a middleware may answer in place of the handler, which has accepted already.
#[derive(Clone, Copy, Debug)]
enum Instead {
    /// Drops the response.
    Another,
    /// Keeps the head, and sends it with another status.
    AnotherBody,
    /// Copies status and headers to a response of its own.
    Copy,
    Nothing,
}

#[tokio::test]
async fn a_connection_that_a_middleware_refused_is_never_served() {
    for instead in [Instead::Another, Instead::AnotherBody, Instead::Copy, Instead::Nothing] {
        let served = Arc::new(AtomicUsize::new(0));
        let serves = served.clone();
        let tracker = Tracker::new();
        let handler = async move |upgrade: Upgrade| {
            upgrade.accept(async move |mut connection| {
                serves.fetch_add(1, Ordering::SeqCst);
                connection.recv().await.map(drop)
            })
        };
        let replaces = move |request: Request, next: Next| async move {
            let response = next.run(request).await;
            match instead {
                Instead::Another => StatusCode::UNAUTHORIZED.into_response(),
                Instead::AnotherBody => response.map(|_| axum::body::Body::empty()),
                Instead::Copy => {
                    let mut copy = Response::new(axum::body::Body::empty());
                    *copy.status_mut() = response.status();
                    *copy.headers_mut() = response.headers().clone();
                    copy
                }
                Instead::Nothing => response,
            }
        };
        let options = AcceptOptions::default().tracker(&tracker);
        let router = Router::new()
            .route("/", any(handler))
            .layer(from_fn(replaces))
            .layer(Extension(options));
        let server = axum_server(router).await;
        let mut stream = TcpStream::connect(server).await.unwrap();
        // Refused or not, it speaks, and waits for the end.
        let request = REQUEST.replace("/chat", "/");
        stream.write_all(&[request.as_bytes(), HI].concat()).await.unwrap();
        stream.shutdown().await.unwrap();
        let mut answer = Vec::new();
        _ = stream.read_to_end(&mut answer).await;
        while !tracker.is_empty() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let accepted = !matches!(instead, Instead::Another);
        assert_eq!(answer.starts_with(b"HTTP/1.1 101"), accepted, "{instead:?}");
        assert_eq!(served.load(Ordering::SeqCst), usize::from(accepted), "{instead:?}");
    }
}
