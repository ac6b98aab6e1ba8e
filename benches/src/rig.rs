//! Servers in processes of their own on core 0, load on them from core 1, in turn, round by round.

use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::available_parallelism;

use crate::load::Took;
use crate::servers::Deflate;

/// A server that runs until this is dropped.
pub struct Server {
    /// What the tables call it.
    pub name: &'static str,
    process: Child,
    address: String,
}

impl Server {
    /// Starts one of [`SERVERS`](crate::servers::SERVERS), or [`NODE`].
    ///
    /// # Errors
    ///
    /// If there is no such program.
    pub fn start(name: &'static str, deflate: Deflate) -> io::Result<Self> {
        let mut command = match name {
            NODE => {
                let mut command = on_core(0, Path::new("node"));
                command.arg("benches/peers/ws.js").env("NODE_PATH", node_modules());
                command
            }
            _ => {
                let mut command = on_core(0, &beside("peer_server"));
                command.arg(name);
                command
            }
        };
        let mut process = command.arg(deflate.to_argument()).stdout(Stdio::piped()).spawn()?;
        let said = process.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
        let mut address = String::new();
        BufReader::new(said).read_line(&mut address)?;
        Ok(Self { name, process, address: address.trim().to_owned() })
    }

    /// Runs the load on it; returns what that printed.
    ///
    /// # Errors
    ///
    /// If the load failed.
    pub fn load(&self, arguments: &[&str]) -> io::Result<String> {
        let mut command = on_core(1, &beside("load"));
        command.args([&self.address, &self.process.id().to_string()]).args(arguments);
        let output = command.stderr(Stdio::inherit()).output()?;
        match output.status.success() {
            true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
            false => Err(io::Error::other(format!("{}: {arguments:?} failed", self.name))),
        }
    }

    fn took(&self, arguments: &[&str]) -> io::Result<Took> {
        let said = self.load(arguments)?;
        Took::parse(&said).ok_or_else(|| io::Error::other(format!("the load said {said}")))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        _ = self.process.kill();
        _ = self.process.wait();
    }
}

/// Node's ws.
pub const NODE: &str = "ws (Node)";

/// Whether [`NODE`] can be started: `.ci/peers/run node` installs what it needs.
#[must_use]
pub fn node_is_there() -> bool {
    node_modules().is_dir()
}

fn node_modules() -> PathBuf {
    std::env::current_dir().unwrap_or_default().join("target/peers/node/node_modules")
}

/// Loads each server in turn, so many times; the outer index of what comes back is the server.
///
/// # Errors
///
/// If the load failed.
pub fn in_turn(
    rounds: usize,
    servers: &[Server],
    arguments: &[&str],
) -> io::Result<Vec<Vec<Took>>> {
    let mut took = vec![vec![]; servers.len()];
    for _ in 0..rounds {
        for (took, server) in took.iter_mut().zip(servers) {
            took.push(server.took(arguments)?);
        }
    }
    Ok(took)
}

/// The one in the middle.
#[must_use]
pub fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<_> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// A program on one core, with as many open files as it may have; on any core where there are not two, or no `taskset`.
fn on_core(core: usize, program: &Path) -> Command {
    let several = available_parallelism().is_ok_and(|cores| cores.get() > 1);
    let taskset = || Command::new("taskset").arg("-V").stdout(Stdio::null()).status().is_ok();
    let pin = if several && taskset() { format!("taskset -c {core} ") } else { String::new() };
    let mut command = Command::new("sh");
    let script = format!("ulimit -n $(ulimit -Hn) && exec {pin}\"$@\"");
    command.args(["-c", &script, "sh"]).arg(program);
    command
}

/// Another binary of this package.
fn beside(name: &str) -> PathBuf {
    std::env::current_exe().unwrap_or_default().with_file_name(name)
}
