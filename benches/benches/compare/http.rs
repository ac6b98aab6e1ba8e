//! Echoes behind HTTP servers, and over HTTP/2.

use std::io;

use ws_benches::servers::Deflate;

use crate::cells::{cpu_and_ratios, rates};
use crate::echo::echoes;
use crate::effort::Effort;
use crate::page::{Compared, Page, rows};
use crate::plot::Failure;
use crate::rig::{Server, in_turn, resident, start};

/// Behind HTTP servers, compared with this project's own handshake.
pub(crate) fn http(page: &mut Page, effort: &Effort) -> Result<(), Failure> {
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
pub(crate) fn http2(page: &mut Page, effort: &Effort) -> Result<(), Failure> {
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
