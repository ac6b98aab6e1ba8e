//! The opening handshake for crates that take a stream which has had it, and nothing of it that costs more than it must.

use std::io::{self, ErrorKind};

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use ws_core::handshake::key::Key;

/// Answers the request with 101 and, where it offered that, with `extension`; returns what the client offered.
///
/// The client has to wait for the answer before it sends more.
pub(super) async fn upgrade<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    extension: Option<&str>,
) -> io::Result<()> {
    let mut head = BytesMut::with_capacity(1024);
    while !head.ends_with(b"\r\n\r\n") {
        if stream.read_buf(&mut head).await? == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
    }
    let head = str::from_utf8(&head).map_err(|_| ErrorKind::InvalidData)?;
    let key = header(head, "sec-websocket-key").and_then(|key| Key::parse(key.as_bytes()));
    let accept = key.ok_or(ErrorKind::InvalidData)?.accept();
    let accept = accept.to_str().map_err(io::Error::other)?;
    let extension = extension.map(|it| format!("Sec-WebSocket-Extensions: {it}\r\n"));
    let response = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {accept}\r\n{}\r\n",
        extension.unwrap_or_default(),
    );
    stream.write_all(response.as_bytes()).await
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let fields = head.split("\r\n").filter_map(|line| line.split_once(':'));
    let mut values = fields.filter(|(field, _)| field.eq_ignore_ascii_case(name));
    values.next().map(|(_, value)| value.trim())
}
