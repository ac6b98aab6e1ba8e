//! A user's own functions that are told of pings and pongs, which otherwise never reach the user.

use ws_core::Control;

/// What becomes of a ping: what a function given to [`Connection::on_ping`](crate::Connection::on_ping) returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PingReply {
    /// It is answered by a pong with its payload, as without a callback.
    Pong,
    /// It is not answered. RFC 6455, 5.5.2, wants an answer: the peer may take this end for dead.
    Withheld,
}

pub(crate) type OnPing = dyn FnMut(&[u8]) -> PingReply + Send + Sync;
pub(crate) type OnPong = dyn FnMut(&[u8]) + Send + Sync;

/// The functions of one connection.
#[derive(Default)]
pub(crate) struct Callbacks {
    pub(crate) ping: Option<Box<OnPing>>,
    pub(crate) pong: Option<Box<OnPong>>,
}

impl Callbacks {
    /// Calls the function that this control frame is for, if there is one.
    pub(crate) fn tell(&mut self, control: &Control) -> PingReply {
        match (control, self) {
            (Control::Ping(payload), Self { ping: Some(ping), .. }) => return ping(payload),
            (Control::Pong(payload), Self { pong: Some(pong), .. }) => pong(payload),
            (Control::Ping(_) | Control::Pong(_) | Control::Close(_), _) => {}
        }
        PingReply::Pong
    }
}
