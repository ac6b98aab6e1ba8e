//! Opening the stream for a handshake.

use tokio::net::TcpStream;
use ws_core::handshake::client::{Security, Target};

use super::error::ConnectError;
use super::transport::Transport;

/// Opens a stream to the target.
pub(super) async fn dial(target: &Target) -> Result<Transport, ConnectError> {
    match target.security() {
        // Never use plain text for a `wss` URL.
        Security::Tls => Err(ConnectError::TlsUnsupported),
        Security::Plain => {
            let stream = TcpStream::connect((target.host(), target.port())).await?;
            stream.set_nodelay(true)?;
            Ok(Transport::Tcp(stream))
        }
    }
}
