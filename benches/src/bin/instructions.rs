//! Fixed work for an instruction counter: `instructions WORK ROUNDS [SIZE [FRAGMENTS [BURST]]]`.
//!
//! One round is a burst of 16 masked binary messages, of 20 bytes in one frame unless the arguments say otherwise. The
//! difference between two numbers of rounds, over 16 times the difference, is the instructions per message, whatever the
//! machine is doing besides:
//!
//! ```console
//! $ cargo build --release -p ws-benches --bin instructions
//! $ for n in 1000 2000; do valgrind --tool=callgrind --callgrind-out-file=/dev/null \
//!     target/release/instructions run $n 1024 2 2>&1 | grep Collected; done
//! ```

use std::future::Future;
use std::hint::black_box;
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use bytes::BytesMut;
use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use ws_core::{
    Decoder, Encoder, Limits, MaskKeys, MessageKind, More, PieceRef, Role, SendQueue, Unpooled,
};
use ws_tokio::{Connection, Negotiated, Settings};

fn main() {
    let mut args = std::env::args().skip(1);
    let usage = "usage: instructions decode|encode|run|recv|halves|stream ROUNDS [SIZE [FRAGMENTS [BURST]]]";
    let work = args.next().expect(usage);
    let mut number = |default: Option<usize>| match args.next() {
        Some(arg) => arg.parse().expect(usage),
        None => default.expect(usage),
    };
    let (rounds, size, fragments) = (number(None), number(Some(20)), number(Some(1)));
    let per_burst = number(Some(16));
    let burst = message(size, fragments).repeat(per_burst);
    let connection = |burst| connection(burst, rounds);
    let messages = match work.as_str() {
        "decode" => decode(&burst, rounds),
        "encode" => encode(size, rounds * per_burst),
        "run" => block_on(async {
            let mut connection = connection(burst);
            let mut messages = 0;
            let ended = connection.run(|message, outbox| {
                messages += 1;
                outbox.send(message)
            });
            ended.await.expect_err("the input is cut");
            messages
        }),
        "recv" => block_on(async {
            let mut connection = connection(burst);
            let mut messages = 0;
            while let Ok(Some(message)) = connection.recv().await {
                messages += 1;
                connection.feed(message).await.expect("the queue has room");
            }
            messages
        }),
        "halves" => block_on(async {
            let (mut receiving, sending) = connection(burst).split();
            let mut messages = 0;
            while let Ok(Some(message)) = receiving.recv().await {
                messages += 1;
                sending.feed(message).await.expect("the queue has room");
            }
            messages
        }),
        "stream" => block_on(async {
            let mut connection = connection(burst);
            let mut messages = 0;
            while let Some(Ok(message)) = connection.next().await {
                messages += 1;
                SinkExt::feed(&mut connection, message).await.expect("the queue has room");
            }
            messages
        }),
        _ => panic!("{usage}"),
    };
    assert_eq!(messages, rounds * per_burst);
}

fn message(size: usize, fragments: usize) -> Vec<u8> {
    let mut message = SendQueue::new();
    let mut encoder = Encoder::client(MaskKeys::from_seed([7; 32]));
    let payload = vec![7; size];
    let mut pieces = payload.chunks(size.div_ceil(fragments).max(1)).peekable();
    while let Some(data) = pieces.next() {
        let more = if pieces.peek().is_some() { More::Follows } else { More::Ended };
        let piece = PieceRef { kind: MessageKind::Binary, data, more };
        encoder.piece(piece, &mut message, &mut Unpooled).expect("open");
    }
    message.first_slice().to_vec()
}

fn decode(burst: &[u8], rounds: usize) -> usize {
    let mut messages = 0;
    let mut decoder = Decoder::new(Role::Server, Limits::default());
    for _ in 0..rounds {
        let mut input = burst.to_vec();
        let mut done = 0;
        while done < input.len() {
            let (event, used) = decoder.decode(&mut input[done..], &mut Unpooled).expect("valid");
            messages += usize::from(black_box(event).is_some());
            done += used;
        }
    }
    messages
}

fn encode(size: usize, messages: usize) -> usize {
    let payload = vec![7; size];
    let mut encoder = Encoder::server();
    let mut queue = SendQueue::new();
    for _ in 0..messages {
        encoder.message((&payload[..]).into(), &mut queue, &mut Unpooled).expect("open");
        if queue.len() >= 1 << 16 {
            queue.advance(black_box(queue.len()));
        }
    }
    messages
}

fn connection(burst: Vec<u8>, rounds: usize) -> Connection<Bursts> {
    let stream = Bursts { burst, left: rounds, rest: false };
    Connection::from_upgraded(
        stream,
        Role::Server,
        BytesMut::new(),
        Negotiated::default(),
        Settings::default(),
    )
}

/// One burst for each read, then nothing once, then the next; what is written is forgotten.
struct Bursts {
    burst: Vec<u8>,
    left: usize,
    rest: bool,
}

impl AsyncRead for Bursts {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.rest = !self.rest;
        if !self.rest && self.left > 0 {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        if let Some(left) = self.left.checked_sub(1) {
            self.left = left;
            buf.put_slice(&self.burst);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Bursts {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(black_box(buf).len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let mut cx = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut cx) {
            return value;
        }
    }
}
