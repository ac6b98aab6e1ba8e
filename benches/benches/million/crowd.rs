//! So many connections of one kind in this process, each in a task of its own on one thread.

use std::process;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use bytes::BytesMut;
use tokio::task::yield_now;
use tokio::time::sleep;
use ws_benches::load::Process;
use ws_tokio::{
    Broadcast, Connection, Hub, MessageRef, Negotiated, Outbox, Role, Settings, Subscriptions,
    Tracker,
};

use crate::clock::{self, take_longest};
use crate::counting::calls;
use crate::memory::Memory;
use crate::peer::{Peer, SEEN};
use crate::report::{Report, mib, millis, seconds};

/// How the connections are served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Run,
    Heartbeat,
    Broadcast,
    Hub,
}

impl Kind {
    pub(crate) const ALL: [(Self, &str); 4] = [
        (Self::Run, "run"),
        (Self::Heartbeat, "run, heartbeat of 30 s"),
        (Self::Broadcast, "Broadcast"),
        (Self::Hub, "Hub"),
    ];

    fn settings(self) -> Settings {
        match self {
            Self::Run | Self::Broadcast | Self::Hub => Settings::default(),
            Self::Heartbeat => {
                Settings::default().heartbeat(Duration::from_secs(30), Duration::from_secs(10))
            }
        }
    }
}

/// Seconds for which heartbeats are watched: each connection pings at least once.
const WATCHED: u32 = 70;

/// Messages to all; figures are medians of them, but for the peak of the first.
const ROUNDS: usize = 7;

static ENDED: AtomicU64 = AtomicU64::new(0);

pub(crate) async fn measure(kind: Kind, connections: u64) -> Result<Report, std::io::Error> {
    tokio::spawn(clock::wait_as_others_do());
    let (mut report, topics, tracker) = (Report::default(), Topics::default(), Tracker::new());
    let (before, begin, calls_before) = (Memory::now(), Instant::now(), calls());
    for number in 0..connections {
        open(kind, &topics, &tracker);
        if number % 128 == 0 {
            yield_now().await;
        }
    }
    until(|| SEEN.messages.load(Relaxed), connections).await;
    report.add("opened, and a message echoed, within: s", seconds(begin.elapsed()));
    let own = Memory::now().since(before);
    let calls = (calls() - calls_before) as f64;
    report.add("allocated: pieces per connection", calls / connections as f64);
    report.add("allocated: bytes per connection", own.allocated / connections as f64);
    report.add("of that its stream and peer", size_of::<Peer>() as f64);
    report.add("resident: bytes per connection", own.resident / connections as f64);
    match kind {
        Kind::Run => {}
        Kind::Heartbeat => heartbeat(&mut report).await,
        Kind::Broadcast => {
            tell_all(&mut report, connections, || topics.one.publish(MESSAGE.to_vec())).await?;
        }
        Kind::Hub => {
            tell_all(&mut report, connections, || topics.hub.publish(TOPIC, MESSAGE.to_vec()))
                .await?;
        }
    }
    shut_down(&mut report, connections, &tracker).await?;
    Ok(report)
}

/// What connections may be subscribed to.
#[derive(Default)]
struct Topics {
    one: Broadcast,
    hub: Hub,
}

const TOPIC: &str = "all";
const MESSAGE: &[u8] = &[b'm'; 100];

fn open(kind: Kind, topics: &Topics, tracker: &Tracker) {
    let (nothing, negotiated) = (BytesMut::new(), Negotiated::default());
    let mut connection =
        Connection::from_upgraded(Peer::new(), Role::Server, nothing, negotiated, kind.settings());
    connection.track(tracker.enter().expect("it is open"));
    match kind {
        Kind::Run | Kind::Heartbeat => tokio::spawn(async move {
            _ = connection.run(|message, outbox| outbox.send(message)).await;
            ENDED.fetch_add(1, Relaxed);
        }),
        Kind::Broadcast => {
            let mut subscription = topics.one.subscribe();
            tokio::spawn(async move {
                let echo = |message: MessageRef<'_>, outbox: &mut Outbox<'_>| outbox.send(message);
                _ = subscription.serve(&mut connection, echo).await;
                ENDED.fetch_add(1, Relaxed);
            })
        }
        Kind::Hub => {
            let mut subscriber = topics.hub.subscriber();
            subscriber.subscribe(TOPIC).expect("a name");
            tokio::spawn(async move {
                let echo = |message: MessageRef<'_>, outbox: &mut Outbox<'_>, _: &Subscriptions| {
                    outbox.send(message)
                };
                _ = subscriber.serve(&mut connection, echo).await;
                ENDED.fetch_add(1, Relaxed);
            })
        }
    };
}

