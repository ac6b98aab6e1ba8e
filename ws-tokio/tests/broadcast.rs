//! Topics: what is published reaches every subscriber, and no slow one holds up the others.

#[path = "support"]
mod support {
    pub(crate) mod counted;
    pub(crate) mod now;
}

use std::future::{Future, poll_fn};
use std::ops::ControlFlow;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::io::{DuplexStream, duplex};
use tokio::task::{JoinHandle, yield_now};
use ws_tokio::{
    AcceptOptions, Broadcast, BroadcastOptions, CloseCode, ConnectOptions, Connection, Error,
    Message, Negotiated, PreparedMessage, Role, Settings, Slow, Subscription, TooSlow, pipe,
    pipe_with,
};

use support::counted::Counted;
use support::now::now;

fn topic(slow: Slow, max_messages: usize) -> Broadcast {
    Broadcast::with(BroadcastOptions::default().max_messages(max_messages).slow(slow))
}

fn number(message: &Message) -> usize {
    message.as_text().expect("text").parse().expect("a number")
}

fn publish(topic: &Broadcast, numbers: impl IntoIterator<Item = usize>) {
    for number in numbers {
        topic.publish(number.to_string());
    }
}

/// What is queued for a subscriber now.
async fn queued(subscription: &mut Subscription) -> Vec<usize> {
    let mut queued = Vec::new();
    while let Some(Ok(Some(message))) = now(subscription.recv()).await {
        queued.push(number(message.message()));
    }
    queued
}

/// Two ends of a pipe that holds little, and of which the server queues little.
async fn small_pipe() -> (Connection<DuplexStream>, Connection<DuplexStream>) {
    let settings = Settings::default().queue_limit(64).high_water(16);
    let accept = AcceptOptions::default().settings(settings);
    pipe_with(&ConnectOptions::default(), &accept, 64).await.expect("a pipe")
}

/// Serves an echo beside the topic on a task of its own.
fn serve(topic: &Broadcast, mut server: Connection<DuplexStream>) -> JoinHandle<Result<(), Error>> {
    let mut subscription = topic.subscribe();
    tokio::spawn(async move {
        subscription.serve(&mut server, |message, outbox| outbox.send(message)).await
    })
}

#[tokio::test]
async fn what_is_published_reaches_every_subscriber_in_order() {
    let topic = Broadcast::new();
    let mut subscriptions: Vec<_> = (0..3).map(|_| topic.subscribe()).collect();
    assert_eq!(topic.publish("0"), 3);
    publish(&topic.clone(), 1..5);
    for subscription in &mut subscriptions {
        assert_eq!(queued(subscription).await, [0, 1, 2, 3, 4]);
    }
    assert_eq!(topic.dropped(), 0);
}

#[tokio::test]
async fn a_subscriber_that_drops_the_oldest_has_the_newest() {
    let topic = topic(Slow::DropOldest, 3);
    let mut subscription = topic.subscribe();
    publish(&topic, 0..8);
    assert_eq!((subscription.dropped(), topic.dropped()), (5, 5));
    assert_eq!(queued(&mut subscription).await, [5, 6, 7]);
}

#[tokio::test]
async fn a_subscriber_that_drops_the_newest_has_the_oldest() {
    let topic = topic(Slow::DropNewest, 3);
    let mut subscription = topic.subscribe();
    publish(&topic, 0..7);
    assert_eq!(topic.publish("7"), 0, "nobody has room");
    assert_eq!((subscription.dropped(), topic.dropped()), (5, 5));
    assert_eq!(queued(&mut subscription).await, [0, 1, 2]);
    drop(subscription);
    assert_eq!(topic.dropped(), 5, "those of who is gone still count");
}

