//! What a connection allocates: nothing per message, and little for a peer that only promises.
//!
//! Everything here runs on the test's own thread, whose allocations are counted.

mod attacks;
mod counting;
#[cfg(feature = "http2")]
mod http2;
mod hub;
mod memory;
mod peer;
mod server;
mod steady;
#[cfg(feature = "ring")]
mod tls;

#[path = "../support"]
mod support {
    pub(crate) mod wire;
}

use std::future::Future;

use bytes::BytesMut;
use tokio::runtime::Runtime;
use ws_tokio::{Connection, Negotiated, Role, Settings};

use peer::Peer;

/// A connection to this peer.
fn connection(role: Role, settings: Settings, peer: Peer) -> Connection<Peer> {
    Connection::from_upgraded(peer, role, BytesMut::new(), Negotiated::default(), settings)
}

thread_local! {
    /// One for all of a test: a connection remembers the waker of its task, which keeps a runtime alive.
    static RUNTIME: Runtime = runtime();
}

fn runtime() -> Runtime {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_time().start_paused(true).build().expect("a runtime")
}

/// Runs a future on this thread.
fn block_on<F: Future>(future: F) -> F::Output {
    RUNTIME.with(|runtime| runtime.block_on(future))
}