async fn heartbeat(report: &mut Report) {
    take_longest();
    let watching = clock::seconds(WATCHED);
    sleep(Duration::from_secs(u64::from(WATCHED) + 1)).await;
    let passed = watching.join().expect("no panic");
    let mean =
        |of: fn(&clock::Second) -> f64| passed.iter().map(of).sum::<f64>() / passed.len() as f64;
    let most = |of: fn(&clock::Second) -> f64| passed.iter().map(of).fold(0.0, f64::max);
    let pings = |second: &clock::Second| second.pings as f64;
    let cpu = |second: &clock::Second| millis(second.cpu);
    report.add("pings: in a second", mean(pings));
    report.add("pings: in the second with most", most(pings));
    report.add("heartbeat: ms of CPU in a second", mean(cpu));
    report.add("heartbeat: ms of CPU in the second with most", most(cpu));
    report.add("heartbeat: longest wait of another task: ms", take_longest());
}

async fn tell_all(
    report: &mut Report,
    connections: u64,
    publish: impl Fn() -> usize,
) -> std::io::Result<()> {
    let (mut published, mut reached, mut cpu) = (vec![], vec![], vec![]);
    take_longest();
    let mut peak = None;
    for _ in 0..ROUNDS {
        let (before, begin, cpu_before) = (Memory::mark()?, Instant::now(), own_cpu());
        let goal = SEEN.messages.load(Relaxed) + connections;
        assert_eq!(publish() as u64, connections, "all are subscribed");
        published.push(millis(begin.elapsed()));
        until(|| SEEN.messages.load(Relaxed), goal).await;
        reached.push(seconds(begin.elapsed()));
        cpu.push((own_cpu() - cpu_before).as_nanos() as f64 / connections as f64);
        peak.get_or_insert(before.peak_over());
    }
    let peak = peak.expect("at least one round");
    report.add("100 B to all: `publish` takes: ms", median(published));
    report.add("100 B to all: all have it after: s", median(reached));
    report.add("100 B to all: ns of CPU per delivery", median(cpu));
    report.add("100 B to all: allocated meanwhile: MiB", mib(peak.allocated));
    report.add("100 B to all: resident meanwhile: MiB", mib(peak.resident));
    report.add("100 B to all: longest wait of another task: ms", take_longest());
    Ok(())
}

async fn shut_down(
    report: &mut Report,
    connections: u64,
    tracker: &Tracker,
) -> std::io::Result<()> {
    assert_eq!(ENDED.load(Relaxed), 0, "all are there");
    take_longest();
    let (before, begin, cpu_before) = (Memory::mark()?, Instant::now(), own_cpu());
    let shutdown = tracker.shutdown(Duration::from_secs(60)).await;
    let (took, cpu, peak) = (begin.elapsed(), own_cpu() - cpu_before, before.peak_over());
    until(|| ENDED.load(Relaxed), connections).await;
    assert_eq!((shutdown.closed as u64, shutdown.cut.len()), (connections, 0));
    report.add("shutdown: s", seconds(took));
    report.add("shutdown: ns of CPU per connection", cpu.as_nanos() as f64 / connections as f64);
    report.add("shutdown: allocated meanwhile: MiB", mib(peak.allocated));
    report.add("shutdown: resident meanwhile: MiB", mib(peak.resident));
    report.add("shutdown: longest wait of another task: ms", take_longest());
    report.add("shutdown: peers told 1001", SEEN.told.load(Relaxed) as f64);
    let left = Memory::now();
    report.add("afterwards: allocated: MiB", mib(left.allocated));
    Ok(())
}

/// Lets others run until the count is there.
async fn until(count: impl Fn() -> u64, goal: u64) {
    while count() < goal {
        yield_now().await;
    }
}

fn own_cpu() -> Duration {
    Process(process::id()).cpu()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
