//! Each crate behind one type. This is compiled twice: with the crates as published, and with the patched ones.

mod fastwebsockets;
mod soketto;
mod tokio_websockets;
mod tungstenite;

use crate::Peer;

pub(crate) const ALL: [Peer; 4] =
    [tungstenite::PEER, soketto::PEER, fastwebsockets::PEER, tokio_websockets::PEER];
