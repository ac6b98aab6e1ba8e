//! Servers in processes of their own on core 0, load on them from core 1, in turn, round by round; servers of several threads on half
//! of the cores, load on them from the others.

use std::io::{self, BufRead, BufReader};
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::available_parallelism;

use ws_benches::load::sockets::Kernel;
use ws_benches::load::spread::Spread;
use ws_benches::load::wire::Layer;
use ws_benches::load::{Process, Took};
use ws_benches::servers::Deflate;

/// The workspace.
pub(crate) const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// A server that runs until this is dropped.
pub(crate) struct Server {
    /// What the tables call it.
    pub(crate) name: &'static str,
    process: Child,
    address: String,
    /// Where load on it runs.
    load: Cores,
}

/// Where a program may run.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Cores {
    FirstHalf,
    SecondHalf,
    Only(u8),
}

impl Server {
    /// Starts [`NODE`], or a server of [`peer_server`](ws_benches::servers) on one thread.
    pub(crate) fn start(name: &'static str, deflate: Deflate) -> io::Result<Self> {
        let mut command = match name {
            NODE => {
                let mut command = program(Cores::Only(0), "node");
                command.arg("benches/peers/ws.js").env("NODE_PATH", node_modules());
                command
            }
            _ => peer_server(Cores::Only(0), name),
        };
        command.arg(deflate.to_argument());
        Self::of(name, command)
    }

    /// Starts a server of `peer_server` on one thread, whose heap doesn't shrink: glibc would give its top back after each burst
    /// of frames and take it again, from some of the servers and not from others.
    pub(crate) fn start_untrimmed(name: &'static str) -> io::Result<Self> {
        let mut command = peer_server(Cores::Only(0), name);
        command.env("MALLOC_TRIM_THRESHOLD_", "268435456");
        // Otherwise the first one would fix this at 128 KiB.
        command.env("MALLOC_MMAP_THRESHOLD_", "33554432");
        command.arg(Deflate::OFF.to_argument());
        Self::of(name, command)
    }

    /// Starts a server of `peer_server` on one thread that speaks TLS.
    pub(crate) fn start_tls(name: &'static str) -> io::Result<Self> {
        Self::start_layered(name, name, Layer::Tls)
    }

    /// Starts a server of `peer_server` on one thread, over TCP or TLS, that the tables call otherwise.
    pub(crate) fn start_layered(
        called: &'static str,
        name: &str,
        layer: Layer,
    ) -> io::Result<Self> {
        Self::of(called, layered(Cores::Only(0), name, layer))
    }

    /// Starts a server of `peer_server` on one thread, on the core that clients leave free.
    pub(crate) fn for_clients(name: &str, layer: Layer) -> io::Result<Self> {
        Self::of("the clients' server", layered(Cores::Only(1), name, layer))
    }

    /// Starts a server on several threads, as `peer_server` reads them.
    pub(crate) fn start_on(
        threads: &str,
        name: &'static str,
        called: &'static str,
    ) -> io::Result<Self> {
        let mut command = peer_server(Cores::FirstHalf, name);
        command.args([&Deflate::OFF.to_argument(), threads]);
        let mut server = Self::of(called, command)?;
        server.load = Cores::SecondHalf;
        Ok(server)
    }

    /// Starts a server of `peer_server` on one thread that the tables call otherwise.
    pub(crate) fn start_called(called: &'static str, name: &str) -> io::Result<Self> {
        Self::of(called, peer_server(Cores::Only(0), name))
    }

    /// Its address and its process, as a load asks for them.
    pub(crate) fn place(&self) -> [String; 2] {
        [self.address.clone(), self.process.id().to_string()]
    }

    fn of(name: &'static str, mut command: Command) -> io::Result<Self> {
        let mut process = command.stdout(Stdio::piped()).spawn()?;
        let said = process.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
        let mut address = String::new();
        BufReader::new(said).read_line(&mut address)?;
        Ok(Self { name, process, address: address.trim().to_owned(), load: Cores::Only(1) })
    }

    /// Runs the load on it; returns what that printed.
    pub(crate) fn load(&self, arguments: &[&str]) -> io::Result<String> {
        let mut command = program(self.load, env!("CARGO_BIN_EXE_load"));
        command.args(self.place()).args(arguments);
        said(command)
    }

    /// Runs an echo from several threads on it.
    pub(crate) fn took_and_spread(&self, arguments: &[&str]) -> io::Result<(Took, Spread)> {
        let said = self.load(arguments)?;
        let parsed = said
            .split_once('\n')
            .and_then(|(took, spread)| Some((Took::parse(took)?, Spread::parse(spread)?)));
        parsed.ok_or_else(|| io::Error::other(format!("the load said {said}")))
    }

    /// What the kernel takes for so many connections to it.
    pub(crate) fn kernel(&self, connections: &str) -> io::Result<Kernel> {
        let said = self.load(&["sockets", connections])?;
        Kernel::parse(&said).ok_or_else(|| io::Error::other(format!("the load said {said}")))
    }

    pub(crate) fn resident_mib(&self) -> f64 {
        Process(self.process.id()).resident_kib() as f64 / 1024.0
    }

    pub(crate) fn took(&self, arguments: &[&str]) -> io::Result<Took> {
        parsed(&self.load(arguments)?)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        _ = self.process.kill();
        _ = self.process.wait();
    }
}

/// Node's ws.
pub(crate) const NODE: &str = "ws (Node)";

