//! Closing: one close frame, behind all that was queued, however often `close` is dropped and called again.

use ws_tokio::{CloseCode, Connection, Error, Settings};

use crate::support::parse::frames;
use crate::support::patience::Patience;
use crate::support::scripted::Scripted;
use crate::support::wire::close_payload;
use crate::{Case, PORTIONS, after_every_poll, conversation, messages};

pub(crate) async fn close(connection: &mut Connection<Scripted>) -> Result<(), Error> {
    connection.close(CloseCode::GOING_AWAY, "later").await
}

/// Queues a message, closes with `close` until patience has run out, goes on with `then`, and looks at the wire.
pub(crate) async fn holds(
    case: Case,
    close: impl AsyncFn(&mut Connection<Scripted>) -> Result<(), Error>,
    then: impl AsyncFn(&mut Connection<Scripted>) -> Result<(), Error>,
) -> Patience {
    let mut connection = case.connection(Settings::default(), &conversation(case.role));
    let mut patience = case.patience;
    connection.feed("queued").await.expect("room");
    if patience.with(close(&mut connection)).await.is_none() {
        then(&mut connection).await.expect("a normal end");
    }
    let mut written = frames(case.role, connection.get_ref().written());
    let last = written.pop();
    assert_eq!(written.first(), Some(&(0x81, b"queued".to_vec())), "{case:?}");
    assert_eq!(written.iter().filter(|(first, _)| *first == 0x88).count(), 0, "{case:?}");
    let ours = [close_payload(1001, "later"), close_payload(1000, "")];
    assert!(last.is_some_and(|it| it.0 == 0x88 && ours.contains(&it.1)), "{case:?}");
    assert_eq!(connection.close_frame().map(|frame| frame.reason()), Some("bye"), "{case:?}");
    patience
}

#[tokio::test(start_paused = true)]
async fn close_that_is_dropped_and_called_again_sends_one_close_frame() {
    after_every_poll(&PORTIONS, async |case| holds(case, close, close).await).await;
}

#[tokio::test(start_paused = true)]
async fn recv_after_a_dropped_close_gives_the_messages_that_close_had_not_dropped() {
    let rest = async |it: &mut Connection<Scripted>| {
        let mut received = Vec::new();
        while let Some(message) = it.recv().await? {
            received.push(message);
        }
        assert!(messages().ends_with(&received), "{received:?}");
        Ok(())
    };
    after_every_poll(&PORTIONS, async |case| holds(case, close, rest).await).await;
}
