//! The opening handshake (RFC 6455, section 4), in the types of the `http` crate, without I/O.
//!
//! Each role is a value that judges the other side: a server's [`Policy`](server::Policy) judges a request, a client's
//! [`Offer`](client::Offer) judges the answer. Over a raw stream, [`http1`] turns bytes into heads and back; behind an
//! HTTP server, the judges work alone.
//!
//! Layers, lowest first: [`key`], [`headers`], [`origin`]; [`http1`], extension; [`client`], [`server`].
//!
//! The only extension is permessage-deflate, with the feature `deflate`. Without it, a server answers no extension and
//! a client refuses any.
//!
//! # Examples
//!
//! Both sides of one handshake, in memory:
//!
//! ```
//! use http::HeaderMap;
//! use ws_core::handshake::client::{Answer, Offer, Target};
//! use ws_core::handshake::http1::{self, HeadLimits, HeadReader};
//! use ws_core::handshake::key::Key;
//! use ws_core::handshake::server::{Policy, Upgrade};
//!
//! // The client asks.
//! let target = Target::parse("ws://example.com/room")?;
//! let offer = Offer::new().subprotocols(["chat"])?;
//! let key = Key::from_random([7; 16]); // from a CSPRNG, new for each attempt
//! let mut wire = Vec::new();
//! http1::write_request(&offer.request(&target, &key), &mut wire);
//!
//! // The server reads, looks, judges and answers.
//! let mut reader = HeadReader::new(HeadLimits::default());
//! let (request, used) = reader.request(&wire)?.expect("a whole head");
//! assert_eq!((request.uri().path(), used), ("/room", wire.len()));
//! let policy = Policy::new().subprotocols(["chat"]);
//! let accepted = policy.judge(&request, Upgrade::Http1)?;
//! wire.clear();
//! http1::write_response_head(&accepted.response(&HeaderMap::new()), &mut wire);
//!
//! // The client judges the answer.
//! let mut reader = HeadReader::new(HeadLimits::default());
//! let (response, _) = reader.response(&wire)?.expect("a whole head");
//! let Answer::Accepted(accepted) = offer.judge(response, &key)? else { panic!("refused") };
//! assert_eq!(accepted.subprotocol(), Some("chat"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod client;
mod extension;
pub mod headers;
pub mod http1;
pub mod key;
pub mod origin;
pub mod server;

#[cfg(feature = "deflate")]
pub use extension::negotiate;
