//! User callbacks for pings and pongs.

use ws_core::Control;

/// What to do with a ping, as returned by a callback of [`Connection::on_ping`](crate::Connection::on_ping).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PingReply {
    /// Send a pong, as without a callback.
    Pong,
    /// Don't send a pong. RFC 6455, 5.5.2, requires one: the peer may consider this end dead.
    Withheld,
}

pub(crate) type OnPing = dyn FnMut(&[u8]) -> PingReply + Send + Sync;
pub(crate) type OnPong = dyn FnMut(&[u8]) + Send + Sync;

/// The callbacks of one connection.
#[derive(Default)]
pub(crate) struct Callbacks {
    pub(crate) ping: Option<Box<OnPing>>,
    pub(crate) pong: Option<Box<OnPong>>,
}

impl Callbacks {
    /// Calls the callback for this control frame, if there is one.
    pub(crate) fn tell(&mut self, control: &Control) -> PingReply {
        match (control, self) {
            (Control::Ping(payload), Self { ping: Some(ping), .. }) => return ping(payload),
            (Control::Pong(payload), Self { pong: Some(pong), .. }) => pong(payload),
            (Control::Ping(_) | Control::Pong(_) | Control::Close(_), _) => {}
        }
        PingReply::Pong
    }
}
