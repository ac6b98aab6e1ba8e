//! The published crates. 'Fed': every message that is there is answered, then all is flushed; 'sent': each is flushed.

use std::error::Error;

use fastwebsockets::{FragmentCollector, OpCode, Role, WebSocket};
use futures_util::{FutureExt, Sink, SinkExt, Stream, StreamExt};
use sockudo_ws::deflate::DeflateConfig;
use sockudo_ws::handshake::server_handshake;
use sockudo_ws::{CompressedWebSocketStream, Config, WebSocketStream};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_tungstenite::tungstenite;
use ws_tokio::Compression;
use yawc::{CompressionLevel, DeflatePool, Frame, Options, WebSocketError};

use super::asked::{Deflate, Ended};
use super::upgrade::upgrade;

/// A stream that any of them can have.
pub(super) trait Transport: AsyncRead + AsyncWrite + Unpin + Send + 'static {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> Transport for S {}

/// When what was answered is flushed.
#[derive(Clone, Copy)]
pub(super) enum Flush {
    /// Once nothing more is there to be answered.
    Burst,
    Each,
}

/// Answers messages with what `answer` makes of them, until one that it makes nothing of, such as a close frame.
///
/// By reference, here and below: each future that a connection moves through keeps room for it, and idle ones are weighed.
pub(super) async fn echo<T, M, E>(
    ws: &mut T,
    flush: Flush,
    answer: impl Fn(M) -> Option<M>,
) -> Ended
where
    T: Stream<Item = Result<M, E>> + Sink<M, Error = E> + Unpin,
    E: Error + Send + Sync + 'static,
{
    while let Some(message) = ws.next().await {
        let mut next = Some(message);
        while let Some(message) = next {
            let Some(answer) = answer(message?) else { return Ok(()) };
            ws.feed(answer).await?;
            next = match flush {
                Flush::Burst => ws.next().now_or_never().flatten(),
                Flush::Each => None,
            };
        }
        ws.flush().await?;
    }
    Ok(())
}

pub(super) async fn sockudo_fed<S: Transport>(stream: S, deflate: Deflate) -> Ended {
    sockudo(stream, deflate, Flush::Burst).await
}

pub(super) async fn sockudo_sent<S: Transport>(stream: S, deflate: Deflate) -> Ended {
    sockudo(stream, deflate, Flush::Each).await
}

async fn sockudo<S: Transport>(mut stream: S, deflate: Deflate, flush: Flush) -> Ended {
    let alone = match deflate.takeover {
        Compression::Off => {
            server_handshake(&mut stream).await?;
            let mut ws = WebSocketStream::server(stream, Config::default());
            return sockudo_echo(&mut ws, flush).await;
        }
        Compression::NoContextTakeover => true,
        Compression::ContextTakeover => false,
    };
    let config = DeflateConfig {
        server_no_context_takeover: alone,
        client_no_context_takeover: alone,
        compression_level: deflate.level.into(),
        compression_threshold: 0,
        ..DeflateConfig::default()
    };
    upgrade(&mut stream, Some(&config.to_response_header())).await?;
    let mut ws = CompressedWebSocketStream::server(stream, Config::default(), config);
    sockudo_echo(&mut ws, flush).await
}

/// However its handshake was done.
pub(super) async fn sockudo_echo<T>(ws: &mut T, flush: Flush) -> Ended
where
    T: Stream<Item = sockudo_ws::Result<sockudo_ws::Message>>
        + Sink<sockudo_ws::Message, Error = sockudo_ws::Error>
        + Unpin,
{
    echo(ws, flush, |message| (!message.is_close()).then_some(message)).await
}

pub(super) async fn yawc_fed<S: Transport>(stream: S, deflate: Deflate) -> Ended {
    yawc(stream, deflate, yawc_large_buffers(), Flush::Burst).await
}

pub(super) async fn yawc_sent<S: Transport>(stream: S, deflate: Deflate) -> Ended {
    yawc(stream, deflate, yawc_large_buffers(), Flush::Each).await
}

/// What its documentation advises for many idle connections.
pub(super) async fn yawc_small<S: Transport>(stream: S, deflate: Deflate) -> Ended {
    let options =
        Options::default().with_read_buffer_capacity(1024).with_write_buffer_capacity(1024);
    yawc(stream, deflate, options, Flush::Burst).await
}

