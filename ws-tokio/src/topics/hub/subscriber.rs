//! A subscriber of a hub: one queue for any number of topics.

use std::fmt;
use std::future::{Future, poll_fn};
use std::ops::Deref;
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite};
use ws_core::MessageRef;

use super::event::HubEvent;
use super::registry::Registry;
use super::seat::{Seat, Subscriptions};
use crate::connection::Connection;
use crate::error::Error;
use crate::machine::{Outbox, Outcome};
use crate::split::SendHalf;
use crate::topics::deliver::{Source, forward, poll_serve};
use crate::topics::inbox::{Inbox, TooSlow};
use crate::topics::queue::Taken;
use crate::topics::topic::Chair;

/// A subscriber of a [`Hub`](crate::Hub), with a queue of what was published to its topics since it subscribed to them.
///
/// It derefs to its [`Subscriptions`]. There are three ways to deliver messages, as for a
/// [`Subscription`](crate::Subscription): [`serve`](Self::serve) for a task that owns a connection, [`forward`](Self::forward) for one
/// that sends through a half, and [`recv`](Self::recv) for any other. Dropping it unsubscribes from everything.
pub struct Subscriber {
    subscriptions: Subscriptions,
    inbox: Inbox<Arc<Seat>>,
}

impl Subscriber {
    pub(super) fn new(registry: Arc<Registry<Arc<Seat>>>) -> Self {
        let subscriptions = Subscriptions::new(registry);
        let inbox = Inbox::new(subscriptions.0.clone());
        Self { subscriptions, inbox }
    }

    /// Returns its subscriptions, for handlers and other tasks.
    #[must_use]
    pub fn subscriptions(&self) -> Subscriptions {
        self.subscriptions.clone()
    }

    /// Receives the next message of any topic, or that some may have been missed.
    ///
    /// # Errors
    /// [`TooSlow`] on every call after the queue overflowed under [`Slow::Disconnect`](crate::Slow). Queued messages are lost.
    ///
    /// # Cancel safety
    /// This method is cancel-safe: if dropped, no message is lost.
    pub async fn recv(&mut self) -> Result<HubEvent, TooSlow> {
        loop {
            // A queue ends only with its connection: whoever goes on receiving waits for ever.
            match poll_fn(|cx| self.inbox.poll_recv(cx)).await? {
                Some(Taken::Item(published)) => return Ok(HubEvent::Message(published)),
                Some(Taken::Gap(gap)) => return Ok(HubEvent::Gap(gap)),
                None => std::future::pending().await,
            }
        }
    }

    /// Serves a connection until it ends, as [`Connection::run`] does, and delivers what is published to the topics meanwhile, as
    /// [`Subscription::serve`](crate::Subscription::serve) does. The handler also gets the subscriptions, to subscribe and
    /// unsubscribe as the client asks.
    ///
    /// # Errors
    /// As for [`Connection::run`], and [`Error::Failed`] with the policy's code if the client was too slow.
    ///
    /// # Cancel safety
    /// This method is cancel-safe: if dropped, no message is lost in either direction, and the handler's replies stay queued.
    pub fn serve<S, H, R>(
        &mut self,
        connection: &mut Connection<S>,
        mut handler: H,
    ) -> impl Future<Output = Result<R::Output, Error>>
    where
        S: AsyncRead + AsyncWrite + Unpin,
        H: FnMut(MessageRef<'_>, &mut Outbox<'_>, &Subscriptions) -> R,
        R: Outcome,
    {
        let subscriptions = self.subscriptions.clone();
        let mut handler = move |message: MessageRef<'_>, outbox: &mut Outbox<'_>| {
            handler(message, outbox, &subscriptions)
        };
        poll_fn(move |cx| poll_serve(self, cx, connection, &mut handler))
    }

    /// Delivers what is published to the topics through the sending half of a connection, as
    /// [`Subscription::forward`](crate::Subscription::forward) does. It never ends by itself.
    ///
    /// # Errors
    /// As for [`SendHalf::send_prepared`], and [`Error::Failed`] with the policy's code if the client was too slow; the
    /// connection was closed with that code, as by [`SendHalf::close`].
    ///
    /// # Cancel safety
    /// This method is cancel-safe: if dropped, no message is lost or sent twice, and the connection stays usable.
    pub async fn forward<S>(&mut self, sending: &SendHalf<S>) -> Result<(), Error>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        forward(self, sending).await
    }

    /// Returns how many messages this subscriber missed because it was too slow.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.inbox.chair.queue().dropped()
    }
}

impl Source for Subscriber {
    type Chair = Arc<Seat>;

    fn inbox(&mut self) -> &mut Inbox<Arc<Seat>> {
        &mut self.inbox
    }

    fn unsubscribe(&mut self) {
        self.subscriptions.close();
    }
}

impl Deref for Subscriber {
    type Target = Subscriptions;

    fn deref(&self) -> &Subscriptions {
        &self.subscriptions
    }
}

impl Drop for Subscriber {
    fn drop(&mut self) {
        self.subscriptions.close();
        self.inbox.end();
    }
}

impl fmt::Debug for Subscriber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let queue = self.inbox.chair.queue();
        f.debug_struct("Subscriber")
            .field("stage", &queue.stage())
            .field("dropped", &queue.dropped())
            .finish_non_exhaustive()
    }
}
