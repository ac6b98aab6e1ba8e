//! Typed JSON messages over a `ws-tokio` connection.
//!
//! [`Json`] wraps a [`Connection`](ws_tokio::Connection) or a half of one, or in an event-driven [`run`](Json::run) the
//! message and the outbox. The wrapped value is its public field.
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
//! # Bad messages
//!
//! | a message | is the error | and the connection |
//! |---|---|---|
//! | that is not JSON (RFC 8259) | [`Error::Syntax`] | is closed with 1007 |
//! | of JSON that doesn't fit the type | [`Error::Shape`] | stays open, for the next message |
//! | that is binary | [`Error::Binary`] | is closed with 1003: JSON is text, and is sent as text |
//!
//! # Copies
//!
//! Values are serialised straight into the send queue, behind a header that is filled in afterwards. A
//! [`SendHalf`](ws_tokio::SendHalf) serialises into a buffer of the thread first, so that the queue isn't locked
//! meanwhile. Values are deserialised from the read buffer.
//!
//! In [`Json::run`], types may borrow from that buffer. A string with an escape can't be borrowed: a `&str` field or
//! key fails on it. Use `Cow<str>` with `#[serde(borrow)]`, which copies only such strings.
//!
//! # In a browser
//!
//! On `wasm32-unknown-unknown`, everything is there but [`Json::run`] and `Outbox`: values are parsed from the message, and
//! serialised into the text that the browser gets. The close codes go out as 4003 and 4007.
//!
//! # Features
//!
//! - `stream` (default): [`Typed`], a typed `Stream` and `Sink` of the futures crates.
#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]

mod duplex;
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
