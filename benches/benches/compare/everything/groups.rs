//! The groups of lines, and how each is measured: as the tables of their own do it, but in shorter rounds.

use std::io;

use ws_benches::load::wire::Layer;
use ws_benches::servers::Deflate;
use ws_tokio::Compression::{ContextTakeover, NoContextTakeover};

use super::line::{Is, Line, Measured, Unit, lines};
use crate::clients::{CONNECTS, NAMES, clients, seconds};
use crate::effort::Effort;
use crate::large::Flow;
use crate::plot::Failure;
use crate::rig::{Contender, Server, client_says, client_took_of, in_turn, start, turns};

#[derive(Clone, Copy)]
pub(crate) struct Group {
    pub(crate) name: &'static str,
    pub(crate) measure: fn(&Effort) -> Measuring,
}

type Measuring = Result<Vec<Line>, Failure>;

pub(crate) const GROUPS: [Group; 10] = [
    Group { name: "tcp", measure: tcp },
    Group { name: "tls", measure: tls },
    Group { name: "axum", measure: axum },
    Group { name: "http2", measure: http2 },
    Group { name: "compressed", measure: compressed },
    Group { name: "broadcast", measure: broadcast },
    Group { name: "client", measure: client },
    Group { name: "large", measure: large },
    Group { name: "handshakes", measure: handshakes },
    Group { name: "idle", measure: idle },
];

const SMALL: (&str, [&str; 4]) = ("20 B, 16 conn., 16 in flight", ["16", "16", "20", "1"]);
const MIDDLE: (&str, [&str; 4]) = ("1 KiB, 16 conn., 16 in flight", ["16", "16", "1024", "1"]);
const LARGER: (&str, [&str; 4]) = ("16 KiB, 32 conn., 1 in flight", ["32", "1", "16384", "1"]);

fn tcp(effort: &Effort) -> Measuring {
    let single = ("20 B, 64 conn., 1 in flight", ["64", "1", "20", "1"]);
    let servers = start(&NAMES, Deflate::OFF)?;
    echoes("TCP", "echo", &servers, &[single, SMALL, MIDDLE, LARGER], effort)
}

fn tls(effort: &Effort) -> Measuring {
    let servers = NAMES.iter().filter(|name| **name != "fastwebsockets");
    let servers: Vec<_> = servers.map(|name| Server::start_tls(name)).collect::<io::Result<_>>()?;
    echoes("TLS", "echo-tls", &servers, &[SMALL, MIDDLE, LARGER], effort)
}

fn axum(effort: &Effort) -> Measuring {
    let names = [
        "ws-tokio run, axum",
        "ws-tokio recv+feed, axum",
        "axum's own ws",
        "sockudo-ws, axum",
        "fastwebsockets, hyper",
        "yawc, hyper",
        "hyper-tungstenite",
    ];
    let servers = start(&names, Deflate::OFF)?;
    echoes("Behind HTTP servers", "echo", &servers, &[SMALL, MIDDLE, LARGER], effort)
}

fn echoes(
    title: &str,
    form: &str,
    servers: &[Server],
    shapes: &[(&str, [&str; 4])],
    effort: &Effort,
) -> Measuring {
    let mut all = vec![];
    for (shape, [connections, in_flight, size, fragments]) in shapes {
        let seconds = effort.brief.to_string();
        let load = [form, connections, in_flight, size, fragments, &seconds];
        all.extend(loaded(&format!("{title}, {shape}"), servers, &load, effort)?);
    }
    Ok(all)
}

fn http2(effort: &Effort) -> Measuring {
    let direct =
        ["h2: a bare stream", "h2: ws-tokio run", "h2: ws-tokio recv+feed", "h2: sockudo-ws"];
    let behind = [
        "h2: a bare stream, hyper",
        "h2: ws-tokio run, axum",
        "h2: yawc, hyper",
        "h2: axum's own ws",
    ];
    let mut all = vec![];
    for (title, names) in [("HTTP/2 on h2", direct), ("HTTP/2 behind HTTP servers", behind)] {
        let servers: Vec<_> =
            names.iter().map(|name| Server::start_untrimmed(name)).collect::<io::Result<_>>()?;
        let title = format!("{title}, 1 KiB, 16 streams, 16 in flight");
        let seconds = effort.brief.to_string();
        all.extend(loaded(&title, &servers, &["http2", "16", "16", "1024", &seconds], effort)?);
    }
    Ok(all)
}

