//! Typed JSON messages over a `ws-tokio` connection.
//!
//! [`Json`] wraps whatever speaks: a [`Connection`](ws_tokio::Connection), its halves, or in an event-driven
//! [`run`](Json::run) the message and the outbox. What is wrapped stays reachable as its field.
//!
//! ```
//! use serde::{Deserialize, Serialize};
//! use ws_json::Json;
//!
//! #[derive(Serialize, Deserialize)]
//! struct Order {
//!     item: String,
//!     pieces: u32,
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), ws_json::Error> {
//! let (client, server) = ws_tokio::pipe().await;
//! let (mut client, mut server) = (Json(client), Json(server));
//!
//! client.send(&Order { item: "tea".into(), pieces: 2 }).await?;
//! while let Some(order) = server.recv::<Order>().await? {
//!     assert_eq!((&*order.item, order.pieces), ("tea", 2));
//!     # break;
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # What is not as it should be
//!
//! | a message | is | and the connection |
//! |---|---|---|
//! | that is not JSON (RFC 8259) | [`Error::Syntax`] | is closed with 1007 |
//! | of JSON in another shape than the type's | [`Error::Shape`] | stays open: the next message can be received |
//! | that is binary | [`Error::Binary`] | is closed with 1003: JSON is text, and is sent as text |
//!
//! # Copies
//!
//! Values are serialised straight into the send queue, behind a header that is filled in afterwards; from a
//! [`SendHalf`](ws_tokio::SendHalf), by way of a buffer of the thread's, so that the queue is never locked
//! meanwhile. They are deserialised from the buffer that the message arrived in.
//!
//! In [`Json::run`], types may borrow from that buffer. A string with an escape in it is not in the buffer as it should
//! be read: a `&str` field fails on it, and so does a key. Use `Cow<str>` with `#[serde(borrow)]`, which is copied only
//! then.
//!
//! # Features
//!
//! - `stream` (default): [`Typed`], a typed `Stream` and `Sink` of the futures crates.
#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]

mod error;
mod json;
mod receive;
mod send;
#[cfg(feature = "stream")]
mod typed;

pub use error::Error;
pub use json::Json;
#[cfg(feature = "stream")]
pub use typed::Typed;
