//! The tables of `docs/BENCHMARKS.md` that need processes of their own: `compare [--quick] [TABLE...]`, on Linux, from the
//! workspace's root; without a table, all of them. They go to `target/compare` too.
//!
//! The servers take turns, round by round: a figure is the median of the rounds, a ratio the median of the rounds' ratios.

use std::io;

use ws_benches::load::Took;
use ws_benches::load::texts::TEXTS;
use ws_benches::page::{Page, rows};
use ws_benches::rig::{NODE, Server, in_turn, median, node_is_there};
use ws_benches::servers::Deflate;
use ws_tokio::Compression::{ContextTakeover, NoContextTakeover};

fn main() -> io::Result<()> {
    let (flags, wanted): (Vec<_>, Vec<_>) =
        std::env::args().skip(1).partition(|argument| argument.starts_with('-'));
    let effort = match flags.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => Effort { rounds: 7, seconds: 1.0, idle: 10_000, idle_compressed: 5_000 },
        ["--quick"] => Effort { rounds: 3, seconds: 0.2, idle: 1_000, idle_compressed: 500 },
        _ => panic!("usage: compare [--quick] [TABLE...]"),
    };
    let table = |name: &String| TABLES.iter().find(|table| table.name == name);
    let wanted: Option<Vec<_>> = wanted.iter().map(table).collect();
    let wanted = wanted.unwrap_or_else(|| panic!("tables: {:?}", TABLES.map(|table| table.name)));
    for table in if wanted.is_empty() { TABLES.iter().collect() } else { wanted } {
        (table.fill)(&mut Page::create(table.name)?, &effort)?;
    }
    Ok(())
}

/// How much to measure.
struct Effort {
    rounds: usize,
    /// For each server in each round.
    seconds: f64,
    /// Connections.
    idle: usize,
    /// Connections.
    idle_compressed: usize,
}

#[derive(Clone, Copy)]
struct Table {
    name: &'static str,
    fill: fn(&mut Page, &Effort) -> io::Result<()>,
}

const TABLES: [Table; 5] = [
    Table { name: "echo", fill: echo },
    Table { name: "idle", fill: idle },
    Table { name: "handshakes", fill: handshakes },
    Table { name: "compression", fill: compression },
    Table { name: "idle-compressed", fill: idle_compressed },
];

/// What a column is called, and the load's connections, messages in flight, bytes and fragments.
const SHAPES: [(&str, [&str; 4]); 6] = [
    ("20 B, 64 conn., 1 in flight", ["64", "1", "20", "1"]),
    ("20 B, 16 conn., 16 in flight", ["16", "16", "20", "1"]),
    ("1 KiB, 16 conn., 16 in flight", ["16", "16", "1024", "1"]),
    ("1 KiB in 2 fragments, 16 conn., 16 in flight", ["16", "16", "1024", "2"]),
    ("16 KiB, 32 conn., 1 in flight", ["32", "1", "16384", "1"]),
    ("64 KiB, 10 conn., 1 in flight", ["10", "1", "65536", "1"]),
];

fn echo(page: &mut Page, effort: &Effort) -> io::Result<()> {
    let names = [
        "floor",
        "ws-tokio run",
        "ws-tokio recv+feed",
        "sockudo-ws",
        "sockudo-ws send",
        "yawc",
        "yawc send",
        "fastwebsockets",
        "tokio-websockets",
        "tokio-tungstenite",
        "tokio-tungstenite send",
    ];
    let servers = start(&names, Deflate::OFF)?;
    let (mut cpu, mut rate) = (vec![], vec![]);
    for (_, [connections, in_flight, size, fragments]) in SHAPES {
        let seconds = effort.seconds.to_string();
        let load = ["echo", connections, in_flight, size, fragments, &seconds];
        let took = in_turn(effort.rounds, &servers, &load)?;
        cpu.push(cpu_and_ratios(&took));
        rate.push(rates(&took));
    }
    let columns = SHAPES.map(|(title, _)| title);
    let title = "Echo over TCP: ns of server CPU per message, and the ratio to the floor";
    page.table(title, &columns, &rows(names, &cpu))?;
    page.table("Echo over TCP: thousands of messages per second", &columns, &rows(names, &rate))
}

fn handshakes(page: &mut Page, effort: &Effort) -> io::Result<()> {
    let names = ["floor", "ws-tokio run", "sockudo-ws", "tokio-websockets", "tokio-tungstenite"];
    let servers = start(&names, Deflate::OFF)?;
    let load = ["handshakes", &effort.seconds.to_string()];
    let took = in_turn(effort.rounds, &servers, &load)?;
    let columns = ["ns of server CPU, and the ratio to the floor", "thousands per second"];
    let cells = [cpu_and_ratios(&took), rates(&took)];
    page.table("Opening handshakes", &columns, &rows(names, &cells))
}

