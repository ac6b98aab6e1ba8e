//! What a member hears: a room's topic, for as long as the room lets it.

use std::convert::Infallible;
use std::ops::ControlFlow;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::oneshot;
use ws_tokio::{CloseCode, Connection, Error, MessageRef, Outbox, Subscription};

pub(crate) struct Ears {
    pub(crate) subscription: Subscription,
    /// Ends when the room has no place for the member any more.
    pub(crate) place: oneshot::Receiver<Infallible>,
}

impl Ears {
    /// Serves a connection as [`Subscription::serve`] does, and closes it once the place is lost.
    pub(crate) async fn serve<S, H, B>(
        &mut self,
        connection: &mut Connection<S>,
        handler: H,
    ) -> Result<Option<B>, Error>
    where
        S: AsyncRead + AsyncWrite + Unpin,
        H: FnMut(MessageRef<'_>, &mut Outbox<'_>) -> ControlFlow<B>,
    {
        tokio::select! {
            // First: who has lost the place needn't hear who has it now.
            biased;
            _ = &mut self.place => {}
            served = self.subscription.serve(connection, handler) => return served,
        }
        // A page comes back by itself then, and is told that its name is taken.
        let why = "somebody on another node has that name";
        connection.close(CloseCode::TRY_AGAIN_LATER, why).await?;
        Ok(None)
    }
}
