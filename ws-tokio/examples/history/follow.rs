//! Following a topic: what the hub brings while nothing is missing, else what the log has.

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{sleep, timeout};
use ws_tokio::{Error, HubEvent, SendHalf, Subscriber};

use crate::cursor::Cursor;
use crate::log::{PAUSE, Page};
use crate::node::{Node, number, numbered};

/// Number of messages for a client that asks for none.
const RECENT: u64 = 100;

/// How long a message may take that was overtaken by another.
const OVERTAKEN: Duration = Duration::from_millis(100);

/// The time without news after which the log is asked. A publisher may be gone before it could tell the hub, and an append that
/// failed for its publisher may have succeeded.
const SILENCE: Duration = Duration::from_secs(10);

/// Where a client wants to begin.
#[derive(Clone, Copy)]
pub(crate) enum Start {
    /// With the last messages.
    Recent,
    /// After the message with this number.
    After(u64),
}

impl Node {
    /// Sends everything of a topic, in order and once.
    ///
    /// # Errors
    /// If the connection fails.
    pub(crate) async fn follow<S>(
        &self,
        topic: &str,
        start: Start,
        sending: &SendHalf<S>,
    ) -> Result<(), Error>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let mut subscriber = self.hub.subscriber();
        // Its name was checked.
        _ = subscriber.subscribe(topic);
        // What is published from now on comes by the hub, so that nothing is missed between it and the log.
        subscriber.settled().await;
        let next = match start {
            Start::Recent => self.read(topic, u64::MAX).await.last.saturating_sub(RECENT) + 1,
            Start::After(number) => number.saturating_add(1),
        };
        let mut cursor = Cursor::new(next);
        loop {
            self.send_logged(topic, &mut cursor, sending).await?;
            send_published(&mut subscriber, &mut cursor, sending).await?;
        }
    }

    /// Sends what the log has, to its end.
    async fn send_logged<S>(
        &self,
        topic: &str,
        cursor: &mut Cursor,
        sending: &SendHalf<S>,
    ) -> Result<(), Error>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        cursor.forget();
        loop {
            let page = self.read(topic, cursor.next()).await;
            if let Some(notice) = notice(&page, cursor) {
                sending.feed(notice).await?;
            }
            for (number, message) in page.messages {
                sending.feed(numbered(number, &message)).await?;
                cursor.move_to(number + 1);
            }
            sending.flush().await?;
            if cursor.next() > page.last {
                return Ok(());
            }
        }
    }

    /// Reads from the log, however long Redis is away.
    async fn read(&self, topic: &str, from: u64) -> Page {
        loop {
            if let Ok(page) = self.log.read(topic, from).await {
                return page;
            }
            sleep(PAUSE).await;
        }
    }
}

/// Moves to where the log goes on, and returns what to tell the client, if that isn't where it was.
fn notice(page: &Page, cursor: &mut Cursor) -> Option<String> {
    let next = cursor.next();
    if let Some((first, _)) = page.messages.first().filter(|(first, _)| *first > next) {
        cursor.move_to(*first);
        return Some(format!(r#"{{"lost":[{next},{}]}}"#, first - 1));
    }
    // Also of a client that asks for what never was.
    (page.last < next - 1).then(|| {
        cursor.move_to(page.last + 1);
        format!(r#"{{"rewound":{}}}"#, page.last)
    })
}

/// Sends what the hub brings, until the log must be asked.
async fn send_published<S>(
    subscriber: &mut Subscriber,
    cursor: &mut Cursor,
    sending: &SendHalf<S>,
) -> Result<(), Error>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    while !cursor.is_full() {
        let patience = if cursor.has_hole() { OVERTAKEN } else { SILENCE };
        let event = match timeout(patience, subscriber.recv()).await {
            Ok(Ok(event)) => event,
            Ok(Err(slow)) => return Err(Error::Failed(slow.close_code())),
            // A message is missing, or may be.
            Err(_) => return Ok(()),
        };
        let HubEvent::Message(published) = event else { return Ok(()) };
        if let Some(number) = number(published.message().message()) {
            cursor.put(number, published.message());
        }
        while let Some(message) = cursor.take() {
            sending.feed_prepared(&message).await?;
        }
        sending.flush().await?;
    }
    Ok(())
}