/// Whether [`NODE`] can be started: `.ci/peers/run node` installs what it needs.
pub(crate) fn node_is_there() -> bool {
    node_modules().is_dir()
}

fn node_modules() -> PathBuf {
    Path::new(ROOT).join("target/peers/node/node_modules")
}

/// What can be measured again and again.
pub(crate) type Contender<'a> = Box<dyn Fn() -> io::Result<Took> + 'a>;

/// Measures each in turn, so many times; the outer index of what comes back is the contender.
pub(crate) fn turns(rounds: usize, contenders: &[Contender<'_>]) -> io::Result<Vec<Vec<Took>>> {
    let mut took = vec![vec![]; contenders.len()];
    for _ in 0..rounds {
        for (took, contender) in took.iter_mut().zip(contenders) {
            took.push(contender()?);
        }
    }
    Ok(took)
}

/// Loads each server in turn, so many times; the outer index of what comes back is the server.
pub(crate) fn in_turn(
    rounds: usize,
    servers: &[Server],
    arguments: &[&str],
) -> io::Result<Vec<Vec<Took>>> {
    let contender = |server| -> Contender<'_> { Box::new(move || Server::took(server, arguments)) };
    turns(rounds, &servers.iter().map(contender).collect::<Vec<_>>())
}

/// Lets a client of `peer_client` do this work with the server; returns what it printed, which is about itself.
pub(crate) fn client_says(
    name: &str,
    server: &Server,
    layer: Layer,
    work: &[&str],
) -> io::Result<String> {
    let mut command = program(Cores::Only(0), env!("CARGO_BIN_EXE_peer_client"));
    command.args([name, &server.address, "own", argument(layer)]).args(work);
    said(command)
}

/// What a client took.
pub(crate) fn client_took(
    name: &str,
    server: &Server,
    layer: Layer,
    work: &[&str],
) -> io::Result<Took> {
    parsed(&client_says(name, server, layer, work)?)
}

/// What the server took while the floor's client did this work with it.
pub(crate) fn client_took_of(server: &Server, layer: Layer, work: &[&str]) -> io::Result<Took> {
    let mut command = program(Cores::Only(1), env!("CARGO_BIN_EXE_peer_client"));
    let [address, process] = server.place();
    command.args(["floor", &address, &process, argument(layer)]).args(work);
    parsed(&said(command)?)
}

/// What a copy of so many bytes takes on the core of servers.
pub(crate) fn copy_took(size: &str, seconds: &str) -> io::Result<Took> {
    let mut command = program(Cores::Only(0), env!("CARGO_BIN_EXE_peer_client"));
    command.args(["copy", size, seconds]);
    parsed(&said(command)?)
}

const fn argument(layer: Layer) -> &'static str {
    match layer {
        Layer::Plain => "plain",
        Layer::Tls => "tls",
    }
}

fn said(mut command: Command) -> io::Result<String> {
    let output = command.stderr(Stdio::inherit()).output()?;
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        false => Err(io::Error::other(format!("{command:?} failed"))),
    }
}

fn parsed(said: &str) -> io::Result<Took> {
    Took::parse(said).ok_or_else(|| io::Error::other(format!("it said {said}")))
}

/// The one in the middle.
pub(crate) fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<_> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn layered(cores: Cores, name: &str, layer: Layer) -> Command {
    let mut command = peer_server(cores, name);
    match layer {
        Layer::Plain => {}
        Layer::Tls => {
            command.args([&Deflate::OFF.to_argument(), "each:1", "tls"]);
        }
    }
    command
}

fn peer_server(cores: Cores, name: &str) -> Command {
    let mut command = program(cores, env!("CARGO_BIN_EXE_peer_server"));
    command.arg(name);
    command
}

/// A program with as many open files as it may have, in the workspace's root. It runs on any core where there are not two, or
/// no `taskset`.
pub(crate) fn program(cores: Cores, name: &str) -> Command {
    let half = half_of_the_cores();
    let list = match cores {
        Cores::FirstHalf => format!("0-{}", half - 1),
        Cores::SecondHalf => format!("{half}-{}", all_cores() - 1),
        Cores::Only(core) => core.to_string(),
    };
    let taskset = || Command::new("taskset").arg("-V").stdout(Stdio::null()).status().is_ok();
    let pin = match all_cores() > 1 && taskset() {
        true => format!("taskset -c {list} "),
        false => String::new(),
    };
    let mut command = Command::new("sh");
    let script = format!("ulimit -n $(ulimit -Hn) && exec {pin}\"$@\"");
    command.args(["-c", &script, "sh", name]).current_dir(ROOT);
    command
}

/// Cores for a server of several threads; its load has the others.
pub(crate) fn half_of_the_cores() -> usize {
    (all_cores() / 2).max(1)
}

fn all_cores() -> usize {
    available_parallelism().map_or(1, NonZero::get)
}

pub(crate) fn start(names: &[&'static str], deflate: Deflate) -> io::Result<Vec<Server>> {
    names.iter().map(|name| Server::start(name, deflate)).collect()
}

/// A cell of KiB for each of the servers, which run one after the other.
pub(crate) fn resident(
    names: &[&'static str],
    deflate: Deflate,
    load: &[&str],
) -> io::Result<Vec<String>> {
    let of_one = |name: &&'static str| {
        let said = Server::start(name, deflate)?.load(load)?;
        let kib: f64 = said.trim().parse().map_err(io::Error::other)?;
        Ok(format!("{kib:.2}"))
    };
    names.iter().map(of_one).collect()
}
