//! Parsing messages and serialising values.

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
#[cfg(not(target_family = "wasm"))]
use ws_tokio::{MessageKind, Outbox};
use ws_tokio::{MessageRef, PayloadWriter};

use crate::error::Error;

/// JSON over a [`Connection`](ws_tokio::Connection), a [`RecvHalf`](ws_tokio::RecvHalf), a
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
    /// Parses the message. The value may borrow from it.
    ///
    /// # Errors
    /// [`Error::Syntax`], [`Error::Shape`] or [`Error::Binary`]. The connection is not closed: that is up to the
    /// receiver, as in [`Json::run`].
    pub fn parse<T: Deserialize<'m>>(self) -> Result<T, Error> {
        match self.0 {
            MessageRef::Text(text) => {
                serde_json::from_str(text).map_err(|error| judge(text, error))
            }
            MessageRef::Binary(_) => Err(Error::Binary),
        }
    }
}

#[cfg(not(target_family = "wasm"))]
impl Json<&mut Outbox<'_>> {
    /// Queues a value as a text message, as [`Outbox::send_with`] does.
    ///
    /// # Errors
    /// [`Error::Serialize`], or [`Error::Connection`] as for [`Outbox::send_with`]; nothing is queued then.
    pub fn send<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.0.send_with(MessageKind::Text, fill(value))
    }
}

/// Serialises a value into a payload.
pub(crate) fn fill<T: Serialize + ?Sized>(
    value: &T,
) -> impl FnOnce(&mut PayloadWriter<'_>) -> Result<(), Error> {
    move |payload| serde_json::to_writer(payload, value).map_err(Error::Serialize)
}

/// Distinguishes text that is not JSON from JSON that the type rejects.
///
/// The parser stops at the first problem, and reports JSON that it rejects (a number out of range, a lone surrogate,
/// many levels) as bad syntax. So this rare path checks the grammar alone.
#[cold]
fn judge(text: &str, error: serde_json::Error) -> Error {
    match serde_json::from_str::<IgnoredAny>(text) {
        Ok(IgnoredAny) => Error::Shape(error),
        Err(error) => Error::Syntax(error),
    }
}
