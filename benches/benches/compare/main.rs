//! The tables of `docs/BENCHMARKS.md` that need processes of their own, on Linux: `cargo bench -p ws-benches --bench compare --
//! [--quick] [TABLE...]`; without a table, all of them. They go to `target/compare` too, with a plot of each.
//!
//! The servers take turns, round by round: a figure is the median of the rounds, a ratio the median of the rounds' ratios.

mod effort;
mod engines;
mod nodes;
mod page;
mod plot;
mod rig;
mod told;

use std::io;

use effort::Effort;
use page::{Compared, Page, rows};
use plot::Failure;
use rig::{NODE, Server, in_turn, median, node_is_there};
use ws_benches::load::Took;
use ws_benches::load::texts::TEXTS;
use ws_benches::servers::Deflate;
use ws_tokio::Compression::{ContextTakeover, NoContextTakeover};

fn main() -> Result<(), Failure> {
    // Cargo says to a benchmark that it is one.
    let said = std::env::args().skip(1).filter(|argument| argument != "--bench");
    let (flags, wanted): (Vec<_>, Vec<_>) = said.partition(|argument| argument.starts_with('-'));
    let effort = match flags.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => Effort::FULL,
        ["--quick"] => Effort::QUICK,
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

#[derive(Clone, Copy)]
struct Table {
    name: &'static str,
    fill: fn(&mut Page, &Effort) -> Result<(), Failure>,
}

const TABLES: [Table; 12] = [
    Table { name: "echo", fill: echo },
    Table { name: "tls", fill: tls },
    Table { name: "tls-streams", fill: tls_streams },
    Table { name: "http", fill: http },
    Table { name: "http2", fill: http2 },
    Table { name: "threads", fill: threads },
    Table { name: "broadcast", fill: broadcast },
    Table { name: "nodes", fill: nodes::nodes },
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

fn echo(page: &mut Page, effort: &Effort) -> Result<(), Failure> {
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
    echoes(page, effort, &start(&names, Deflate::OFF)?, "echo", "Echo over TCP", "the floor")
}

/// Through TLS 1.3, by the same provider and over the same stream of tokio-rustls for all.
fn tls(page: &mut Page, effort: &Effort) -> Result<(), Failure> {
    let names = [
        "floor",
        "ws-tokio run, tokio-rustls",
        "ws-tokio recv+feed, tokio-rustls",
        "sockudo-ws",
        "yawc",
        "tokio-websockets",
        "tokio-tungstenite",
    ];
    over_tls(page, effort, &names, "Echo over TLS", "the floor")?;
    idle_over_tls(page, effort, &names, "Idle over TLS")
}

/// This project's own stream of TLS beside that of tokio-rustls.
fn tls_streams(page: &mut Page, effort: &Effort) -> Result<(), Failure> {
    let names = ["ws-tokio run, tokio-rustls", "ws-tokio run", "ws-tokio recv+feed"];
    over_tls(page, effort, &names, "Echo over two streams of TLS", "tokio-rustls")?;
    idle_over_tls(page, effort, &names, "Idle over two streams of TLS")
}

fn over_tls(
    page: &mut Page,
    effort: &Effort,
    names: &[&'static str],
    title: &str,
    first: &str,
) -> Result<(), Failure> {
    let servers: Vec<_> =
        names.iter().map(|name| Server::start_tls(name)).collect::<io::Result<_>>()?;
    echoes(page, effort, &servers, "echo-tls", title, first)
}

fn idle_over_tls(
    page: &mut Page,
    effort: &Effort,
    names: &[&'static str],
    title: &str,
) -> Result<(), Failure> {
    let connections = effort.half_idle.to_string();
    let of_one = |name: &&'static str| {
        let said = Server::start_tls(name)?.load(&["idle-tls", &connections])?;
        Ok(format!("{:.2}", said.trim().parse::<f64>().map_err(io::Error::other)?))
    };
    let kib = names.iter().map(of_one).collect::<io::Result<Vec<_>>>()?;
    let title = format!("{title}: KiB resident per connection, {connections} connections");
    page.table(&title, &["KiB"], &rows(names.iter().copied(), &[kib]), Compared::Rows)
}

/// Behind HTTP servers, compared with this project's own handshake.
fn http(page: &mut Page, effort: &Effort) -> Result<(), Failure> {
    let names = [
        "ws-tokio run",
        "ws-tokio run, axum",
        "ws-tokio run, hyper",
        "ws-tokio recv+feed",
        "ws-tokio recv+feed, axum",
        "ws-tokio recv+feed, hyper",
        "axum's own ws",
        "axum's own ws, send",
        "sockudo-ws, axum",
        "sockudo-ws send, axum",
        "fastwebsockets, hyper",
        "yawc, hyper",
        "yawc send, hyper",
        "hyper-tungstenite",
        "hyper-tungstenite send",
    ];
    let servers = start(&names, Deflate::OFF)?;
    echoes(page, effort, &servers, "echo", "Echo behind HTTP servers", "`run` over `accept`")?;
    drop(servers);
    let connections = effort.idle.to_string();
    let kib = resident(&names, Deflate::OFF, &["idle", &connections])?;
    let title =
        format!("Idle behind HTTP servers: KiB resident per connection, {connections} connections");
    page.table(&title, &["KiB"], &rows(names, &[kib]), Compared::Rows)?;
    let names = [
        "ws-tokio run",
        "ws-tokio run, axum",
        "ws-tokio run, hyper",
        "axum's own ws",
        "sockudo-ws, axum",
        "fastwebsockets, hyper",
        "yawc, hyper",
        "hyper-tungstenite",
    ];
    let servers = start(&names, Deflate::OFF)?;
    let load = ["handshakes", &effort.seconds.to_string()];
    let took = in_turn(effort.rounds, &servers, &load)?;
    let columns = ["ns of server CPU, and the ratio to `accept`", "thousands per second"];
    let cells = [cpu_and_ratios(&took), rates(&took)];
    page.table(
        "Opening handshakes behind HTTP servers",
        &columns,
        &rows(names, &cells),
        Compared::Rows,
    )
}

/// Over HTTP/2, compared with a stream of `h2`'s whose bytes are sent back as they came, and with one of hyper's.
fn http2(page: &mut Page, effort: &Effort) -> Result<(), Failure> {
    let shapes = [
        ("20 B, 1 in flight", ["1", "20"]),
        ("20 B, 16 in flight", ["16", "20"]),
        ("1 KiB, 1 in flight", ["1", "1024"]),
        ("1 KiB, 16 in flight", ["16", "1024"]),
        ("16 KiB, 1 in flight", ["1", "16384"]),
    ];
    let direct =
        ["h2: a bare stream", "h2: ws-tokio run", "h2: ws-tokio recv+feed", "h2: sockudo-ws"];
    let behind = [
        "h2: a bare stream, hyper",
        "h2: ws-tokio run, hyper",
        "h2: ws-tokio run, axum",
        "h2: yawc, hyper",
        "h2: axum's own ws",
    ];
    for (title, names) in [("on h2", &direct[..]), ("behind hyper", &behind)] {
        let servers: Vec<_> =
            names.iter().map(|name| Server::start_untrimmed(name)).collect::<io::Result<_>>()?;
        for streams in ["1", "16"] {
            let mut cpu = vec![];
            for (_, [in_flight, size]) in shapes {
                let seconds = (effort.seconds / 2.0).to_string();
                let load = ["http2", streams, in_flight, size, &seconds];
                cpu.push(cpu_and_ratios(&in_turn(effort.rounds, &servers, &load)?));
            }
            let title = format!(
                "Echo over HTTP/2, {title}, streams: {streams}: ns of server CPU per message, and the ratio to the bare stream"
            );
            let columns = shapes.map(|(title, _)| title);
            page.table(&title, &columns, &rows(names.iter().copied(), &cpu), Compared::Rows)?;
        }
        drop(servers);
        let connections = effort.half_idle.to_string();
        let kib = resident(names, Deflate::OFF, &["idle-http2", &connections])?;
        let title =
            format!("Idle over HTTP/2, {title}: KiB resident per stream, {connections} streams");
        page.table(&title, &["KiB"], &rows(names.iter().copied(), &[kib]), Compared::Rows)?;
    }
    Ok(())
}

/// Servers on all cores, of which the load takes its share: the figures say which way of using threads costs less.
fn threads(page: &mut Page, effort: &Effort) -> Result<(), Failure> {
    let ways = [
        ("ws-tokio run, one thread", "each:1"),
        ("ws-tokio run, two current-thread runtimes", "each:2"),
        ("ws-tokio run, one multi-thread runtime of two", "pool:2"),
    ];
    let start = |(called, threads)| Server::start_on(threads, "ws-tokio run", called);
    let servers: Vec<_> = ways.into_iter().map(start).collect::<io::Result<_>>()?;
    echoes(page, effort, &servers, "echo", "Threads", "one thread")
}

/// CPU time and throughput of servers that echo, in each shape of load.
fn echoes(
    page: &mut Page,
    effort: &Effort,
    servers: &[Server],
    form: &str,
    title: &str,
    first: &str,
) -> Result<(), Failure> {
    let (mut cpu, mut rate) = (vec![], vec![]);
    for (_, [connections, in_flight, size, fragments]) in SHAPES {
        let seconds = effort.seconds.to_string();
        let load = [form, connections, in_flight, size, fragments, &seconds];
        let took = in_turn(effort.rounds, servers, &load)?;
        cpu.push(cpu_and_ratios(&took));
        rate.push(rates(&took));
    }
    let names = servers.iter().map(|server| server.name);
    let columns = SHAPES.map(|(title, _)| title);
    let of_cpu = format!("{title}: ns of server CPU per message, and the ratio to {first}");
    page.table(&of_cpu, &columns, &rows(names.clone(), &cpu), Compared::Rows)?;
    let of_rate = format!("{title}: thousands of messages per second");
    page.table(&of_rate, &columns, &rows(names, &rate), Compared::Rows)
}

fn broadcast(page: &mut Page, effort: &Effort) -> Result<(), Failure> {
    let names = ["broadcast: a bare write", "ws-tokio Broadcast", "ws-tokio send_prepared"];
    let servers = start(&names, Deflate::OFF)?;
    let connections = effort.half_idle.to_string();
    let mut cells = vec![];
    for size in BROADCAST_SIZES {
        let load = ["broadcast", &connections, size, &effort.seconds.to_string()];
        cells.push(cpu_and_ratios(&in_turn(effort.rounds, &servers, &load)?));
    }
    let title = format!(
        "Broadcast to {connections} connections: ns of server CPU per delivery, and the ratio to a bare write"
    );
    let columns = BROADCAST_SIZES.map(|size| format!("{size} B"));
    page.table(
        &title,
        &columns.each_ref().map(|size| &**size),
        &rows(names, &cells),
        Compared::Rows,
    )
}

/// Bytes of a message for all.
const BROADCAST_SIZES: [&str; 3] = ["100", "1024", "16384"];

fn handshakes(page: &mut Page, effort: &Effort) -> Result<(), Failure> {
    let names = ["floor", "ws-tokio run", "sockudo-ws", "tokio-websockets", "tokio-tungstenite"];
    let servers = start(&names, Deflate::OFF)?;
    let load = ["handshakes", &effort.seconds.to_string()];
    let took = in_turn(effort.rounds, &servers, &load)?;
    let columns = ["ns of server CPU, and the ratio to the floor", "thousands per second"];
    let cells = [cpu_and_ratios(&took), rates(&took)];
    page.table("Opening handshakes", &columns, &rows(names, &cells), Compared::Rows)
}

fn idle(page: &mut Page, effort: &Effort) -> Result<(), Failure> {
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
    page.table(&title, &["KiB"], &rows(names, &[kib]), Compared::Rows)
}

/// Those that compress and are there, with yawc in the form that suits.
fn compressing(yawc: &'static str) -> Vec<&'static str> {
    let all = ["ws-tokio run", "ws-tokio recv+feed", "sockudo-ws", yawc];
    all.into_iter().chain(node_is_there().then_some(NODE)).collect()
}

fn idle_compressed(page: &mut Page, effort: &Effort) -> Result<(), Failure> {
    let names = compressing("yawc small buffers");
    let connections = effort.half_idle.to_string();
    let mut columns = vec![];
    for takeover in [NoContextTakeover, ContextTakeover] {
        let deflate = Deflate { takeover, level: 6 };
        let load = ["idle", &connections, &deflate.to_argument()];
        columns.push(resident(&names, deflate, &load)?);
    }
    let title =
        format!("Idle and compressed: KiB resident per connection, {connections} connections");
    let modes = ["no context takeover", "context takeover"];
    page.table(&title, &modes, &rows(names, &columns), Compared::Rows)
}

fn compression(page: &mut Page, effort: &Effort) -> Result<(), Failure> {
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
        page.table(&title, &names, &lines, Compared::Columns)?;
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