#[tokio::test]
async fn a_subscriber_that_is_to_be_disconnected_leaves_at_once_and_holds_nothing() {
    for code in [CloseCode::POLICY_VIOLATION, CloseCode::TRY_AGAIN_LATER] {
        let topic = topic(Slow::Disconnect(code), 2);
        let (mut slow, mut fast) = (topic.subscribe(), topic.subscribe());
        let payload = Bytes::from(vec![b'1'; 100]);
        for _ in 0..3 {
            topic.publish(Message::Binary(payload.clone()));
            assert!(fast.recv().await.unwrap().is_some());
        }
        assert_eq!((topic.subscribers(), slow.dropped()), (1, 3));
        assert!(payload.is_unique(), "nothing pins what was published");
        for _ in 0..2 {
            assert_eq!(slow.recv().await.map_err(TooSlow::close_code).unwrap_err(), code);
        }
        drop(slow);
        assert_eq!(topic.subscribers(), 1);
    }
}

#[tokio::test]
async fn bytes_are_bounded_as_messages_are_and_a_larger_one_goes_alone() {
    let options = BroadcastOptions::default().max_bytes(10).slow(Slow::DropOldest);
    let topic = Broadcast::with(options);
    let mut subscription = topic.subscribe();
    let len = |received: Option<PreparedMessage>| received.unwrap().message().as_bytes().len();
    for len in [4, 5, 2] {
        topic.publish(vec![0; len]);
    }
    assert_eq!(subscription.dropped(), 1, "11 bytes are more than 10");
    topic.publish(vec![0; 1000]);
    assert_eq!(subscription.dropped(), 3);
    assert_eq!(len(subscription.recv().await.unwrap()), 1000);
    assert!(now(subscription.recv()).await.is_none());
}

#[test]
#[should_panic(expected = "may not be sent")]
fn a_code_that_may_not_be_sent_is_no_policy() {
    _ = BroadcastOptions::default().slow(Slow::Disconnect(CloseCode::new(1005)));
}

#[tokio::test]
async fn a_topic_that_is_dropped_ends_recv_with_none_behind_what_is_queued() {
    let topic = Broadcast::new();
    let (mut behind, mut waiting) = (topic.subscribe(), topic.subscribe());
    topic.publish("1");
    assert!(waiting.recv().await.unwrap().is_some());
    let waiting = tokio::spawn(async move { waiting.recv().await });
    yield_now().await;
    let other = topic.clone();
    drop(topic);
    assert_eq!(other.publish("2"), 2, "a clone keeps the topic");
    assert!(waiting.await.unwrap().unwrap().is_some());
    drop(other);
    assert_eq!(queued(&mut behind).await, [1, 2]);
    assert!(behind.recv().await.unwrap().is_none());
    assert!(behind.recv().await.unwrap().is_none());
}

#[tokio::test]
async fn a_waiting_subscriber_hears_that_its_topic_is_dropped() {
    let topic = Broadcast::new();
    let mut subscription = topic.subscribe();
    let waiting = tokio::spawn(async move { subscription.recv().await });
    yield_now().await;
    drop(topic);
    assert!(waiting.await.unwrap().unwrap().is_none());
}

#[tokio::test]
async fn a_subscription_that_is_dropped_leaves_its_topic_at_once() {
    let topic = Broadcast::new();
    let mut all: Vec<_> = (0..10).map(|_| topic.subscribe()).collect();
    for (left, gone) in [0, 8, 3, 3, 5, 0, 1, 2, 1, 0].into_iter().enumerate() {
        drop(all.remove(gone));
        assert_eq!(topic.subscribers(), 9 - left);
        assert_eq!(topic.publish(left.to_string()), 9 - left);
        for subscription in &mut all {
            assert_eq!(queued(subscription).await, [left]);
        }
    }
}

