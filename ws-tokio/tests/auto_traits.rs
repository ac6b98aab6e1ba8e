//! What users move to other threads and poll by `&mut`: nothing in a signature says so of an `async fn`, or of a type, so a change in
//! their insides could take it away unseen.

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use ws_tokio::{
    AcceptError, AcceptOptions, Broadcast, ByteStream, CloseCode, CloseRead, ConnectError,
    ConnectOptions, Connection, Error, Hub, HubEvent, Incoming, Message, MessageKind,
    MessageReader, MessageRef, MessageWriter, Outbox, Ping, PreparedMessage, RecvHalf,
    ReuniteError, SendHalf, Server, Serving, Settings, Subscriber, Subscription, Subscriptions,
    Ticket, Tracker, Transport,
};

/// What a stream under a connection is asked for, and no more.
trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

/// For futures, and whatever else is moved to the task that uses it.
fn sent(_: impl Send) {}

fn shared<T: Send + Sync + Unpin + 'static>() {}

#[test]
fn what_belongs_to_connections_is_send_sync_and_unpin() {
    shared::<(Connection, Connection<TcpStream>, Incoming<TcpStream>, Transport)>();
    shared::<(RecvHalf<TcpStream>, SendHalf<TcpStream>, CloseRead<TcpStream>)>();
    shared::<(ByteStream<TcpStream>, Ping, Ticket, Tracker, Server)>();
    shared::<(MessageReader<'static, TcpStream>, MessageWriter<'static, TcpStream>)>();
    shared::<(AcceptOptions, ConnectOptions, Settings, Message, PreparedMessage)>();
    shared::<(MessageRef<'static>, Error, AcceptError, ConnectError, ReuniteError<TcpStream>)>();
    shared::<(Broadcast, Subscription, Hub, HubEvent, Subscriber, Subscriptions)>();
}

// The functions below are compiled, not called. They have no stream of their own: what holds of one holds of all.

#[expect(dead_code, reason = "that it compiles is the test")]
fn a_connections_futures_are_send<S: Stream>(connection: &mut Connection<S>, into: &mut Vec<u8>) {
    let prepared = PreparedMessage::new("x");
    sent(connection.recv());
    sent(connection.recv_into(into));
    sent(connection.recv_with(|message| message.kind()));
    sent(connection.run(|message, outbox| outbox.send(message)));
    sent(connection.send("x"));
    sent(connection.feed("x"));
    sent(connection.send_prepared(&prepared));
    sent(connection.feed_prepared(&prepared));
    sent(connection.feed_with(MessageKind::Text, |_| Ok::<(), Error>(())));
    sent(connection.flush());
    sent(connection.ready(1));
    sent(connection.close(CloseCode::NORMAL, ""));
    sent(connection.reader());
    sent(connection.writer(MessageKind::Text));
}

#[expect(dead_code, reason = "that it compiles is the test")]
fn the_halves_futures_are_send<S: Stream>(receiving: &mut RecvHalf<S>, sending: &SendHalf<S>) {
    let prepared = PreparedMessage::new("x");
    sent(receiving.recv());
    sent(receiving.recv_into(&mut Vec::new()));
    sent(receiving.recv_with(|message| message.kind()));
    sent(receiving.run(|message: MessageRef<'_>, outbox: &mut Outbox<'_>| outbox.send(message)));
    sent(receiving.reader());
    sent(sending.send("x"));
    sent(sending.feed("x"));
    sent(sending.send_prepared(&prepared));
    sent(sending.feed_prepared(&prepared));
    sent(sending.feed_with(MessageKind::Text, |_| Ok::<(), Error>(())));
    sent(sending.flush());
    sent(sending.ready(1));
    sent(sending.close(CloseCode::NORMAL, ""));
    sent(sending.writer(MessageKind::Text));
}

#[expect(dead_code, reason = "that it compiles is the test")]
fn the_futures_of_handshakes_are_send<S: Stream>(streams: [S; 4], incoming: [Incoming<S>; 2]) {
    let (accept, connect) = (AcceptOptions::default(), ConnectOptions::default());
    let [first, second, third, fourth] = streams;
    sent(ws_tokio::accept(first));
    sent(accept.accept(second));
    sent(accept.read(third));
    sent(ws_tokio::connect("ws://localhost/"));
    sent(connect.connect("ws://localhost/"));
    sent(connect.connect_over(fourth, "ws://localhost/"));
    sent(ws_tokio::pipe());
    let [accepted, refused] = incoming;
    sent(accepted.accept());
    sent(refused.refuse(ws_tokio::http::StatusCode::NOT_FOUND, ""));
}

#[expect(dead_code, reason = "that it compiles is the test")]
fn the_futures_of_topics_are_send<S: Stream>(
    (subscription, subscriber): (&mut Subscription, &mut Subscriber),
    (connection, sending): (&mut Connection<S>, &SendHalf<S>),
) {
    sent(subscription.recv());
    sent(subscription.forward(sending));
    sent(subscription.serve(connection, |message, outbox| outbox.send(message)));
    sent(subscriber.recv());
    sent(subscriber.forward(sending));
    sent(subscriber.serve(connection, |message, outbox, _| outbox.send(message)));
    sent(subscriber.settled());
}

#[expect(dead_code, reason = "that it compiles is the test")]
fn the_futures_of_servers_are_send(serving: [Serving; 2], tracker: &Tracker, ticket: &Ticket) {
    let [alone, with_shutdown] = serving;
    sent(Server::bind("localhost:0"));
    sent(alone);
    sent(with_shutdown.with_graceful_shutdown(async {}, Duration::ZERO));
    sent(tracker.shutdown(Duration::ZERO));
    sent(tracker.closing());
    sent(ticket.closing());
    sent(ticket.cutting());
}
