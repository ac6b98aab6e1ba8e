//! Echoes over TCP and over TLS, on one thread and on several.

use std::io;

use ws_benches::servers::Deflate;

use crate::cells::{cpu_and_ratios, rates};
use crate::effort::Effort;
use crate::page::{Compared, Page, rows};
use crate::plot::Failure;
use crate::rig::{Server, in_turn, start};

/// What a column is called, and the load's connections, messages in flight, bytes and fragments.
pub(crate) const SHAPES: [(&str, [&str; 4]); 6] = [
    ("20 B, 64 conn., 1 in flight", ["64", "1", "20", "1"]),
    ("20 B, 16 conn., 16 in flight", ["16", "16", "20", "1"]),
    ("1 KiB, 16 conn., 16 in flight", ["16", "16", "1024", "1"]),
    ("1 KiB in 2 fragments, 16 conn., 16 in flight", ["16", "16", "1024", "2"]),
    ("16 KiB, 32 conn., 1 in flight", ["32", "1", "16384", "1"]),
    ("64 KiB, 10 conn., 1 in flight", ["10", "1", "65536", "1"]),
];

pub(crate) fn echo(page: &mut Page, effort: &Effort) -> Result<(), Failure> {
    let names = [
        "floor",
        "ws-tokio run",
        "ws-tokio recv+feed",
        "ws-tokio recv+feed, split",
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
pub(crate) fn tls(page: &mut Page, effort: &Effort) -> Result<(), Failure> {
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
pub(crate) fn tls_streams(page: &mut Page, effort: &Effort) -> Result<(), Failure> {
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

/// CPU time and throughput of servers that echo, in each shape of load.
pub(crate) fn echoes(
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
