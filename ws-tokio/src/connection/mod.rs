//! A connection with a single owner.

mod close;
mod receive;
mod run;
mod send;

use std::fmt;
use std::net::SocketAddr;

use bytes::BytesMut;
#[cfg(feature = "deflate")]
use ws_core::deflate::{AgreedCompression, CompressionOptions};
use ws_core::{CloseFrame, Decoder, Encoder, MaskKeys, Role};

#[cfg(feature = "stream")]
use crate::items::Items;
use crate::machine::{Counters, Inbound, Outbound, PingReply, Receiving, Shared, Ticket, random};
use crate::settings::{Counting, Settings};
use crate::transport::Transport;

/// A WebSocket connection over any byte stream.
///
/// Created by [`accept`](crate::accept), by [`connect`](crate::connect), or from a stream that was upgraded elsewhere.
/// [`split`](Self::split) it to share it between tasks. It reads, and answers pings, only while a receiving method is
/// polled. An idle connection owns no buffers.
///
/// Dropping it drops the stream without a closing handshake.
pub struct Connection<S = Transport>(Box<State<S>>);

/// Both directions behind one pointer, so that moving a connection is cheap.
pub(crate) struct State<S> {
    pub(crate) receiving: Receiving,
    pub(crate) shared: Shared<S>,
}

/// The result of a handshake.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Negotiated {
    subprotocol: Option<String>,
    peer_addr: Option<SocketAddr>,
    #[cfg(feature = "deflate")]
    compression: Option<(AgreedCompression, CompressionOptions)>,
}

impl Negotiated {
    /// Sets the application's subprotocol (RFC 6455, 1.9). Default none.
    #[must_use]
    pub fn subprotocol(self, subprotocol: impl Into<String>) -> Self {
        Self { subprotocol: Some(subprotocol.into()), ..self }
    }

    /// Sets the negotiated compression (RFC 7692), and how this end uses it. Default none.
    #[cfg(feature = "deflate")]
    #[must_use]
    pub fn compression(
        self,
        agreed: AgreedCompression,
        options: impl Into<CompressionOptions>,
    ) -> Self {
        Self { compression: Some((agreed, options.into())), ..self }
    }

    /// Sets the peer's address, which the connection can't get from an arbitrary stream. Default none.
    #[must_use]
    pub fn peer_addr(self, address: SocketAddr) -> Self {
        Self { peer_addr: Some(address), ..self }
    }

    pub(crate) fn known_peer_addr(&self) -> Option<SocketAddr> {
        self.peer_addr
    }

    /// Sets the peer's address, unless it is set.
    #[cfg(feature = "hyper")]
    pub(crate) fn or_peer_addr(self, address: impl FnOnce() -> Option<SocketAddr>) -> Self {
        Self { peer_addr: self.peer_addr.or_else(address), ..self }
    }
}

impl<S> Connection<S> {
    /// Creates a connection from a stream that was upgraded elsewhere, by an HTTP server or in a test.
    ///
    /// `leftover` contains bytes that were read after the handshake: the peer's first frames.
    ///
    /// # Panics
    /// For a client, if the operating system has no randomness for the masking keys.
    #[must_use]
    pub fn from_upgraded(
        stream: S,
        role: Role,
        leftover: BytesMut,
        negotiated: Negotiated,
        settings: Settings,
    ) -> Self {
        let (decoder, encoder) = codec(role, &negotiated, &settings);
        let outbound = Outbound::new(encoder, &settings);
        let read = leftover.len();
        let inbound = Inbound::new(decoder, leftover);
        let Negotiated { subprotocol, peer_addr, .. } = negotiated;
        let shared = Shared::new(stream, outbound, &settings, subprotocol, peer_addr);
        #[cfg(feature = "deflate")]
        let shared = shared.with_compression(negotiated.compression.map(|(agreed, _)| agreed));
        let mut shared = shared;
        shared.count_read(&inbound, read);
        Self::from_state(Box::new(State { receiving: Receiving::new(inbound), shared }))
    }

    pub(crate) const fn from_state(state: Box<State<S>>) -> Self {
        Self(state)
    }

    pub(crate) fn into_state(self) -> Box<State<S>> {
        self.0
    }

    pub(crate) fn inbound(&mut self) -> &mut Inbound {
        &mut self.0.receiving.inbound
    }

    #[cfg(feature = "stream")]
    pub(crate) const fn items(&mut self) -> &mut Items {
        &mut self.0.receiving.items
    }

    #[cfg(feature = "stream")]
    pub(crate) fn has_given_its_end(&self) -> bool {
        self.0.receiving.items.has_ended()
    }

    pub(crate) fn shared(&mut self) -> &mut Shared<S> {
        &mut self.0.shared
    }

    /// Returns the role of this end.
    #[must_use]
    pub fn role(&self) -> Role {
        self.0.shared.role()
    }

    /// Returns the negotiated subprotocol.
    #[must_use]
    pub fn subprotocol(&self) -> Option<&str> {
        self.0.shared.subprotocol()
    }

