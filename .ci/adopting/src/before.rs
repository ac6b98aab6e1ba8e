//! The crates as published.

/// The functions that are private.
mod masks {
    include!(concat!(env!("OUT_DIR"), "/before.rs"));
}

use {
    fastwebsockets_before as fastwebsockets, soketto_before as soketto,
    tokio_websockets_before as tokio_websockets, tungstenite_before as tungstenite,
};

#[path = "peers/mod.rs"]
pub(crate) mod peers;
