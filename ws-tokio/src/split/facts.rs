//! What both halves tell of their connection.

use std::net::SocketAddr;

use ws_core::Role;
#[cfg(feature = "deflate")]
use ws_core::deflate::AgreedCompression;

use super::recv_half::RecvHalf;
use super::send_half::SendHalf;

macro_rules! facts {
    ($($half:ident),*) => {$(
        impl<S> $half<S> {
            /// Which end of the connection this is.
            #[must_use]
            pub fn role(&self) -> Role {
                self.split().with(|inner| inner.shared.role())
            }

            /// The subprotocol that both ends agreed on.
            #[must_use]
            pub fn subprotocol(&self) -> Option<String> {
                self.split().with(|inner| inner.shared.subprotocol().map(String::from))
            }

            /// The compression that both ends agreed on.
            #[cfg(feature = "deflate")]
            #[must_use]
            pub fn compression(&self) -> Option<AgreedCompression> {
                self.split().with(|inner| inner.shared.compression())
            }

            /// Bytes queued for sending and not yet written, by whichever task.
            #[must_use]
            pub fn queued(&self) -> usize {
                self.split().with(|inner| inner.shared.outbound().queued())
            }

            /// The peer's address, where the handshake or the caller told it.
            #[must_use]
            pub fn peer_addr(&self) -> Option<SocketAddr> {
                self.split().with(|inner| inner.shared.peer_addr())
            }
        }
    )*};
}
facts!(RecvHalf, SendHalf);
