//! `run`: a function for every message, and what ends it.

use std::future::poll_fn;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::mpsc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::BytesMut;
use tokio::io::{AsyncWriteExt, duplex};
use tokio::time::timeout;
use ws_tokio::{
    CloseCode, Connection, EncodeError, Error, MessageRef, Negotiated, Outbox, PingReply,
    PreparedMessage, Role, Settings,
};

use crate::support::counted::Counted;
use crate::support::memory::{self, PIPE, read_some, waits};
use crate::support::parse::frames;
use crate::support::wire::{ROLES, close, close_payload, frame, peer_of};

/// Messages with the numbers below `most`.
fn numbers(peer: Role, most: u8) -> Vec<u8> {
    (0..most).flat_map(|n| frame(peer, 0x82, &[n])).collect()
}

#[tokio::test]
async fn a_handler_that_returns_nothing_runs_until_the_end() {
    for us in ROLES {
        let (mut connection, mut peer) = memory::connection(us, Settings::default());
        let wire = [numbers(peer_of(us), 5), close(peer_of(us), 1000, "")].concat();
        peer.write_all(&wire).await.unwrap();
        peer.shutdown().await.unwrap();
        let mut handled = Vec::new();
        connection.run(|message, _| handled.extend_from_slice(message.as_bytes())).await.unwrap();
        assert_eq!(handled, [0, 1, 2, 3, 4]);
        connection.run(|_, _| -> () { panic!("nothing more") }).await.unwrap();
    }
}

#[tokio::test]
async fn a_handlers_error_ends_the_run_and_recv_goes_on_behind_its_message() {
    for us in ROLES {
        let (mut connection, mut peer) = memory::connection(us, Settings::default());
        peer.write_all(&numbers(peer_of(us), 3)).await.unwrap();
        let run = connection.run(|_, _| Err::<(), _>(Error::Cut(None)));
        assert!(matches!(run.await, Err(Error::Cut(_))));
        assert_eq!(connection.recv().await.unwrap(), Some(vec![1].into()));
        assert_eq!(connection.recv().await.unwrap(), Some(vec![2].into()));
    }
}

#[tokio::test]
async fn a_handler_that_breaks_returns_its_value_and_another_run_goes_on() {
    for us in ROLES {
        let (mut connection, mut peer) = memory::connection(us, Settings::default());
        let wire = [numbers(peer_of(us), 4), close(peer_of(us), 1001, "")].concat();
        peer.write_all(&wire).await.unwrap();
        peer.shutdown().await.unwrap();
        let first = |message: MessageRef<'_>, _: &mut Outbox<'_>| match message.as_bytes() {
            [2] => ControlFlow::Break("two"),
            _ => ControlFlow::Continue(()),
        };
        assert_eq!(connection.run(first).await.unwrap(), Some("two"));
        let mut rest = Vec::new();
        let second = |message: MessageRef<'_>, _: &mut Outbox<'_>| {
            rest.extend_from_slice(message.as_bytes());
            ControlFlow::<()>::Continue(())
        };
        assert_eq!(connection.run(second).await.unwrap(), None, "the connection ended");
        assert_eq!(rest, [3]);
    }
}

#[tokio::test]
async fn run_fails_as_recv_does() {
    for us in ROLES {
        let (mut connection, mut peer) = memory::connection(us, Settings::default());
        peer.write_all(&close(peer_of(us), 4001, "no")).await.unwrap();
        peer.shutdown().await.unwrap();
        for _ in 0..2 {
            let ended = connection.run(|_, _| ()).await;
            assert!(matches!(ended, Err(Error::Closed(frame)) if frame.reason() == "no"));
        }
    }
}

#[tokio::test]
async fn what_one_read_brought_is_answered_by_one_write() {
    for us in ROLES {
        let (ours, mut peer) = duplex(PIPE);
        let mut connection = memory::over(Counted::new(ours), us, Settings::default());
        peer.write_all(&numbers(peer_of(us), 50)).await.unwrap();
        assert!(waits(connection.run(|message, outbox| outbox.send(message))).await);
        assert_eq!(connection.get_ref().writes(), 1);
        assert_eq!(read_some(&mut peer).await.len(), 50 * frame(us, 0x82, &[0]).len());
    }
}

#[tokio::test]
async fn an_outbox_over_its_limit_pauses_the_handler_until_it_has_drained() {
    for us in ROLES {
        let settings = Settings::default().queue_limit(1000);
        let (mut connection, mut peer) = memory::connection(us, settings);
        let wire = [numbers(peer_of(us), 100), close(peer_of(us), 1000, "")].concat();
        peer.write_all(&wire).await.unwrap();
        peer.shutdown().await.unwrap();
        let (reply, mut handled) = (vec![7; 4000], 0);
        let mut answer = |_: MessageRef<'_>, outbox: &mut Outbox<'_>| {
            handled += 1;
            outbox.send(&reply[..])
        };
        assert!(waits(connection.run(&mut answer)).await);
        assert!(connection.queued() < 1000 + 4014, "the overshoot is one call's output");
        let rest = async {
            connection.run(&mut answer).await.unwrap();
            drop(connection);
        };
        let ((), read) = tokio::join!(rest, memory::read_to_end(&mut peer));
        assert_eq!((handled, frames(us, &read).len()), (100, 101));
    }
}

#[tokio::test]
async fn an_outbox_with_the_limit_0_takes_one_calls_output_at_a_time() {
    for us in ROLES {
        let (mut connection, mut peer) = memory::connection(us, Settings::default().queue_limit(0));
        let wire = [numbers(peer_of(us), 3), close(peer_of(us), 1000, "")].concat();
        peer.write_all(&wire).await.unwrap();
        peer.shutdown().await.unwrap();
        let run = connection.run(|message, outbox| outbox.send(message));
        let in_turns = timeout(Duration::from_secs(5), run);
        in_turns.await.expect("no endless loop").unwrap();
        drop(connection);
        assert_eq!(frames(us, &memory::read_to_end(&mut peer).await).len(), 4);
    }
}

