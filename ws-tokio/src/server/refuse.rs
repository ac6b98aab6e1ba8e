//! Sending a refusal.

use std::time::Duration;

use bytes::Bytes;
use http::Response;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;
use ws_core::handshake::http1::write_response;

use crate::opening::write_last;

/// Returns a refusal's bytes. For a HEAD request, the headers describe a body that is omitted (RFC 9110, 9.3.2).
pub(super) fn written(response: Response<Bytes>, request: &[u8]) -> Vec<u8> {
    let mut wire = Vec::new();
    let request = request.strip_prefix(b"\r\n").unwrap_or(request);
    if request.starts_with(b"HEAD ") {
        write_response(&response.map(|_| ""), &mut wire);
    } else {
        write_response(&response, &mut wire);
    }
    wire
}

/// Writes a refusal, and lingers so that it is delivered. A client that doesn't read it is dropped after `time`.
pub(super) async fn send_refusal<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    refusal: &[u8],
    time: Duration,
) {
    _ = timeout(time, write_last(stream, refusal)).await;
}
