//! Proof that the response that accepts was the one that was sent.
//!
//! hyper hands a connection over also where a middleware has replaced the response, by a 401 for instance: a client that was refused
//! could then go on and speak. No part of a response can tell by itself whether it was sent or dropped, but two can: a server
//! takes the body first and writes the head then, while a response that is dropped drops its head first. A middleware that
//! rebuilds the response keeps the header, without which no client goes on.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::SEC_WEBSOCKET_ACCEPT;
use http::{HeaderValue, Response};
use hyper::body::{Body, Frame, SizeHint};

const UNKNOWN: u8 = 0;
const SENT: u8 = 1;
const DROPPED: u8 = 2;

/// Whether the response was sent. What comes first, counts.
#[derive(Clone, Debug, Default)]
pub(super) struct Proof(Arc<AtomicU8>);

impl Proof {
    /// Watches the response's head, and gives it a body that is watched.
    pub(super) fn watch<B>(&self, response: Response<B>) -> Response<Empty> {
        let (mut head, _) = response.into_parts();
        if let Some(accept) = head.headers.get_mut(SEC_WEBSOCKET_ACCEPT) {
            let watched = Accept { value: accept.clone(), proof: self.clone() };
            if let Ok(watched) = HeaderValue::from_maybe_shared(Bytes::from_owner(watched)) {
                *accept = watched;
            }
        }
        Response::from_parts(head, Empty(self.clone()))
    }

    /// Returns whether the response was dropped, so that another one was sent.
    pub(super) fn is_dropped(&self) -> bool {
        self.0.load(Ordering::SeqCst) == DROPPED
    }

    fn settle(&self, what: u8) {
        _ = self.0.compare_exchange(UNKNOWN, what, Ordering::SeqCst, Ordering::SeqCst);
    }
}

/// The value of `Sec-WebSocket-Accept`.
struct Accept {
    value: HeaderValue,
    proof: Proof,
}

impl AsRef<[u8]> for Accept {
    fn as_ref(&self) -> &[u8] {
        self.value.as_bytes()
    }
}

impl Drop for Accept {
    fn drop(&mut self) {
        self.proof.settle(DROPPED);
    }
}

/// A body without content.
#[derive(Debug)]
pub(super) struct Empty(Proof);

impl Body for Empty {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(None)
    }

    fn is_end_stream(&self) -> bool {
        self.0.settle(SENT);
        true
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(0)
    }
}

impl Drop for Empty {
    fn drop(&mut self) {
        self.0.settle(SENT);
    }
}
