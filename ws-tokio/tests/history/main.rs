//! The example `history` with a real Redis: two nodes, and clients that get everything once and in order, whatever goes meanwhile.

mod client;
#[path = "../../examples/history/cursor.rs"]
mod cursor;
#[path = "../../examples/history/follow.rs"]
mod follow;
#[path = "../../examples/history/log.rs"]
mod log;
#[path = "../../examples/history/node.rs"]
mod node;
mod outages;
mod reading;
#[path = "../engines/redis_server.rs"]
#[expect(dead_code, reason = "other tests need more of a server")]
mod redis_server;
