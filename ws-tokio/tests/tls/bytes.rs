//! Messages, bursts and ends through TLS.

use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpListener;
use ws_tokio::rustls::RootCertStore;
use ws_tokio::tokio_rustls::TlsConnector;
use ws_tokio::{AcceptOptions, CloseCode, ConnectOptions, Error, Message, Server};

use crate::authority::Authority;
use crate::{serve, trusting};

#[tokio::test]
async fn messages_of_all_sizes_come_back_whole_and_in_order() {
    let authority = Authority::new();
    let (address, _server) = serve(&authority, &["localhost"]).await;
    let url = format!("wss://localhost:{}/", address.port());
    let (connection, _) = trusting(&authority).connect(&url).await.unwrap();
    let (mut receiving, sending) = connection.split();
    let messages: Vec<Message> = [0, 1, 125, 126, 16_000, 16_384, 65_535, 65_536, 300_000, 900_000]
        .into_iter()
        .cycle()
        .take(40)
        .enumerate()
        .map(|(index, len)| Message::binary(vec![index as u8; len]))
        .collect();
    let sent = messages.clone();
    let sender = tokio::spawn(async move {
        for message in sent {
            sending.feed(message).await.unwrap();
        }
        sending.flush().await.unwrap();
        sending
    });
    for message in messages {
        assert_eq!(receiving.recv().await.unwrap(), Some(message));
    }
    sender.await.unwrap();
}

#[tokio::test]
async fn two_tasks_share_a_connection_by_futures_split() {
    let authority = Authority::new();
    let (address, _server) = serve(&authority, &["localhost"]).await;
    let url = format!("wss://localhost:{}/", address.port());
    let (connection, _) = trusting(&authority).connect(&url).await.unwrap();
    let (mut sink, mut stream) = StreamExt::split(connection);
    let sender = tokio::spawn(async move {
        for index in 0..40 {
            sink.send(Message::binary(vec![index; 300 * 1024])).await.unwrap();
        }
        sink
    });
    for index in 0..40 {
        let message = stream.next().await.unwrap().unwrap();
        assert_eq!(message, Message::binary(vec![index; 300 * 1024]));
    }
    drop(sender.await.unwrap());
}

#[tokio::test]
async fn a_normal_close_ends_the_stream_with_close_notify() {
    let authority = Authority::new();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("wss://localhost:{}/", listener.local_addr().unwrap().port());
    let acceptor = ws_tokio::tokio_rustls::TlsAcceptor::from(authority.config(&["localhost"]));
    let server = async {
        let (stream, _) = listener.accept().await.unwrap();
        let stream = acceptor.accept(stream).await.unwrap();
        let mut connection = AcceptOptions::default().accept(stream).await.unwrap();
        assert_eq!(connection.recv().await.unwrap(), None);
        // A stream of TLS that ends without close_notify is an error to read.
        let mut stream = connection.into_inner();
        let read = tokio::io::AsyncReadExt::read(&mut stream, &mut [0]).await;
        assert_eq!(read.unwrap(), 0);
    };
    let client = async {
        let (mut connection, _) = trusting(&authority).connect(&url).await.unwrap();
        connection.close(CloseCode::NORMAL, "").await.unwrap();
    };
    tokio::join!(server, client);
}

#[tokio::test]
async fn a_stream_without_close_notify_was_cut_on_either_side() {
    let authority = Authority::new();
    let server = Server::bind("127.0.0.1:0").await.unwrap();
    let address = server.local_addr().unwrap();
    let (ends, mut ended) = tokio::sync::mpsc::channel(1);
    tokio::spawn(server.tls(authority.server(&["localhost"])).serve(move |mut connection| {
        let ends = ends.clone();
        async move {
            match connection.recv().await {
                Ok(Some(_)) => {
                    // Below TLS: no close_notify.
                    drop(connection.into_inner().into_inner());
                }
                ended => _ = ends.send(ended).await,
            }
        }
    }));
    let url = format!("wss://localhost:{}/", address.port());
    let options = trusting(&authority);
    let (mut connection, _) = options.connect(&url).await.unwrap();
    connection.send("cut me").await.unwrap();
    let error = connection.recv().await.unwrap_err();
    assert!(matches!(error, Error::Cut(_)), "{error}");

    let mut roots = RootCertStore::empty();
    roots.add(authority.root()).unwrap();
    let config = ws_tokio::rustls::ClientConfig::builder()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let tcp = tokio::net::TcpStream::connect(address).await.unwrap();
    let name = "localhost".try_into().unwrap();
    let stream = TlsConnector::from(std::sync::Arc::new(config)).connect(name, tcp).await.unwrap();
    let (connection, _) = ConnectOptions::default().connect_over(stream, &url).await.unwrap();
    let (tcp, _) = connection.into_inner().into_inner();
    drop(tcp);
    let error = ended.recv().await.unwrap().unwrap_err();
    assert!(matches!(error, Error::Cut(_)), "{error}");
}
