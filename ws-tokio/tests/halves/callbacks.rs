//! Callbacks for pings run for all halves, and without their lock.

use std::sync::{Arc, OnceLock};

use tokio::io::{AsyncWriteExt, DuplexStream};
use ws_tokio::{PingReply, Role, SendHalf, Settings};

use crate::support::memory::{self, read_some, waits};
use crate::support::parse::frames;
use crate::support::wire::frame;

#[tokio::test]
async fn a_callback_runs_without_the_lock_and_may_send_by_a_half() {
    let (mut connection, mut peer) = memory::connection(Role::Server, Settings::default());
    let half = Arc::new(OnceLock::<SendHalf<DuplexStream>>::new());
    let by = half.clone();
    connection.on_ping(move |payload| {
        // A lock that were held here would never be had.
        by.get().expect("set below").outbox().send(payload).expect("an open connection");
        PingReply::Withheld
    });
    let (mut receiving, sending) = connection.split();
    assert!(half.set(sending.clone()).is_ok());
    for payload in [b"one", b"two"] {
        peer.write_all(&frame(Role::Client, 0x89, payload)).await.unwrap();
        assert!(waits(receiving.recv()).await);
        assert_eq!(frames(Role::Server, &read_some(&mut peer).await), [(0x82, payload.to_vec())]);
    }
}
