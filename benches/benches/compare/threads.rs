//! The same server on more and more threads, in both ways: a current-thread runtime and a listener for each, or one multi-thread runtime.
//!
//! The server has the first half of the cores, the load the others. Beyond the server's cores, more threads tell what being many
//! costs, not what it gains.

use std::io;

use ws_benches::load::Took;
use ws_benches::load::spread::Spread;
use ws_benches::servers::Deflate;

use crate::effort::Effort;
use crate::page::{Compared, Page, rows};
use crate::plot::Failure;
use crate::rig::{Server, half_of_the_cores, median};

/// What the tables call it, as `peer_server` reads it, and how many threads that is.
const WAYS: [(&str, &str, usize); 13] = [
    ("1 thread", "each:1", 1),
    ("2 runtimes", "each:2", 2),
    ("1 runtime of 2", "pool:2", 2),
    ("4 runtimes", "each:4", 4),
    ("1 runtime of 4", "pool:4", 4),
    ("8 runtimes", "each:8", 8),
    ("1 runtime of 8", "pool:8", 8),
    ("16 runtimes", "each:16", 16),
    ("1 runtime of 16", "pool:16", 16),
    ("32 runtimes", "each:32", 32),
    ("1 runtime of 32", "pool:32", 32),
    ("64 runtimes", "each:64", 64),
    ("1 runtime of 64", "pool:64", 64),
];

/// So many threads also where there are fewer cores.
const AT_LEAST: usize = 16;

/// Connections for each of the server's cores.
const CONNECTIONS: usize = 64;

/// What a table is of, and the load's messages in flight and bytes.
const SHAPES: [(&str, [&str; 2]); 3] = [
    ("20 B, 1 in flight", ["1", "20"]),
    ("20 B, 16 in flight", ["16", "20"]),
    ("1 KiB, 16 in flight", ["16", "1024"]),
];

pub(crate) fn threads(page: &mut Page, effort: &Effort) -> Result<(), Failure> {
    let cores = half_of_the_cores();
    let ways: Vec<_> =
        WAYS.into_iter().filter(|(_, _, threads)| *threads <= cores.max(AT_LEAST)).collect();
    let start = |(called, threads, _): &(&'static str, &str, usize)| {
        Server::start_on(threads, "ws-tokio run", called)
    };
    let servers: Vec<_> = ways.iter().map(start).collect::<io::Result<_>>()?;
    let names: Vec<_> = servers.iter().map(|server| server.name).collect();
    let (connections, load_threads) = ((CONNECTIONS * cores).to_string(), cores.to_string());
    for (shape, [in_flight, size]) in SHAPES {
        let seconds = (effort.seconds / 2.0).to_string();
        let load = ["echo", &connections, in_flight, size, "1", &seconds, &load_threads];
        let mut said: Vec<Vec<(Took, Spread)>> = servers.iter().map(|_| vec![]).collect();
        for _ in 0..effort.rounds {
            for (said, server) in said.iter_mut().zip(&servers) {
                said.push(server.took_and_spread(&load)?);
            }
        }
        let cells = [
            column(&said, |rounds, first| {
                let cpu = median(rounds.iter().map(|(took, _)| took.cpu_per_answer()));
                let pairs = rounds.iter().zip(first);
                let ratio = pairs
                    .map(|((one, _), (first, _))| one.cpu_per_answer() / first.cpu_per_answer());
                format!("{cpu:.0} ({:.2} x)", median(ratio))
            }),
            column(&said, |rounds, _| {
                let rate = median(rounds.iter().map(|(took, _)| took.per_second()));
                format!("{:.1}", rate / 1000.0)
            }),
            column(&said, |rounds, _| {
                let of = |number: fn(&Spread) -> u64| {
                    median(rounds.iter().map(|(_, spread)| number(spread) as f64))
                };
                let (least, middle) = (of(|it| it.least), of(|it| it.middle));
                format!("{least:.0}, {middle:.0}, {:.0}", of(|it| it.most))
            }),
            column(&said, |rounds, _| {
                format!("{:.2}", median(rounds.iter().map(|(_, spread)| spread.jain)))
            }),
        ];
        let title =
            format!("Threads: {shape}, {connections} connections, cores for the server: {cores}");
        page.table(&title, &COLUMNS, &rows(names.iter().copied(), &cells), Compared::Rows)?;
    }
    drop(servers);
    memory(page, effort, &ways)
}

