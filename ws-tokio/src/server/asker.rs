//! Who sent a request and waits for the answer: on a stream of its own, or on one of an HTTP/2 connection.

use std::io;
use std::pin::pin;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::Response;
use tokio::io::{AsyncRead, AsyncWrite};
use ws_core::handshake::http1::write_response;
use ws_core::handshake::server::Upgrade;

#[cfg(feature = "http2")]
use super::asked::Asked;
use super::refuse::{send_refusal, written};
use crate::opening::{Deadline, Late, write_head};

/// Who waits for an answer, and then has a stream of type `S`.
#[derive(Debug)]
pub(super) enum Asker<S> {
    /// With what arrived behind the request.
    Http1(S, BytesMut),
    #[cfg(feature = "http2")]
    Http2(Asked<S>),
}

impl<S> Asker<S> {
    pub(super) fn upgrade(&self) -> Upgrade {
        match self {
            Self::Http1(..) => Upgrade::Http1,
            #[cfg(feature = "http2")]
            Self::Http2(_) => Upgrade::ExtendedConnect,
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Asker<S> {
    /// Sends the response that accepts, and returns the stream.
    pub(super) async fn accept(
        self,
        response: Response<()>,
        deadline: Deadline,
    ) -> io::Result<(S, BytesMut)> {
        match self {
            Self::Http1(mut stream, leftover) => {
                let mut head = Vec::new();
                write_response(&response.map(|()| ""), &mut head);
                deadline
                    .within(pin!(write_head(&mut stream, &head)))
                    .await
                    .unwrap_or_else(|Late| Err(io::ErrorKind::TimedOut.into()))?;
                Ok((stream, leftover))
            }
            #[cfg(feature = "http2")]
            Self::Http2(asked) => Ok((asked.accept(response)?, BytesMut::new())),
        }
    }

    /// Sends the response that refuses. A client that doesn't read it is dropped after `time`.
    pub(super) async fn refuse(self, response: Response<Bytes>, time: Duration) {
        match self {
            Self::Http1(mut stream, _) => {
                send_refusal(&mut stream, &written(response, b"GET"), time).await;
            }
            #[cfg(feature = "http2")]
            Self::Http2(asked) => asked.refuse(response),
        }
    }
}
