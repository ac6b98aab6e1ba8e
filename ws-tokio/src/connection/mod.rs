//! A WebSocket connection: both directions, and how it ends.

mod close;
mod drive;
mod end;
mod outbox;
mod ping;
mod recv;
mod run;
mod send;

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::BytesMut;
use ws_core::{CloseFrame, Decoder, Encoder, MaskKeys, Role};

use crate::inbound::Inbound;
use crate::outbound::Outbound;
use crate::random::random;
use crate::settings::Settings;
use end::Phase;
pub use outbox::Outbox;
pub use ping::Ping;
use ping::Pings;
pub use run::Outcome;

/// A WebSocket connection over any byte stream.
///
/// Made by [`accept`](crate::accept), [`connect`](crate::connect), or from a stream that was upgraded elsewhere.
/// One task owns it; it reads only while [`recv`](Self::recv), [`recv_into`](Self::recv_into),
/// [`run`](Self::run) or [`close`](Self::close) is polled, and that is also when pings are answered. While nothing
/// arrives it owns no buffers.
///
/// Dropping it drops the stream, without a closing handshake.
pub struct Connection<S> {
    stream: S,
    state: Box<State>,
}

/// All but the stream, behind one pointer: a task that moves its connection about moves little.
struct State {
    inbound: Inbound,
    outbound: Outbound,
    phase: Phase,
    role: Role,
    close_timeout: Duration,
    /// Messages received since the last time that the task gave way.
    since_yield: u16,
    rare: Option<Box<Rare>>,
}

/// What few connections have, or only for a while.
#[derive(Default)]
struct Rare {
    subprotocol: Option<Box<str>>,
    peer_addr: Option<SocketAddr>,
    close_frame: Option<CloseFrame>,
    pings: Pings,
}

/// What a handshake agreed on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Negotiated {
    subprotocol: Option<String>,
    peer_addr: Option<SocketAddr>,
}

impl Negotiated {
    /// The application's protocol on top of this one (RFC 6455, 1.9). Default none.
    #[must_use]
    pub fn subprotocol(self, subprotocol: impl Into<String>) -> Self {
        Self { subprotocol: Some(subprotocol.into()), ..self }
    }

    /// The peer's address, which the stream itself doesn't tell. Default none.
    #[must_use]
    pub fn peer_addr(self, address: SocketAddr) -> Self {
        Self { peer_addr: Some(address), ..self }
    }
}

impl<S> Connection<S> {
    /// Makes a connection of a stream that was upgraded elsewhere: by an HTTP server, or in a test.
    ///
    /// `leftover` is what was read behind the handshake: the peer's first frames.
    ///
    /// # Panics
    /// As a client, where the operating system has no randomness for the masking keys.
    #[must_use]
    pub fn from_upgraded(
        stream: S,
        role: Role,
        leftover: BytesMut,
        negotiated: Negotiated,
        settings: Settings,
    ) -> Self {
        let encoder = match role {
            Role::Server => Encoder::server(),
            Role::Client => Encoder::client(MaskKeys::from_seed(random())),
        };
        let Negotiated { subprotocol, peer_addr } = negotiated;
        let rare = (subprotocol.is_some() || peer_addr.is_some()).then(|| {
            let subprotocol = subprotocol.map(String::into_boxed_str);
            Box::new(Rare { subprotocol, peer_addr, ..Rare::default() })
        });
        let state = State {
            inbound: Inbound::new(Decoder::new(role, settings.limits), leftover),
            outbound: Outbound::new(encoder, &settings),
            phase: Phase::Open,
            role,
            close_timeout: settings.close_timeout,
            since_yield: 0,
            rare,
        };
        Self { stream, state: Box::new(state) }
    }

    /// Which end of the connection this is.
    #[must_use]
    pub fn role(&self) -> Role {
        self.state.role
    }

    /// The subprotocol that both ends agreed on.
    #[must_use]
    pub fn subprotocol(&self) -> Option<&str> {
        self.state.rare.as_ref()?.subprotocol.as_deref()
    }

    /// The peer's address, where the handshake or the caller told it.
    #[must_use]
    pub fn peer_addr(&self) -> Option<SocketAddr> {
        self.state.rare.as_ref()?.peer_addr
    }

    /// The code and reason of the peer's close frame, once it has come and said any.
    #[must_use]
    pub fn close_frame(&self) -> Option<&CloseFrame> {
        self.state.rare.as_ref()?.close_frame.as_ref()
    }

    /// Bytes queued for sending and not yet written.
    #[must_use]
    pub fn queued(&self) -> usize {
        self.state.outbound.queued()
    }

    /// Sets the largest message to receive, in bytes, from the next frame on.
    pub fn set_max_message(&mut self, bytes: usize) {
        self.state.inbound.set_max_message(bytes);
    }

    /// The stream. Reading from it or writing to it breaks the connection.
    pub const fn get_ref(&self) -> &S {
        &self.stream
    }

    /// The stream, without a closing handshake; what was read or queued is lost.
    pub fn into_inner(self) -> S {
        self.stream
    }
}

impl<S> fmt::Debug for Connection<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("role", &self.role())
            .field("phase", &self.state.phase)
            .field("queued", &self.queued())
            .finish_non_exhaustive()
    }
}
