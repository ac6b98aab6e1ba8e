//! Clients, each in a process of its own on core 0, in turn, against one server on core 1.

use ws_benches::load::wire::Layer;

use crate::cells::{cpu_and_ratios, rates};
use crate::effort::Effort;
use crate::page::{Compared, Page, rows};
use crate::plot::Failure;
use crate::rig::{Contender, Server, client_says, client_took, turns};

/// Those that hold connections.
pub(crate) const NAMES: [&str; 8] = [
    "floor",
    "ws-tokio run",
    "ws-tokio recv+feed",
    "sockudo-ws",
    "yawc",
    "fastwebsockets",
    "tokio-websockets",
    "tokio-tungstenite",
];

/// Those that shake hands.
pub(crate) const CONNECTS: [&str; 7] = [
    "floor",
    "ws-tokio",
    "sockudo-ws",
    "yawc",
    "fastwebsockets",
    "tokio-websockets",
    "tokio-tungstenite",
];

pub(crate) fn client(page: &mut Page, effort: &Effort) -> Result<(), Failure> {
    let server = Server::for_clients("floor", Layer::Plain)?;
    let most = effort.idle.to_string();
    let shapes = [
        ("20 B, 1 conn., 1 in flight", ["ask:1", "1", "20"]),
        ("20 B, 64 conn., 1 in flight", ["ask:1", "64", "20"]),
        ("20 B, 1000 conn., 1 in flight", ["ask:1", "1000", "20"]),
        (&format!("20 B, {most} conn., 1 in flight"), ["ask:1", &most, "20"]),
        ("20 B, 16 conn., 16 in flight", ["ask:16", "16", "20"]),
        ("1 KiB, 16 conn., 16 in flight", ["ask:16", "16", "1024"]),
        ("16 KiB, 32 conn., 1 in flight", ["ask:1", "32", "16384"]),
    ];
    let (mut cpu, mut rate) = (vec![], vec![]);
    for (_, [kind, connections, size]) in shapes {
        let seconds = seconds(effort, connections).to_string();
        let work = [kind, connections, size, &seconds];
        let took = turns(effort.rounds, &clients(&NAMES, &server, Layer::Plain, &work))?;
        cpu.push(cpu_and_ratios(&took));
        rate.push(rates(&took));
    }
    let columns = shapes.map(|(title, _)| title);
    let title = "Clients: ns of client CPU per echo, and the ratio to the floor";
    page.table(title, &columns, &rows(NAMES, &cpu), Compared::Rows)?;
    let title = "Clients: thousands of echoes per second";
    page.table(title, &columns, &rows(NAMES, &rate), Compared::Rows)?;

    let kib = |name: &&str| -> Result<String, Failure> {
        let said = client_says(name, &server, Layer::Plain, &["idle", &most])?;
        Ok(format!("{:.2}", said.trim().parse::<f64>()?))
    };
    let kib = NAMES.iter().map(kib).collect::<Result<_, _>>()?;
    let title = format!("Idle clients: KiB resident per connection, {most} connections");
    page.table(&title, &["KiB"], &rows(NAMES, &[kib]), Compared::Rows)?;

    let took = turns(
        effort.rounds,
        &clients(&CONNECTS, &server, Layer::Plain, &["connect", &effort.brief.to_string()]),
    )?;
    let columns = ["ns of client CPU, and the ratio to the floor", "thousands per second"];
    let cells = [cpu_and_ratios(&took), rates(&took)];
    page.table("Opening handshakes of clients", &columns, &rows(CONNECTS, &cells), Compared::Rows)
}

/// Long enough for several echoes of each connection.
pub(crate) fn seconds(effort: &Effort, connections: &str) -> f64 {
    let many = connections.parse().is_ok_and(|connections: usize| connections >= 1000);
    if many { effort.seconds } else { effort.brief }
}

/// Clients of these names that do the same work, each measured by its own CPU time.
pub(crate) fn clients<'a>(
    names: &[&'a str],
    server: &'a Server,
    layer: Layer,
    work: &'a [&'a str],
) -> Vec<Contender<'a>> {
    let contender = |name: &&'a str| -> Contender<'a> {
        let name = *name;
        Box::new(move || client_took(name, server, layer, work))
    };
    names.iter().map(contender).collect()
}
