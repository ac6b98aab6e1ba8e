//! Sending: a message whose future was dropped is queued whole or not at all.

use ws_tokio::{Connection, Error, Message, PayloadWriter, Settings};

use crate::support::parse::{Frame, frames};
use crate::support::patience::Patience;
use crate::support::scripted::Scripted;
use crate::support::wire::frame;
use crate::{Case, PORTIONS, after_every_poll};

/// A queue that is soon full, and that starts to write soon.
pub(crate) fn tight() -> Settings {
    Settings::default().queue_limit(40).high_water(16)
}

pub(crate) fn small() -> Vec<Message> {
    vec!["one".into(), vec![7; 20].into(), "".into(), vec![9; 60].into(), "five".into()]
}

/// Payloads that a server queues by reference where writes are vectored.
fn large() -> Vec<Message> {
    vec!["before".into(), vec![7; 20_000].into(), "x".repeat(17_000).into(), "after".into()]
}

fn as_frame(message: &Message) -> Frame {
    let first = if message.as_text().is_some() { 0x81 } else { 0x82 };
    (first, message.as_bytes().to_vec())
}

/// Sends each message, again where it was dropped and not queued; each arrives exactly once and in order.
pub(crate) async fn holds(
    case: Case,
    settings: Settings,
    messages: Vec<Message>,
    send: impl AsyncFn(&mut Connection<Scripted>, Message) -> Result<(), Error>,
) -> Patience {
    let mut connection = case.connection(settings, b"");
    let mut patience = case.patience;
    for message in &messages {
        let before = taken(&connection);
        while patience.with(send(&mut connection, message.clone())).await.is_none() {
            if taken(&connection) != before {
                break;
            }
        }
        let (first, payload) = as_frame(message);
        let whole = frame(case.role, first, &payload).len();
        assert_eq!(taken(&connection) - before, whole, "{case:?}");
    }
    connection.flush().await.expect("a flush");
    let arrived = frames(case.role, connection.get_ref().written());
    assert_eq!(arrived, messages.iter().map(as_frame).collect::<Vec<_>>(), "{case:?}");
    patience
}

/// Bytes that the connection has taken, written or queued.
fn taken(connection: &Connection<Scripted>) -> usize {
    connection.get_ref().written().len() + connection.queued()
}

#[tokio::test]
async fn send_that_is_dropped_queued_its_message_whole_or_not_at_all() {
    let send = async |it: &mut Connection<Scripted>, message| it.send(message).await;
    after_every_poll(&PORTIONS, async |case| holds(case, tight(), small(), send).await).await;
    after_every_poll(&[4099], async |case| holds(case, Settings::default(), large(), send).await)
        .await;
}

#[tokio::test]
async fn feed_that_is_dropped_queued_its_message_whole_or_not_at_all() {
    let feed = async |it: &mut Connection<Scripted>, message| it.feed(message).await;
    after_every_poll(&PORTIONS, async |case| holds(case, tight(), small(), feed).await).await;
    after_every_poll(&[4099], async |case| holds(case, tight(), large(), feed).await).await;
}

#[tokio::test]
async fn feed_with_that_is_dropped_queued_its_message_whole_or_not_at_all() {
    let feed = async |it: &mut Connection<Scripted>, message: Message| {
        let fill = |payload: &mut PayloadWriter<'_>| {
            payload.extend_from_slice(message.as_bytes());
            Ok(())
        };
        it.feed_with(message.kind(), fill).await
    };
    after_every_poll(&PORTIONS, async |case| holds(case, tight(), small(), feed).await).await;
    after_every_poll(&[4099], async |case| holds(case, tight(), large(), feed).await).await;
}

#[tokio::test]
async fn flush_that_is_dropped_leaves_the_rest_queued() {
    after_every_poll(&PORTIONS, async |case| {
        let mut connection = case.connection(Settings::default(), b"");
        let mut patience = case.patience;
        for message in small() {
            connection.feed(message).await.expect("room");
        }
        let queued = connection.queued();
        while patience.with(connection.flush()).await.is_none() {
            assert_eq!(taken(&connection), queued, "{case:?}");
        }
        let arrived = frames(case.role, connection.get_ref().written());
        assert_eq!(arrived, small().iter().map(as_frame).collect::<Vec<_>>(), "{case:?}");
        patience
    })
    .await;
}
