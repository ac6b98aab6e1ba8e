//! Graceful shutdown, over connections in memory.

use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::task::{Context, Wake, Waker};
use std::time::Duration;

use bytes::BytesMut;
#[cfg(feature = "stream")]
use futures_util::{SinkExt, StreamExt};
use tokio::io::{DuplexStream, duplex};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};
use ws_tokio::http::StatusCode;
use ws_tokio::{
    AcceptOptions, CloseCode, ConnectOptions, Connection, Error, Negotiated, Role, Settings,
    Tracker, pipe_with,
};

fn pair() -> (Connection<DuplexStream>, Connection<DuplexStream>) {
    let (server, client) = duplex(4096);
    let connection = |stream, role| {
        let address = "192.0.2.1:80".parse().expect("an address");
        let negotiated = Negotiated::default().peer_addr(address);
        Connection::from_upgraded(stream, role, BytesMut::new(), negotiated, Settings::default())
    };
    (connection(server, Role::Server), connection(client, Role::Client))
}

/// Serves an echo on a task of its own, which returns how the connection ended.
fn serve(tracker: &Tracker) -> (Connection<DuplexStream>, JoinHandle<Result<(), Error>>) {
    let (mut server, client) = pair();
    server.track(tracker.enter().expect("the tracker is open"));
    let echo = async move { server.run(|message, outbox| outbox.send(message)).await };
    (client, tokio::spawn(echo))
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

/// Looks, when it is first woken, whether a task that waits for the shutdown itself knows of it.
struct Look {
    closing: Mutex<Pin<Box<dyn Future<Output = ()> + Send>>>,
    is_known: OnceLock<bool>,
}

impl Wake for Look {
    fn wake(self: Arc<Self>) {
        self.is_known.get_or_init(|| {
            let mut closing = self.closing.lock().expect("no panic");
            closing.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready()
        });
    }
}

#[tokio::test(start_paused = true)]
async fn a_task_with_a_connection_knows_of_a_shutdown_before_its_connection_does() {
    let tracker = Tracker::new();
    let (mut server, _client) = pair();
    server.track(tracker.enter().expect("the tracker is open"));
    let closing: Pin<Box<dyn Future<Output = ()> + Send>> = Box::pin({
        let tracker = tracker.clone();
        async move { tracker.closing().await }
    });
    let look = Arc::new(Look { closing: Mutex::new(closing), is_known: OnceLock::new() });
    let nobody = &mut Context::from_waker(Waker::noop());
    assert!(look.closing.lock().unwrap().as_mut().poll(nobody).is_pending());
    let waker = Waker::from(look.clone());
    assert!(pin!(server.recv()).poll(&mut Context::from_waker(&waker)).is_pending());
    assert!(pin!(tracker.shutdown(Duration::from_secs(1))).poll(nobody).is_pending());
    assert_eq!(look.is_known.get(), Some(&true));
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
            served.await.unwrap().unwrap();
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
async fn a_shutdown_that_is_given_up_and_called_again_cuts_at_its_own_deadline() {
    let tracker = Tracker::new();
    let (_silent, served) = serve(&tracker);
    let moment = Duration::from_millis(1);
    for _ in 0..2 {
        // Given up, but every connection was told.
        timeout(moment, tracker.shutdown(Duration::from_secs(60))).await.unwrap_err();
        tokio::time::sleep(moment).await;
    }
    assert_eq!(tracker.shutdown(Duration::from_secs(1)).await.cut.len(), 1);
    let served = timeout(moment, served).await.expect("it was cut at once");
    assert!(matches!(served.unwrap(), Err(Error::Cut(_))));
}

#[tokio::test(start_paused = true)]
async fn threads_that_share_a_tracker_shut_down_together() {
    let tracker = Tracker::new();
    let (mut client, served) = serve(&tracker);
    let (other, patience) = (tracker.clone(), Duration::from_secs(10));
    // A thread that hears of the shutdown by the tracker waits for the connections of all threads.
    let other = tokio::spawn(async move {
        other.closing().await;
        other.shutdown(patience).await
    });
    let client = tokio::spawn(async move { client.recv().await });
    assert_eq!(tracker.shutdown(patience).await.closed, 1);
    assert_eq!(other.await.unwrap().cut, []);
    assert_eq!(client.await.unwrap().unwrap(), None);
    served.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn of_several_shutdowns_the_earliest_deadline_cuts_and_each_reports_it() {
    for (ours, theirs) in [(1, 2), (2, 1), (1, 1)] {
        let tracker = Tracker::new();
        let (_silent, served) = serve(&tracker);
        let (other, began) = (tracker.clone(), Instant::now());
        let other = tokio::spawn(async move { other.shutdown(Duration::from_secs(theirs)).await });
        let ours = tracker.shutdown(Duration::from_secs(ours)).await;
        assert_eq!(began.elapsed().as_secs(), 1);
        assert!(matches!(served.await.unwrap(), Err(Error::Cut(_))));
        for shutdown in [ours, other.await.unwrap()] {
            assert_eq!((shutdown.closed, shutdown.cut.len()), (0, 1));
        }
        let later = tracker.shutdown(Duration::from_secs(1)).await;
        assert_eq!((later.closed, later.cut.len()), (0, 0));
    }
}

#[tokio::test(start_paused = true)]
async fn a_task_that_is_polled_again_and_again_or_by_another_waker_hears_of_the_shutdown() {
    let tracker = Tracker::new();
    let ticket = tracker.enter().expect("the tracker is open");
    let (wakes, nobody) = (Arc::new(Wakes::default()), &mut Context::from_waker(Waker::noop()));
    let waker = Waker::from(wakes.clone());
    let mut closing = pin!(ticket.closing());
    let mut cutting = pin!(ticket.cutting());
    assert!(closing.as_mut().poll(nobody).is_pending());
    for _ in 0..3 {
        assert!(closing.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        assert!(cutting.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    }
    let mut shutdown = pin!(tracker.shutdown(Duration::from_secs(1)));
    assert!(shutdown.as_mut().poll(nobody).is_pending());
    assert_eq!(wakes.count(), 1);
    assert!(closing.as_mut().poll(nobody).is_ready());
    assert!(cutting.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    shutdown.await;
    assert_eq!(wakes.count(), 2);
    assert!(cutting.as_mut().poll(nobody).is_ready());
}

/// How often a task was woken.
#[derive(Default)]
struct Wakes(AtomicUsize);

impl Wakes {
    fn count(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
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
    assert!(matches!(served.await.unwrap(), Err(Error::Cut(None))));
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
    served.await.unwrap().unwrap();
    assert!(tracker.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_nobody_polls_is_counted_as_cut_and_forgotten_once_it_is_dropped() {
    let tracker = Tracker::new();
    let (mut server, _client) = pair();
    server.track(tracker.enter().unwrap());
    let shutdown = tracker.shutdown(Duration::from_secs(5)).await;
    assert_eq!((shutdown.closed, shutdown.cut.len()), (0, 1));
    assert_eq!(tracker.len(), 1);
    assert!(matches!(server.recv().await, Err(Error::Cut(None))));
    drop(server);
    assert!(tracker.is_empty());
}

/// Who waits on a connection when its tracker shuts down.
#[derive(Clone, Copy, Debug)]
enum Waiting {
    Recv,
    #[cfg(feature = "stream")]
    Stream,
    RecvHalf,
    /// A sender and a receiver of the halves.
    BothHalves,
    /// A sink and a stream, by the futures crates.
    #[cfg(feature = "stream")]
    FuturesSplit,
    /// A sender whose queue is full.
    SendHalf,
    Close,
}

#[tokio::test(start_paused = true)]
async fn whoever_waits_on_a_connection_closes_it_when_its_tracker_shuts_down() {
    use Waiting::{BothHalves, Close, Recv, RecvHalf, SendHalf};
    #[cfg(feature = "stream")]
    use Waiting::{FuturesSplit, Stream};
    for waiting in [
        Recv,
        RecvHalf,
        BothHalves,
        SendHalf,
        Close,
        #[cfg(feature = "stream")]
        Stream,
        #[cfg(feature = "stream")]
        FuturesSplit,
    ] {
        let tracker = Tracker::new();
        let (mut server, mut client) = pair();
        server.track(tracker.enter().unwrap());
        let served = tokio::spawn(async move {
            match waiting {
                Recv => drop(server.recv().await),
                #[cfg(feature = "stream")]
                Stream => drop(server.next().await),
                Close => drop(server.close(CloseCode::GOING_AWAY, "").await),
                RecvHalf => drop(server.split().0.recv().await),
                SendHalf => {
                    let sending = server.split().1;
                    while sending.send(vec![0; 3000]).await.is_ok() {}
                }
                BothHalves => {
                    let (mut receiving, sending) = server.split();
                    let push = async { while sending.send(vec![0; 3000]).await.is_ok() {} };
                    _ = tokio::join!(receiving.recv(), push);
                }
                #[cfg(feature = "stream")]
                FuturesSplit => {
                    let (mut sink, mut stream) = StreamExt::split(server);
                    let push = async { while sink.send(vec![0; 3000].into()).await.is_ok() {} };
                    _ = tokio::join!(stream.next(), push);
                }
            }
        });
        let before = tokio::time::Instant::now();
        // Long enough for a sender to fill the pipe.
        let down = async {
            tokio::time::sleep(Duration::from_millis(10)).await;
            tracker.shutdown(Duration::from_secs(60)).await
        };
        let heard = async {
            tokio::time::sleep(Duration::from_millis(20)).await;
            while client.recv().await.expect("closed").is_some() {}
            client.close_frame().expect("a code").code()
        };
        let (shutdown, code) = tokio::join!(down, heard);
        assert_eq!((shutdown.cut.len(), code), (0, CloseCode::GOING_AWAY), "{waiting:?}");
        served.await.unwrap();
        assert!(before.elapsed() < Duration::from_secs(1), "{waiting:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_peer_sends_before_it_knows_of_the_shutdown_is_dropped_and_closes_in_order() {
    let tracker = Tracker::new();
    let (mut client, served) = serve(&tracker);
    let (down, ()) = tokio::join!(tracker.shutdown(Duration::from_secs(60)), async {
        tokio::task::yield_now().await;
        // The close frame is on its way, and it goes on sending.
        for _ in 0..100 {
            client.send(vec![1; 1000]).await.expect("not closed yet");
        }
        assert_eq!(client.recv().await.unwrap(), None);
    });
    assert_eq!((down.closed, down.cut.len()), (1, 0));
    served.await.unwrap().expect("no error of the handler's");
}

#[tokio::test]
async fn options_track_every_connection_that_they_accept_and_refuse_those_that_come_late() {
    let tracker = Tracker::new();
    let accept = AcceptOptions::default().tracker(&tracker);
    let (mut client, mut server) =
        pipe_with(&ConnectOptions::default(), &accept, 1024).await.unwrap();
    assert_eq!(tracker.len(), 1);
    let served = async move { server.recv().await };
    let (received, shutdown, heard) =
        tokio::join!(served, tracker.shutdown(Duration::from_secs(60)), client.recv());
    assert_eq!((received.unwrap(), shutdown.closed, heard.unwrap()), (None, 1, None));
    let late = pipe_with(&ConnectOptions::default(), &accept, 1024).await.unwrap_err();
    assert_eq!(late.status(), Some(StatusCode::SERVICE_UNAVAILABLE));
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
