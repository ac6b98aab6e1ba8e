//! Connecting to a URL, with what of a request a page may choose.

use std::future::poll_fn;
use std::time::Duration;

use http::{Response, StatusCode};

use super::connection::Connection;
use super::error::ConnectError;
use super::settings::Settings;
use super::socket::{Socket, Transport};

/// Connects with the default [`ConnectOptions`]. Also returns the server's response.
///
/// # Errors
/// See [`ConnectOptions::connect`].
///
/// # Cancel safety
/// If dropped, the browser stops connecting.
pub async fn connect(
    url: impl ToString,
) -> Result<(Connection<Transport>, Response<()>), ConnectError> {
    ConnectOptions::default().connect(url).await
}

/// Options for connecting. A page chooses no headers, no compression and no redirects.
#[derive(Clone, Debug)]
pub struct ConnectOptions {
    subprotocols: Vec<String>,
    timeout: Duration,
    settings: Settings,
}

impl ConnectOptions {
    /// Sets the subprotocols to offer, in order of preference. Default none. A browser fails the connection if the server
    /// chooses none of them.
    #[must_use]
    pub fn subprotocols<I: IntoIterator<Item: Into<String>>>(self, subprotocols: I) -> Self {
        Self { subprotocols: subprotocols.into_iter().map(Into::into).collect(), ..self }
    }

    /// Sets how long connecting may take in all. Default 10 s; [`Duration::MAX`] means as long as the browser waits.
    #[must_use]
    pub fn handshake_timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// Sets the settings of the connection.
    #[must_use]
    pub fn settings(self, settings: Settings) -> Self {
        Self { settings, ..self }
    }

    /// Connects to a URL, as text or whatever is shown as one, which the browser reads: `ws` and `wss`; today's browsers also
    /// take `http`, `https` and what is relative to the page.
    ///
    /// Also returns the server's response, of which a browser tells the status, 101; [`Connection::subprotocol`] has the rest.
    ///
    /// # Errors
    /// Returns a [`ConnectError`].
    ///
    /// # Cancel safety
    /// If dropped, the browser stops connecting.
    pub async fn connect(
        &self,
        url: impl ToString,
    ) -> Result<(Connection<Transport>, Response<()>), ConnectError> {
        let url = url.to_string();
        let socket = Socket::new(&url, &self.subprotocols, &self.settings, self.timeout)?;
        poll_fn(|cx| socket.poll_open(cx)).await?;
        let mut response = Response::new(());
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        Ok((Connection::new(socket), response))
    }
}

impl Default for ConnectOptions {
    fn default() -> Self {
        Self {
            subprotocols: Vec::new(),
            timeout: Duration::from_secs(10),
            settings: Settings::default(),
        }
    }
}
