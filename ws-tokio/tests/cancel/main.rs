//! Any future may be dropped at any poll: nothing is lost, sent twice or misread, and the connection goes on.
//!
//! Each test drops one future after n polls, n = 0, 1, 2, ..., over a transport that moves a few bytes at a time,
//! until n is more than it takes. The oracle is a plain list of what was sent.

mod byte_stream;
mod close;
mod handshake;
mod interleaved;
mod receive;
mod send;
#[cfg(feature = "stream")]
mod stream_sink;

#[path = "../../../fuzz/src/connection_ops/mod.rs"]
#[expect(unreachable_pub, reason = "public for the fuzz target")]
mod connection_ops;

#[path = "../support"]
mod support {
    pub(crate) mod parse;
    pub(crate) mod patience;
    pub(crate) mod scripted;
    pub(crate) mod wire;
}

use bytes::BytesMut;
use ws_tokio::{Connection, Message, Negotiated, Role, Settings};

use support::patience::Patience;
use support::scripted::{Script, Scripted, Writes};
use support::wire::{ROLES, close, frame, peer_of};

/// How many bytes one call moves.
const PORTIONS: [usize; 4] = [1, 2, 3, 7];

/// A case: which end we are, how the transport behaves, and when a future is dropped.
#[derive(Clone, Copy, Debug)]
struct Case {
    role: Role,
    script: Script,
    patience: Patience,
}

impl Case {
    fn connection(&self, settings: Settings, incoming: &[u8]) -> Connection<Scripted> {
        let stream = Scripted::new(self.script, incoming);
        let nothing = BytesMut::new();
        Connection::from_upgraded(stream, self.role, nothing, Negotiated::default(), settings)
    }
}

/// Runs `law` in both roles, over each transport, with a drop after each number of polls. It returns the patience
/// that is left.
async fn after_every_poll(portions: &[usize], law: impl AsyncFn(Case) -> Patience) {
    for (role, writes, &portion) in combinations(portions) {
        let script = Script { portion, writes };
        for polls in 0.. {
            let left = law(Case { role, script, patience: Patience::Polls(polls) }).await;
            if !left.ran_out() {
                break;
            }
        }
    }
}

fn combinations(portions: &[usize]) -> impl Iterator<Item = (Role, Writes, &usize)> {
    ROLES.into_iter().flat_map(move |role| {
        [Writes::Plain, Writes::Vectored]
            .into_iter()
            .flat_map(move |writes| portions.iter().map(move |portion| (role, writes, portion)))
    })
}

/// What a peer sends in these tests: whole, fragmented and empty messages, pings between and inside them, a close.
fn conversation(us: Role) -> Vec<u8> {
    let peer = peer_of(us);
    [
        frame(peer, 0x81, b"one"),
        frame(peer, 0x89, b"p1"),
        frame(peer, 0x01, "za\u{17c}".as_bytes()),
        frame(peer, 0x89, b"p2"),
        frame(peer, 0x00, b""),
        frame(peer, 0x80, "\u{f3}\u{142}\u{107}".as_bytes()),
        frame(peer, 0x82, &[7; 20]),
        frame(peer, 0x82, b""),
        close(peer, 1000, "bye"),
    ]
    .concat()
}

/// The messages in it.
fn messages() -> Vec<Message> {
    let text = "za\u{17c}\u{f3}\u{142}\u{107}";
    vec![Message::text("one"), Message::text(text), vec![7; 20].into(), Vec::new().into()]
}

/// What it is owed: two pongs and the answer to the close, as frames.
fn answers() -> Vec<(u8, Vec<u8>)> {
    vec![(0x8a, b"p1".to_vec()), (0x8a, b"p2".to_vec()), (0x88, b"\x03\xe8".to_vec())]
}
