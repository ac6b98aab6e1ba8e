//! A request on a stream of an HTTP/2 connection, until it is answered.

use std::fmt;
use std::io;
use std::sync::Arc;

use bytes::Bytes;
use h2::server::SendResponse;
use h2::{Reason, RecvStream};
use http::Response;

use crate::http2::{Http2Stream, Sent, Session, broken};

/// A stream on which an answer is waited for. If dropped, it is reset.
pub(super) struct Asked<S> {
    /// Dropped first, as [`Http2Stream`]'s.
    pub(super) session: Arc<Session>,
    pub(super) respond: SendResponse<Sent>,
    pub(super) recv: RecvStream,
    pub(super) stream: fn(Http2Stream) -> S,
    pub(super) is_head: bool,
}

impl<S> Asked<S> {
    pub(super) fn accept(mut self, response: Response<()>) -> io::Result<S> {
        let send = self.respond.send_response(response, false).map_err(broken)?;
        Ok((self.stream)(Http2Stream::new(send, self.recv, self.session)))
    }

    pub(super) fn refuse(mut self, response: Response<Bytes>) {
        let (head, body) = response.into_parts();
        let is_end = self.is_head || body.is_empty();
        let sent = self.respond.send_response(Response::from_parts(head, ()), is_end);
        if let (Ok(mut send), false) = (sent, is_end) {
            // Where it fails, the client has left.
            _ = send.send_data(Sent::forgotten(body.into()), true);
        }
    }

    /// Says that the request was not looked at, and may be sent again (RFC 9113, 8.7).
    pub(super) fn send_away(mut self) {
        self.respond.send_reset(Reason::REFUSED_STREAM);
    }
}

impl<S> fmt::Debug for Asked<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Asked").field("stream", &self.respond.stream_id()).finish_non_exhaustive()
    }
}
