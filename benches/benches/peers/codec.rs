//! The codecs that peers have in public, without any stream. One iteration is a burst of 16 binary messages: decoded to
//! owned messages from a buffer that it was copied to, or encoded into one buffer. 'Lent' is what only ours can do.

use bytes::{Bytes, BytesMut};
use criterion::{BenchmarkId, Criterion, Throughput};
use sockudo_ws::protocol::Protocol;
use tokio_util::codec::{Decoder as _, Encoder as _};
use ws_benches::load::raw::{masked, payload};
use ws_core::{Decoder, Encoder, Event, Limits, Message, OwnedEvent, Role, SendQueue, Unpooled};

const BURST: usize = 16;
const SIZES: [usize; 4] = [20, 1024, 16_384, 65_536];
const LIMIT: usize = 1 << 20;

/// Calls its argument with each message that is decoded.
type Decoding = Box<dyn FnMut(&mut BytesMut, &mut dyn FnMut(&[u8]))>;

pub(super) fn decode(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("codec/decode 16 messages");
    for size in SIZES {
        let payload = payload(size);
        let burst = masked(&payload, 1, [0x37, 0xfa, 0x21, 0x3d]).repeat(BURST);
        group.throughput(Throughput::Elements(BURST as u64));
        for (name, mut decode) in decoders() {
            let mut input = BytesMut::new();
            let mut once = |check: fn(&[u8], &[u8])| {
                input.extend_from_slice(&burst);
                let mut messages = 0;
                decode(&mut input, &mut |message| {
                    check(message, &payload);
                    messages += 1;
                });
                assert_eq!(messages, BURST, "{name}");
            };
            once(|message, payload| assert!(message == payload));
            group.bench_function(BenchmarkId::new(name, size), |bencher| {
                bencher.iter(|| once(|message, payload| assert_eq!(message.len(), payload.len())));
            });
        }
    }
}

fn decoders() -> [(&'static str, Decoding); 4] {
    let mut lending = Decoder::new(Role::Server, Limits::default());
    let mut owning = Decoder::new(Role::Server, Limits::default());
    let mut sockudo = Protocol::new(sockudo_ws::Role::Server, LIMIT, LIMIT);
    let mut yawc = yawc::codec::Decoder::new(yawc::Role::Server, LIMIT);
    [
        (
            "ws-core lent",
            Box::new(move |input, each| {
                let mut done = 0;
                while let (Some(Event::Message(message)), used) =
                    lending.decode(&mut input[done..], &mut Unpooled).expect("valid")
                {
                    each(message.as_bytes());
                    done += used;
                }
                input.clear();
            }),
        ),
        (
            "ws-core",
            Box::new(move |input, each| {
                while let Some(OwnedEvent::Message(message)) =
                    owning.decode_owned(input, &mut Unpooled).expect("valid")
                {
                    each(message.as_bytes());
                }
            }),
        ),
        (
            "sockudo-ws",
            Box::new(move |input, each| {
                for message in sockudo.process(input).expect("valid") {
                    each(message.as_bytes());
                }
            }),
        ),
        (
            "yawc",
            Box::new(move |input, each| {
                while let Some(frame) = yawc.decode(input).expect("valid") {
                    each(frame.payload());
                }
            }),
        ),
    ]
}

/// Encodes the payload so many times as a message each; returns the bytes on the wire.
type Encoding = Box<dyn FnMut(&Bytes, usize) -> usize>;

pub(super) fn encode(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("codec/encode 16 messages");
    for size in SIZES {
        let payload = Bytes::from(payload(size));
        let header = if size < 126 {
            2
        } else if size < 65_536 {
            4
        } else {
            10
        };
        group.throughput(Throughput::Elements(BURST as u64));
        for (name, mut encode) in encoders() {
            group.bench_function(BenchmarkId::new(name, size), |bencher| {
                bencher.iter(|| assert_eq!(encode(&payload, BURST), BURST * (header + size)));
            });
        }
    }
}

fn encoders() -> [(&'static str, Encoding); 3] {
    let (mut encoder, mut queue) = (Encoder::server(), SendQueue::new());
    let mut sockudo = Protocol::new(sockudo_ws::Role::Server, LIMIT, LIMIT);
    let mut yawc = yawc::codec::Encoder::new(yawc::Role::Server);
    let (mut one, mut other) = (BytesMut::new(), BytesMut::new());
    [
        (
            "ws-core",
            Box::new(move |payload, count| {
                for _ in 0..count {
                    let message = Message::Binary(payload.clone());
                    encoder.message((&message).into(), &mut queue, &mut Unpooled).expect("open");
                }
                let len = queue.len();
                queue.advance(len);
                len
            }),
        ),
        (
            "sockudo-ws",
            Box::new(move |payload, count| {
                one.clear();
                for _ in 0..count {
                    let message = sockudo_ws::Message::Binary(payload.clone());
                    sockudo.encode_message(&message, &mut one).expect("open");
                }
                one.len()
            }),
        ),
        (
            "yawc",
            Box::new(move |payload, count| {
                other.clear();
                for _ in 0..count {
                    yawc.encode(yawc::Frame::binary(payload.clone()), &mut other).expect("open");
                }
                other.len()
            }),
        ),
    ]
}
