//! A pipe: both ends of a connection in memory, behind a real handshake.

use tokio::io::DuplexStream;
use ws_tokio::http::StatusCode;
use ws_tokio::http::header::{HeaderValue, ORIGIN};
use ws_tokio::{
    AcceptOptions, CloseCode, ConnectError, ConnectOptions, Connection, Error, Role, Settings,
    pipe, pipe_with,
};

/// Sends both ways, and closes.
async fn talks(mut client: Connection<DuplexStream>, mut server: Connection<DuplexStream>) {
    client.feed("question").await.expect("room");
    let (asked, received) = tokio::join!(client.flush(), server.recv());
    asked.expect("an open pipe");
    assert_eq!(received.expect("an open pipe"), Some("question".into()));
    let (answered, received) = tokio::join!(server.send(vec![7; 10_000]), client.recv());
    answered.expect("an open pipe");
    assert_eq!(received.expect("an open pipe"), Some(vec![7; 10_000].into()));
    let (closed, received) = tokio::join!(client.close(CloseCode::NORMAL, "bye"), server.recv());
    closed.expect("an answer");
    assert_eq!(received.expect("an open pipe"), None);
    assert_eq!(server.close_frame().expect("a code").reason(), "bye");
}

#[tokio::test]
async fn a_pipe_is_a_client_and_a_server_that_talk_to_each_other() {
    let (client, server) = pipe().await;
    assert_eq!((client.role(), server.role()), (Role::Client, Role::Server));
    talks(client, server).await;
}

#[tokio::test]
async fn a_pipe_of_one_byte_passes_everything_on() {
    let (connect, accept) = (ConnectOptions::default(), AcceptOptions::default());
    let (client, server) = pipe_with(&connect, &accept, 1).await.unwrap();
    talks(client, server).await;
}

#[tokio::test]
async fn the_options_of_both_ends_of_a_pipe_hold() {
    let connect = ConnectOptions::default().subprotocols(["chat", "chat.v2"]);
    let accept = AcceptOptions::default()
        .subprotocols(["chat.v2"])
        .settings(Settings::default().max_message(5));
    let (mut client, mut server) = pipe_with(&connect, &accept, 1024).await.unwrap();
    assert_eq!((client.subprotocol(), server.subprotocol()), (Some("chat.v2"), Some("chat.v2")));
    client.send("123456").await.unwrap();
    let (received, told) = tokio::join!(server.recv(), client.recv());
    assert!(matches!(received, Err(Error::Protocol(_))));
    assert_eq!(told.unwrap_err().close_code(), Some(CloseCode::TOO_BIG));
}

#[tokio::test]
async fn a_refusal_in_a_pipe_is_the_clients_error_with_the_servers_response() {
    let foreign = HeaderValue::from_static("https://example.com");
    let connect = ConnectOptions::default().header(ORIGIN, foreign);
    let error = pipe_with(&connect, &AcceptOptions::default(), 100).await.unwrap_err();
    assert_eq!(error.status(), Some(StatusCode::FORBIDDEN));
    let ConnectError::Refused(response) = error else { panic!("{error:?}") };
    assert!(!response.body().is_empty(), "it says why");
}

#[tokio::test]
async fn an_offer_that_cannot_be_made_makes_no_pipe() {
    let connect = ConnectOptions::default().subprotocols(["no token"]);
    let error = pipe_with(&connect, &AcceptOptions::default(), 100).await.unwrap_err();
    assert!(matches!(error, ConnectError::Offer(_)), "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn a_pipe_needs_no_time() {
    let before = tokio::time::Instant::now();
    let (client, server) = pipe().await;
    talks(client, server).await;
    assert_eq!(before.elapsed().as_secs(), 0);
}
