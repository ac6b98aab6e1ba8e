//! What a hub needs of the engine that carries its messages to other nodes.

#[cfg(feature = "nats")]
mod nats;
#[cfg(feature = "redis")]
pub(super) mod redis;

use std::error::Error;
use std::future::Future;
use std::sync::Arc;

use bytes::Bytes;

#[cfg(feature = "nats")]
pub use self::nats::Nats;

/// An engine that carries messages between the [`Hub`](crate::Hub)s of several nodes: `Nats`, `Redis`,
/// or one of your own, for [`Hub::over`](crate::Hub::over).
///
/// A hub calls [`publish`](Self::publish), [`subscribe`](Self::subscribe) and [`unsubscribe`](Self::unsubscribe) from one task, one
/// after the other, and [`event`](Self::event) from the same task meanwhile. A topic's name is any text, by default up to 255 bytes; with the
/// empty name, hubs speak to each other. Payloads are any bytes.
///
/// An implementation connects by itself, when it is made or at the first call, and again after the connection is lost. While there is none,
/// the methods fail soon rather than wait for it.
pub trait Bus: Send + Sync + 'static {
    /// Publishes messages, in this order, to all other nodes that are subscribed to their topics. Returns once the engine has taken them
    /// all.
    ///
    /// # Errors
    /// Any of the messages may be lost then. None may be sent again.
    fn publish(&self, messages: &[BusMessage]) -> impl Future<Output = BusResult> + Send;

    /// Subscribes to topics. Returns once that is in effect; it stays so until [`unsubscribe`](Self::unsubscribe), over connections that
    /// are lost and made again.
    ///
    /// # Errors
    /// It is subscribed to none or to some of them then. The hub tries each by itself, and those that fail again every second and after the
    /// next [`BusEvent::Connected`].
    fn subscribe(&self, topics: &[Arc<str>]) -> impl Future<Output = BusResult> + Send;

    /// Unsubscribes from topics.
    ///
    /// # Errors
    /// Messages of these topics may still come; the hub ignores them.
    fn unsubscribe(&self, topics: &[Arc<str>]) -> impl Future<Output = BusResult> + Send;

    /// Waits for the next event. Events come in their order, the messages of each publisher and topic too.
    ///
    /// # Cancel safety
    /// This method must be cancel-safe: if dropped, no event is lost.
    fn event(&self) -> impl Future<Output = BusEvent> + Send;
}

/// The result of a call of a [`Bus`]. The hub logs errors.
pub type BusResult = Result<(), Box<dyn Error + Send + Sync>>;

/// A message on a [`Bus`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BusMessage {
    /// The topic's name.
    pub topic: Arc<str>,
    /// What one hub wrote for the others.
    pub payload: Bytes,
}

impl BusMessage {
    /// Makes a message.
    pub fn new(topic: impl Into<Arc<str>>, payload: impl Into<Bytes>) -> Self {
        Self { topic: topic.into(), payload: payload.into() }
    }
}

/// What happens on a [`Bus`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BusEvent {
    /// Another node published a message. It may also be one of this node's own, where the engine can't leave those out: hubs
    /// recognize them.
    Message(BusMessage),
    /// The connection was made, and all subscriptions are in effect. What was published while there was none is missed, unless it is
    /// the first.
    Connected,
    /// The connection is lost. It will be made again.
    Disconnected,
    /// Messages of a topic were missed, though the connection lasts: they came faster than they were taken.
    Missed(Arc<str>),
}