/// What its own benchmarks use, with room for the largest messages that are measured: they have to be shorter than its limit.
pub(crate) fn yawc_large_buffers() -> Options {
    Options::default()
        .with_read_buffer_capacity(128 * 1024)
        .with_backpressure_boundary(64 * 1024)
        .with_limits((16 << 20) + 1, 32 << 20)
}

async fn yawc<S: Transport>(
    mut stream: S,
    deflate: Deflate,
    options: Options,
    flush: Flush,
) -> Ended {
    let level = CompressionLevel::new(deflate.level.into());
    let deflating = || options.clone().with_compression_level(level).with_compression_threshold(0);
    let (extension, options) = match deflate.takeover {
        Compression::Off => (None, options.without_compression()),
        Compression::ContextTakeover => (Some("permessage-deflate"), deflating()),
        Compression::NoContextTakeover => (
            Some("permessage-deflate; server_no_context_takeover; client_no_context_takeover"),
            deflating()
                .server_no_context_takeover()
                .client_no_context_takeover()
                .with_deflate_pool(YAWC_POOL.with(DeflatePool::clone)),
        ),
    };
    upgrade(&mut stream, extension).await?;
    let role = yawc::Role::Server;
    let mut ws =
        yawc::WebSocket::from_stream_with_extensions(stream, role, extension, options.with_utf8())?;
    yawc_echo(&mut ws, flush).await
}

/// However its handshake was done.
pub(super) async fn yawc_echo<S: Transport>(ws: &mut yawc::WebSocket<S>, flush: Flush) -> Ended {
    let data = |frame: Frame| (!frame.opcode().is_control()).then_some(frame);
    echo(&mut ws.map(Ok::<_, WebSocketError>), flush, data).await
}

thread_local! {
    static YAWC_POOL: DeflatePool = DeflatePool::new(64);
}

pub(super) async fn fastwebsockets<S: Transport>(mut stream: S, _: Deflate) -> Ended {
    upgrade(&mut stream, None).await?;
    fastwebsockets_echo(WebSocket::after_handshake(stream, Role::Server)).await
}

/// However its handshake was done.
pub(super) async fn fastwebsockets_echo<S: AsyncRead + AsyncWrite + Unpin>(
    mut ws: WebSocket<S>,
) -> Ended {
    ws.set_writev(true);
    let mut ws = FragmentCollector::new(ws);
    loop {
        let frame = ws.read_frame().await?;
        match frame.opcode {
            OpCode::Text | OpCode::Binary => ws.write_frame(frame).await?,
            OpCode::Close => return Ok(()),
            OpCode::Continuation | OpCode::Ping | OpCode::Pong => {}
        }
    }
}

/// Its default is to send more than 4 MiB in fragments, which what drives it doesn't put together.
pub(crate) fn tokio_websockets_whole() -> tokio_websockets::Config {
    tokio_websockets::Config::default().frame_size(16 << 20)
}

/// It flushes whenever it is asked for a message: to feed it a burst gains nothing.
pub(super) async fn tokio_websockets<S: Transport>(stream: S, _: Deflate) -> Ended {
    let builder = tokio_websockets::ServerBuilder::new().config(tokio_websockets_whole());
    let (_, mut ws) = builder.accept(stream).await?;
    echo(&mut ws, Flush::Each, |message: tokio_websockets::Message| {
        (message.is_text() || message.is_binary()).then_some(message)
    })
    .await
}

pub(super) async fn tungstenite_fed<S: Transport>(stream: S, _: Deflate) -> Ended {
    tungstenite(stream, Flush::Burst).await
}

pub(super) async fn tungstenite_sent<S: Transport>(stream: S, _: Deflate) -> Ended {
    tungstenite(stream, Flush::Each).await
}

async fn tungstenite<S: Transport>(stream: S, flush: Flush) -> Ended {
    let mut ws = tokio_tungstenite::accept_async(stream).await?;
    tungstenite_echo(&mut ws, flush).await
}

/// However its handshake was done.
pub(super) async fn tungstenite_echo<S: Transport>(
    ws: &mut tokio_tungstenite::WebSocketStream<S>,
    flush: Flush,
) -> Ended {
    echo(ws, flush, |message: tungstenite::Message| {
        (message.is_text() || message.is_binary()).then_some(message)
    })
    .await
}
