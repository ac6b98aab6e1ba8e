//! Connections over real TCP, where a close with unread input is a reset.

use bytes::BytesMut;
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};
use ws_tokio::{Connection, Negotiated, Role, Settings};

/// Both ends of a TCP connection.
pub(crate) async fn streams() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let (connected, accepted) = tokio::join!(TcpStream::connect(address), listener.accept());
    (connected.expect("a connection"), accepted.expect("a connection").0)
}

/// A connection behind its handshake, and its peer's raw stream.
pub(crate) async fn connection(
    role: Role,
    settings: Settings,
) -> (Connection<TcpStream>, TcpStream) {
    let (ours, theirs) = streams().await;
    let (nothing, negotiated) = (BytesMut::new(), Negotiated::default());
    (Connection::from_upgraded(ours, role, nothing, negotiated, settings), theirs)
}

/// All that comes until the end of the stream, which must not be a reset.
pub(crate) async fn read_to_end(stream: &mut TcpStream) -> Vec<u8> {
    let mut read = Vec::new();
    stream.read_to_end(&mut read).await.expect("an end without a reset");
    read
}
