//! WebSocket connections on Tokio (RFC 6455), with a small and idiomatic API.
//!
//! # A server
//!
//! ```no_run
//! use tokio::net::TcpListener;
//!
//! #[tokio::main]
//! async fn main() -> std::io::Result<()> {
//!     let listener = TcpListener::bind("127.0.0.1:9001").await?;
//!     loop {
//!         let (stream, _) = listener.accept().await?;
//!         stream.set_nodelay(true)?;
//!         tokio::spawn(async move {
//!             let mut connection = ws_tokio::accept(stream).await?;
//!             while let Some(message) = connection.recv().await? {
//!                 connection.feed(message).await?;
//!             }
//!             Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
//!         });
//!     }
//! }
//! ```
//!
//! # A client
//!
//! ```no_run
//! use ws_tokio::{CloseCode, connect};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let (mut connection, _response) = connect("ws://127.0.0.1:9001/").await?;
//! connection.send("hello").await?;
//! println!("{:?}", connection.recv().await?);
//! connection.close(CloseCode::NORMAL, "").await?;
//! # Ok(())
//! # }
//! ```
//!
//! # Two ways to receive
//!
//! - [`Connection::recv`] returns owned messages, [`Connection::recv_into`] fills a buffer. Messages queued by
//!   [`feed`](Connection::feed) are written when `recv` waits, so the replies to a burst are written together.
//!   [`Connection::recv_with`] borrows a message from the read buffer, and [`Connection::feed_with`] writes one
//!   directly into the send queue.
//! - [`Connection::run`] calls a function for every message, borrowed from the read buffer. This is the fastest way: no
//!   allocation, no reference count and no task switch per message.
//!
//! Control frames never reach the caller: pings are answered; a close frame is answered and ends the connection.
//!
//! # Other APIs
//!
//! - [`Connection::split`]: one task receives, any number of tasks send, ping and close.
//! - [`Connection::reader`] and [`Connection::writer`]: a message as a byte stream, while it arrives or is written.
//! - [`ByteStream`]: a connection for protocols without messages. For typed JSON, see the crate `ws-json`.
//! - [`Hub`]: topics by name, for connections that subscribe to any number of them.
//! - [`PreparedMessage`] and [`Broadcast`]: one message for many connections; a slow subscriber never delays the
//!   others.
//! - [`Server`]: a TCP listener with connection limits. [`Tracker`]: graceful shutdown.
//! - [`Connection::on_ping`], [`Connection::on_pong`] and [`Connection::counters`]: observability.
//! - [`pipe`]: both ends in memory, for tests.
//!
//! # Memory
//!
//! An idle connection owns no buffers: each thread keeps a pool of them (up to 8 of 128 KiB for each direction) and
//! lends them to busy connections. [`Settings`] limit how much memory a peer can make a connection use;
//! [`AcceptOptions`] and [`ConnectOptions`] limit it during the handshake.
//!
//! # Cancel safety
//!
//! Progress is stored in the connection, not in futures: any future of a connection can be dropped at any point, and
//! the connection stays usable.
//!
//! # The runtime
//!
//! Handshakes and closing have deadlines, so the runtime's time driver must be enabled (`enable_time` or `enable_all`).
//!
//! # In a browser
//!
//! On `wasm32-unknown-unknown`, [`connect`], [`ConnectOptions`], [`Connection`], [`RecvHalf`], [`SendHalf`], [`Settings`],
//! `Stream` and `Sink` are there under the same names, over the browser's own WebSocket, so that one source serves both. What a
//! browser can't do is a compile error: headers, compression, pings, streaming, `run`, servers and all else on this page. Futures
//! are spawned with `wasm_bindgen_futures::spawn_local`, and need no runtime. `docs/BROWSER.md` in the repository lists what differs
//! and why.
//!
//! # Features
//!
//! On `wasm32-unknown-unknown`, all but `stream` change nothing.
//!
//! - `deflate` (default): permessage-deflate (RFC 7692), off until enabled by [`AcceptOptions`] or [`ConnectOptions`].
//! - `stream` (default): `Stream` and `Sink` of the futures crates for [`Connection`] and its halves.
//! - `url` (default): URLs in text are read as browsers read them, by the `url` crate: international host names, blanks and
//!   brackets in paths, redirects. Without it they are read as [`http::Uri`]s.
//! - `rustls`: TLS for clients ([`ConnectOptions::tls`]) and servers ([`Server::tls`]). It needs a provider of cryptography
//!   (`ring` or `aws-lc-rs`, or one that the process or a configuration names) and, for clients, roots (`platform-verifier` or
//!   `webpki-roots`, or those given). With `ring` and `webpki-roots`, [`connect`] takes `wss` URLs without further ado.
//! - `hyper`: [`AcceptOptions::upgrade`], for connections of hyper's upgrades, and
//!   [`ConnectOptions::connect_service`], which tests a service in memory.
//! - `axum`: [`Upgrade`] as an extractor, and [`ConnectOptions::connect_router`].
//! - `http2`: WebSockets over HTTP/2 (RFC 8441), many on one TCP connection: [`Server::http2`], [`AcceptOptions::serve_http2`],
//!   [`Http2Session`], [`ConnectOptions::prefer_http2`]; with `hyper` or `axum`, also behind those.
//! - `nats`: [`Nats`], a [`Bus`] for hubs of several nodes. Needs Rust 1.89.
//! - `proxy`: [`ConnectOptions::proxy`] and [`ConnectOptions::proxy_from_env`], for CONNECT and SOCKS5.
//! - `reconnect`: [`Reconnect`], for connections that come back.
//! - `nats`, `redis`: a [`Hub`] on several nodes ([`Hub::over`]), over `Nats` or `Redis`. `docs/NODES.md` in the repository has what
//!   is guaranteed.
//! - `tracing`: events under the target `ws_tokio`: handshakes, refusals with their status, closes, and ends with code, who
//!   closed and how long the connection lasted, at DEBUG; pings of the heartbeat at TRACE; a listener that pauses, a hub's bus
//!   that is away, and messages that it drops, once a second at most, at WARN; nothing per message. A [`Server`] opens a span with the peer's address for each connection, and axum's `Upgrade` one
//!   inside its request's; otherwise, instrument the task that serves it.
//! - `metrics`: figures for the facade of the `metrics` crate, labelled with `role` (`server`, `client`). Messages and bytes are
//!   told after 256 messages or 1 MiB of a connection, and at its end; without a recorder they cost a few
//!   comparisons per read.
//!
//!   | name | kind | more labels |
//!   |---|---|---|
//!   | `ws_connections_active` | gauge | |
//!   | `ws_connections_opened_total` | counter | |
//!   | `ws_connections_closed_total` | counter | `code`; 1005: none, 1006: no closing handshake |
//!   | `ws_connection_duration_seconds` | histogram | |
//!   | `ws_handshakes_refused_total` | counter | `status`, and no role |
//!   | `ws_messages_total`, `ws_bytes_total` | counter | `direction`: `received`, `sent`; bytes on the wire |
//!   | `ws_queue_stalls_total`: a writer had to wait for its peer | counter | |
//!
//!   Of hubs, without a role:
//!
//!   | name | kind | labels |
//!   |---|---|---|
//!   | `ws_hub_topics`, `ws_hub_subscriptions` | gauge | |
//!   | `ws_hub_published_total`: messages for topics with subscribers, of whatever node | counter | |
//!   | `ws_hub_delivered_total`: their copies that were queued for subscribers | counter | |
//!   | `ws_hub_dropped_total`: copies that a slow subscriber misses | counter | `policy`: `drop_oldest`, `drop_newest`, `keep_latest`, `disconnect` |
//!   | `ws_hub_gaps_total`: gaps that a topic's subscribers were told | counter | |
//!   | `ws_hub_bus_connected`: 0 or 1 | gauge | |
//!   | `ws_hub_bus_waiting`: messages for the bus, how far it lags | gauge | |
//!   | `ws_hub_bus_publish_seconds`: how long the bus took for a batch | histogram | |
//!   | `ws_hub_bus_messages_total` | counter | `direction`: `sent`, `received` |
//!   | `ws_hub_bus_dropped_total`: messages that other nodes don't get, or may not | counter | |
#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]

