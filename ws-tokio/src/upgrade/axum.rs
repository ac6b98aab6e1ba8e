//! axum's extractor and rejection.

use std::future::Future;
use std::net::SocketAddr;

use axum::Router;
use axum::body::Body;
use axum::extract::connect_info::ConnectInfo;
use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use hyper_util::service::TowerToHyperService;
use tokio::io::DuplexStream;
use ws_core::handshake::client::IntoTarget;
use ws_core::handshake::server::Refusal;

use super::proof::Proof;
use super::refused::Refused;
use super::request::Upgrade;
use crate::client::{ConnectError, ConnectOptions};
use crate::connection::Connection;
use crate::events;
use crate::server::{AcceptOptions, Served};

/// Judged by the [`AcceptOptions`] of an `Extension` layer, if there is one, on the route or the router; by the default ones
/// otherwise. The peer's address is that of `ConnectInfo`, if the router has it.
///
/// ```
/// use axum::response::Response;
/// use axum::routing::any;
/// use axum::{Extension, Router};
/// use ws_tokio::{AcceptOptions, Connection, Upgrade};
///
/// async fn ws(upgrade: Upgrade) -> Response {
///     upgrade.accept(|connection| async move { echo(connection).await })
/// }
///
/// async fn echo(mut connection: Connection) -> Result<(), ws_tokio::Error> {
///     connection.run(|message, outbox| outbox.send(message)).await
/// }
///
/// let options = AcceptOptions::default().subprotocols(["chat"]);
/// let router: Router = Router::new().route("/ws", any(ws)).layer(Extension(options));
/// ```
///
/// Options that are part of the state are used by [`AcceptOptions::upgrade`]:
///
/// ```
/// use axum::extract::{Request, State};
/// use axum::response::Response;
/// use ws_tokio::{AcceptOptions, Refused};
///
/// async fn ws(
///     State(options): State<AcceptOptions>,
///     mut request: Request,
/// ) -> Result<Response, Refused> {
///     Ok(options.upgrade(&mut request)?.accept(async |mut connection| {
///         connection.run(|message, outbox| outbox.send(message)).await
///     }))
/// }
/// ```
impl<S: Sync> FromRequestParts<S> for Upgrade {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refused> {
        extracted(parts)
    }
}

/// `None` for a request that asks for something else than a WebSocket, so that a route can serve a page as well.
impl<S: Sync> OptionalFromRequestParts<S> for Upgrade {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Refused> {
        match extracted(parts) {
            Ok(upgrade) => Ok(Some(upgrade)),
            Err(refused) if is_no_upgrade(&refused.refusal) => Ok(None),
            Err(refused) => Err(refused),
        }
    }
}

fn extracted(parts: &mut Parts) -> Result<Upgrade, Refused> {
    let upgrade = match parts.extensions.get::<AcceptOptions>().cloned() {
        Some(options) => options.upgrade_parts(parts),
        None => AcceptOptions::default().upgrade_parts(parts),
    }?;
    Ok(match parts.extensions.get::<ConnectInfo<SocketAddr>>() {
        Some(ConnectInfo(address)) => upgrade.with_peer_addr(*address),
        None => upgrade,
    })
}

/// Whether the request doesn't ask for an upgrade to WebSocket.
fn is_no_upgrade(refusal: &Refusal) -> bool {
    matches!(
        refusal,
        Refusal::HttpVersion(_)
            | Refusal::ConnectionLacksUpgrade
            | Refusal::UpgradeLacksWebSocket
            | Refusal::NotConnect(_)
    )
}

impl Upgrade {
    /// Returns the response that accepts, and runs `serve` with the connection in a task of its own, once axum has sent the
    /// response. An error that it returns is told to `tracing`, at DEBUG. If a middleware sends another response instead, `serve`
    /// is not called.
    #[must_use = "the handler returns it"]
    pub fn accept<F, R>(mut self, serve: F) -> Response
    where
        F: FnOnce(Connection) -> R + Send + 'static,
        R: Future<Output: Served> + Send + 'static,
    {
        let proof = Proof::default();
        self.0.proof = Some(proof.clone());
        let (response, connecting) = self.answer::<()>();
        let response = proof.watch(response).map(Body::new);
        tokio::spawn(events::of_upgrade(async move {
            // Without the error, for which the task would keep room. Not matched on directly, for the same reason.
            let connection = connecting.await.ok();
            if let Some(connection) = connection {
                serve(connection).await.tell();
            }
        }));
        response
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        self.response()
    }
}

impl ConnectOptions {
    /// Connects to a router of axum's in memory, without a port, to test its WebSocket routes: with a real handshake, over HTTP/1.1,
    /// through all of its layers. See [`connect_service`](Self::connect_service).
    ///
    /// ```
    /// use axum::Router;
    /// use axum::routing::any;
    /// use ws_tokio::{ConnectOptions, Upgrade};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let router = Router::new().route(
    ///     "/ws",
    ///     any(async |upgrade: Upgrade| {
    ///         upgrade.accept(async |mut connection| connection.send("hello").await)
    ///     }),
    /// );
    /// let (mut client, _response) =
    ///     ConnectOptions::default().connect_router(router, "ws://localhost/ws").await?;
    /// assert_eq!(client.recv().await?, Some("hello".into()));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`connect_over`](Self::connect_over). A refusal has the router's response.
    ///
    /// # Cancel safety
    /// If dropped, the stream is dropped with it.
    pub async fn connect_router(
        &self,
        router: Router,
        url: impl IntoTarget,
    ) -> Result<(Connection<DuplexStream>, http::Response<()>), ConnectError> {
        self.connect_service(TowerToHyperService::new(router), url).await
    }
}