fn compressed(effort: &Effort) -> Measuring {
    let names = ["ws-tokio run", "ws-tokio recv+feed", "sockudo-ws", "yawc"];
    let terms = [("without context takeover", NoContextTakeover), ("with it", ContextTakeover)];
    let mut all = vec![];
    for (kind, takeover) in terms {
        let deflate = Deflate { takeover, level: 6 };
        let servers = start(&names, deflate)?;
        let (terms, seconds) = (deflate.to_argument(), effort.brief.to_string());
        let load = ["compressed", "json", "4096", &terms, &seconds];
        let title = format!("Compressed {kind}, 4 KiB of JSON, level 6");
        all.extend(loaded(&title, &servers, &load, effort)?);
    }
    Ok(all)
}

fn broadcast(effort: &Effort) -> Measuring {
    let names = [
        "broadcast: a bare write",
        "ws-tokio Broadcast",
        "ws-tokio Hub",
        "broadcast: sockudo-ws",
        "broadcast: tokio-tungstenite",
    ];
    let servers = start(&names, Deflate::OFF)?;
    // A round of many connections: what begins it must not count.
    let (connections, seconds) = (effort.half_idle.to_string(), effort.seconds.to_string());
    let title = format!("To {connections} connections, 100 B, each delivery");
    loaded(&title, &servers, &["broadcast", &connections, "100", &seconds], effort)
}

fn handshakes(effort: &Effort) -> Measuring {
    let names = ["floor", "ws-tokio run", "sockudo-ws", "tokio-websockets", "tokio-tungstenite"];
    let servers = start(&names, Deflate::OFF)?;
    let seconds = effort.brief.to_string();
    let mut all = loaded("Handshake of a server", &servers, &["handshakes", &seconds], effort)?;
    let server = Server::for_clients("floor", Layer::Plain)?;
    let work = ["connect", &*seconds];
    let contenders = clients(&CONNECTS, &server, Layer::Plain, &work);
    all.extend(taken("Handshake of a client", &CONNECTS, &contenders, effort)?);
    Ok(all)
}

fn client(effort: &Effort) -> Measuring {
    let server = Server::for_clients("floor", Layer::Plain)?;
    let most = effort.idle.to_string();
    let shapes = [
        ("20 B, 64 conn., 1 in flight", ["ask:1", "64", "20"]),
        (&format!("20 B, {most} conn., 1 in flight"), ["ask:1", &most, "20"]),
        ("20 B, 16 conn., 16 in flight", ["ask:16", "16", "20"]),
        ("1 KiB, 16 conn., 16 in flight", ["ask:16", "16", "1024"]),
    ];
    let mut all = vec![];
    for (shape, [kind, connections, size]) in shapes {
        let seconds = seconds(effort, connections).to_string();
        let work = [kind, connections, size, &seconds];
        let contenders = clients(&NAMES, &server, Layer::Plain, &work);
        all.extend(taken(&format!("Client, {shape}"), &NAMES, &contenders, effort)?);
    }
    Ok(all)
}

