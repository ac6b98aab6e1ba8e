//! The published crates, whose limits allow the largest messages that are measured.

use std::error::Error;
use std::sync::Arc;

use bytes::Bytes;
use fastwebsockets::{FragmentCollector, Frame, OpCode, Payload, WebSocket};
use futures_util::{Sink, SinkExt, Stream, StreamExt};
use sockudo_ws::{Config, WebSocketStream};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_tungstenite::tungstenite;
use ws_core::Role;
use yawc::WebSocketError;

use super::work::{Kind, Work};
use crate::servers::Ended;
use crate::servers::peers::{tokio_websockets_whole, yawc_large_buffers};

/// A stream that any of them can have.
pub(super) trait Transport: AsyncRead + AsyncWrite + Unpin + Send + 'static {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> Transport for S {}

/// The work over a stream and sink of messages: a burst is fed, then flushed.
async fn talk<T, M, E>(
    ws: &mut T,
    work: &Work,
    make: fn(Bytes) -> M,
    data: fn(&M) -> &[u8],
) -> Ended
where
    T: Stream<Item = Result<M, E>> + Sink<M, Error = E> + Unpin,
    E: Error + Send + Sync + 'static,
{
    match work.kind {
        Kind::Ask(in_flight) => loop {
            for _ in 0..in_flight {
                ws.feed(make(work.payload.clone())).await?;
            }
            ws.flush().await?;
            for _ in 0..in_flight {
                let message = ws.next().await.ok_or("the connection ended")??;
                work.check(data(&message));
            }
            work.done(in_flight);
        },
        Kind::Take | Kind::Wait => {
            if matches!(work.kind, Kind::Wait) {
                ws.send(make(work.payload.clone())).await?;
            }
            while let Some(message) = ws.next().await {
                work.check(data(&message?));
                work.done(1);
            }
            Ok(())
        }
        Kind::Give => loop {
            ws.send(make(work.payload.clone())).await?;
            work.done(1);
        },
    }
}

pub(super) async fn sockudo<S: Transport>(stream: S, role: Role, work: Arc<Work>) -> Ended {
    let mut ws = match role {
        Role::Client => WebSocketStream::client(stream, Config::default()),
        Role::Server => WebSocketStream::server(stream, Config::default()),
    };
    talk(&mut ws, &work, sockudo_ws::Message::Binary, |message| message.as_bytes()).await
}

/// With the buffers that its own benchmarks use.
pub(super) async fn yawc<S: Transport>(stream: S, role: Role, work: Arc<Work>) -> Ended {
    let role = match role {
        Role::Client => yawc::Role::Client,
        Role::Server => yawc::Role::Server,
    };
    let options = yawc_large_buffers().without_compression().with_utf8();
    let ws = yawc::WebSocket::from_stream(stream, role, options)?;
    let mut ws = ws.map(Ok::<_, WebSocketError>);
    talk(&mut ws, &work, yawc::Frame::binary, |frame| frame.payload()).await
}

/// Each frame is written at once: there is no way to feed.
pub(super) async fn fastwebsockets<S: Transport>(stream: S, role: Role, work: Arc<Work>) -> Ended {
    let role = match role {
        Role::Client => fastwebsockets::Role::Client,
        Role::Server => fastwebsockets::Role::Server,
    };
    let mut ws = WebSocket::after_handshake(stream, role);
    ws.set_writev(true);
    let mut ws = FragmentCollector::new(ws);
    let message = || Frame::binary(Payload::Borrowed(&work.payload));
    match work.kind {
        Kind::Ask(in_flight) => loop {
            for _ in 0..in_flight {
                ws.write_frame(message()).await?;
            }
            for _ in 0..in_flight {
                let frame = ws.read_frame().await?;
                assert!(frame.opcode == OpCode::Binary);
                work.check(&frame.payload);
            }
            work.done(in_flight);
        },
        Kind::Take | Kind::Wait => {
            if matches!(work.kind, Kind::Wait) {
                ws.write_frame(message()).await?;
            }
            loop {
                let frame = ws.read_frame().await?;
                assert!(frame.opcode == OpCode::Binary);
                work.check(&frame.payload);
                work.done(1);
            }
        }
        Kind::Give => loop {
            ws.write_frame(message()).await?;
            work.done(1);
        },
    }
}

pub(super) async fn tokio_websockets<S: Transport>(
    stream: S,
    role: Role,
    work: Arc<Work>,
) -> Ended {
    let whole = tokio_websockets_whole();
    let mut ws = match role {
        Role::Client => tokio_websockets::ClientBuilder::new().config(whole).take_over(stream),
        Role::Server => tokio_websockets::ServerBuilder::new().config(whole).serve(stream),
    };
    let make = tokio_websockets::Message::binary::<Bytes>;
    talk(&mut ws, &work, make, |message| message.as_payload()).await
}

pub(super) async fn tungstenite<S: Transport>(stream: S, role: Role, work: Arc<Work>) -> Ended {
    let role = match role {
        Role::Client => tungstenite::protocol::Role::Client,
        Role::Server => tungstenite::protocol::Role::Server,
    };
    let mut ws = tokio_tungstenite::WebSocketStream::from_raw_socket(stream, role, None).await;
    let data: fn(&tungstenite::Message) -> &[u8] = |message| match message {
        tungstenite::Message::Binary(data) => data,
        _ => &[],
    };
    talk(&mut ws, &work, tungstenite::Message::Binary, data).await
}
