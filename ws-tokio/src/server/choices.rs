//! What is known of a request that was judged, and what a server may still choose: the same for one that `accept` has read and for
//! one that an HTTP server has.

/// Implements it for a type whose only field has `accepted`, `negotiated` and `settings`.
macro_rules! choices {
    (impl $(<$param:ident>)? $type:ident $(<$arg:ident>)?) => {
        impl $(<$param>)? $type $(<$arg>)? {
            /// Returns the subprotocol of the connection: the options' choice, or that of
            /// [`choose_subprotocol`](Self::choose_subprotocol).
            #[must_use]
            pub fn subprotocol(&self) -> Option<&str> {
                self.0.accepted.subprotocol()
            }

            /// Returns the subprotocols that the client offers, as spelled by the client, in order of preference.
            ///
            /// Since web pages can't set headers, some clients send a token as one of them.
            pub fn offered_subprotocols(&self) -> impl Iterator<Item = &str> {
                self.0.accepted.offered_subprotocols()
            }

            /// Chooses one of the client's subprotocols, replacing the options' choice. The name is matched case-insensitively,
            /// and the response repeats the client's spelling.
            ///
            /// # Errors
            /// If the client did not offer it. The previous choice is kept.
            pub fn choose_subprotocol(
                &mut self,
                name: &str,
            ) -> Result<(), ws_core::handshake::server::SubprotocolNotOffered> {
                self.0.accepted.choose_subprotocol(name)
            }

            /// Chooses no subprotocol, whatever the options chose. A browser that offered one fails the connection.
            pub fn choose_no_subprotocol(&mut self) {
                self.0.accepted.choose_no_subprotocol();
            }

            /// Returns the compression that accepting the request agrees to.
            #[cfg(feature = "deflate")]
            #[must_use]
            pub fn compression(&self) -> Option<ws_core::deflate::AgreedCompression> {
                self.0.accepted.compression()
            }

            /// Returns the peer's address, if it is known by now.
            #[must_use]
            pub fn peer_addr(&self) -> Option<std::net::SocketAddr> {
                self.0.negotiated.known_peer_addr()
            }

            /// Sets the peer's address, for [`Connection::peer_addr`](crate::Connection::peer_addr). Default: what a
            /// [`Server`](crate::Server) or axum's `ConnectInfo` knows, or the socket that an HTTP server gives back.
            #[must_use]
            pub fn with_peer_addr(mut self, address: std::net::SocketAddr) -> Self {
                self.0.negotiated = self.0.negotiated.peer_addr(address);
                self
            }

            /// Sets the connection's settings, replacing those of the options.
            #[must_use]
            pub fn with_settings(mut self, settings: $crate::settings::Settings) -> Self {
                self.0.settings = settings;
                self
            }
        }
    };
}
pub(crate) use choices;
