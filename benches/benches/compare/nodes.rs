//! Two nodes beside one: what each delivery costs them and how long it takes, and what goes through the engine between them.
//!
//! Both nodes share core 0, and the engine shares core 1 with the load. So what two nodes cost is to be compared with two that
//! the load itself tells everything, and times with each other alone.

use std::io;
use std::time::Duration;

use ws_benches::load::nodes::{Part, Told};

use crate::Effort;
use crate::engines::{Engine, Kind};
use crate::page::{Compared, Page, Row};
use crate::plot::Failure;
use crate::rig::{Server, median};

const SIZE: usize = 100;

/// Few members, so that what a message costs a node is seen beside what its deliveries do.
const FEW: usize = 10;

pub(crate) fn nodes(page: &mut Page, effort: &Effort) -> Result<(), Failure> {
    let setups = setups()?;
    for (members, in_flight) in [(effort.members, 1), (effort.members, 16), (FEW, 1), (FEW, 16)] {
        let shape = [members, SIZE, in_flight].map(|number| number.to_string());
        let mut told: Vec<Vec<Told>> = setups.iter().map(|_| vec![]).collect();
        for _ in 0..effort.rounds {
            for (told, (_, setup)) in told.iter_mut().zip(&setups) {
                if let Ok(setup) = setup {
                    told.push(setup.told(&shape, effort.seconds)?);
                }
            }
        }
        let first = &told[0];
        let row = |((name, setup), told): (&(&str, Setting), &Vec<Told>)| -> Row {
            let cells = match setup {
                Ok(_) => cells(told, first, members),
                Err(missing) => vec![format!("no {missing} here"); COLUMNS.len()],
            };
            ((*name).to_owned(), cells)
        };
        let rows: Vec<_> = setups.iter().zip(&told).map(row).collect();
        let title = format!(
            "Nodes of {members} members each: a message of {SIZE} B to all, {in_flight} in flight"
        );
        page.table(&title, &COLUMNS, &rows, Compared::Rows)?;
    }
    Ok(())
}

const COLUMNS: [&str; 7] = [
    "messages per second",
    "us to the node's own members, p50 / p99",
    "us to the other node's, p50 / p99",
    "ns of CPU per delivery, its own node, and the ratio to one Hub",
    "ns of CPU per delivery, the other node, and the ratio to one Hub",
    "bytes to the engine per message (messages)",
    "bytes from the engine per message (messages)",
];

/// Nodes that run, or the program that isn't there.
type Setting = Result<Setup, &'static str>;

struct Setup {
    node: Server,
    /// What the load needs to know besides.
    more: Vec<String>,
    _other: Option<Server>,
    _engine: Option<Engine>,
}

fn setups() -> io::Result<Vec<(&'static str, Setting)>> {
    const HUB: &str = "ws-tokio Hub";
    let alone = |name: &'static str| {
        let node = Server::start_called(name, name)?;
        io::Result::Ok(Ok(Setup { node, more: vec![], _other: None, _engine: None }))
    };
    Ok(vec![
        ("ws-tokio Hub", alone(HUB)?),
        ("ws-tokio Broadcast", alone("ws-tokio Broadcast")?),
        ("ws-tokio Hub, two nodes apart", Ok(two(HUB, "apart", None)?)),
        ("ws-tokio Hub, two nodes, NATS", over(Kind::Nats)?),
        ("ws-tokio Hub, two nodes, Redis", over(Kind::Redis)?),
    ])
}

fn over(kind: Kind) -> io::Result<Setting> {
    let Some(engine) = Engine::start(kind)? else { return Ok(Err(kind.program())) };
    two(&format!("ws-tokio Hub over {}", engine.url()), "reached", Some(engine)).map(Ok)
}

/// Two nodes, of which the second hears of everything in this way.
fn two(name: &str, way: &str, engine: Option<Engine>) -> io::Result<Setup> {
    let start = || Server::start_called("ws-tokio Hub", name);
    let (node, other) = (start()?, start()?);
    let [address, process] = other.place();
    let mut more = vec![way.to_owned(), address, process];
    more.extend(engine.iter().flat_map(Engine::place));
    Ok(Setup { node, more, _other: Some(other), _engine: engine })
}

impl Setup {
    fn told(&self, shape: &[String], seconds: f64) -> io::Result<Told> {
        let seconds = seconds.to_string();
        let arguments = ["nodes"].into_iter().chain(shape.iter().map(String::as_str));
        let arguments = arguments.chain([&*seconds]).chain(self.more.iter().map(String::as_str));
        let said = self.node.load(&arguments.collect::<Vec<_>>())?;
        Told::parse(&said).ok_or_else(|| io::Error::other(format!("the load said {said}")))
    }
}

fn cells(told: &[Told], first: &[Told], members: usize) -> Vec<String> {
    let per_message = |count: fn(&Told) -> u64| {
        median(told.iter().map(|told| count(told) as f64 / told.messages as f64))
    };
    let rate = median(told.iter().map(|told| told.messages as f64 / told.time.as_secs_f64()));
    let time = |node: usize| {
        of_node(told, node, |parts| {
            let micros = |time: fn(&Part) -> Duration| {
                median(parts.iter().map(|part| time(part).as_secs_f64() * 1e6))
            };
            format!("{:.0} / {:.0}", micros(|part| part.p50), micros(|part| part.p99))
        })
    };
    let cpu = |node: usize| {
        of_node(told, node, |_| {
            let each = |told: &Told, node: usize| {
                told.nodes[node].cpu.as_nanos() as f64 / (told.messages * members as u64) as f64
            };
            let cpu = median(told.iter().map(|told| each(told, node)));
            let ratios =
                told.iter().zip(first).map(|(told, first)| each(told, node) / each(first, 0));
            format!("{cpu:.0} ({:.2} x)", median(ratios))
        })
    };
    let traffic = |bytes: fn(&Told) -> u64, messages: fn(&Told) -> u64| match (
        per_message(bytes),
        per_message(messages),
    ) {
        (0.0, _) => NOTHING.to_owned(),
        (bytes, 0.0) => format!("{bytes:.1}"),
        (bytes, messages) => format!("{bytes:.1} ({messages:.2})"),
    };
    vec![
        format!("{rate:.0}"),
        time(0),
        time(1),
        cpu(0),
        cpu(1),
        traffic(|told| told.traffic.bytes_in, |told| told.traffic.messages_in),
        traffic(|told| told.traffic.bytes_out, |told| told.traffic.messages_out),
    ]
}

/// A cell of this node, if there is one.
fn of_node(told: &[Told], node: usize, cell: impl FnOnce(&[&Part]) -> String) -> String {
    let parts: Option<Vec<_>> = told.iter().map(|told| told.nodes.get(node)).collect();
    parts.map_or_else(|| NOTHING.to_owned(), |parts| cell(&parts))
}

const NOTHING: &str = "-";
