//! What each attack on memory comes to, in one table: how much a peer can make us hold, and for how long.
//!
//! Measured in the roles that can be attacked so; of both, the larger number counts. The buffers of the thread's pool (up
//! to 8 of 128 KiB for each direction, however many connections) are there before and don't count.

use std::fmt::Write;

use bytes::Bytes;
use tokio::time::{Duration, timeout};
use ws_tokio::{AcceptError, AcceptOptions, ConnectError, ConnectOptions, Connection};
use ws_tokio::{Error, Role, Settings};

use crate::memory::{LITTLE, announcing_2_to_the_62, kept_by, most_by, saying, wait};
use crate::peer::{Hears, Peer, Then};
use crate::support::wire::{ROLES, close, frame, peer_of};

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

/// One line of the table.
struct Row {
    attack: &'static str,
    sent: &'static str,
    happened: String,
    most: usize,
    after: usize,
    /// What both may be at most.
    bounds: (usize, usize),
}

impl Row {
    fn line(&self) -> String {
        let Self { attack, sent, happened, most, after, bounds } = self;
        let (most_bound, after_bound) = *bounds;
        format!(
            "| {attack} | {sent} | {happened} | {most} | {after} | {most_bound}, then {after_bound} |"
        )
    }

    fn assert(&self) {
        let (most, after) = self.bounds;
        assert!(self.most <= most, "held too much at a time: {}", self.line());
        assert!(self.after <= after, "holds too much afterwards: {}", self.line());
    }
}

/// What is attacked, what is sent, and what may be held: at most and afterwards.
struct Attack {
    name: &'static str,
    sent: &'static str,
    bounds: (usize, usize),
}

impl Attack {
    /// Measures what `act` makes of things that are made so, in one role after the other.
    fn on<C>(
        self,
        roles: &[Role],
        make: impl Fn(Role) -> C,
        act: impl AsyncFn(&mut C) -> String,
    ) -> Row {
        let Self { name: attack, sent, bounds } = self;
        let (mut most, mut after, mut happened) = (0, 0, String::new());
        for &role in roles {
            let (peak, told) = most_by(|| make(role), &act);
            // What is told is no part of what is held.
            let kept = kept_by(|| make(role), async |it| drop(act(it).await));
            assert!(happened.is_empty() || happened == told, "{attack}: {happened} or {told}");
            // Where the thread's pool had buffers to lend, what was held at most doesn't count them.
            (most, after, happened) = (most.max(peak).max(kept), after.max(kept), told);
        }
        Row { attack, sent, happened, most, after, bounds }
    }

    /// An attack on a connection, by these words of its peer's in either role.
    fn by_words(
        self,
        words: impl Fn(Role) -> Vec<u8>,
        act: impl AsyncFn(&mut Connection<Peer>) -> String,
    ) -> Row {
        let peers = ROLES.map(|role| (role, saying(&words(peer_of(role)))));
        let peer = |role| peers.iter().find(|it| it.0 == role).expect("both are there").1.clone();
        self.on(&ROLES, |role| crate::connection(role, Settings::default(), peer(role)), act)
    }
}

/// How receiving ended.
async fn end(connection: &mut Connection<Peer>) -> String {
    loop {
        match connection.recv().await {
            Ok(Some(_)) => {}
            Ok(None) => return "a normal end".into(),
            Err(Error::Protocol(error)) => return format!("closed with {}", error.close_code()),
            Err(error) => return error.to_string(),
        }
    }
}

async fn waiting(connection: &mut Connection<Peer>) -> String {
    wait(connection).await;
    "waits".into()
}

/// Words of a handshake's, as many bytes in one read.
fn head(words: Vec<u8>, per_read: usize) -> Peer {
    Peer { per_read, ..saying(&words) }
}

async fn handshake(peer: &mut Peer) -> String {
    match AcceptOptions::default().accept(peer).await {
        Ok(_) => "accepted".into(),
        Err(AcceptError::Refused(refusal)) => format!("refused with {}", refusal.status().as_u16()),
        Err(error) => error.to_string(),
    }
}

