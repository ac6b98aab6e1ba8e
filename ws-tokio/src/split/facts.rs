//! Facts about the connection, from either half.

use std::net::SocketAddr;

use ws_core::Role;
#[cfg(feature = "deflate")]
use ws_core::deflate::AgreedCompression;

use super::recv_half::RecvHalf;
use super::send_half::SendHalf;

macro_rules! facts {
    ($($half:ident),*) => {$(
        impl<S> $half<S> {
            /// Returns this end's role.
            #[must_use]
            pub fn role(&self) -> Role {
                self.split().with(|inner| inner.shared.role())
            }

            /// Returns the subprotocol that both ends agreed on.
            #[must_use]
            pub fn subprotocol(&self) -> Option<String> {
                self.split().with(|inner| inner.shared.subprotocol().map(String::from))
            }

            /// Returns the compression that both ends agreed on.
            #[cfg(feature = "deflate")]
            #[must_use]
            pub fn compression(&self) -> Option<AgreedCompression> {
                self.split().with(|inner| inner.shared.compression())
            }

            /// Returns the number of bytes queued for sending, by any task, and not yet written.
            #[must_use]
            pub fn queued(&self) -> usize {
                self.split().with(|inner| inner.shared.outbound().queued())
            }

            /// Returns the peer's address, if the handshake or the caller knew it.
            #[must_use]
            pub fn peer_addr(&self) -> Option<SocketAddr> {
                self.split().with(|inner| inner.shared.peer_addr())
            }
        }
    )*};
}
facts!(RecvHalf, SendHalf);
