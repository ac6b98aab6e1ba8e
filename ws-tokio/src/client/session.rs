//! HTTP/2 or nothing: many WebSockets to one server.

use std::fmt;
use std::sync::Arc;

use http::Response;
use tokio::sync::Mutex;
use ws_core::handshake::client::{IntoTarget, Security, Target};

use super::connect::in_time;
use super::dial::Versions;
use super::error::{ConnectError, Http2Error};
use super::http2::{CONNECTIONS, Client, speaks_http2};
use super::options::ConnectOptions;
use super::progress::Progress;
use crate::connection::Connection;
use crate::http2::Http2Options;
use crate::transport::Transport;

/// WebSockets to one server over HTTP/2 (RFC 8441): any number of them on one TCP connection. Cheap to clone; all clones are one.
///
/// The connection is opened by [`open`](Self::open) when there is none: at first, and again after the server has told that it goes
/// away (GOAWAY) or the connection was cut. It closes when the session and its WebSockets are dropped.
///
/// Over `wss`, HTTP/2 is negotiated by ALPN; over `ws`, it is spoken at once (with prior knowledge).
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use ws_tokio::{ConnectOptions, Http2Options, Http2Session};
///
/// let options = ConnectOptions::default();
/// let session = Http2Session::new("wss://example.com", &options, Http2Options::default())?;
/// let (mut room, _response) = session.open("/rooms/1", &options).await?;
/// let (mut news, _response) = session.open("/news?since=7", &options).await?;
/// room.send("hello").await?;
/// println!("{:?}", news.recv().await?);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Http2Session(Arc<Inner>);

struct Inner {
    server: Target,
    /// How to get there.
    options: ConnectOptions,
    http2: Http2Options,
    /// Locked while it is opened.
    client: Mutex<Option<Client>>,
}

impl Http2Session {
    /// Makes a session with the URL's server, reached as these options say: their resolver, dialer, proxies and TLS. Opens nothing
    /// yet.
    ///
    /// # Errors
    /// [`ConnectError::Url`].
    pub fn new(
        url: impl IntoTarget,
        options: &ConnectOptions,
        http2: Http2Options,
    ) -> Result<Self, ConnectError> {
        let (server, options, client) = (url.into_target()?, options.clone(), Mutex::default());
        Ok(Self(Arc::new(Inner { server, options, http2, client })))
    }

    /// Opens a WebSocket at this path, with a query if it has one. Of the options, those of the handshake and of the connection are
    /// used. If the server allows no more streams, it waits until another one ends.
    ///
    /// # Errors
    /// As for [`ConnectOptions::connect`], and [`ConnectError::Http2`]. Redirects are treated as refusals.
    ///
    /// # Cancel safety
    /// If dropped, the stream is reset; others are not affected.
    pub async fn open(
        &self,
        path: &str,
        options: &ConnectOptions,
    ) -> Result<(Connection<Transport>, Response<()>), ConnectError> {
        let deadline = options.handshake.deadline();
        let progress = Progress::new();
        let asking = async {
            let (target, offer) = (self.0.server.with_path(path)?, options.offer()?);
            for _ in 0..CONNECTIONS {
                let client = self.client(&progress).await?;
                if let Some(answered) = client.ask(&target, &offer).await? {
                    return Ok(answered);
                }
            }
            Err(ConnectError::NoAnswer)
        };
        let answered = in_time(deadline, &progress, asking).await;
        options.outcome(answered, deadline, Transport::peer_addr).await
    }

    /// Returns the connection, opened if there is none that can be used.
    async fn client(&self, progress: &Progress) -> Result<Client, ConnectError> {
        let Inner { server, options, http2, client } = &*self.0;
        let mut current = client.lock().await;
        if let Some(client) = current.as_ref().filter(|client| client.is_usable()) {
            return Ok(client.clone());
        }
        let stream = options.way.dial(server, Versions::Both, progress).await?;
        if server.security() == Security::Tls && !speaks_http2(&stream) {
            return Err(Http2Error::NotSpoken.into());
        }
        let max_head = options.handshake.head_limits.longest();
        let client = Client::begin(stream, http2, max_head, progress).await?;
        *current = Some(client.clone());
        Ok(client)
    }
}

impl fmt::Debug for Http2Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Http2Session").field("server", &self.0.server).finish_non_exhaustive()
    }
}
