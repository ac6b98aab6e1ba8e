//! `close_now`: the end without a handshake, safe at any time.

use tokio::io::AsyncWriteExt;
use ws_tokio::{CloseCode, Error, Settings};

use crate::support::memory::{self, waits};
use crate::support::parse::frames;
use crate::support::wire::{ROLES, close, peer_of};

#[tokio::test]
async fn close_now_ends_the_stream_without_a_frame_and_is_safe_at_any_time() {
    for us in ROLES {
        let (mut connection, mut peer) = memory::connection(us, Settings::default());
        connection.feed("lost").await.unwrap();
        let ping = connection.ping().unwrap();
        connection.close_now();
        connection.close_now();
        assert_eq!(memory::read_to_end(&mut peer).await, b"");
        assert!(matches!(connection.send("x").await, Err(Error::Io(_))));
        assert!(matches!(ping.await, Err(Error::Cut(_))));
        assert!(matches!(connection.recv().await, Err(Error::Cut(_))));
        assert!(matches!(connection.close(CloseCode::NORMAL, "").await, Err(Error::Cut(_))));
        assert_eq!(connection.queued(), 0, "nobody would write it");
    }
}

#[tokio::test]
async fn close_now_inside_a_closing_handshake_or_after_it_is_safe() {
    for us in ROLES {
        let (mut connection, mut peer) = memory::connection(us, Settings::default());
        assert!(waits(connection.close(CloseCode::NORMAL, "")).await);
        connection.close_now();
        assert!(matches!(connection.recv().await, Err(Error::Cut(_))));
        assert_eq!(frames(us, &memory::read_to_end(&mut peer).await).len(), 1);
        let (mut connection, mut peer) = memory::connection(us, Settings::default());
        peer.write_all(&close(peer_of(us), 1000, "")).await.unwrap();
        peer.shutdown().await.unwrap();
        assert_eq!(connection.recv().await.unwrap(), None);
        connection.close_now();
        assert_eq!(connection.recv().await.unwrap(), None, "the end stays what it was");
    }
}