#[cfg(all(target_family = "wasm", not(target_os = "unknown")))]
compile_error!("of WebAssembly, this is for browsers: wasm32-unknown-unknown");

#[cfg(target_family = "wasm")]
mod browser;
#[cfg(not(target_family = "wasm"))]
mod client;
#[cfg(not(target_family = "wasm"))]
mod connection;
mod error;
#[cfg(not(target_family = "wasm"))]
mod events;
#[cfg(all(feature = "http2", not(target_family = "wasm")))]
mod http2;
#[cfg(feature = "stream")]
mod items;
#[cfg(not(target_family = "wasm"))]
mod machine;
#[cfg(all(feature = "metrics", not(target_family = "wasm")))]
mod metrics;
#[cfg(not(target_family = "wasm"))]
mod opening;
#[cfg(not(target_family = "wasm"))]
mod pipe;
#[cfg(not(target_family = "wasm"))]
mod server;
#[cfg(not(target_family = "wasm"))]
mod settings;
#[cfg(not(target_family = "wasm"))]
mod split;
#[cfg(not(target_family = "wasm"))]
mod streams;
#[cfg(all(feature = "rustls", not(target_family = "wasm")))]
mod tls;
#[cfg(not(target_family = "wasm"))]
mod topics;
#[cfg(not(target_family = "wasm"))]
mod transport;
#[cfg(all(feature = "hyper", not(target_family = "wasm")))]
mod upgrade;

