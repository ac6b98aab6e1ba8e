//! What a server lets in: the judge of every other way in, its caps and deadlines, TLS with certificates, and HTTP/1.1 beside it.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use ws_tokio::http::header::ORIGIN;
use ws_tokio::http::{HeaderValue, Method, Request, StatusCode};
use ws_tokio::rustls::{ClientConfig, RootCertStore};
use ws_tokio::{
    AcceptOptions, ConnectOptions, Connection, Http2Options, Http2Session, Server, Transport,
};

use crate::authority::Authority;
use crate::peer::{self, client, request, websocket};
use crate::{echo, echo_server, echoes, open, session, trusting};

const SOON: Duration = Duration::from_secs(20);

async fn answer(address: std::net::SocketAddr, request: Request<()>) -> (StatusCode, Vec<u8>) {
    let mut requests = client(address).await;
    let is_end = request.method() != Method::CONNECT;
    let (response, _send) = requests.send_request(request, is_end).expect("a stream");
    let response = response.await.expect("an answer");
    for name in ["connection", "upgrade", "sec-websocket-accept", "transfer-encoding"] {
        assert!(!response.headers().contains_key(name), "{name}");
    }
    let status = response.status();
    (status, peer::read_to_end(&mut response.into_body()).await.expect("a body"))
}

#[tokio::test]
async fn the_protocol_is_read_in_any_case() {
    let (address, _server) = echo_server(AcceptOptions::default()).await;
    let mut requests = client(address).await;
    let mut request = request();
    request.extensions_mut().insert(h2::ext::Protocol::from_static("WebSocket"));
    let (response, _send) = requests.send_request(request, false).expect("a stream");
    assert_eq!(response.await.expect("an answer").status(), StatusCode::OK);
}

#[tokio::test]
async fn each_violation_is_refused_with_its_status_and_says_why() {
    let (address, _server) = echo_server(AcceptOptions::default()).await;
    let with = |change: fn(&mut Request<()>)| {
        let mut request = request();
        change(&mut request);
        request
    };
    let cases = [
        (501, with(|it| _ = it.extensions_mut().insert(h2::ext::Protocol::from_static("udp")))),
        (
            501,
            with(|it| {
                it.extensions_mut().clear();
                *it.uri_mut() = "server:80".parse().unwrap();
            }),
        ),
        (
            405,
            with(|it| {
                it.extensions_mut().clear();
                *it.method_mut() = Method::GET;
            }),
        ),
        (426, with(|it| _ = it.headers_mut().remove("sec-websocket-version"))),
        (
            426,
            with(|it| {
                it.headers_mut().insert("sec-websocket-version", HeaderValue::from_static("8"));
            }),
        ),
        (
            403,
            with(|it| {
                it.headers_mut().insert(ORIGIN, HeaderValue::from_static("https://other"));
            }),
        ),
        (
            400,
            with(|it| {
                it.headers_mut().insert("content-length", HeaderValue::from_static("5"));
            }),
        ),
        (
            431,
            with(|it| {
                for _ in 0..200 {
                    it.headers_mut().append("x-a", HeaderValue::from_static("b"));
                }
            }),
        ),
        (
            431,
            with(|it| {
                let long = HeaderValue::try_from("x".repeat(20_000)).unwrap();
                it.headers_mut().insert("x-long", long);
            }),
        ),
    ];
    for (status, request) in cases {
        let what = format!("{request:?}");
        let (refused, body) = answer(address, request).await;
        assert_eq!(refused, status, "{what}");
        // That of a head that is far too long is `h2`'s own.
        assert!(!body.is_empty() || status == 431, "{what}");
    }
}

#[tokio::test]
async fn the_same_port_serves_http_1_1() {
    let (address, _server) = echo_server(AcceptOptions::default()).await;
    let (mut connection, response) = ws_tokio::connect(format!("ws://{address}")).await.unwrap();
    assert_eq!(response.status(), StatusCode::SWITCHING_PROTOCOLS);
    echoes(&mut connection, "hi").await;
}

