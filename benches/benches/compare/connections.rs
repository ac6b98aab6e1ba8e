//! What connections cost besides echoing: their handshakes, their memory while they wait, and messages for all of them.

use ws_benches::servers::Deflate;

use crate::cells::{cpu_and_ratios, rates};
use crate::effort::Effort;
use crate::page::{Compared, Page, rows};
use crate::plot::Failure;
use crate::rig::{in_turn, resident, start};

pub(crate) fn broadcast(page: &mut Page, effort: &Effort) -> Result<(), Failure> {
    let names = [
        "broadcast: a bare write",
        "ws-tokio Broadcast",
        "ws-tokio Hub",
        "ws-tokio send_prepared",
        "broadcast: sockudo-ws",
        "broadcast: tokio-tungstenite",
    ];
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

pub(crate) fn handshakes(page: &mut Page, effort: &Effort) -> Result<(), Failure> {
    let names = ["floor", "ws-tokio run", "sockudo-ws", "tokio-websockets", "tokio-tungstenite"];
    let servers = start(&names, Deflate::OFF)?;
    let load = ["handshakes", &effort.seconds.to_string()];
    let took = in_turn(effort.rounds, &servers, &load)?;
    let columns = ["ns of server CPU, and the ratio to the floor", "thousands per second"];
    let cells = [cpu_and_ratios(&took), rates(&took)];
    page.table("Opening handshakes", &columns, &rows(names, &cells), Compared::Rows)
}

pub(crate) fn idle(page: &mut Page, effort: &Effort) -> Result<(), Failure> {
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
