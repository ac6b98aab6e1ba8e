//! The client's handshake on one stream: sends the request, reads the response and a refusal's body (RFC 6455, 4.1).

use std::pin::pin;
use std::time::Duration;

use bytes::BytesMut;
use http::Response;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use ws_core::handshake::client::{self, Answer, BodyState, Offer, RefusalBody, Target};
use ws_core::handshake::http1::{HeadReader, write_request};
use ws_core::handshake::key::Key;

use super::error::ConnectError;
use crate::machine::random;
use crate::opening::{Deadline, Late, read_head, write_head};

/// How long to wait for the body of a refusal. It usually arrives with the head, but may never end.
const BODY_WAIT: Duration = Duration::from_millis(250);

/// The server's answer.
pub(super) enum Answered<S> {
    Accepted(Accepted<S>),
    Refused(Refused<S>),
}

/// An accepted handshake: the stream, and bytes that arrived after the response.
pub(super) struct Accepted<S> {
    pub(super) stream: S,
    pub(super) leftover: BytesMut,
    pub(super) facts: client::Accepted,
}

/// A refused handshake: the stream, and the part of the body that has arrived.
pub(super) struct Refused<S> {
    pub(super) stream: S,
    pub(super) leftover: BytesMut,
    pub(super) response: Response<()>,
}

/// Sends the request and reads the response, skipping interim responses.
pub(super) async fn shake_hands<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    target: &Target,
    offer: &Offer,
    mut reader: HeadReader,
) -> Result<Answered<S>, ConnectError> {
    let key = Key::from_random(random());
    let mut head = Vec::new();
    write_request(&offer.request(target, &key), &mut head);
    write_head(&mut stream, &head).await?;
    let mut leftover = BytesMut::new();
    loop {
        let parse = |buffer: &[u8]| reader.response(buffer).map_err(ConnectError::from);
        let response = read_head(&mut stream, &mut leftover, parse).await?;
        match offer.judge(response.ok_or(ConnectError::NoAnswer)?, &key)? {
            Answer::Interim => {}
            Answer::Accepted(facts) => {
                return Ok(Answered::Accepted(Accepted { stream, leftover, facts }));
            }
            Answer::Refused(response) => {
                return Ok(Answered::Refused(Refused { stream, leftover, response }));
            }
        }
    }
}

impl<S> Refused<S> {
    /// Returns the server's response.
    pub(super) const fn response(&self) -> &Response<()> {
        &self.response
    }
}

impl<S: AsyncRead + Unpin> Refused<S> {
    /// Reads up to 1 KiB of the body, for up to [`BODY_WAIT`]. Read errors are ignored: the refusal is the error.
    pub(super) async fn into_error(mut self, deadline: Deadline) -> ConnectError {
        let mut body = RefusalBody::new(&self.response);
        let deadline = deadline.or_after(BODY_WAIT);
        // Whatever has arrived by then is kept.
        let (Ok(()) | Err(Late)) = deadline.within(pin!(self.read(&mut body))).await;
        ConnectError::Refused(Box::new(self.response.map(|()| body.into_bytes().into())))
    }

    async fn read(&mut self, body: &mut RefusalBody) {
        while let BodyState::More = body.push(&self.leftover) {
            self.leftover.clear();
            self.leftover.reserve(RefusalBody::LIMIT);
            match self.stream.read_buf(&mut self.leftover).await {
                Ok(0) | Err(_) => return,
                Ok(_) => {}
            }
        }
    }
}