fn whole_messages() -> Vec<Row> {
    let afterwards = async |it: &mut Connection<Peer>| {
        it.recv().await.expect("a message").expect("no end");
        waiting(it).await
    };
    vec![
        Attack {
            name: "a length that is only announced",
            sent: "a header that says 2^62 bytes, and 100 KiB",
            bounds: (LITTLE, LITTLE),
        }
        .by_words(|peer| announcing_2_to_the_62(peer).words.to_vec(), end),
        Attack {
            name: "a length that is only announced, without a limit on messages",
            sent: "the same, and silence",
            bounds: (512 * KIB, 512 * KIB),
        }
        .on(
            &ROLES,
            |role| {
                let unlimited = Settings::default().max_message(usize::MAX);
                crate::connection(role, unlimited, announcing_2_to_the_62(peer_of(role)))
            },
            waiting,
        ),
        Attack {
            name: "a message over the limit in frames under it",
            sent: "64 fragments of 32 KiB",
            bounds: (2 * MIB, LITTLE),
        }
        .by_words(
            |peer| {
                let more = frame(peer, 0x00, &[7; 32 * KIB]).repeat(63);
                [frame(peer, 0x02, &[7; 32 * KIB]), more].concat()
            },
            end,
        ),
        Attack {
            name: "fragments without end",
            sent: "200 000 empty fragments",
            bounds: (LITTLE, LITTLE),
        }
        .by_words(
            |peer| [frame(peer, 0x02, b""), frame(peer, 0x00, b"").repeat(200_000)].concat(),
            end,
        ),
        Attack {
            name: "a large message, and then nothing",
            sent: "1 MiB in two frames",
            bounds: (4 * MIB, LITTLE),
        }
        .by_words(
            |peer| [frame(peer, 0x02, &[7; MIB / 2]), frame(peer, 0x80, &[7; MIB / 2])].concat(),
            afterwards,
        ),
        small_messages_that_are_kept(),
    ]
}

/// What the messages themselves take counts as held.
fn small_messages_that_are_kept() -> Row {
    let attack = Attack {
        name: "small messages that are kept and pin a large buffer",
        sent: "100 messages of 20 bytes",
        bounds: (8 * KIB, 8 * KIB),
    };
    let words = ROLES.map(|role| (role, frame(peer_of(role), 0x82, &[7; 20]).repeat(100)));
    attack.on(
        &ROLES,
        |role| {
            let words = &words.iter().find(|it| it.0 == role).expect("both are there").1;
            let connection = crate::connection(role, Settings::default(), saying(words));
            (connection, Vec::new())
        },
        async |(connection, kept)| {
            while kept.len() < 100 {
                kept.push(connection.recv().await.expect("a message").expect("no end"));
            }
            waiting(connection).await
        },
    )
}

fn silence() -> Vec<Row> {
    vec![
        Attack {
            name: "a header cut short, and silence",
            sent: "1 byte",
            bounds: (LITTLE, LITTLE),
        }
        .by_words(|_| vec![0x82], waiting),
        Attack {
            name: "a message that is never finished",
            sent: "1 KiB in an unfinished frame",
            bounds: (2 * KIB, 2 * KIB),
        }
        .by_words(|peer| frame(peer, 0x82, &[7; 2 * KIB])[..KIB].to_vec(), waiting),
        Attack {
            name: "a message that is never finished, as large as may be",
            sent: "a fragment of 1 MiB less a byte",
            bounds: (2 * MIB, 2 * MIB),
        }
        .by_words(|peer| frame(peer, 0x02, &[7; MIB - 1]), waiting),
        Attack {
            name: "a text cut within a character, and silence",
            sent: "a fragment of 1 byte",
            bounds: (LITTLE, LITTLE),
        }
        .by_words(|peer| frame(peer, 0x01, b"\xe2"), waiting),
    ]
}

