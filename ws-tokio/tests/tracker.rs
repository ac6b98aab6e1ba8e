//! Graceful shutdown, over connections in memory.

use std::future::pending;
use std::time::Duration;

use bytes::BytesMut;
use tokio::io::{DuplexStream, duplex};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use ws_tokio::{CloseCode, Connection, Error, Negotiated, Role, Settings, Tracker};

fn pair() -> (Connection<DuplexStream>, Connection<DuplexStream>) {
    let (server, client) = duplex(4096);
    let connection = |stream, role| {
        let address = "192.0.2.1:80".parse().expect("an address");
        let negotiated = Negotiated::default().peer_addr(address);
        Connection::from_upgraded(stream, role, BytesMut::new(), negotiated, Settings::default())
    };
    (connection(server, Role::Server), connection(client, Role::Client))
}

/// Serves an echo on a task of its own; the task's value says whether the peer ended it.
fn serve(tracker: &Tracker) -> (Connection<DuplexStream>, JoinHandle<bool>) {
    let (mut server, client) = pair();
    let ticket = tracker.enter().expect("the tracker is open");
    let served = tokio::spawn(async move {
        let talked = ticket.serve(&mut server, async |connection| {
            connection.run(|message, outbox| outbox.send(message)).await
        });
        talked.await.is_some()
    });
    (client, served)
}

/// As [`serve`], by the halves of a connection.
fn serve_split(tracker: &Tracker) -> (Connection<DuplexStream>, JoinHandle<()>) {
    let (server, client) = pair();
    let ticket = tracker.enter().expect("the tracker is open");
    let served = tokio::spawn(async move {
        ticket.set_peer_addr(server.peer_addr());
        let (mut receiving, sending) = server.split();
        tokio::select! {
            _ = receiving.run(|message, outbox| outbox.send(message)) => return,
            () = ticket.closing() => drop(receiving),
        }
        tokio::select! {
            closed = sending.close(CloseCode::GOING_AWAY, "") => closed.expect("an answer"),
            () = ticket.cutting() => sending.close_now(),
        }
    });
    (client, served)
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_closes_every_connection_with_1001_and_waits_for_them() {
    let tracker = Tracker::new();
    let mut clients: Vec<_> = (0..10).map(|_| serve(&tracker)).collect();
    clients[0].0.send("hello").await.unwrap();
    assert_eq!(clients[0].0.recv().await.unwrap(), Some("hello".into()));
    assert_eq!(tracker.len(), 10);

    let clients = clients.into_iter().map(|(mut client, served)| {
        tokio::spawn(async move {
            assert_eq!(client.recv().await.unwrap(), None);
            assert_eq!(client.close_frame().unwrap().code(), CloseCode::GOING_AWAY);
            assert!(!served.await.unwrap(), "the server ended it");
        })
    });
    let clients: Vec<_> = clients.collect();
    let shutdown = tracker.shutdown(Duration::from_secs(10)).await;
    assert_eq!((shutdown.closed, shutdown.cut), (10, vec![]));
    assert!(tracker.is_empty());
    for client in clients {
        client.await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn once_a_shutdown_has_begun_no_one_enters() {
    let tracker = Tracker::new();
    tracker.shutdown(Duration::ZERO).await;
    assert!(tracker.enter().is_none());
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_does_not_answer_is_cut_at_the_deadline_and_reported() {
    let tracker = Tracker::new();
    let (mut silent, served) = serve(&tracker);
    let shutdown = tracker.shutdown(Duration::from_secs(2)).await;
    assert_eq!((shutdown.closed, shutdown.cut), (0, vec![Some("192.0.2.1:80".parse().unwrap())]));
    assert!(!served.await.unwrap());
    assert!(tracker.is_empty(), "cut, it left");
    assert_eq!(silent.recv().await.unwrap(), None, "our close frame had arrived");
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_that_is_dropped_and_called_again_goes_on() {
    let tracker = Tracker::new();
    let (mut client, _served) = serve(&tracker);
    drop(timeout(Duration::ZERO, tracker.shutdown(Duration::from_secs(5))).await);
    assert_eq!(client.recv().await.unwrap(), None);
    let shutdown = tracker.shutdown(Duration::from_secs(5)).await;
    assert!(shutdown.cut.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_its_peer_ends_leaves_by_itself() {
    let tracker = Tracker::new();
    let (mut client, served) = serve(&tracker);
    client.close(CloseCode::NORMAL, "").await.unwrap();
    assert!(served.await.unwrap(), "the peer ended it");
    assert!(tracker.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_talk_that_never_ends_is_dropped_by_a_shutdown() {
    let tracker = Tracker::new();
    let (mut server, client) = pair();
    let ticket = tracker.enter().unwrap();
    let served = tokio::spawn(async move {
        ticket.serve(&mut server, async |_| pending::<Result<(), Error>>().await).await.is_none()
    });
    drop(client);
    tokio::task::yield_now().await;
    assert!(tracker.shutdown(Duration::from_secs(5)).await.cut.is_empty());
    assert!(served.await.unwrap());
}

#[tokio::test(start_paused = true)]
async fn a_task_that_split_its_connection_is_told_of_a_shutdown_and_waited_for() {
    let tracker = Tracker::new();
    let (mut client, served) = serve_split(&tracker);
    client.send("hello").await.unwrap();
    assert_eq!(client.recv().await.unwrap(), Some("hello".into()));
    let client = tokio::spawn(async move {
        assert_eq!(client.recv().await.unwrap(), None);
        assert_eq!(client.close_frame().unwrap().code(), CloseCode::GOING_AWAY);
    });
    let shutdown = tracker.shutdown(Duration::from_secs(10)).await;
    assert_eq!((shutdown.closed, shutdown.cut), (1, vec![]));
    assert!(tracker.is_empty());
    client.await.unwrap();
    served.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_task_that_split_its_connection_is_told_of_the_deadline_and_reported() {
    let tracker = Tracker::new();
    let (mut silent, served) = serve_split(&tracker);
    tokio::task::yield_now().await;
    let shutdown = tracker.shutdown(Duration::from_secs(2)).await;
    assert_eq!((shutdown.closed, shutdown.cut), (0, vec![Some("192.0.2.1:80".parse().unwrap())]));
    served.await.unwrap();
    assert!(tracker.is_empty(), "cut, it left");
    assert_eq!(silent.recv().await.unwrap(), None, "our close frame had arrived");
}

#[tokio::test(start_paused = true)]
async fn a_ticket_waits_for_each_stage_of_a_shutdown_and_no_more_behind_it() {
    let tracker = Tracker::new();
    let ticket = tracker.enter().unwrap();
    let now = Duration::ZERO;
    assert!(timeout(now, ticket.closing()).await.is_err());
    assert!(timeout(now, tracker.shutdown(Duration::from_secs(5))).await.is_err());
    ticket.closing().await;
    assert!(timeout(now, ticket.cutting()).await.is_err());
    let shutdown = tracker.shutdown(now).await;
    assert_eq!((shutdown.closed, shutdown.cut), (0, vec![None]), "its address is not known");
    for _ in 0..2 {
        ticket.closing().await;
        ticket.cutting().await;
    }
    drop(ticket);
    assert!(tracker.is_empty());
}
