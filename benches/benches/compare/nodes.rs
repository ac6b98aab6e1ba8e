//! Two nodes beside one: what each delivery costs them and how long it takes, and what goes through the engine between them.
//!
//! Both nodes share core 0, where over an engine the other one begins once the first has told its members; the engine shares core
//! 1 with the load. So CPU time is compared with that of two nodes that the load itself tells everything, in that order too.

use std::io;

use ws_benches::load::told::Told;

use crate::effort::Effort;
use crate::engines::{Engine, Kind};
use crate::page::{Compared, Page, Row};
use crate::plot::Failure;
use crate::rig::Server;
use crate::told::{COLUMNS, Figures};

const SIZE: usize = 100;

/// Few members, so that what a message costs a node is seen beside what its deliveries do.
const FEW: usize = 10;

pub(crate) fn nodes(page: &mut Page, effort: &Effort) -> Result<(), Failure> {
    let setups = setups()?;
    for (members, at_once) in [(effort.members, 1), (effort.members, 16), (FEW, 1), (FEW, 16)] {
        let shape = [members, SIZE, at_once].map(|number| number.to_string());
        let mut told: Vec<Vec<Told>> = setups.iter().map(|_| vec![]).collect();
        for _ in 0..effort.rounds {
            for (told, (_, setup)) in told.iter_mut().zip(&setups) {
                if let Ok(setup) = setup {
                    told.push(setup.told(&shape, effort.seconds)?);
                }
            }
        }
        let apart = setups.iter().position(|(name, _)| *name == APART).expect("a row");
        let apart = &told[apart];
        let row = |((name, setup), told): (&(&str, Setting), &Vec<Told>)| -> Row {
            let cells = match setup {
                Ok(_) => Figures { told, apart, members }.cells(),
                Err(missing) => vec![format!("no {missing} here"); COLUMNS.len()],
            };
            ((*name).to_owned(), cells)
        };
        let rows: Vec<_> = setups.iter().zip(&told).map(row).collect();
        let title = format!(
            "Nodes of {members} members each: a message of {SIZE} B to all, {at_once} at once"
        );
        page.table(&title, &COLUMNS, &rows, Compared::Rows)?;
    }
    Ok(())
}

/// The row that the others' CPU time is compared with.
const APART: &str = "ws-tokio Hub, two nodes apart";

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
        (APART, Ok(two(HUB, "apart", None)?)),
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