fn control_frames() -> Vec<Row> {
    let idle = async |it: &mut Connection<Peer>| {
        assert!(timeout(Duration::from_secs(1), it.recv()).await.is_err());
        format!("waits, {} bytes queued", it.queued())
    };
    vec![
        Attack {
            name: "a flood of pings by a peer that reads nothing",
            sent: "10 000 pings of 125 bytes",
            bounds: (16 * KIB, 16 * KIB),
        }
        .on(
            &[Role::Server],
            |role| {
                let pings = frame(peer_of(role), 0x89, &[7; 125]).repeat(10_000);
                let peer = Peer { hears: Hears::Nothing, ..saying(&pings) };
                crate::connection(role, Settings::default(), peer)
            },
            idle,
        ),
        Attack {
            name: "pongs that nobody asked for",
            sent: "10 000 pongs of 125 bytes",
            bounds: (LITTLE, LITTLE),
        }
        .by_words(|peer| frame(peer, 0x8a, &[7; 125]).repeat(10_000), idle),
        Attack {
            name: "data behind a close frame",
            sent: "a close frame and 4 MiB",
            bounds: (LITTLE, LITTLE),
        }
        .by_words(
            |peer| {
                let rest = frame(peer, 0x82, &[7; 64 * KIB]).repeat(64);
                [close(peer, 1000, ""), rest].concat()
            },
            end,
        ),
    ]
}

fn slow_readers() -> Vec<Row> {
    let deaf = |role| {
        let peer = Peer { hears: Hears::Nothing, ..saying(b"") };
        crate::connection(role, Settings::default(), peer)
    };
    let words = Bytes::from(frame(Role::Client, 0x82, &[7; KIB]).repeat(10_000));
    let asking = |role| {
        let peer = Peer { hears: Hears::Nothing, words: words.clone(), ..saying(b"") };
        crate::connection(role, Settings::default(), peer)
    };
    let fill = async |it: &mut Connection<Peer>, len: usize| {
        loop {
            if let Err(error) = it.feed(vec![7; len]).await {
                return error.to_string();
            }
        }
    };
    vec![
        Attack {
            name: "a peer that never reads, behind a queue of small messages",
            sent: "nothing; we feed messages of 1 KiB without end",
            bounds: (MIB + 64 * KIB, LITTLE),
        }
        .on(&ROLES, deaf, async |it| fill(it, KIB).await),
        Attack {
            name: "a peer that never reads, behind a queue of large messages",
            sent: "nothing; we feed messages of 300 KiB without end",
            // The queue's limit, and the message that waits for room.
            bounds: (MIB + 304 * KIB, LITTLE),
        }
        .on(&[Role::Server], deaf, async |it| fill(it, 300 * KIB).await),
        Attack {
            name: "a peer that asks and never reads the answers",
            sent: "10 000 messages of 1 KiB, which `run` echoes",
            // The queue grows by doubling; what was read and has to wait, besides.
            bounds: (2 * MIB + 160 * KIB, LITTLE),
        }
        .on(&[Role::Server], asking, async |it| {
            let echoed = it.run(|message, outbox| outbox.send(message)).await;
            echoed.map_or_else(|error| error.to_string(), |()| "a normal end".into())
        }),
    ]
}

fn heads() -> Vec<Row> {
    let line = [&b"GET / HTTP/1.1\r\nX: "[..], &[b'x'; 100_000]].concat();
    let many = [&b"GET / HTTP/1.1\r\n"[..], &b"X: \r\n".repeat(100_000)].concat();
    vec![
        Attack {
            name: "a request without end",
            sent: "100 000 bytes of one header",
            bounds: (64 * KIB, LITTLE),
        }
        .on(&[Role::Server], |_| head(line.clone(), usize::MAX), handshake),
        Attack {
            name: "a request without end, byte by byte",
            sent: "the same in reads of 1 byte",
            bounds: (64 * KIB, LITTLE),
        }
        .on(&[Role::Server], |_| head(line.clone(), 1), handshake),
        Attack {
            name: "headers without end",
            sent: "100 000 empty headers",
            bounds: (64 * KIB, LITTLE),
        }
        .on(&[Role::Server], |_| head(many.clone(), usize::MAX), handshake),
        Attack {
            name: "a request cut short, and silence",
            sent: "1 byte, and 10 seconds of nothing",
            bounds: (8 * KIB, LITTLE),
        }
        .on(&[Role::Server], |_| head(b"G".to_vec(), 1), handshake),
        refusal_without_end(),
    ]
}

