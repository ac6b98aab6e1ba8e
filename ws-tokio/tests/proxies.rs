//! Through proxies: CONNECT and SOCKS5, with and without passwords, plain and TLS, and what a proxy may answer.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Once};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use ws_tokio::rustls::RootCertStore;
use ws_tokio::rustls::crypto::ring;
use ws_tokio::{
    ConnectError, ConnectOptions, Connection, Proxy, ProxyError, Server, ServerTls, Step, Transport,
};

/// A proxy of the tests' own: what it was asked, and what it answers.
struct Asked {
    address: SocketAddr,
    heads: JoinHandle<String>,
}

/// Answers one CONNECT with `answer`, and tunnels to `to` where that is a success.
async fn http_proxy(to: SocketAddr, answer: &'static str) -> Asked {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("fine");
    let address = listener.local_addr().expect("fine");
    let heads = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.expect("fine");
        let mut stream = BufReader::new(stream);
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            assert_ne!(stream.read_line(&mut head).await.expect("fine"), 0, "a whole head");
        }
        stream.write_all(answer.as_bytes()).await.expect("fine");
        if answer.contains(" 200 ") || answer.contains(" 299 ") {
            let mut server = TcpStream::connect(to).await.expect("fine");
            tokio::spawn(async move { copy_bidirectional(&mut stream, &mut server).await });
        }
        head
    });
    Asked { address, heads }
}

/// Takes one client of SOCKS5 (RFC 1928, 1929) and says what it asked for: method, credentials, name and port.
async fn socks_proxy(to: SocketAddr, reply: u8) -> Asked {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("fine");
    let address = listener.local_addr().expect("fine");
    let heads = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("fine");
        let mut asked = String::new();
        let mut methods = vec![0; 2];
        stream.read_exact(&mut methods).await.expect("fine");
        let mut offered = vec![0; methods[1].into()];
        stream.read_exact(&mut offered).await.expect("fine");
        let method = offered[0];
        stream.write_all(&[5, method]).await.expect("fine");
        if method == 2 {
            stream.read_u8().await.expect("fine");
            for _ in 0..2 {
                let len = stream.read_u8().await.expect("fine");
                let mut text = vec![0; len.into()];
                stream.read_exact(&mut text).await.expect("fine");
                asked += &(String::from_utf8(text).expect("fine") + " ");
            }
            stream.write_all(&[1, 0]).await.expect("fine");
        }
        let mut request = [0; 5];
        stream.read_exact(&mut request).await.expect("fine");
        assert_eq!(request[..4], [5, 1, 0, 3], "CONNECT to a name");
        let mut name = vec![0; request[4].into()];
        stream.read_exact(&mut name).await.expect("fine");
        let port = stream.read_u16().await.expect("fine");
        asked += &format!("{}:{port}", String::from_utf8(name).expect("fine"));
        stream.write_all(&[5, reply, 0, 1, 0, 0, 0, 0, 0, 0]).await.expect("fine");
        if reply == 0 {
            let mut server = TcpStream::connect(to).await.expect("fine");
            tokio::spawn(async move { copy_bidirectional(&mut stream, &mut server).await });
        }
        asked
    });
    Asked { address, heads }
}

/// Two providers may be built in: the process chooses.
fn choose_provider() {
    static CHOSEN: Once = Once::new();
    CHOSEN.call_once(|| ring::default_provider().install_default().expect("the first"));
}

async fn echo_server() -> SocketAddr {
    let server = Server::bind("127.0.0.1:0").await.expect("fine");
    let address = server.local_addr().expect("fine");
    tokio::spawn(server.serve(|mut connection| async move {
        _ = connection.run(|message, outbox| outbox.send(message)).await;
    }));
    address
}

fn through(scheme: &str, credentials: &str, proxy: SocketAddr) -> ConnectOptions {
    let proxy: Proxy = format!("{scheme}://{credentials}{proxy}").parse().expect("fine");
    ConnectOptions::default().proxy(proxy)
}

async fn echoes(mut connection: Connection<Transport>) {
    connection.send("hello").await.expect("fine");
    assert_eq!(connection.recv().await.expect("fine"), Some("hello".into()));
}

