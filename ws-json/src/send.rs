//! Sending values.

use serde::Serialize;
use ws_tokio::{Connection, MessageKind, SendHalf};

use crate::duplex::{Duplex, QUEUES};
use crate::error::Error;
use crate::json::{Json, fill};

impl<S: Duplex> Json<Connection<S>> {
    /// Sends a value as a text message: queues it, and writes everything that is queued.
    ///
    /// # Errors
    /// [`Error::Serialize`], or [`Error::Connection`] as for [`Connection::send`]; nothing is queued then.
    ///
    /// # Cancel safety
    /// If dropped, the message is either queued whole or not at all; the connection stays usable.
    pub async fn send<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.feed(value).await?;
        if QUEUES {
            self.0.flush().await?;
        }
        Ok(())
    }

    /// Queues a value as a text message, as [`Connection::feed_with`] does.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    ///
    /// # Cancel safety
    /// If dropped, the message is either queued whole or not at all; the connection stays usable.
    pub async fn feed<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.0.feed_with(MessageKind::Text, fill(value)).await
    }
}

impl<S: Duplex> Json<SendHalf<S>> {
    /// Sends a value as a text message: queues it, and writes everything that is queued. Waits while another task
    /// streams a message.
    ///
    /// # Errors
    /// [`Error::Serialize`], or [`Error::Connection`] as for [`SendHalf::send`]; nothing is queued then.
    ///
    /// # Cancel safety
    /// If dropped, the message is either queued whole or not at all; the connection stays usable.
    pub async fn send<T: Serialize + ?Sized>(&self, value: &T) -> Result<(), Error> {
        self.feed(value).await?;
        if QUEUES {
            self.0.flush().await?;
        }
        Ok(())
    }

    /// Queues a value as a text message, as [`SendHalf::feed_with`] does.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    ///
    /// # Cancel safety
    /// If dropped, the message is either queued whole or not at all; the connection stays usable.
    pub async fn feed<T: Serialize + ?Sized>(&self, value: &T) -> Result<(), Error> {
        self.0.feed_with(MessageKind::Text, fill(value)).await
    }
}
