//! The stream under an upgraded connection, taken apart back to the socket where the server gives it back.

use bytes::Bytes;
use hyper::rt::{Read, Write};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use hyper_util::server::conn::auto;
use tokio::net::TcpStream;
#[cfg(feature = "rustls")]
use tokio_rustls::server;

#[cfg(feature = "rustls")]
use crate::tls::TlsStream;
use crate::transport::{AnyStream, Transport};

/// Returns the stream, and what the server has read of it behind the request.
pub(super) fn taken_apart(upgraded: Upgraded) -> (Transport, Bytes) {
    let upgraded = match socket::<TokioIo<TcpStream>>(upgraded) {
        Ok((stream, read)) => {
            let stream = stream.into_inner();
            set_nodelay(&stream);
            return (Transport::Tcp(stream), read);
        }
        Err(upgraded) => upgraded,
    };
    #[cfg(feature = "rustls")]
    let upgraded = match socket::<TokioIo<TlsStream<TcpStream>>>(upgraded) {
        Ok((stream, read)) => {
            let stream = stream.into_inner();
            set_nodelay(stream.get_ref().0);
            return (Transport::Tls(Box::new(stream.map(Transport::Tcp))), read);
        }
        Err(upgraded) => upgraded,
    };
    #[cfg(feature = "rustls")]
    let upgraded = match socket::<TokioIo<server::TlsStream<TcpStream>>>(upgraded) {
        Ok((stream, read)) => {
            let stream = stream.into_inner();
            set_nodelay(stream.get_ref().0);
            return (Transport::ServerTls(Box::new(stream)), read);
        }
        Err(upgraded) => upgraded,
    };
    // It gives first what was read.
    (Transport::Any(AnyStream::new(TokioIo::new(upgraded))), Bytes::new())
}

/// Takes the stream out, if it is of this type: out of hyper's own connections, or those of hyper-util, which wrap it.
fn socket<T: Read + Write + Unpin + 'static>(upgraded: Upgraded) -> Result<(T, Bytes), Upgraded> {
    match upgraded.downcast::<T>() {
        Ok(parts) => Ok((parts.io, parts.read_buf)),
        Err(upgraded) => {
            auto::upgrade::downcast::<T>(upgraded).map(|parts| (parts.io, parts.read_buf))
        }
    }
}

/// As `Server` does. Where it fails, the socket is about to fail.
fn set_nodelay(stream: &TcpStream) {
    _ = stream.set_nodelay(true);
}
