//! The crates with the patch.

/// The functions that are private.
mod masks {
    include!(concat!(env!("OUT_DIR"), "/after.rs"));
}

use {
    fastwebsockets_after as fastwebsockets, soketto_after as soketto,
    tokio_websockets_after as tokio_websockets, tungstenite_after as tungstenite,
};

#[expect(clippy::duplicate_mod, reason = "the same code over other crates")]
#[path = "peers/mod.rs"]
pub(crate) mod peers;