const COLUMNS: [&str; 4] = [
    "ns of server CPU per message, and the ratio to one thread",
    "thousands of messages per second",
    "messages of a connection: least, middle, most",
    "Jain's index",
];

/// A cell for each server, made of its rounds and of the first server's.
fn column<T>(said: &[Vec<T>], cell: impl Fn(&[T], &[T]) -> String) -> Vec<String> {
    said.iter().map(|rounds| cell(rounds, &said[0])).collect()
}

/// What threads hold: for themselves, in their pools after buffers were busy in all of them, and for connections that wait.
fn memory(
    page: &mut Page,
    effort: &Effort,
    ways: &[(&'static str, &str, usize)],
) -> Result<(), Failure> {
    let connections = effort.idle.to_string();
    let mut columns = [vec![], vec![], vec![], vec![]];
    for (called, threads, count) in ways {
        let start = || Server::start_on(threads, "ws-tokio run", called);
        let server = start()?;
        let before = server.resident_mib();
        // More than a buffer of the pool in flight, so that tasks wait with half-filled ones, and go on anywhere.
        let seconds = (effort.seconds * 2.0).to_string();
        server.load(&["echo", "64", "8", "65536", "1", &seconds])?;
        let after = server.resident_mib();
        drop(server);
        let kib: f64 =
            start()?.load(&["idle", &connections])?.trim().parse().map_err(io::Error::other)?;
        columns[0].push(format!("{before:.1}"));
        columns[1].push(format!("{after:.1}"));
        columns[2].push(format!("{}", POOLS_MIB * count));
        columns[3].push(format!("{kib:.2}"));
    }
    let title = format!("Threads: resident memory, {connections} idle connections");
    let names = ways.iter().map(|(called, ..)| *called);
    page.table(&title, &MEMORY_COLUMNS, &rows(names, &columns), Compared::Rows)
}

const MEMORY_COLUMNS: [&str; 4] = [
    "MiB at first",
    "MiB after messages of 64 KiB, 8 in flight on each of 64 connections",
    "of that in pools at most",
    "KiB per idle connection",
];

/// What the pools of a thread keep at most: 8 buffers of 128 KiB for reading, and as many for writing.
const POOLS_MIB: usize = 2;

/// What the kernel holds for each socket, where both ends of a connection are on this machine.
pub(crate) fn sockets(page: &mut Page, effort: &Effort) -> Result<(), Failure> {
    let connections = effort.idle.to_string();
    let server = Server::start("ws-tokio run", Deflate::OFF)?;
    let kernel = server.kernel(&connections)?;
    let mut lines: Vec<_> = kernel
        .slab
        .iter()
        .map(|(name, objects, size)| {
            let bytes = format!("{:.0}", objects * size);
            (name.clone(), vec![format!("{objects:.2}"), format!("{size:.0}"), bytes])
        })
        .collect();
    let slab: f64 = kernel.slab.iter().map(|(_, objects, size)| objects * size).sum();
    let of_all = |name: &str, bytes: f64| {
        (name.to_owned(), vec![String::new(), String::new(), format!("{bytes:.0}")])
    };
    lines.push(of_all("all slab caches", slab));
    lines.push(of_all("buffers, all read", kernel.empty));
    lines.push(of_all("buffers, 1 KiB unread", kernel.unread));
    lines.push(of_all("less available to programs, with both programs' own", kernel.available));
    let title = format!("The kernel's share: {connections} TCP connections, both ends here");
    let columns = ["objects per connection", "bytes of one", "bytes per connection"];
    page.table(&title, &columns, &lines, Compared::Rows)
}
