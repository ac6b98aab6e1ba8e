//! WebSockets over HTTP/2 between this project and its peers, both ways.

use std::io;

use futures_util::{SinkExt, StreamExt};
use tokio::net::{TcpListener, TcpStream};
use ws_benches::servers::{Deflate, OVER_HTTP2, find_tcp};
use ws_tokio::{
    AcceptOptions, CloseCode, ConnectOptions, Connection, Http2Options, Http2Session, Message,
    Server,
};

/// Sizes around what a frame, a window and a buffer hold.
const SIZES: [usize; 6] = [0, 125, 16 << 10, 70_000, 300 << 10, 900 << 10];

#[tokio::test]
async fn our_client_is_echoed_to_by_every_server() -> io::Result<()> {
    for server in OVER_HTTP2.iter().filter(|server| !server.name.contains("bare")) {
        let serve = find_tcp(server.name, Deflate::OFF).expect(server.name);
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("ws://{}", listener.local_addr()?);
        tokio::spawn(async move {
            loop {
                serve(listener.accept().await.expect("a client").0);
            }
        });
        let options = ConnectOptions::default();
        let session = Http2Session::new(url, &options, Http2Options::default()).expect("a URL");
        let mut connections = Vec::new();
        for _ in 0..5 {
            connections.push(session.open("/", &options).await.expect(server.name).0);
        }
        for connection in &mut connections {
            for size in SIZES {
                let message = Message::from(vec![7; size]);
                connection.send(message.clone()).await.expect(server.name);
                assert_eq!(connection.recv().await.expect(server.name), Some(message));
            }
        }
        for mut connection in connections {
            let closed = connection.close(CloseCode::NORMAL, "").await;
            // The others' loops return at a close frame, not all of them after its answer.
            assert!(closed.is_ok() || !server.name.contains("ws-tokio"), "{}", server.name);
        }
    }
    Ok(())
}

#[tokio::test]
async fn yawcs_client_is_echoed_to_by_our_server() -> io::Result<()> {
    let server = Server::bind("127.0.0.1:0").await?;
    let address = server.local_addr()?;
    let options = AcceptOptions::default().compression(ws_tokio::Compression::ContextTakeover);
    let server = server.options(options).http2(Http2Options::default());
    tokio::spawn(server.serve(async |mut connection: Connection| {
        connection.run(|message, outbox| outbox.send(message)).await
    }));
    for options in [yawc::Options::default().without_compression(), yawc::Options::default()] {
        let stream = TcpStream::connect(address).await?;
        let url = format!("ws://{address}/").parse().expect("a URL");
        let mut client = yawc::http2::handshake(url, stream, options, yawc::HttpRequest::builder())
            .await
            .expect("a WebSocket");
        for size in SIZES {
            client.send(yawc::Frame::binary(vec![7; size])).await.expect("sent");
            let echoed = client.next().await.expect("an answer");
            assert_eq!(echoed.payload().len(), size);
        }
    }
    Ok(())
}