#[tokio::test]
async fn a_long_run_of_messages_leaves_other_tasks_their_turn() {
    for us in ROLES {
        let leftover = BytesMut::from(&numbers(peer_of(us), 200).repeat(100)[..]);
        let (ours, _peer) = duplex(PIPE);
        let (negotiated, settings) = (Negotiated::default(), Settings::default());
        let mut connection = Connection::from_upgraded(ours, us, leftover, negotiated, settings);
        let mut handled = 0;
        assert!(waits(connection.run(|_, _| handled += 1)).await);
        assert!((100..1000).contains(&handled), "{handled} in one turn");
    }
}

#[tokio::test]
async fn a_flood_of_control_frames_leaves_other_tasks_their_turn() {
    for us in ROLES {
        let leftover = BytesMut::from(&frame(peer_of(us), 0x89, b"").repeat(20_000)[..]);
        let (ours, _peer) = duplex(PIPE);
        let (negotiated, settings) = (Negotiated::default(), Settings::default());
        let mut connection = Connection::from_upgraded(ours, us, leftover, negotiated, settings);
        let (heard, hears) = mpsc::channel();
        connection.on_ping(move |_| {
            heard.send(()).expect("a test that listens");
            PingReply::Pong
        });
        assert!(waits(connection.recv()).await);
        let heard = hears.try_iter().count();
        assert!((100..1000).contains(&heard), "{heard} in one turn");
    }
}

/// Polls a future once, whose handler panics.
async fn panics(future: impl Future) {
    let mut future = pin!(future);
    let poll = |cx: &mut Context<'_>| {
        Poll::Ready(catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx).is_ready())))
    };
    assert!(poll_fn(poll).await.is_err(), "no panic");
}

#[tokio::test]
async fn a_handler_that_panics_leaves_no_message_misread() {
    for us in ROLES {
        let (mut connection, mut peer) = memory::connection(us, Settings::default());
        let sender = peer_of(us);
        let fragments = [frame(sender, 0x01, b"in "), frame(sender, 0x80, b"two")].concat();
        for bomb in [frame(sender, 0x82, &[7; 3000]), fragments, frame(sender, 0x82, b"")] {
            let wire = [numbers(sender, 1), bomb, frame(sender, 0x81, b"next")].concat();
            peer.write_all(&wire).await.unwrap();
            panics(connection.run(|message, outbox| {
                outbox.send(message).unwrap();
                assert_eq!(message.as_bytes(), [0]);
            }))
            .await;
            assert_eq!(connection.recv().await.unwrap(), Some("next".into()));
            connection.flush().await.unwrap();
            assert_eq!(frames(us, &read_some(&mut peer).await).len(), 2, "both answers are whole");
        }
    }
}

#[tokio::test]
async fn a_handler_can_close_and_is_called_until_the_peers_close_frame() {
    for us in ROLES {
        let (mut connection, mut peer) = memory::connection(us, Settings::default());
        let wire = [numbers(peer_of(us), 3), close(peer_of(us), 1000, "")].concat();
        peer.write_all(&wire).await.unwrap();
        peer.shutdown().await.unwrap();
        let mut handled = 0;
        let run = connection.run(|_, outbox| {
            handled += 1;
            let sent = outbox.send("late");
            assert_eq!(sent.is_ok(), handled == 1);
            outbox.close(CloseCode::GOING_AWAY, "enough").expect("a close frame");
            assert!(matches!(outbox.send("x"), Err(Error::Send(EncodeError::Closed))));
        });
        run.await.unwrap();
        assert_eq!(handled, 3);
        drop(connection);
        let read = frames(us, &memory::read_to_end(&mut peer).await);
        assert_eq!(read, [(0x81, b"late".to_vec()), (0x88, close_payload(1001, "enough"))]);
    }
}

#[tokio::test]
async fn a_handler_sends_what_was_prepared_and_sees_what_is_queued() {
    for us in ROLES {
        let (mut connection, mut peer) = memory::connection(us, Settings::default());
        peer.write_all(&numbers(peer_of(us), 1)).await.unwrap();
        let news = PreparedMessage::new("news");
        let mut queued = 0;
        let run = connection.run(|_, outbox| {
            outbox.send_prepared(&news)?;
            queued = outbox.queued();
            assert!(format!("{outbox:?}").starts_with("Outbox"));
            Ok(())
        });
        assert!(waits(run).await);
        let wire = read_some(&mut peer).await;
        assert_eq!((wire.len(), frames(us, &wire)), (queued, vec![(0x81, b"news".to_vec())]));
    }
}

#[tokio::test]
async fn a_handler_that_closes_with_a_bad_code_or_a_long_reason_sends_nothing() {
    for us in ROLES {
        let (mut connection, mut peer) = memory::connection(us, Settings::default());
        peer.write_all(&numbers(peer_of(us), 1)).await.unwrap();
        let run = connection.run(|_, outbox| {
            let bad = outbox.close(CloseCode::new(1005), "");
            assert!(matches!(bad, Err(Error::Send(EncodeError::CloseCodeInvalid(1005)))));
            let long = outbox.close(CloseCode::NORMAL, "x".repeat(124));
            assert!(matches!(long, Err(Error::Send(EncodeError::ReasonTooLong(124)))));
            assert_eq!(outbox.queued(), 0);
        });
        assert!(waits(run).await);
        connection.send("still open").await.unwrap();
    }
}
