//! A client's connection to an HTTP service in memory, for tests: a real handshake over hyper's HTTP/1.1, and no port.

use std::error;

use http::{Request, Response};
use hyper::body::{Body, Incoming};
use hyper::server::conn::http1;
use hyper::service::Service;
use hyper_util::rt::TokioIo;
use tokio::io::{DuplexStream, duplex};
use ws_core::handshake::client::IntoTarget;

use crate::client::{ConnectError, ConnectOptions};
use crate::connection::Connection;

/// Capacity in each direction, in bytes.
const CAPACITY: usize = 64 * 1024;

impl ConnectOptions {
    /// Connects to a service of hyper's in memory, without a port, to test it: with a real handshake, over HTTP/1.1. The service is
    /// served by a task of its own, which ends with the connection.
    ///
    /// The URL's host is what the service sees as `Host`; nothing is resolved. Each direction buffers 64 KiB.
    ///
    /// # Errors
    /// As for [`connect_over`](Self::connect_over). A refusal has the service's response.
    ///
    /// # Cancel safety
    /// If dropped, the stream is dropped with it.
    pub async fn connect_service<S, B>(
        &self,
        service: S,
        url: impl IntoTarget,
    ) -> Result<(Connection<DuplexStream>, Response<()>), ConnectError>
    where
        S: Service<Request<Incoming>, Response = Response<B>> + Send + 'static,
        S::Future: Send,
        S::Error: Into<Box<dyn error::Error + Send + Sync>>,
        B: Body + Send + 'static,
        B::Data: Send,
        B::Error: Into<Box<dyn error::Error + Send + Sync>>,
    {
        let (near, far) = duplex(CAPACITY);
        let serving = http1::Builder::new().serve_connection(TokioIo::new(far), service);
        tokio::spawn(serving.with_upgrades());
        self.connect_over(near, url).await
    }
}