#[tokio::test]
async fn an_http_proxy_is_asked_for_host_and_port_and_any_2xx_is_a_tunnel() {
    let server = echo_server().await;
    for answer in [
        "HTTP/1.1 200 OK\r\n\r\n",
        "HTTP/1.1 299 Sure\r\nContent-Length: 7\r\n\r\n",
        "HTTP/1.0 200 Connection established\r\n\r\n",
        "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
    ] {
        let Asked { address, heads } = http_proxy(server, answer).await;
        let options = through("http", "", address);
        echoes(options.connect("ws://a.example/chat").await.unwrap().0).await;
        let head = heads.await.unwrap();
        assert!(head.starts_with("CONNECT a.example:80 HTTP/1.1\r\n"), "{head}");
        assert!(head.contains("\r\nHost: a.example:80\r\n"), "{head}");
        assert!(!head.contains("Authorization"), "{head}");
    }
}

#[tokio::test]
async fn credentials_go_to_whom_they_belong() {
    let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let Asked { address, heads } =
        http_proxy(server.local_addr().unwrap(), "HTTP/1.1 200 OK\r\n\r\n").await;
    let options = through("http", "proxy:secret%21@", address);
    let connecting = options.connect("ws://user:password@a.example:8080/");
    let request = async {
        let (stream, _) = server.accept().await.unwrap();
        let mut lines = BufReader::new(stream).lines();
        let mut request = Vec::new();
        while let Some(line) = lines.next_line().await.unwrap().filter(|line| !line.is_empty()) {
            request.push(line);
        }
        request.join("\r\n")
    };
    let (connected, request) = tokio::join!(connecting, request);
    connected.expect_err("no answer");
    let head = heads.await.unwrap();
    assert!(head.starts_with("CONNECT a.example:8080 HTTP/1.1\r\n"), "{head}");
    // "proxy:secret!", and "user:password".
    assert!(head.contains("\r\nProxy-Authorization: Basic cHJveHk6c2VjcmV0IQ==\r\n"), "{head}");
    assert!(request.contains("\r\nAuthorization: Basic dXNlcjpwYXNzd29yZA=="), "{request}");
    assert!(!head.contains("\r\nAuthorization") && !request.contains("Proxy-"), "{head}{request}");
}

#[tokio::test]
async fn a_proxys_refusal_is_an_error_of_its_own() {
    let server = echo_server().await;
    for (answer, status) in [
        ("HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n", Some(407)),
        ("HTTP/1.1 502 Bad Gateway\r\n\r\n", Some(502)),
        ("HTTP/1.1 302 Found\r\nLocation: http://elsewhere/\r\n\r\n", Some(302)),
        ("SSH-2.0-OpenSSH_9.6\r\n", None),
        ("", None),
    ] {
        let Asked { address, heads } = http_proxy(server, answer).await;
        let error = through("http", "", address).connect("ws://a.example/").await.unwrap_err();
        let ConnectError::Proxy(error) = error else { panic!("{error}") };
        assert_eq!(error.status().map(|status| status.as_u16()), status, "{error}");
        match error {
            ProxyError::Refused(_) => assert!(status.is_some()),
            ProxyError::Head(_) => assert!(answer.starts_with("SSH")),
            ProxyError::NoAnswer => assert!(answer.is_empty()),
            error => panic!("{error}"),
        }
        drop(heads);
    }
}

#[tokio::test]
async fn bytes_behind_a_proxys_answer_belong_to_the_tunnel() {
    // What a server says at once comes along with the answer.
    let answer = "HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno";
    let Asked { address, .. } = http_proxy(echo_server().await, answer).await;
    let error = through("http", "", address).connect("ws://a.example/").await.unwrap_err();
    let ConnectError::Refused(response) = error else { panic!("{error}") };
    assert_eq!((response.status().as_u16(), &response.body()[..]), (403, &b"no"[..]));
}

