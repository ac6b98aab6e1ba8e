//! Properties of the connection, available from either half.

use std::net::SocketAddr;

use ws_core::Role;
#[cfg(feature = "deflate")]
use ws_core::deflate::AgreedCompression;

use super::recv_half::RecvHalf;
use super::send_half::SendHalf;

macro_rules! facts {
    ($($half:ident),*) => {$(
        impl<S> $half<S> {
            /// Returns the role of this end.
            #[must_use]
            pub fn role(&self) -> Role {
                self.split().with(|inner| inner.shared.role())
            }

            /// Returns the negotiated subprotocol.
            #[must_use]
            pub fn subprotocol(&self) -> Option<String> {
                self.split().with(|inner| inner.shared.subprotocol().map(String::from))
            }

            /// Returns the negotiated compression.
            #[cfg(feature = "deflate")]
            #[must_use]
            pub fn compression(&self) -> Option<AgreedCompression> {
                self.split().with(|inner| inner.shared.compression())
            }

            /// Returns the number of bytes queued by any task that have not been written yet.
            #[must_use]
            pub fn queued(&self) -> usize {
                self.split().with(|inner| inner.shared.outbound().queued())
            }

            /// Returns the peer's address, if it was set by the handshake or the caller.
            #[must_use]
            pub fn peer_addr(&self) -> Option<SocketAddr> {
                self.split().with(|inner| inner.shared.peer_addr())
            }
        }
    )*};
}
facts!(RecvHalf, SendHalf);