    /// Returns the negotiated compression.
    #[cfg(feature = "deflate")]
    #[must_use]
    pub fn compression(&self) -> Option<AgreedCompression> {
        self.0.shared.compression()
    }

    /// Sets the minimum size in bytes of messages to compress, from the next message on; `usize::MAX` compresses none.
    /// Has no effect unless compression was negotiated. [`PreparedMessage::plain`](crate::PreparedMessage) exempts a
    /// single message.
    #[cfg(feature = "deflate")]
    pub fn set_compression_threshold(&mut self, bytes: usize) {
        self.shared().outbound_mut().set_compression_threshold(bytes);
    }

    /// Sets the compression level, 0 to 9, from the next message on. Has no effect unless compression was negotiated.
    /// This resets the context, so the next message may compress less well.
    #[cfg(feature = "deflate")]
    pub fn set_compression_level(&mut self, level: u8) {
        self.shared().outbound_mut().set_compression_level(level);
    }

    /// Returns the peer's address, if it was set by the handshake or the caller.
    #[must_use]
    pub fn peer_addr(&self) -> Option<SocketAddr> {
        self.0.shared.peer_addr()
    }

    /// Returns the peer's close frame, if it has arrived and has a code.
    #[must_use]
    pub fn close_frame(&self) -> Option<&CloseFrame> {
        self.0.shared.close_frame()
    }

    /// Returns the number of queued bytes that have not been written yet.
    #[must_use]
    pub fn queued(&self) -> usize {
        self.0.shared.outbound().queued()
    }

    /// Returns the traffic so far; `None` unless enabled by [`Settings::counted`].
    #[must_use]
    pub fn counters(&self) -> Option<Counters> {
        self.0.shared.counters(self.0.receiving.inbound.counts())
    }

    /// Sets a callback for pings. It is called with the payload (at most 125 bytes) before the pong is queued, and
    /// returns whether to send the pong. Without a callback, every ping is answered.
    ///
    /// The receiving task calls it, even after a [`split`](Self::split). No lock is held, so it may use a
    /// [`SendHalf`](crate::SendHalf), but it must not block. The peer decides how often it is called. If it panics,
    /// this callback and that of [`on_pong`](Self::on_pong) are removed.
    pub fn on_ping(&mut self, callback: impl FnMut(&[u8]) -> PingReply + Send + Sync + 'static) {
        self.shared().callbacks().ping = Some(Box::new(callback));
    }

    /// Sets a callback for pongs, under the same rules as [`on_ping`](Self::on_ping). It is called with the payload of
    /// every pong: answers to [`ping`](Self::ping) and to the heartbeat, and unsolicited pongs.
    pub fn on_pong(&mut self, callback: impl FnMut(&[u8]) + Send + Sync + 'static) {
        self.shared().callbacks().pong = Some(Box::new(callback));
    }

    /// Gives the connection a place in a [`Tracker`](crate::Tracker), until it and its halves are dropped.
    ///
    /// When the tracker shuts down, the connection closes by itself: as soon as it is polled, it sends a close frame with 1001,
    /// drops messages that still arrive, and receiving returns `None` once the peer has answered. It doesn't matter which task
    /// or half polls it. A connection that nobody polls isn't closed. After the shutdown's deadline it is cut: receiving returns
    /// [`Error::Cut`](crate::Error::Cut).
    ///
    /// [`AcceptOptions::tracker`](crate::AcceptOptions::tracker) does this for every connection.
    pub fn track(&mut self, ticket: Ticket) {
        self.shared().track(ticket);
    }

    /// Sets the maximum size of received messages, in bytes, from the next message on.
    pub fn set_max_message(&mut self, bytes: usize) {
        self.inbound().set_max_message(bytes);
    }

    /// Returns a reference to the stream. Reading from it or writing to it corrupts the connection.
    pub fn get_ref(&self) -> &S {
        self.0.shared.stream()
    }

    /// Returns the stream, without a closing handshake. Buffered input and queued output are lost.
    pub fn into_inner(self) -> S {
        self.0.shared.into_stream()
    }
}

#[cfg_attr(
    not(feature = "deflate"),
    expect(unused_variables, reason = "nothing that it needs to know is negotiated")
)]
fn codec(role: Role, negotiated: &Negotiated, settings: &Settings) -> (Decoder, Encoder) {
    let decoder = Decoder::new(role, settings.limits);
    let encoder = match role {
        Role::Server => Encoder::server(),
        Role::Client => Encoder::client(MaskKeys::from_seed(random())),
    };
    let counting = if cfg!(feature = "metrics") { Counting::On } else { settings.counting };
    let (decoder, encoder) = match counting {
        Counting::On => (decoder.counted(), encoder.counted()),
        Counting::Off => (decoder, encoder),
    };
    #[cfg(feature = "deflate")]
    if let Some((agreed, options)) = &negotiated.compression {
        return (decoder.with_compression(agreed), encoder.with_compression(agreed, options));
    }
    (decoder, encoder)
}

impl<S> fmt::Debug for Connection<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("role", &self.role())
            .field("phase", self.0.shared.phase())
            .field("queued", &self.queued())
            .finish_non_exhaustive()
    }
}