#[tokio::test]
async fn a_socks_proxy_looks_up_the_name() {
    let server = echo_server().await;
    for (scheme, credentials, asked) in [
        ("socks5", "", "a.example:80"),
        ("socks5h", "", "a.example:80"),
        ("socks5", "user:pass%20word@", "user pass word a.example:80"),
    ] {
        let Asked { address, heads } = socks_proxy(server, 0).await;
        let options = through(scheme, credentials, address);
        echoes(options.connect("ws://a.example/").await.unwrap().0).await;
        assert_eq!(heads.await.unwrap(), asked);
    }
    // "Connection not allowed by ruleset".
    let Asked { address, .. } = socks_proxy(server, 2).await;
    let error = through("socks5", "", address).connect("ws://a.example/").await.unwrap_err();
    assert!(matches!(error, ConnectError::Proxy(ProxyError::Socks(_))), "{error}");
}

#[tokio::test]
async fn wss_goes_through_each_and_the_proxy_may_speak_tls_itself() {
    choose_provider();
    let signed =
        rcgen::generate_simple_self_signed(["a.example".into(), "127.0.0.1".into()]).unwrap();
    let (certificate, key) = (signed.cert.pem(), signed.signing_key.serialize_pem());
    let tls = ServerTls::from_pem(certificate.as_bytes(), key.as_bytes()).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(signed.cert.der().clone()).unwrap();
    let server = Server::bind("127.0.0.1:0").await.unwrap();
    let to = server.local_addr().unwrap();
    tokio::spawn(server.tls(tls).serve(|mut connection| async move {
        _ = connection.run(|message, outbox| outbox.send(message)).await;
    }));
    let url = "wss://a.example/";

    let Asked { address, heads } = http_proxy(to, "HTTP/1.1 200 OK\r\n\r\n").await;
    let options = through("http", "", address).tls_roots(roots.clone());
    echoes(options.connect(url).await.unwrap().0).await;
    assert!(heads.await.unwrap().starts_with("CONNECT a.example:443 "));

    let Asked { address, heads } = socks_proxy(to, 0).await;
    let options = through("socks5", "u:p@", address).tls_roots(roots.clone());
    echoes(options.connect(url).await.unwrap().0).await;
    assert_eq!(heads.await.unwrap(), "u p a.example:443");

    // TLS in TLS: what ends the outer one tunnels to the inner one.
    let Asked { address: inner, heads } = http_proxy(to, "HTTP/1.1 200 OK\r\n\r\n").await;
    let outer = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = outer.local_addr().unwrap();
    let mut config = ws_tokio::rustls::ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![signed.cert.der().clone()], signed.signing_key.into())
        .unwrap();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    let acceptor = ws_tokio::tokio_rustls::TlsAcceptor::from(Arc::new(config));
    tokio::spawn(async move {
        let (stream, _) = outer.accept().await.unwrap();
        let mut stream = acceptor.accept(stream).await.unwrap();
        let mut inner = TcpStream::connect(inner).await.unwrap();
        copy_bidirectional(&mut stream, &mut inner).await
    });
    let options = through("https", "", address).tls_roots(roots);
    echoes(options.connect(url).await.unwrap().0).await;
    assert!(heads.await.unwrap().starts_with("CONNECT a.example:443 "));
}

#[tokio::test]
async fn a_proxy_that_stalls_is_named_by_the_deadlines_error() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    for scheme in ["http", "socks5"] {
        let options = through(scheme, "", listener.local_addr().unwrap());
        let options = options.handshake_timeout(Duration::from_millis(50));
        let error = options.connect("ws://a.example/").await.unwrap_err();
        assert!(matches!(error, ConnectError::Timeout(Step::Proxy)), "{error}");
    }
}

#[test]
fn a_proxys_url_is_read_and_its_password_is_never_shown() {
    for url in ["", "nonsense://host", "ftp://host:21", "socks4://host", "http://"] {
        assert!(matches!(url.parse::<Proxy>(), Err(ProxyError::Url)), "{url}");
    }
    let proxy: Proxy = "http://user:secret@[::1]:3128".parse().unwrap();
    assert_eq!(format!("{proxy:?}"), "Proxy(http://::1:3128)");
    let proxy: Proxy = "host:8080".parse().unwrap();
    assert_eq!(format!("{proxy:?}"), "Proxy(http://host:8080)");
    let options = ConnectOptions::default().proxy("socks5://user:secret@host".parse().unwrap());
    assert!(!format!("{options:?}").contains("secret"));
}