#[cfg(all(feature = "nats", not(target_family = "wasm")))]
pub use async_nats;
#[cfg(target_family = "wasm")]
pub use browser::{
    ConnectError, ConnectOptions, Connection, RecvHalf, SendHalf, Settings, Transport, connect,
};
#[cfg(all(feature = "reconnect", not(target_family = "wasm")))]
pub use client::Reconnect;
#[cfg(not(target_family = "wasm"))]
pub use client::{ConnectError, ConnectOptions, Step, connect};
#[cfg(all(feature = "http2", not(target_family = "wasm")))]
pub use client::{Http2Error, Http2Session};
#[cfg(all(feature = "proxy", not(target_family = "wasm")))]
pub use client::{Proxy, ProxyError};
#[cfg(not(target_family = "wasm"))]
pub use connection::{Connection, Negotiated};
pub use error::Error;
pub use http;
#[cfg(all(feature = "http2", not(target_family = "wasm")))]
pub use http2::{Http2Options, Http2Stream};
#[cfg(not(target_family = "wasm"))]
pub use machine::{Counters, Outbox, Outcome, Ping, PingReply, Ticket, Traffic};
#[cfg(not(target_family = "wasm"))]
pub use pipe::{pipe, pipe_with};
#[cfg(all(feature = "redis", not(target_family = "wasm")))]
pub use redis;
#[cfg(all(feature = "http2", not(target_family = "wasm")))]
pub use server::WithHttp2;
#[cfg(not(target_family = "wasm"))]
pub use server::{
    AcceptError, AcceptOptions, Incoming, Layer, Plain, Served, Server, Serving, Shutdown, Tracker,
    accept,
};
#[cfg(not(target_family = "wasm"))]
pub use settings::Settings;
#[cfg(not(target_family = "wasm"))]
pub use split::{CloseRead, RecvHalf, ReuniteError, SendHalf};
#[cfg(not(target_family = "wasm"))]
pub use streams::{ByteStream, MessageReader, MessageWriter};
#[cfg(all(feature = "rustls", not(target_family = "wasm")))]
pub use tls::{ServerTls, TlsError, TlsStream};
#[cfg(all(feature = "rustls", not(target_family = "wasm")))]
pub use tokio_rustls::{self, rustls};
#[cfg(all(feature = "nats", not(target_family = "wasm")))]
pub use topics::Nats;
#[cfg(all(feature = "redis", not(target_family = "wasm")))]
pub use topics::Redis;
#[cfg(not(target_family = "wasm"))]
pub use topics::{
    Broadcast, BroadcastOptions, Bus, BusEvent, BusMessage, BusResult, BusStats, Gap, Hub,
    HubEvent, HubOptions, Published, Slow, SubscribeError, Subscriber, Subscription, Subscriptions,
    TooSlow,
};
#[cfg(not(target_family = "wasm"))]
pub use transport::{AnyStream, Transport};
#[cfg(all(feature = "hyper", not(target_family = "wasm")))]
pub use upgrade::{Refused, Upgrade, Upgrading};
#[cfg(all(feature = "deflate", not(target_family = "wasm")))]
pub use ws_core::deflate::{AgreedCompression, Compression, CompressionOptions};
#[cfg(not(target_family = "wasm"))]
pub use ws_core::handshake;
pub use ws_core::{
    CloseCode, CloseFrame, Counts, DecodeError, EncodeError, Limits, Message, MessageKind,
    MessageRef, PayloadWriter, PreparedMessage, Role, Utf8Bytes,
};