#[tokio::test]
async fn a_preface_in_pieces_is_waited_for_and_another_beginning_judged() {
    let (address, _server) = echo_server(AcceptOptions::default()).await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    for piece in b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00".chunks(5) {
        stream.write_all(piece).await.unwrap();
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let mut head = [0; 9];
    stream.read_exact(&mut head).await.unwrap();
    assert_eq!(head[3], 4, "SETTINGS");
    for beginning in ["PRI * HTTP/1.1\r\nHost: a\r\n\r\n", "PUT / HTTP/1.1\r\nHost: a\r\n\r\n"] {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(beginning.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 4"), "{answer}");
    }
}

#[tokio::test]
async fn a_connection_without_a_websocket_is_closed_after_the_time_of_a_handshake() {
    let options = AcceptOptions::default().handshake_timeout(Duration::from_millis(100));
    let (address, _server) = echo_server(options).await;
    // It never begins.
    let mut silent = TcpStream::connect(address).await.unwrap();
    assert_eq!(timeout(SOON, silent.read(&mut [0; 16])).await.unwrap().unwrap(), 0);
    // It begins, and opens nothing.
    let requests = client(address).await;
    let gone = async {
        while requests.clone().ready().await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    timeout(SOON, gone).await.unwrap();
    // It has opened one for longer than that, and no other then.
    let mut requests = client(address).await;
    let websocket = websocket(&mut requests).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(requests.clone().ready().await.is_ok());
    drop(websocket);
    let gone = async {
        while requests.clone().ready().await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    timeout(SOON, gone).await.unwrap();
}

#[tokio::test]
async fn each_websocket_counts_as_a_connection() {
    let server = Server::bind("127.0.0.1:0").await.unwrap();
    let address = server.local_addr().unwrap();
    // Its own, two WebSockets', and the one that is kept for the next client.
    let server = server.max_connections(4).http2(Http2Options::default());
    tokio::spawn(server.serve(echo));
    let session = session(address);
    let mut first = open(&session, "/").await;
    let second = open(&session, "/").await;
    let error = session.open("/", &ConnectOptions::default()).await.unwrap_err();
    assert_eq!(error.to_string(), "the server has too many streams, and may be asked again");
    drop(second);
    let third = async {
        loop {
            if let Ok((connection, _)) = session.open("/", &ConnectOptions::default()).await {
                return connection;
            }
        }
    };
    echoes(&mut timeout(SOON, third).await.unwrap(), "there is room again").await;
    echoes(&mut first, "still there").await;
}

#[tokio::test]
async fn a_clients_certificates_are_readable_on_each_stream() {
    let authority = Authority::new();
    let server = Server::bind("127.0.0.1:0").await.unwrap();
    let address = server.local_addr().unwrap();
    let server = server.tls(authority.server_for_certified_clients(&["localhost"]));
    let serving =
        server.http2(Http2Options::default()).serve(async |mut connection: Connection| {
            let Transport::Http2(stream) = connection.get_ref() else { panic!("not HTTP/2") };
            let count = stream.peer_certificates().map_or(0, <[_]>::len);
            assert!(connection.peer_addr().is_some());
            connection.send(count.to_string()).await
        });
    tokio::spawn(serving);
    let mut roots = RootCertStore::empty();
    roots.add(authority.root()).unwrap();
    let issued = authority.issue(&["me"]);
    let config = ClientConfig::builder().with_root_certificates(roots);
    let config = config.with_client_auth_cert(issued.chain, issued.key).unwrap();
    let options = trusting(&authority).tls(config).dialer(move |_| TcpStream::connect(address));
    let session = Http2Session::new("wss://localhost", &options, Http2Options::default()).unwrap();
    let mut connection = open(&session, "/").await;
    assert_eq!(connection.recv().await.unwrap(), Some("1".into()));
}
