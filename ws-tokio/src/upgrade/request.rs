//! A request that an HTTP server has read, judged like one that `accept` reads.

use http::request::Parts;
use http::{Extensions, HeaderMap, Method, Request, Response, Version};
use hyper::upgrade::OnUpgrade;
use ws_core::handshake::server::{self, Accepted, Refusal};

use super::judged::Judged;
use super::refused::Refused;
use super::upgrading::Upgrading;
use crate::events;
#[cfg(feature = "http2")]
use crate::server::speaks;
use crate::server::{AcceptOptions, choices};

/// A valid handshake request that an HTTP server has read, to be answered by that server.
///
/// With the feature `axum`, an extractor; with hyper, made by [`AcceptOptions::upgrade`].
#[derive(Debug)]
pub struct Upgrade(
    /// Boxed, so that handlers and their futures stay small.
    pub(super) Box<Judged>,
);

impl AcceptOptions {
    /// Judges a request that hyper, or a server on top of it, has read. Order, statuses and headers are those of
    /// [`accept`](Self::accept).
    ///
    /// The server must allow upgrades: `serve_connection_with_upgrades`, or `with_upgrades`.
    ///
    /// ```
    /// use bytes::Bytes;
    /// use http_body_util::Full;
    /// use hyper::body::Incoming;
    /// use ws_tokio::AcceptOptions;
    /// use ws_tokio::http::{Request, Response};
    ///
    /// fn respond(options: &AcceptOptions, mut request: Request<Incoming>) -> Response<Full<Bytes>> {
    ///     let upgrade = match options.upgrade(&mut request) {
    ///         Ok(upgrade) => upgrade,
    ///         Err(refused) => return refused.response(),
    ///     };
    ///     let (response, connecting) = upgrade.answer();
    ///     tokio::spawn(async move {
    ///         let mut connection = connecting.await?;
    ///         connection.run(|message, outbox| outbox.send(message)).await?;
    ///         Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
    ///     });
    ///     response
    /// }
    /// ```
    ///
    /// # Errors
    /// The first violation, as a response.
    pub fn upgrade<B>(&self, request: &mut Request<B>) -> Result<Upgrade, Refused> {
        let over = over(request.version());
        let accepted = check_protocol(request.method(), request.extensions(), over)
            .and_then(|()| self.policy.judge(&*request, over));
        self.take_over(accepted, request.extensions_mut(), over)
    }

    /// As [`upgrade`](Self::upgrade), for the head of a request without its body.
    ///
    /// # Errors
    /// The first violation, as a response.
    pub fn upgrade_parts(&self, parts: &mut Parts) -> Result<Upgrade, Refused> {
        let over = over(parts.version);
        let accepted = check_protocol(&parts.method, &parts.extensions, over)
            .and_then(|()| self.policy.judge(&*parts, over));
        self.take_over(accepted, &mut parts.extensions, over)
    }

    fn take_over(
        &self,
        accepted: Result<Accepted, Refusal>,
        extensions: &mut Extensions,
        over: server::Upgrade,
    ) -> Result<Upgrade, Refused> {
        let judged = accepted.and_then(|accepted| {
            let on_upgrade = extensions.remove::<OnUpgrade>().ok_or(Refusal::NoUpgrade)?;
            Ok((on_upgrade, accepted, self.ticket()?))
        });
        let (on_upgrade, accepted, ticket) = judged
            .inspect_err(|refusal| events::not_accepted(refusal, Some(refusal.status())))
            .map_err(|refusal| Refused { refusal, over })?;
        let negotiated = self.negotiated(&accepted);
        Ok(Upgrade(Box::new(Judged {
            on_upgrade,
            accepted,
            headers: HeaderMap::new(),
            deadline: self.deadline(),
            negotiated,
            settings: self.handshake.settings,
            ticket,
            #[cfg(feature = "axum")]
            proof: None,
        })))
    }
}

choices!(impl Upgrade);

impl Upgrade {
    /// Sets additional headers of the response. The handshake's own headers are ignored.
    #[must_use]
    pub fn with_headers(mut self, headers: HeaderMap) -> Self {
        self.0.headers = headers;
        self
    }

    /// Returns the response that accepts, and the future of the connection.
    ///
    /// The server makes the connection when it has sent the response. So the response must be returned to it first, and the future
    /// be awaited by another task: see [`AcceptOptions::upgrade`] for an example. Drop the future where another response is
    /// returned: hyper hands over connections that were refused as well.
    pub fn answer<B: Default>(self) -> (Response<B>, Upgrading) {
        let response = self.0.accepted.response(&self.0.headers).map(|()| B::default());
        (response, Upgrading::new(self.0))
    }
}

/// Over HTTP/2, and later, there is an extended CONNECT in place of the upgrade (RFC 8441).
fn over(version: Version) -> server::Upgrade {
    if version < Version::HTTP_2 {
        server::Upgrade::Http1
    } else {
        server::Upgrade::ExtendedConnect
    }
}

/// Checks the `:protocol` of an extended CONNECT.
fn check_protocol(
    method: &Method,
    extensions: &Extensions,
    over: server::Upgrade,
) -> Result<(), Refusal> {
    if over == server::Upgrade::Http1 || method != Method::CONNECT {
        return Ok(());
    }
    #[cfg(feature = "http2")]
    return speaks(extensions.get::<hyper::ext::Protocol>().map(|protocol| protocol.as_str()));
    #[cfg(not(feature = "http2"))]
    return {
        _ = extensions;
        Err(Refusal::NoUpgrade)
    };
}
