//! `Stream` and `Sink`: a poll that is not followed by another is a future dropped.

use std::future::poll_fn;
use std::pin::Pin;

use futures_core::Stream;
use futures_sink::Sink;
use ws_tokio::{Connection, Message};

use crate::send::{small, tight};
use crate::support::patience::Patience;
use crate::support::scripted::Scripted;
use crate::{PORTIONS, after_every_poll, close, receive, send};

#[tokio::test(start_paused = true)]
async fn stream_that_is_left_and_polled_again_loses_nothing() {
    after_every_poll(&PORTIONS, async |case| receive::holds(case, stream).await).await;
}

async fn stream(connection: &mut Connection<Scripted>, patience: &mut Patience) -> Vec<Message> {
    let mut received = Vec::new();
    loop {
        let next = poll_fn(|cx| Pin::new(&mut *connection).poll_next(cx));
        match patience.with(next).await {
            None => {}
            Some(Some(message)) => received.push(message.expect("a message")),
            Some(None) => return received,
        }
    }
}

#[tokio::test]
async fn sink_that_is_left_and_polled_again_sends_each_message_once() {
    let send_one = async |it: &mut Connection<Scripted>, message: Message| {
        poll_fn(|cx| Pin::new(&mut *it).poll_ready(cx)).await?;
        Pin::new(&mut *it).start_send(message)?;
        poll_fn(|cx| Sink::poll_flush(Pin::new(&mut *it), cx)).await
    };
    after_every_poll(&PORTIONS, async |case| send::holds(case, tight(), small(), send_one).await)
        .await;
}

#[tokio::test(start_paused = true)]
async fn close_of_the_sink_that_is_left_can_be_finished_by_close() {
    let sink = async |it: &mut Connection<Scripted>| {
        poll_fn(|cx| Sink::poll_close(Pin::new(&mut *it), cx)).await
    };
    after_every_poll(&PORTIONS, async |case| close::holds(case, sink, close::close).await).await;
}