#[tokio::test]
async fn a_resolver_and_a_dialer_of_the_callers_are_asked_in_place_of_the_systems() {
    let server = echo_server().await;
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    let options = ConnectOptions::default().resolver(move |host, port| {
        count.fetch_add(1, Ordering::Relaxed);
        async move {
            assert_eq!((&*host, port), ("a.example", 80));
            // The first is not listened on: it costs nothing.
            Ok(vec![([127, 0, 0, 1], 1).into(), server])
        }
    });
    echoes(options.connect("ws://a.example/").await.unwrap().0).await;
    assert_eq!(asked.load(Ordering::Relaxed), 1);
    let options = ConnectOptions::default().dialer(move |_| TcpStream::connect(server));
    let (connection, _) = options.connect("ws://nowhere.example/").await.unwrap();
    assert!(matches!(connection.get_ref(), Transport::Any(_)));
    echoes(connection).await;
    let options = ConnectOptions::default()
        .resolver(|_, _| async { Err(std::io::Error::other("no such name")) });
    let error = options.connect("ws://a.example/").await.unwrap_err();
    assert_eq!(error.to_string(), "the transport failed: no such name");
}

/// A listener whose queue is full takes no more, and refuses nobody.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_dead_address_does_not_keep_from_the_next_one() {
    let server = echo_server().await;
    let dead = SocketAddr::from(([127, 0, 0, 2], server.port()));
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind(dead).unwrap();
    let _listener = socket.listen(1).unwrap();
    let mut queued = Vec::new();
    while let Ok(stream) =
        tokio::time::timeout(Duration::from_millis(500), TcpStream::connect(dead)).await
    {
        queued.push(stream.unwrap());
    }
    let options = ConnectOptions::default()
        .resolver(move |_, _| async move { Ok(vec![dead, server]) })
        .handshake_timeout(Duration::from_secs(5));
    let (connection, _) = options.connect("ws://a.example/").await.unwrap();
    assert_eq!(connection.peer_addr(), Some(server));
    echoes(connection).await;
    // Where there is no other, the error says what it was at.
    let options = ConnectOptions::default()
        .resolver(move |_, _| async move { Ok(vec![dead]) })
        .handshake_timeout(Duration::from_millis(300));
    let error = options.connect("ws://a.example/").await.unwrap_err();
    assert!(matches!(error, ConnectError::Timeout(Step::Dial)), "{error}");
}

#[cfg(feature = "http2")]
#[tokio::test]
async fn a_tunnel_carries_one_connection_over_http2_for_many_websockets() {
    use ws_tokio::Http2Options;

    choose_provider();
    let issued = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("fine");
    let (certificate, key) = (issued.cert.pem(), issued.signing_key.serialize_pem());
    let tls = ServerTls::from_pem(certificate.as_bytes(), key.as_bytes()).expect("fine");
    let server = Server::bind("127.0.0.1:0").await.expect("fine");
    let address = server.local_addr().expect("fine");
    let server = server.tls(tls).http2(Http2Options::default());
    tokio::spawn(server.serve(async |mut connection: Connection| {
        connection.run(|message, outbox| outbox.send(message)).await
    }));
    let proxy = http_proxy(address, "HTTP/1.1 200 OK\r\n\r\n").await;
    let mut roots = RootCertStore::empty();
    roots.add(issued.cert.der().clone()).expect("fine");
    let options = through("http", "", proxy.address).tls_roots(roots);
    let options = options.prefer_http2(Http2Options::default());
    let url = format!("wss://localhost:{}/", address.port());
    for _ in 0..3 {
        let (connection, response) = options.connect(&*url).await.expect("fine");
        assert_eq!(response.status().as_u16(), 200);
        echoes(connection).await;
    }
    // It takes one client only.
    assert!(proxy.heads.await.expect("fine").starts_with("CONNECT localhost:"));
}
