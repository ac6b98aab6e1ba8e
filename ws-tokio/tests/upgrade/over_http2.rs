//! An extended CONNECT (RFC 8441) through axum: the same extractor, a 200 without the headers of HTTP/1.1, and its own refusals.

use axum::Router;
use axum::body::Body;
use axum::routing::any;
use bytes::{Bytes, BytesMut};
use http_body_util::Empty;
use hyper::client::conn::http2::{self, SendRequest};
use hyper::ext::Protocol;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use tokio::io::duplex;
use ws_tokio::http::{Method, Request, Response, StatusCode, Version};
use ws_tokio::{CloseCode, Connection, Error, Negotiated, Role, Settings, Transport, Upgrade};

/// A session with a server of this router, which allows extended CONNECTs.
async fn session(router: Router) -> SendRequest<Empty<Bytes>> {
    let (near, far) = duplex(64 * 1024);
    tokio::spawn(async move {
        let mut builder = auto::Builder::new(TokioExecutor::new());
        builder.http2().enable_connect_protocol();
        let service = TowerToHyperService::new(router);
        _ = builder.serve_connection_with_upgrades(TokioIo::new(far), service).await;
    });
    let (mut session, connection) =
        http2::handshake(TokioExecutor::new(), TokioIo::new(near)).await.expect("a session");
    tokio::spawn(async move { _ = connection.await });
    session.ready().await.expect("a session");
    session
}

fn request(protocol: &'static str) -> Request<Empty<Bytes>> {
    let mut request = Request::new(Empty::new());
    *request.method_mut() = Method::CONNECT;
    *request.version_mut() = Version::HTTP_2;
    *request.uri_mut() = "https://localhost/ws".parse().expect("a URI");
    request.headers_mut().insert("sec-websocket-version", "13".parse().expect("a value"));
    request.extensions_mut().insert(Protocol::from_static(protocol));
    request
}

fn router() -> Router {
    let ws = async |upgrade: Upgrade| {
        upgrade.accept(async |mut connection: Connection| {
            assert!(matches!(connection.get_ref(), Transport::Any(_)));
            connection.run(|message, outbox| outbox.send(message)).await
        })
    };
    Router::new().route("/ws", any(ws))
}

#[tokio::test]
async fn many_websockets_share_one_connection_behind_axum() {
    let mut session = session(router()).await;
    for number in 0..10 {
        let response = session.send_request(request("websocket")).await.expect("an answer");
        assert_eq!(response.status(), StatusCode::OK);
        for name in ["connection", "upgrade", "sec-websocket-accept", "content-length"] {
            assert!(!response.headers().contains_key(name), "{name}");
        }
        let upgraded = hyper::upgrade::on(response).await.expect("a stream");
        let mut client = Connection::from_upgraded(
            TokioIo::new(upgraded),
            Role::Client,
            BytesMut::new(),
            Negotiated::default(),
            Settings::default(),
        );
        client.send(number.to_string()).await.unwrap();
        assert_eq!(client.recv().await.unwrap(), Some(number.to_string().into()));
        client.close(CloseCode::NORMAL, "").await.unwrap();
        let error = client.send("late").await.unwrap_err();
        assert!(matches!(error, Error::Send(_)), "{error}");
    }
}

#[tokio::test]
async fn refusals_have_no_headers_of_http_1_1() {
    let mut session = session(router()).await;
    let get = {
        let mut get = request("websocket");
        *get.method_mut() = Method::GET;
        get.extensions_mut().clear();
        get
    };
    let old = {
        let mut old = request("websocket");
        old.headers_mut().insert("sec-websocket-version", "8".parse().unwrap());
        old
    };
    for (request, status) in [(request("connect-udp"), 501), (get, 405), (old, 426)] {
        let response: Response<_> = session.send_request(request).await.expect("an answer");
        assert_eq!(response.status(), status);
        assert!(!response.headers().contains_key("upgrade"));
        let body = axum::body::to_bytes(Body::new(response.into_body()), 1024).await.unwrap();
        assert!(!body.is_empty());
    }
}
