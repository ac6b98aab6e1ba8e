//! Many connections at once, random in all that they do, and at the end nothing is lost and nothing is left.
//!
//! Runs for two seconds with 100 connections; `SOAK_SECONDS` and `SOAK_CONNECTIONS` say otherwise.

use std::alloc::{GlobalAlloc, Layout, System};
use std::env;
use std::sync::atomic::{AtomicIsize, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::sleep;
use ws_tokio::{
    AcceptOptions, CloseCode, ConnectOptions, Connection, Error, Message, MessageKind, Settings,
    Tracker, Transport,
};

/// Counts the bytes that are held.
struct Counting;

static HELD: AtomicIsize = AtomicIsize::new(0);

// SAFETY: it only counts, and hands on to the system's.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        HELD.fetch_add(layout.size() as isize, Ordering::Relaxed);
        // SAFETY: our caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size() as isize, Ordering::Relaxed);
        // SAFETY: our caller's promise.
        unsafe { System.dealloc(ptr, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// What was done, over all connections.
#[derive(Default)]
struct Done {
    connections: AtomicU64,
    sent: AtomicU64,
    echoed: AtomicU64,
    pongs: AtomicU64,
    /// Connections that the server ended in the middle.
    ended: AtomicU64,
}

/// A stream of numbers that depends on its seed alone.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound
    }

    /// A message of a size around one of the borders, whose bytes tell its number.
    fn message(&mut self, number: u64) -> Message {
        let around = [0, 0, 125, 1024, 4096, 16_384, 65_536][self.below(7) as usize];
        let len = around + self.below(200);
        let byte = b'a' + (number % 26) as u8;
        let bytes = vec![byte; len as usize];
        match self.below(2) {
            0 => Message::binary(bytes),
            _ => Message::text(String::from_utf8(bytes).expect("letters")),
        }
    }
}

fn setting(name: &str, default: u64) -> u64 {
    env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(default)
}

fn settings() -> Settings {
    Settings::default().heartbeat(Duration::from_secs(20), Duration::from_secs(20))
}

#[test]
fn nothing_is_lost_and_nothing_is_left() {
    let seconds = Duration::from_secs(setting("SOAK_SECONDS", 2));
    let connections = setting("SOAK_CONNECTIONS", 100);
    let before = HELD.load(Ordering::SeqCst);
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let done = runtime.block_on(soak(seconds, connections));
    // Tasks that are told to end take a moment.
    let patience = Instant::now() + Duration::from_secs(30);
    while runtime.metrics().num_alive_tasks() > 0 && Instant::now() < patience {
        std::thread::sleep(Duration::from_millis(10));
    }
    assert_eq!(runtime.metrics().num_alive_tasks(), 0, "no task is left");
    drop(runtime);
    let left = HELD.load(Ordering::SeqCst) - before;
    println!(
        "{} connections, {} messages sent, {} echoed, {} pings answered, {} connections ended by the server, {left} bytes left",
        done.connections.load(Ordering::SeqCst),
        done.sent.load(Ordering::SeqCst),
        done.echoed.load(Ordering::SeqCst),
        done.pongs.load(Ordering::SeqCst),
        done.ended.load(Ordering::SeqCst),
    );
    drop(done);
    // The pools of this thread, and what the runtime and the standard library keep for ever.
    assert!(left < 4 << 20, "{left} bytes are left");
}

async fn soak(seconds: Duration, connections: u64) -> std::sync::Arc<Done> {
    let done = std::sync::Arc::new(Done::default());
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a listener");
    let url = format!("ws://{}/", listener.local_addr().expect("an address"));
    let tracker = Tracker::new();
    let serving = tokio::spawn(serve(listener, tracker.clone()));
    let until = Instant::now() + seconds;
    let mut clients = JoinSet::new();
    for seed in 0..connections {
        let (url, done) = (url.clone(), done.clone());
        clients.spawn(async move {
            let mut random = Random(seed);
            while Instant::now() < until {
                talk(&url, &mut random, &done).await;
            }
        });
    }
    while let Some(client) = clients.join_next().await {
        client.expect("no client panics");
    }
    let shutdown = tracker.shutdown(Duration::from_secs(30)).await;
    assert!(shutdown.cut.is_empty(), "{shutdown:?}");
    serving.abort();
    assert!(
        serving.await.expect_err("it serves for ever").is_cancelled(),
        "the server did not panic"
    );
    done
}

/// Accepts for ever; each connection is served in one of four ways.
async fn serve(listener: TcpListener, tracker: Tracker) {
    let options = AcceptOptions::default().settings(settings());
    let mut connections = JoinSet::new();
    for seed in 0.. {
        let (stream, _) = listener.accept().await.expect("a connection");
        let (options, ticket) = (options.clone(), tracker.enter().expect("the tracker is open"));
        while let Some(served) = connections.try_join_next() {
            let served: Result<(), _> = served;
            served.expect("no server task panics");
        }
        connections.spawn(async move {
            let Ok(mut connection) = options.accept(stream).await else { return };
            ticket
                .serve(&mut connection, async |connection| echo(connection, Random(seed)).await)
                .await;
        });
    }
}

/// Echoes, and every now and then ends the connection in the middle.
async fn echo(connection: &mut Connection<TcpStream>, mut random: Random) -> Result<(), Error> {
    let mut left = if random.below(4) == 0 { 1 + random.below(40) } else { u64::MAX };
    match random.below(3) {
        0 => {
            let ran = connection.run(|message, outbox| {
                left -= 1;
                match (left, outbox.send(message)) {
                    (0, _) | (_, Err(_)) => std::ops::ControlFlow::Break(()),
                    (_, Ok(())) => std::ops::ControlFlow::Continue(()),
                }
            });
            ran.await?;
        }
        1 => {
            while left > 0 {
                let Some(message) = connection.recv().await? else { return Ok(()) };
                connection.feed(message).await?;
                left -= 1;
            }
        }
        _ => {
            while left > 0 {
                let Some(mut reader) = connection.reader().await? else { return Ok(()) };
                let (kind, mut bytes) = (reader.kind(), Vec::new());
                reader.read_to_end(&mut bytes).await?;
                drop(reader);
                let mut writer = connection.writer(kind)?;
                for part in bytes.chunks(20_000) {
                    writer.write_all(part).await?;
                    writer.flush().await?;
                }
                writer.finish().await?;
                left -= 1;
            }
        }
    }
    // The end in the middle: with a close frame, or cut.
    if random.below(2) == 0 {
        connection.close(CloseCode::TRY_AGAIN_LATER, "enough").await
    } else {
        Ok(())
    }
}

/// One connection: bursts of messages whose echoes are checked, then one of several ends.
async fn talk(url: &str, random: &mut Random, done: &Done) {
    let options =
        ConnectOptions::default().settings(settings()).handshake_timeout(Duration::from_secs(60));
    let (mut connection, _) = options.connect(url).await.expect("a connection");
    done.connections.fetch_add(1, Ordering::Relaxed);
    for _ in 0..1 + random.below(6) {
        if burst(&mut connection, random, done).await.is_err() {
            done.ended.fetch_add(1, Ordering::Relaxed);
            return;
        }
    }
    match random.below(4) {
        0 => drop(connection),
        // A stall in the middle of a frame, and then a cut.
        1 => {
            let mut stream = connection.into_inner();
            _ = stream.write_all(b"\x82\xfe\x10").await;
            sleep(Duration::from_millis(random.below(50))).await;
        }
        _ => {
            // The server may have ended it at the same time.
            _ = connection.close(CloseCode::NORMAL, "done").await;
        }
    }
}

/// Sends messages in one of several ways and receives their echoes, in order and to the byte.
async fn burst(
    connection: &mut Connection<Transport>,
    random: &mut Random,
    done: &Done,
) -> Result<(), Error> {
    let messages: Vec<Message> =
        (0..1 + random.below(20)).map(|number| random.message(number)).collect();
    for message in &messages {
        match random.below(3) {
            0 => in_fragments(connection, message, random).await?,
            1 => connection.feed(message.clone()).await?,
            _ => connection.send(message.clone()).await?,
        }
        done.sent.fetch_add(1, Ordering::Relaxed);
    }
    let ping = connection.ping()?;
    for message in &messages {
        // `None` is an error here: the server ends with a code other than 1000, or with a cut.
        let echo = connection.recv().await?.ok_or(Error::Cut)?;
        assert!(
            echo == *message,
            "{} bytes came back as {}",
            message.as_bytes().len(),
            echo.as_bytes().len()
        );
        done.echoed.fetch_add(1, Ordering::Relaxed);
    }
    // The pong comes behind the echoes, or between them.
    tokio::select! {
        pong = ping => {
            pong?;
            done.pongs.fetch_add(1, Ordering::Relaxed);
            Ok(())
        }
        received = connection.recv() => match received? {
            Some(_) => panic!("a message that nobody sent"),
            None => Err(Error::Cut),
        },
    }
}

async fn in_fragments(
    connection: &mut Connection<Transport>,
    message: &Message,
    random: &mut Random,
) -> Result<(), Error> {
    let kind: MessageKind = message.kind();
    let mut writer = connection.writer(kind)?;
    for part in message.as_bytes().chunks(1 + random.below(20_000) as usize) {
        writer.write_all(part).await?;
        writer.flush().await?;
    }
    writer.finish().await
}