fn refusal_without_end() -> Row {
    let attack = Attack {
        name: "a refusal without end, to a client",
        sent: "a 403 that announces 10^18 bytes, and sends on",
        bounds: (64 * KIB, LITTLE),
    };
    let start = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 1000000000000000000\r\n\r\n";
    let words = [&start[..], &[7; 100_000]].concat();
    attack.on(
        &[Role::Client],
        |_| Peer { then: Then::Again, ..saying(&words) },
        async |peer| match ConnectOptions::default().connect_over(peer, "ws://a/").await {
            Err(ConnectError::Refused(response)) => {
                format!("a {} with {} bytes", response.status().as_u16(), response.body().len())
            }
            other => format!("{other:?}"),
        },
    )
}

#[cfg(feature = "deflate")]
mod deflated {
    use bytes::BytesMut;
    use ws_core::handshake::negotiate;
    use ws_core::{Encoder, MaskKeys, MessageRef, SendQueue, Unpooled};
    use ws_tokio::http::header::{HeaderMap, HeaderValue, SEC_WEBSOCKET_EXTENSIONS};
    use ws_tokio::{AgreedCompression, Compression, CompressionOptions, Negotiated};

    use super::{Attack, Connection, KIB, LITTLE, MIB, Peer, ROLES, Role, Row, Settings};
    use super::{end, peer_of, saying};

    fn agreed() -> (CompressionOptions, AgreedCompression) {
        let options = CompressionOptions::new(Compression::NoContextTakeover);
        let offer = HeaderValue::from_static("permessage-deflate");
        let headers = HeaderMap::from_iter([(SEC_WEBSOCKET_EXTENSIONS, offer)]);
        (options, negotiate(&headers, &options).expect("an agreement"))
    }

    /// 4 MiB of zeros in a frame, deflated.
    fn bomb(sender: Role) -> Vec<u8> {
        let (options, agreed) = agreed();
        let encoder = match sender {
            Role::Client => Encoder::client(MaskKeys::from_seed([7; 32])),
            Role::Server => Encoder::server(),
        };
        let mut queue = SendQueue::new();
        let message = MessageRef::Binary(&[0; 4 * MIB]);
        let mut encoder = encoder.with_compression(&agreed, &options);
        encoder.message(message, &mut queue, &mut Unpooled).expect("nothing is closed");
        let wire = queue.first_slice().to_vec();
        assert_eq!(wire.len(), queue.len());
        assert!(wire.len() < 8 * KIB, "{} bytes are no bomb", wire.len());
        wire
    }

    fn connection(role: Role, peer: Peer) -> Connection<Peer> {
        let (options, agreed) = agreed();
        let negotiated = Negotiated::default().compression(agreed, options);
        let settings = Settings::default();
        Connection::from_upgraded(peer, role, BytesMut::new(), negotiated, settings)
    }

    pub(super) fn bombs() -> Vec<Row> {
        let peers = ROLES.map(|role| (role, saying(&bomb(peer_of(role)))));
        let peer = |role| peers.iter().find(|it| it.0 == role).expect("both are there").1.clone();
        let attack = Attack {
            name: "a bomb",
            sent: "4 MiB of zeros, deflated to 4 KiB",
            bounds: (2 * MIB, LITTLE),
        };
        vec![attack.on(&ROLES, |role| connection(role, peer(role)), end)]
    }
}

#[test]
fn no_attack_makes_us_hold_more_than_its_bound() {
    let rows = [
        whole_messages(),
        #[cfg(feature = "deflate")]
        deflated::bombs(),
        silence(),
        control_frames(),
        slow_readers(),
        heads(),
    ];
    let rows: Vec<_> = rows.into_iter().flatten().collect();
    let mut table = String::from(
        "| attack | what the peer sent | what happened | bytes held at most | bytes held afterwards | bound |\n\
         |---|---|---|---|---|---|\n",
    );
    for row in &rows {
        writeln!(table, "{}", row.line()).expect("memory");
    }
    println!("{table}");
    rows.iter().for_each(Row::assert);
}
