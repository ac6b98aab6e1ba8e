//! Messages, bursts and ends through TLS.

use futures_util::{SinkExt, StreamExt};
use ws_tokio::rustls::RootCertStore;
use ws_tokio::tokio_rustls::TlsConnector;
use ws_tokio::{CloseCode, ConnectOptions, Error, Message, Server};

use crate::authority::Authority;
use crate::{ALL, trusting};

#[tokio::test]
async fn messages_of_all_sizes_come_back_whole_and_in_order() {
    let authority = Authority::new();
    let messages: Vec<Message> = [0, 1, 125, 126, 16_000, 16_384, 65_535, 65_536, 300_000, 900_000]
        .into_iter()
        .cycle()
        .take(20)
        .enumerate()
        .map(|(index, len)| Message::binary(vec![index as u8; len]))
        .collect();
    for (server, client) in ALL {
        let (address, _server) = server.echo(&authority).await;
        let connection = client.connect(&authority, address).await;
        let (mut receiving, sending) = connection.split();
        let sent = messages.clone();
        let sender = tokio::spawn(async move {
            for message in sent {
                sending.feed(message).await.unwrap();
            }
            sending.flush().await.unwrap();
            sending
        });
        for message in &messages {
            let received = receiving.recv().await.unwrap();
            assert!(received.as_ref() == Some(message), "{server:?}, {client:?}");
        }
        sender.await.unwrap();
    }
}

#[tokio::test]
async fn two_tasks_share_a_connection_by_futures_split() {
    let authority = Authority::new();
    for (server, client) in ALL {
        let (address, _server) = server.echo(&authority).await;
        let connection = client.connect(&authority, address).await;
        let (mut sink, mut stream) = StreamExt::split(connection);
        let sender = tokio::spawn(async move {
            for index in 0..20 {
                sink.send(Message::binary(vec![index; 300 * 1024])).await.unwrap();
            }
            sink
        });
        for index in 0..20 {
            let message = stream.next().await.unwrap().unwrap();
            assert!(message == Message::binary(vec![index; 300 * 1024]), "{server:?}, {client:?}");
        }
        drop(sender.await.unwrap());
    }
}

#[tokio::test]
async fn a_normal_close_ends_the_stream_with_close_notify() {
    let authority = Authority::new();
    for (server, client) in ALL {
        let (address, listening) = server.listen(&authority).await;
        let server = async {
            let mut connection = listening.accept().await;
            assert_eq!(connection.recv().await.unwrap(), None);
            // A stream of TLS that ends without close_notify is an error to read.
            let mut stream = connection.into_inner();
            let read = tokio::io::AsyncReadExt::read(&mut stream, &mut [0]).await;
            assert_eq!(read.unwrap(), 0);
        };
        let client = async {
            let mut connection = client.connect(&authority, address).await;
            connection.close(CloseCode::NORMAL, "").await.unwrap();
        };
        tokio::join!(server, client);
    }
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
