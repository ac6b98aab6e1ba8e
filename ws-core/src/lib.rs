//! A WebSocket codec without I/O (RFC 6455): bytes in, messages out, and back.
//!
//! The codec has no sockets, clock, randomness or thread-locals of its own; all of these are arguments. So it runs
//! under any runtime, and its tests are exact. For connections on Tokio, see the crate `ws-tokio`.
//!
//! - [`Decoder`] turns input into [`Event`]s that borrow from it, or into [`OwnedEvent`]s. It unmasks in place, validates
//!   text as it arrives, enforces [`Limits`], and yields whole messages or pieces of them.
//! - [`Encoder`] turns messages, pieces and [`Control`] frames into bytes in a [`SendQueue`]. A client's encoder owns
//!   [`MaskKeys`] and masks.
//! - [`PreparedMessage`] is one message for many connections, encoded once.
//! - [`handshake`] judges both sides of the opening handshake, in the types of the `http` crate.
//!
//! The directions share no state. The answer that the protocol requires is a value: [`Control::reply`] to a control frame,
//! `Control::from(error)` to a violation.
//!
//! # Laws
//!
//! - `decode(encode(m)) == m`, per message, in both roles, compressed and plain.
//! - How the input was cut into reads never shows in the events.
//! - No input panics, and nothing is allocated because a peer announced it.
//!
//! # Features
//!
//! - `deflate`: permessage-deflate (RFC 7692), see the module `deflate`. Off by default.
//! - `url`: URLs in text are read as browsers read them, by the `url` crate. Off by default.
//!
//! # Examples
//!
//! `examples/blocking_echo.rs` in the repository is a whole server over blocking sockets, in fewer than 100 lines, and a start
//! for other I/O: the opening handshake, compression, limits, and an end at which the last bytes arrive.
//!
//! A server's side of an echo, in memory:
//!
//! ```
//! use ws_core::{Decoder, Encoder, Event, Limits, Role, SendQueue, Unpooled};
//!
//! let mut decoder = Decoder::new(Role::Server, Limits::default());
//! let mut encoder = Encoder::server();
//! let mut queue = SendQueue::new();
//!
//! // "Hello", as a client masks it (RFC 6455, 5.7).
//! let mut input = *b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58";
//! let (event, used) = decoder.decode(&mut input, &mut Unpooled)?;
//! match event {
//!     Some(Event::Message(message)) => encoder.message(message, &mut queue, &mut Unpooled)?,
//!     other => panic!("{other:?}"),
//! }
//! assert_eq!(used, 11);
//! assert_eq!(queue.first_slice(), b"\x81\x05Hello");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![cfg_attr(docsrs, feature(doc_cfg))]
#![deny(unsafe_code)]

mod counts;
mod decoder;
#[cfg(feature = "deflate")]
pub mod deflate;
#[cfg(not(feature = "deflate"))]
mod deflate;
mod encoder;
mod error;
mod extras;
mod frame;
pub mod handshake;
mod limits;
mod message;
mod pool;
mod role;
mod text;

pub use counts::Counts;
pub use decoder::event::{Event, OwnedEvent};
pub use decoder::{Decoder, Delivery};
pub use encoder::payload_writer::PayloadWriter;
pub use encoder::send_queue::SendQueue;
pub use encoder::{BY_REFERENCE_FROM, Encoder};
pub use error::{DecodeError, EncodeError};
pub use frame::close_code::CloseCode;
pub use frame::close_frame::{CloseFrame, MAX_REASON};
pub use frame::control::{Control, ControlPayload};
pub use frame::header::{Header, MAX_CONTROL};
pub use frame::mask_keys::MaskKeys;
pub use frame::opcode::Opcode;
pub use limits::Limits;
pub use message::piece::{More, Piece, PieceRef};
pub use message::prepared::PreparedMessage;
pub use message::{Message, MessageKind, MessageRef};
pub use pool::{Pool, Unpooled};
pub use role::Role;
pub use text::utf8::{InvalidUtf8, Utf8};
pub use text::utf8_bytes::Utf8Bytes;
pub use ws_mask::MaskKey;
