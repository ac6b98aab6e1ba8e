//! A connection for several tasks: the halves, and messages that are streamed through them or through a whole one.
//!
//! No test measures time: deadlines run on a paused clock, and whether a task wakes shows in that the test ends.

mod at_once;
mod back_pressure;
mod callbacks;
mod close_read;
mod closing;
mod counted_memory;
mod defaults;
mod dropped;
mod facts;
#[expect(dead_code, reason = "the model of tasks uses more of it")]
mod gated;
mod pushing;
mod reader;
mod reunite;
mod stalling;
mod storm;
#[cfg(feature = "stream")]
mod stream_sink;
mod waking;
mod writer;

#[path = "../allocations/counting.rs"]
mod counting;

#[path = "../support"]
mod support {
    pub(crate) mod memory;
    pub(crate) mod parse;
    pub(crate) mod patience;
    #[expect(dead_code, reason = "only random programs have transports that fail")]
    pub(crate) mod scripted;
    pub(crate) mod tcp;
    pub(crate) mod wire;
}

use tokio::task::yield_now;
use ws_tokio::Role;

/// Lets all other tasks of a current-thread runtime do what they can.
async fn settle() {
    for _ in 0..100 {
        yield_now().await;
    }
}

/// The payloads of the messages among these bytes, each in one frame.
fn payloads(sender: Role, wire: &[u8]) -> Vec<Vec<u8>> {
    let frames = support::parse::frames(sender, wire);
    frames.into_iter().filter(|(first, _)| first & 8 == 0).map(|(_, payload)| payload).collect()
}