fn large(effort: &Effort) -> Measuring {
    let flows = [(Flow::Echo, "echoed"), (Flow::In, "received"), (Flow::Out, "sent")];
    let seconds = (effort.brief / 2.0).to_string();
    let mut all = vec![];
    for (flow, called) in flows {
        let start = |name| Server::start_layered(name, &flow.server(name), Layer::Plain);
        let servers: Vec<_> = NAMES.into_iter().map(start).collect::<io::Result<_>>()?;
        let work = [flow.others_work(), "2", "1048576", &seconds];
        let contender = |server| -> Contender<'_> {
            Box::new(move || client_took_of(server, Layer::Plain, &work))
        };
        let contenders: Vec<_> = servers.iter().map(contender).collect();
        let title = format!("1 MiB {called} by a server");
        all.extend(taken(&title, &NAMES, &contenders, effort)?);
    }
    for (flow, called) in flows {
        let server = Server::for_clients(&flow.server("floor"), Layer::Plain)?;
        let work = [flow.work(), "2", "1048576", &seconds];
        let contenders = clients(&NAMES, &server, Layer::Plain, &work);
        let title = format!("1 MiB {called} by a client");
        all.extend(taken(&title, &NAMES, &contenders, effort)?);
    }
    Ok(all)
}

fn idle(effort: &Effort) -> Measuring {
    let (all, half) = (effort.idle.to_string(), effort.half_idle.to_string());
    let axum = [
        "ws-tokio run, axum",
        "axum's own ws",
        "sockudo-ws, axum",
        "fastwebsockets, hyper",
        "yawc, hyper",
    ];
    let h2 = ["h2: a bare stream", "h2: ws-tokio run", "h2: sockudo-ws"];
    let tls =
        ["floor", "ws-tokio run", "sockudo-ws", "yawc", "tokio-websockets", "tokio-tungstenite"];
    let deflate = Deflate { takeover: NoContextTakeover, level: 6 };
    let deflating = ["ws-tokio run", "sockudo-ws", "yawc small buffers"];
    let terms = deflate.to_argument();
    let plain = |name| Server::start(name, Deflate::OFF);
    let mut found = vec![];
    found.extend(resident("TCP", &NAMES, effort, |name| plain(name)?.load(&["idle", &all]))?);
    found.extend(resident("TLS", &tls, effort, |name| {
        Server::start_tls(name)?.load(&["idle-tls", &half])
    })?);
    found.extend(resident("behind HTTP servers", &axum, effort, |name| {
        plain(name)?.load(&["idle", &all])
    })?);
    found.extend(resident("stream of HTTP/2", &h2, effort, |name| {
        plain(name)?.load(&["idle-http2", &half])
    })?);
    found.extend(resident("compressed", &deflating, effort, |name| {
        Server::start(name, deflate)?.load(&["idle", &half, &terms])
    })?);
    let server = Server::for_clients("floor", Layer::Plain)?;
    found.extend(resident("client", &NAMES, effort, |name| {
        client_says(name, &server, Layer::Plain, &["idle", &all])
    })?);
    Ok(found)
}

/// KiB of a waiting connection: they hardly differ from round to round.
fn resident(
    title: &str,
    names: &[&'static str],
    effort: &Effort,
    kib: impl Fn(&'static str) -> io::Result<String>,
) -> Measuring {
    let mut all = vec![];
    for name in names {
        let kib = |_| -> Result<f64, Failure> { Ok(kib(name)?.trim().parse()?) };
        let figures = (0..effort.rounds.div_ceil(3)).map(kib).collect::<Result<_, _>>()?;
        all.push(Measured { name, is: Is::called(name), figures });
    }
    Ok(lines(&format!("Idle, {title}"), Unit::Kib, &all))
}

fn loaded(title: &str, servers: &[Server], load: &[&str], effort: &Effort) -> Measuring {
    let took = in_turn(effort.rounds, servers, load)?;
    let measured = |(server, took): (&Server, &Vec<_>)| Measured::of_cpu(server.name, took);
    let all: Vec<_> = servers.iter().zip(&took).map(measured).collect();
    Ok(lines(title, Unit::Nanos, &all))
}

fn taken(
    title: &str,
    names: &[&'static str],
    contenders: &[Contender<'_>],
    effort: &Effort,
) -> Measuring {
    let took = turns(effort.rounds, contenders)?;
    let measured = |(name, took): (&&'static str, &Vec<_>)| Measured::of_cpu(name, took);
    let all: Vec<_> = names.iter().zip(&took).map(measured).collect();
    Ok(lines(title, Unit::Nanos, &all))
}
