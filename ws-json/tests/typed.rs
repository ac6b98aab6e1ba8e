//! Values as a `Stream` and a `Sink`.
#![cfg(feature = "stream")]

use std::future::poll_fn;
use std::pin::Pin;

use futures_core::Stream;
use futures_sink::Sink;
use tokio::io::DuplexStream;
use ws_json::{Error, Json, Typed};
use ws_tokio::{CloseCode, Connection, pipe};

async fn next<T: Stream + Unpin>(stream: &mut T) -> Option<T::Item> {
    poll_fn(|cx| Pin::new(&mut *stream).poll_next(cx)).await
}

async fn send<T, K: Sink<T, Error = Error> + Unpin>(sink: &mut K, value: T) -> Result<(), Error> {
    poll_fn(|cx| Pin::new(&mut *sink).poll_ready(cx)).await?;
    Pin::new(&mut *sink).start_send(value)?;
    poll_fn(|cx| Pin::new(&mut *sink).poll_flush(cx)).await
}

async fn close<T, K: Sink<T, Error = Error> + Unpin>(sink: &mut K) -> Result<(), Error> {
    poll_fn(|cx| Pin::new(&mut *sink).poll_close(cx)).await
}

async fn pair() -> (Typed<Connection<DuplexStream>, u64, String>, Connection<DuplexStream>) {
    let (client, server) = pipe().await;
    (Json(client).typed(), server)
}

#[tokio::test]
async fn a_typed_connection_is_a_stream_of_one_type_and_a_sink_of_another() {
    let (mut typed, mut peer) = pair().await;
    send(&mut typed, "one".to_owned()).await.unwrap();
    assert_eq!(peer.recv().await.unwrap(), Some(r#""one""#.into()));
    peer.send("1").await.unwrap();
    assert_eq!(next(&mut typed).await.unwrap().unwrap(), 1);
    let (closed, end) = tokio::join!(close(&mut typed), peer.recv());
    closed.unwrap();
    assert_eq!((end.unwrap(), peer.close_frame().unwrap().code()), (None, CloseCode::NORMAL));
    for _ in 0..2 {
        assert!(next(&mut typed).await.is_none());
    }
    assert!(send(&mut typed, "late".to_owned()).await.is_err());
}

#[tokio::test]
async fn typed_halves_are_a_stream_and_a_sink() {
    let (client, server) = pipe().await;
    let (receiving, sending) = client.split();
    let mut stream: Typed<_, String> = Json(receiving).typed();
    let mut sink: Typed<_, (), &str> = Json(sending).typed();
    let mut echo: Typed<_, String> = Json(server).typed();
    send(&mut sink, "round").await.unwrap();
    let heard = next(&mut echo).await.unwrap().unwrap();
    send(&mut echo, heard).await.unwrap();
    assert_eq!(next(&mut stream).await.unwrap().unwrap(), "round");
    let (closed, end, theirs) = tokio::join!(close(&mut sink), next(&mut stream), next(&mut echo));
    closed.unwrap();
    assert!(end.is_none() && theirs.is_none());
}

#[tokio::test]
async fn a_typed_stream_goes_on_behind_a_wrong_shape_and_ends_behind_what_is_not_json() {
    let (mut typed, mut peer) = pair().await;
    for text in ["-1", "2", "oops", "3"] {
        peer.send(text).await.unwrap();
    }
    assert!(matches!(next(&mut typed).await, Some(Err(Error::Shape(_)))));
    assert!(matches!(next(&mut typed).await, Some(Ok(2))));
    let (error, told) = tokio::join!(next(&mut typed), peer.recv());
    assert!(matches!(error, Some(Err(Error::Syntax(_)))));
    assert_eq!(told.unwrap_err().close_code(), Some(CloseCode::INVALID_PAYLOAD));
    for _ in 0..2 {
        assert!(next(&mut typed).await.is_none());
    }
}

#[tokio::test]
async fn a_typed_stream_ends_behind_the_connections_error() {
    let (mut typed, peer) = pair().await;
    drop(peer);
    let error = next(&mut typed).await.unwrap().unwrap_err();
    assert!(matches!(error, Error::Connection(ws_tokio::Error::Cut(_))));
    assert!(next(&mut typed).await.is_none());
}

#[tokio::test]
async fn a_value_that_cannot_be_json_leaves_the_sink_usable() {
    let (client, mut server) = pipe().await;
    let mut typed: Typed<_, (), std::collections::HashMap<Vec<u8>, u8>> = Json(client).typed();
    let error = send(&mut typed, [(vec![1], 2)].into()).await.unwrap_err();
    assert!(matches!(error, Error::Serialize(_)));
    send(&mut typed, [].into()).await.unwrap();
    assert_eq!(server.recv().await.unwrap(), Some("{}".into()));
    typed.get_mut().send("raw").await.unwrap();
    typed.into_inner().close_now();
}