fn idle(page: &mut Page, effort: &Effort) -> io::Result<()> {
    let names = [
        "floor",
        "ws-tokio run",
        "ws-tokio recv+feed",
        "sockudo-ws",
        "yawc",
        "yawc small buffers",
        "fastwebsockets",
        "tokio-websockets",
        "tokio-tungstenite",
    ];
    let connections = effort.idle.to_string();
    let kib = resident(&names, Deflate::OFF, &["idle", &connections])?;
    let title = format!("Idle: KiB resident per connection, {connections} connections");
    page.table(&title, &["KiB"], &rows(names, &[kib]))
}

/// Those that compress and are there, with yawc in the form that suits.
fn compressing(yawc: &'static str) -> Vec<&'static str> {
    let all = ["ws-tokio run", "ws-tokio recv+feed", "sockudo-ws", yawc];
    all.into_iter().chain(node_is_there().then_some(NODE)).collect()
}

fn idle_compressed(page: &mut Page, effort: &Effort) -> io::Result<()> {
    let names = compressing("yawc small buffers");
    let connections = effort.idle_compressed.to_string();
    let mut columns = vec![];
    for takeover in [NoContextTakeover, ContextTakeover] {
        let deflate = Deflate { takeover, level: 6 };
        let load = ["idle", &connections, &deflate.to_argument()];
        columns.push(resident(&names, deflate, &load)?);
    }
    let title =
        format!("Idle and compressed: KiB resident per connection, {connections} connections");
    page.table(&title, &["no context takeover", "context takeover"], &rows(names, &columns))
}

fn compression(page: &mut Page, effort: &Effort) -> io::Result<()> {
    let names = compressing("yawc");
    let terms = [("no context takeover", NoContextTakeover), ("context takeover", ContextTakeover)];
    for (kind, takeover) in terms {
        let mut lines = vec![];
        for level in [1, 6] {
            let deflate = Deflate { takeover, level };
            let servers = start(&names, deflate)?;
            let texts = TEXTS.iter().flat_map(|text| SIZES.map(|size| (text.name, size)));
            for (text, size) in texts {
                let (bytes, seconds) = (size.to_string(), (effort.seconds / 4.0).to_string());
                let load = ["compressed", text, &bytes, &deflate.to_argument(), &seconds];
                let took = in_turn(effort.rounds.min(5), &servers, &load)?;
                let name = format!("{text}, {size} B, level {level}");
                lines.push((name, cpu_and_share(&took, size)));
            }
        }
        let title = format!("Compressed echo, {kind}: us of server CPU per message");
        page.table(&title, &names, &lines)?;
    }
    Ok(())
}

/// Bytes of compressed messages.
const SIZES: [usize; 3] = [256, 4096, 65_536];

fn start(names: &[&'static str], deflate: Deflate) -> io::Result<Vec<Server>> {
    names.iter().map(|name| Server::start(name, deflate)).collect()
}

/// A cell of KiB for each of the servers, which run one after the other.
fn resident(names: &[&'static str], deflate: Deflate, load: &[&str]) -> io::Result<Vec<String>> {
    let of_one = |name: &&'static str| {
        let said = Server::start(name, deflate)?.load(load)?;
        let kib: f64 = said.trim().parse().map_err(io::Error::other)?;
        Ok(format!("{kib:.2}"))
    };
    names.iter().map(of_one).collect()
}

/// CPU per answer, and its ratio to the first server's.
fn cpu_and_ratios(took: &[Vec<Took>]) -> Vec<String> {
    let cell = |rounds: &Vec<Took>| {
        let cpu = median(rounds.iter().map(Took::cpu_per_answer));
        format!("{cpu:.0} ({:.2} x)", ratio(rounds, &took[0]))
    };
    took.iter().map(cell).collect()
}

/// Of the CPU per answer, round by round.
fn ratio(rounds: &[Took], first: &[Took]) -> f64 {
    let pairs = rounds.iter().zip(first);
    median(pairs.map(|(one, first)| one.cpu_per_answer() / first.cpu_per_answer()))
}

fn rates(took: &[Vec<Took>]) -> Vec<String> {
    let cell = |rounds: &Vec<Took>| {
        let rate = median(rounds.iter().map(Took::per_second));
        format!("{:.1}", rate / 1000.0)
    };
    took.iter().map(cell).collect()
}

/// CPU per answer of `size` bytes, its ratio to the first server's, and what of the answer was on the wire.
fn cpu_and_share(took: &[Vec<Took>], size: usize) -> Vec<String> {
    let cell = |rounds: &Vec<Took>| {
        let cpu = median(rounds.iter().map(Took::cpu_per_answer)) / 1000.0;
        let sent = median(rounds.iter().map(|took| took.sent as f64 / took.answers as f64));
        let percent = 100.0 * sent / size as f64;
        format!("{cpu:.1} ({:.2} x, {percent:.1} %)", ratio(rounds, &took[0]))
    };
    took.iter().map(cell).collect()
}
