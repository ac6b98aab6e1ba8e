//! Topics with a history, on any number of nodes: `cargo run -p ws-tokio --features redis --example history [ADDR] [REDIS]`
//!
//! The path is the topic. A client of `ws://127.0.0.1:9004/tea` receives the last 100 messages of that topic, one of `/tea?after=17` all
//! since number 17, and then each further message. What a client sends is published. Each message arrives exactly once and in order, as
//! text: its number, a newline, and the message. A client that lost its connection asks any node for what comes after the last number it
//! has. All other texts begin with a brace:
//!
//! | text | meaning |
//! |---|---|
//! | `{"published":18}` | the message you sent is number 18 |
//! | `{"failed":true}` | Redis did not confirm the message you sent; it may be published nevertheless |
//! | `{"lost":[1,40]}` | these are no longer kept; the next message is 41 |
//! | `{"rewound":12}` | the topic ends with 12, before what you asked for: Redis lost the rest; the next message is 13 |
//!
//! Each topic is a stream of Redis 7 or Valkey, or later, which keeps about 10 000 messages. A message is appended to the stream, which
//! numbers it, and then published to a [`Hub`](ws_tokio::Hub). The hub is fast but may miss a message; the stream doesn't. A connection sends
//! what the hub delivers as long as the numbers have no holes, and otherwise reads the stream. Each connection reads for itself: a
//! node with very many connections per topic should share what it reads.
//!
//! Redis must keep what it has confirmed, or it gives numbers twice: `appendonly yes`, `appendfsync always`, and no failover to a
//! replica that may be behind.
//!
//! # With NATS JetStream
//! With one stream per topic, JetStream numbers messages without holes too, tells the publisher the number, and ignores a message that is sent
//! again with the same `Nats-Msg-Id` within two minutes. Holes are read by direct gets from a sequence number on, or by an ordered consumer that
//! starts there. In a stream that topics share, each topic has holes, so the hub's message must also have the number before its
//! own, which a publisher knows if it sends it as `Nats-Expected-Last-Subject-Sequence` (`Nats-Expected-Last-Sequence` is the same for a
//! whole stream) and tries again when that is refused.

mod cursor;
mod follow;
mod log;
mod node;

use std::env;
use std::error::Error;
use std::sync::Arc;

use ws_tokio::Server;

use node::Node;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut args = env::args().skip(1);
    let address = args.next().unwrap_or_else(|| "127.0.0.1:9004".to_owned());
    let redis = args.next().unwrap_or_else(|| "redis://127.0.0.1".to_owned());
    let node = Arc::new(Node::new(&redis)?);
    let server = Server::bind(address).await?;
    println!("listening on ws://{}", server.local_addr()?);
    server.serve_incoming(move |incoming| node.clone().serve(incoming)).await;
    Ok(())
}
