//! Messages from 64 KiB to 16 MiB: echoed, and in one direction; by servers and by clients. What drives them is the floor's end.

use ws_benches::load::Took;
use ws_benches::load::texts::JSON;
use ws_benches::load::wire::Layer;
use ws_benches::servers::Deflate;
use ws_tokio::Compression::NoContextTakeover;

use crate::cells::ratio;
use crate::clients::{NAMES, clients};
use crate::effort::Effort;
use crate::page::{Compared, Page, Row, rows};
use crate::plot::Failure;
use crate::rig::{Contender, Server, client_took_of, copy_took, in_turn, median, start, turns};

/// What a column is called, what the server's client does, what a client does, connections, and bytes.
const SHAPES: [(&str, Flow, &str, usize); 11] = [
    ("64 KiB, echoed", Flow::Echo, "10", 64 << 10),
    ("256 KiB, echoed", Flow::Echo, "4", 256 << 10),
    ("1 MiB, echoed", Flow::Echo, "2", 1 << 20),
    ("16 MiB, echoed", Flow::Echo, "1", 16 << 20),
    ("64 KiB, received", Flow::In, "10", 64 << 10),
    ("1 MiB, received", Flow::In, "2", 1 << 20),
    ("16 MiB, received", Flow::In, "1", 16 << 20),
    ("64 KiB, sent", Flow::Out, "10", 64 << 10),
    ("256 KiB, sent", Flow::Out, "4", 256 << 10),
    ("1 MiB, sent", Flow::Out, "2", 1 << 20),
    ("16 MiB, sent", Flow::Out, "1", 16 << 20),
];

/// Which way messages go at the end that is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flow {
    Echo,
    In,
    Out,
}

impl Flow {
    /// The work of this end where it is a client.
    pub(crate) const fn work(self) -> &'static str {
        match self {
            Self::Echo => "ask:1",
            Self::In => "take",
            Self::Out => "give",
        }
    }

    /// The work of the other end where that is a client.
    pub(crate) const fn others_work(self) -> &'static str {
        match self {
            Self::Echo => "ask:1",
            Self::In => "give",
            Self::Out => "take",
        }
    }

    /// The server of this name that does it.
    pub(crate) fn server(self, name: &str) -> String {
        match self {
            Self::Echo => name.to_owned(),
            Self::In | Self::Out => format!("flow: {name}"),
        }
    }
}

pub(crate) fn server(page: &mut Page, effort: &Effort) -> Result<(), Failure> {
    of_servers(page, effort, Layer::Plain, "a server over TCP")
}

pub(crate) fn server_tls(page: &mut Page, effort: &Effort) -> Result<(), Failure> {
    of_servers(page, effort, Layer::Tls, "a server over TLS")
}

fn of_servers(page: &mut Page, effort: &Effort, layer: Layer, of: &str) -> Result<(), Failure> {
    let all = |flow: Flow| -> Result<Vec<Server>, Failure> {
        let start = |name| Server::start_layered(name, &flow.server(name), layer);
        Ok(NAMES.into_iter().map(start).collect::<Result<_, _>>()?)
    };
    let (echoing, flowing) = (all(Flow::Echo)?, all(Flow::In)?);
    measure(page, effort, of, &NAMES, |flow, work, copy| {
        let servers = if flow == Flow::Echo { &echoing } else { &flowing };
        let [_, rest @ ..] = work;
        let work: Vec<_> = [flow.others_work()].into_iter().chain(rest).collect();
        let contender = |server| -> Contender<'_> {
            {
                let work = &work;
                Box::new(move || client_took_of(server, layer, work))
            }
        };
        let all: Vec<_> = servers.iter().map(contender).chain([copy]).collect();
        Ok(turns(effort.rounds, &all)?)
    })
}

pub(crate) fn client(page: &mut Page, effort: &Effort) -> Result<(), Failure> {
    of_clients(page, effort, Layer::Plain, "a client over TCP")
}

pub(crate) fn client_tls(page: &mut Page, effort: &Effort) -> Result<(), Failure> {
    of_clients(page, effort, Layer::Tls, "a client over TLS")
}

fn of_clients(page: &mut Page, effort: &Effort, layer: Layer, of: &str) -> Result<(), Failure> {
    let start = |flow: Flow| Server::for_clients(&flow.server("floor"), layer);
    let (echoing, flowing) = (start(Flow::Echo)?, start(Flow::In)?);
    // A client of fastwebsockets doesn't flush: now and then the end of a large message stays in its stream of TLS.
    let flushes = |name: &&str| layer == Layer::Plain || *name != "fastwebsockets";
    let names: Vec<_> = NAMES.into_iter().filter(flushes).collect();
    measure(page, effort, of, &names, |flow, work, copy| {
        let server = if flow == Flow::Echo { &echoing } else { &flowing };
        let mut all = clients(&names, server, layer, &work);
        all.push(copy);
        Ok(turns(effort.rounds, &all)?)
    })
}

/// `all` measures them and a copy, given what the measured end does: the work of a client, its connections, bytes and seconds.
fn measure(
    page: &mut Page,
    effort: &Effort,
    of: &str,
    names: &[&'static str],
    all: impl Fn(Flow, [&str; 4], Contender<'_>) -> Result<Vec<Vec<Took>>, Failure>,
) -> Result<(), Failure> {
    let mut cells = vec![];
    for (_, flow, connections, size) in SHAPES {
        let bytes = size.to_string();
        let seconds = if size > 1 << 20 { effort.brief } else { effort.brief / 2.0 }.to_string();
        let work = [flow.work(), connections, &bytes, &seconds];
        cells.push(per_kib(&all(flow, work, Box::new(|| copy_took(&bytes, &seconds)))?, size));
    }
    let columns = SHAPES.map(|(title, ..)| title);
    let title = format!("Large messages, {of}: ns of CPU per KiB, and the ratio to the floor");
    let names = names.iter().copied().chain(["a copy"]);
    page.table(&title, &columns, &rows(names, &cells), Compared::Rows)
}

fn per_kib(took: &[Vec<Took>], size: usize) -> Vec<String> {
    let cell = |rounds: &Vec<Took>| {
        let cpu = median(rounds.iter().map(Took::cpu_per_answer)) / (size >> 10) as f64;
        format!("{cpu:.1} ({:.2} x)", ratio(rounds, &took[0]))
    };
    took.iter().map(cell).collect()
}

/// Echoes of text.
pub(crate) fn compressed(page: &mut Page, effort: &Effort) -> Result<(), Failure> {
    const NAMES: [&str; 4] = ["ws-tokio run", "ws-tokio recv+feed", "sockudo-ws", "yawc"];
    let deflate = Deflate { takeover: NoContextTakeover, level: 1 };
    let servers = start(&NAMES, deflate)?;
    let mut lines: Vec<Row> = vec![];
    for (title, size) in
        [("64 KiB", 64 << 10), ("256 KiB", 256 << 10), ("1 MiB", 1 << 20), ("16 MiB", 16 << 20)]
    {
        let bytes = size.to_string();
        let load =
            ["compressed", JSON.name, &bytes, &deflate.to_argument(), &effort.brief.to_string()];
        lines.push((title.to_owned(), per_kib(&in_turn(effort.rounds, &servers, &load)?, size)));
    }
    let title = "Large messages, echoes of compressed JSON, level 1, no context takeover: ns of server CPU per KiB";
    page.table(title, &NAMES, &lines, Compared::Columns)
}
