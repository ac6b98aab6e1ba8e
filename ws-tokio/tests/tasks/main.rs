//! Tasks that share a connection: by `StreamExt::split` of the futures crates, by halves, or by `&mut` from hand to hand.
//!
//! A task that sleeps while it could go on hangs the test; the model finds the others.
#![cfg(feature = "stream")]

mod futures_split;
mod left_to_others;
mod locks;
mod model;
mod streams;

#[path = "../halves/gated.rs"]
#[expect(dead_code, reason = "the tests of halves use more of it")]
mod gated;

#[path = "../support"]
#[expect(dead_code, reason = "shared with other tests, which use more of it")]
mod support {
    pub(crate) mod memory;
    pub(crate) mod parse;
    pub(crate) mod tcp;
    pub(crate) mod wire;
}

use std::future::Future;
use std::time::Duration;

use tokio::task::yield_now;

/// Lets all other tasks of a current-thread runtime do what they can.
async fn settle() {
    for _ in 0..100 {
        yield_now().await;
    }
}

/// Whatever hangs is to fail, on a real clock: ten times what the slowest machine needs.
async fn ends<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(Duration::from_secs(60), future).await.expect("it hangs")
}
