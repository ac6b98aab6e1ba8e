//! The opening handshake for crates that take a stream which has had it, and nothing of it that costs more than it must.

use std::io::{self, ErrorKind};

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use ws_core::handshake::key::Key;

/// Answers the request with 101 and, where it offered that, with `extension`; returns the request.
///
/// The client has to wait for the answer before it sends more.
pub(crate) async fn upgrade<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    extension: Option<&str>,
) -> io::Result<BytesMut> {
    let mut head = BytesMut::with_capacity(1024);
    while !head.ends_with(b"\r\n\r\n") {
        if stream.read_buf(&mut head).await? == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
    }
    let text = str::from_utf8(&head).map_err(|_| ErrorKind::InvalidData)?;
    let key = header(text, "sec-websocket-key").and_then(|key| Key::parse(key.as_bytes()));
    let accept = key.ok_or(ErrorKind::InvalidData)?.accept();
    let accept = accept.to_str().map_err(io::Error::other)?;
    let extension = extension.map(|it| format!("Sec-WebSocket-Extensions: {it}\r\n"));
    let response = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {accept}\r\n{}\r\n",
        extension.unwrap_or_default(),
    );
    stream.write_all(response.as_bytes()).await?;
    // TLS keeps what the socket doesn't take.
    stream.flush().await?;
    Ok(head)
}

/// The path that a request asks for, behind its slash.
pub(crate) fn path(request: &[u8]) -> Option<&str> {
    str::from_utf8(request).ok()?.split(' ').nth(1)?.strip_prefix('/')
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let fields = head.split("\r\n").filter_map(|line| line.split_once(':'));
    let mut values = fields.filter(|(field, _)| field.eq_ignore_ascii_case(name));
    values.next().map(|(_, value)| value.trim())
}