struct Wakes(AtomicUsize);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn a_burst_wakes_a_task_once() {
    let topic = Broadcast::new();
    let mut subscription = topic.subscribe();
    let wakes = Arc::new(Wakes(AtomicUsize::new(0)));
    let waker = Waker::from(wakes.clone());
    let mut recv = pin!(subscription.recv());
    assert!(recv.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    publish(&topic, 0..100);
    assert_eq!(wakes.0.load(Ordering::Relaxed), 1);
}

#[test]
fn five_thousand_subscribers_share_one_encoding() {
    let topic = Broadcast::new();
    let mut all: Vec<_> = (0..5000).map(|_| topic.subscribe()).collect();
    let payload = Bytes::from(vec![7; 1 << 20]);
    let prepared = PreparedMessage::new(payload.clone());
    assert_eq!(topic.publish_prepared(&prepared), 5000);
    drop(prepared);
    for subscription in &mut all {
        let received = pin!(subscription.recv()).poll(&mut Context::from_waker(Waker::noop()));
        let Poll::Ready(Ok(Some(message))) = received else { panic!("no message") };
        assert_eq!(message.message().as_bytes().as_ptr(), payload.as_ptr());
    }
    assert!(payload.is_unique(), "all have it, so nobody holds it");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn all_subscribers_hear_all_publishers_in_the_same_order() {
    let topic = Broadcast::with(BroadcastOptions::default().max_messages(1000));
    let mut all: Vec<_> = (0..8).map(|_| topic.subscribe()).collect();
    let publishers = (0..4).map(|first| {
        let topic = topic.clone();
        tokio::spawn(async move { publish(&topic, (0..200).map(|each| each * 4 + first)) })
    });
    for publisher in publishers.collect::<Vec<_>>() {
        publisher.await.unwrap();
    }
    let heard = queued(&mut all[0]).await;
    assert_eq!(heard.len(), 800);
    for subscription in &mut all[1..] {
        assert_eq!(queued(subscription).await, heard);
    }
}

#[tokio::test]
async fn a_served_client_gets_answers_and_what_is_published() {
    let topic = topic(Slow::DropNewest, 1000);
    let (mut client, server) = pipe().await;
    let served = serve(&topic, server);
    client.send("hello").await.unwrap();
    assert_eq!(client.recv().await.unwrap(), Some("hello".into()));
    publish(&topic, 0..1000);
    for each in 0..1000 {
        assert_eq!(number(&client.recv().await.unwrap().unwrap()), each);
    }
    client.close(CloseCode::NORMAL, "").await.unwrap();
    served.await.unwrap().unwrap();
    assert_eq!(topic.subscribers(), 0);
}

#[tokio::test]
async fn what_is_queued_when_a_task_has_its_turn_leaves_in_one_write() {
    let topic = Broadcast::new();
    let (near, _far) = duplex(1 << 16);
    let (stream, nothing) = (Counted::new(near), BytesMut::new());
    let (negotiated, settings) = (Negotiated::default(), Settings::default());
    let mut server = Connection::from_upgraded(stream, Role::Server, nothing, negotiated, settings);
    let mut subscription = topic.subscribe();
    publish(&topic, 0..100);
    assert!(now(subscription.serve(&mut server, |_, _| {})).await.is_none());
    assert_eq!((server.get_ref().writes(), server.queued()), (1, 0));
}

#[tokio::test]
async fn once_its_topic_is_dropped_a_connection_is_only_received_from() {
    let topic = Broadcast::new();
    let (mut client, server) = pipe().await;
    let served = serve(&topic, server);
    topic.publish("last");
    drop(topic);
    assert_eq!(client.recv().await.unwrap(), Some("last".into()));
    client.send("hello").await.unwrap();
    assert_eq!(client.recv().await.unwrap(), Some("hello".into()));
    client.close(CloseCode::NORMAL, "").await.unwrap();
    served.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_client_that_does_not_read_holds_up_none_of_the_others() {
    let disconnect = Slow::Disconnect(CloseCode::POLICY_VIOLATION);
    for slow in [Slow::DropOldest, Slow::DropNewest, disconnect] {
        let topic = topic(slow, 4);
        let (mut silent, server) = small_pipe().await;
        let stuck = serve(&topic, server);
        let mut fast = Vec::new();
        for _ in 0..3 {
            let (client, server) = small_pipe().await;
            fast.push((client, serve(&topic, server)));
        }
        yield_now().await;
        for each in 0..500 {
            topic.publish(each.to_string());
            for (client, _) in &mut fast {
                assert_eq!(number(&client.recv().await.unwrap().unwrap()), each);
            }
        }
        assert!(topic.dropped() > 0, "the silent one missed some");
        if slow == disconnect {
            assert_eq!(topic.subscribers(), 3);
            let ended = tokio::time::timeout(Duration::from_secs(6), stuck).await.unwrap();
            assert!(matches!(ended.unwrap(), Err(Error::Failed(CloseCode::POLICY_VIOLATION))));
        } else {
            assert_eq!(topic.subscribers(), 4);
            let mut last = number(&silent.recv().await.unwrap().unwrap());
            while let Some(Ok(Some(message))) = now(silent.recv()).await {
                assert!(number(&message) > last, "in order");
                last = number(&message);
                yield_now().await;
            }
            assert_eq!(last == 499, slow == Slow::DropOldest, "{last}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_is_too_slow_is_told_so() {
    let topic = topic(Slow::Disconnect(CloseCode::TRY_AGAIN_LATER), 4);
    let (mut client, server) = small_pipe().await;
    let served = serve(&topic, server);
    for each in 0..100 {
        topic.publish(each.to_string());
        yield_now().await;
    }
    let error = loop {
        match client.recv().await {
            Ok(message) => assert!(message.is_some()),
            Err(error) => break error,
        }
    };
    let Error::Closed(frame) = error else { panic!("{error}") };
    assert_eq!((frame.code(), frame.reason()), (CloseCode::TRY_AGAIN_LATER, "too slow"));
    let ended = served.await.unwrap();
    assert!(matches!(ended, Err(Error::Failed(CloseCode::TRY_AGAIN_LATER))));
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_is_cut_while_it_is_sent_messages_ends_serving() {
    let topic = topic(Slow::DropOldest, 4);
    let (client, server) = small_pipe().await;
    let served = serve(&topic, server);
    publish(&topic, 0..100);
    yield_now().await;
    drop(client);
    assert!(served.await.unwrap().is_err());
    assert_eq!(topic.subscribers(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_closes_while_messages_wait_for_it_ends_serving() {
    let topic = topic(Slow::DropOldest, 4);
    let (mut client, server) = small_pipe().await;
    let served = serve(&topic, server);
    publish(&topic, 0..100);
    yield_now().await;
    client.close(CloseCode::NORMAL, "").await.unwrap();
    served.await.unwrap().unwrap();
    assert_eq!(topic.subscribers(), 0);
}

#[tokio::test]
async fn a_handler_that_closes_leaves_the_topic_with_the_next_message() {
    let topic = Broadcast::new();
    let (mut client, mut server) = pipe().await;
    let mut subscription = topic.subscribe();
    let served = tokio::spawn(async move {
        let close =
            subscription.serve(&mut server, |_, outbox| outbox.close(CloseCode::NORMAL, ""));
        close.await.unwrap();
        subscription
    });
    client.feed("bye").await.unwrap();
    client.flush().await.unwrap();
    yield_now().await;
    topic.publish("too late");
    yield_now().await;
    assert_eq!(topic.subscribers(), 0);
    assert_eq!(client.recv().await.unwrap(), None);
    assert!(served.await.unwrap().recv().await.unwrap().is_none());
}

#[tokio::test]
async fn a_handler_can_end_serving_and_the_connection_goes_on() {
    let topic = Broadcast::new();
    let (mut client, mut server) = pipe().await;
    let mut subscription = topic.subscribe();
    client.send("stop").await.unwrap();
    let stop = |_: ws_tokio::MessageRef<'_>, _: &mut ws_tokio::Outbox<'_>| ControlFlow::Break(7);
    assert_eq!(subscription.serve(&mut server, stop).await.unwrap(), Some(7));
    topic.publish("1");
    assert_eq!(queued(&mut subscription).await, [1]);
    server.send("on").await.unwrap();
    assert_eq!(client.recv().await.unwrap(), Some("on".into()));
}

/// Polls so often and drops the future.
async fn polled<F: Future>(future: F, times: usize) {
    let mut future = pin!(future);
    for _ in 0..times {
        if poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx))).await.is_ready() {
            return;
        }
        yield_now().await;
    }
}

/// What a client receives of `0..count`, on a task of its own.
fn collect(mut client: Connection<DuplexStream>, count: usize) -> JoinHandle<Vec<usize>> {
    tokio::spawn(async move {
        let mut received = Vec::new();
        while received.len() < count {
            let message = client.recv().await.expect("an open connection");
            received.push(number(&message.expect("a message")));
        }
        received
    })
}

#[tokio::test]
async fn serving_that_is_dropped_at_any_poll_loses_no_message() {
    for times in 1..6 {
        let topic = Broadcast::new();
        let (client, mut server) = small_pipe().await;
        let mut subscription = topic.subscribe();
        publish(&topic, 0..100);
        let client = collect(client, 100);
        while !client.is_finished() {
            polled(subscription.serve(&mut server, |_, _| {}), times).await;
            yield_now().await;
        }
        assert_eq!(client.await.unwrap(), (0..100).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn forwarding_that_is_dropped_at_any_poll_loses_no_message() {
    for times in 1..6 {
        let topic = Broadcast::new();
        let (client, server) = small_pipe().await;
        let (_receiving, sending) = server.split();
        let mut subscription = topic.subscribe();
        publish(&topic, 0..100);
        let client = collect(client, 100);
        while !client.is_finished() {
            polled(subscription.forward(&sending), times).await;
            yield_now().await;
            _ = now(sending.flush()).await;
        }
        assert_eq!(client.await.unwrap(), (0..100).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn recv_that_is_dropped_loses_no_message() {
    let topic = Broadcast::new();
    let mut subscription = topic.subscribe();
    assert!(now(subscription.recv()).await.is_none());
    publish(&topic, 0..3);
    let recv: Pin<Box<dyn Future<Output = _> + '_>> = Box::pin(subscription.recv());
    drop(recv);
    assert_eq!(queued(&mut subscription).await, [0, 1, 2]);
}

#[tokio::test]
async fn a_half_forwards_until_the_topic_is_dropped() {
    let topic = Broadcast::new();
    let (mut client, server) = pipe().await;
    let (_receiving, sending) = server.split();
    let mut subscription = topic.subscribe();
    let forwarded = tokio::spawn(async move { subscription.forward(&sending).await });
    yield_now().await;
    publish(&topic, 0..50);
    drop(topic);
    for each in 0..50 {
        assert_eq!(number(&client.recv().await.unwrap().unwrap()), each);
    }
    forwarded.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_half_whose_client_is_too_slow_is_closed() {
    let topic = topic(Slow::Disconnect(CloseCode::POLICY_VIOLATION), 4);
    let (mut client, server) = small_pipe().await;
    let (mut receiving, sending) = server.split();
    let mut subscription = topic.subscribe();
    let forwarded = tokio::spawn(async move { subscription.forward(&sending).await });
    let received = tokio::spawn(async move { receiving.recv().await });
    for each in 0..100 {
        topic.publish(each.to_string());
        yield_now().await;
    }
    assert_eq!(topic.subscribers(), 0);
    while client.recv().await.is_ok() {}
    assert_eq!(client.close_frame().unwrap().code(), CloseCode::POLICY_VIOLATION);
    let ended = forwarded.await.unwrap();
    assert!(matches!(ended, Err(Error::Failed(CloseCode::POLICY_VIOLATION))));
    assert!(received.await.unwrap().is_err());
}
