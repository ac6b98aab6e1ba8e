//! JSON to values and back: a message is parsed, a value goes into an outbox.

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use ws_tokio::{MessageKind, MessageRef, Outbox, PayloadWriter};

use crate::error::Error;

/// Whatever speaks, speaking JSON: a [`Connection`](ws_tokio::Connection), a [`RecvHalf`](ws_tokio::RecvHalf), a
/// [`SendHalf`](ws_tokio::SendHalf), a [`MessageRef`] or an [`Outbox`].
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), ws_json::Error> {
/// use ws_json::Json;
///
/// # let (client, mut server) = ws_tokio::pipe().await;
/// let mut json = Json(client);
/// json.send(&[1, 2, 3]).await?;
/// json.0.send("not typed").await?;
/// # assert_eq!(server.recv().await?, Some("[1,2,3]".into()));
/// # assert_eq!(server.recv().await?, Some("not typed".into()));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Json<C>(pub C);

impl<'m> Json<MessageRef<'m>> {
    /// Parses the message; the value may borrow from it.
    ///
    /// # Errors
    /// [`Error::Syntax`], [`Error::Shape`] or [`Error::Binary`]. Nobody is told: that is up to whoever received it, as
    /// [`Json::run`] does.
    pub fn parse<T: Deserialize<'m>>(self) -> Result<T, Error> {
        match self.0 {
            MessageRef::Text(text) => {
                serde_json::from_str(text).map_err(|error| judge(text, error))
            }
            MessageRef::Binary(_) => Err(Error::Binary),
        }
    }
}

impl Json<&mut Outbox<'_>> {
    /// Queues a value as a text message, as [`Outbox::send_with`].
    ///
    /// # Errors
    /// [`Error::Serialize`], and [`Error::Connection`] as there; nothing is queued then.
    pub fn send<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.0.send_with(MessageKind::Text, fill(value))
    }
}

/// Writes a value as a payload.
pub(crate) fn fill<T: Serialize + ?Sized>(
    value: &T,
) -> impl FnOnce(&mut PayloadWriter<'_>) -> Result<(), Error> {
    move |payload| serde_json::to_writer(payload, value).map_err(Error::Serialize)
}

/// Tells text that is no JSON from JSON that the type doesn't take.
///
/// The parser stops at the first thing that is wrong, and calls JSON that it won't take (a number out of range, a
/// surrogate alone, many levels) bad syntax. So the grammar alone is asked once more: this is the rare path.
#[cold]
fn judge(text: &str, error: serde_json::Error) -> Error {
    match serde_json::from_str::<IgnoredAny>(text) {
        Ok(IgnoredAny) => Error::Shape(error),
        Err(error) => Error::Syntax(error),
    }
}
