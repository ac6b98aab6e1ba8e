//! A million connections in one process, on one thread, without sockets: `cargo bench -p ws-benches --bench million -- [--connections N]
//! [KIND...]`; kinds are `run`, `run, heartbeat of 30 s`, `Broadcast` and `Hub`; without one, all of them. Linux.
//!
//! Each kind has a process of its own. What the kernel holds per socket is measured by `compare -- sockets`.

mod clock;
#[path = "../../../ws-tokio/tests/allocations/counting.rs"]
mod counting;
mod crowd;
mod memory;
mod peer;
mod report;

use std::env;
use std::io;
use std::process::{Command, Stdio};

use tokio::runtime::Builder;

use crowd::{Kind, measure};
use report::{Report, table};

const USAGE: &str = "usage: million [--connections N] [KIND...]";

fn main() -> io::Result<()> {
    // Cargo says to a benchmark that it is one.
    let mut said = env::args().skip(1).filter(|argument| argument != "--bench");
    let (mut connections, mut kinds, mut is_child) = (1_000_000, Vec::new(), false);
    while let Some(word) = said.next() {
        match word.as_str() {
            "--connections" => {
                connections = said.next().and_then(|count| count.parse().ok()).expect(USAGE);
            }
            "--in-this-process" => is_child = true,
            name => kinds.push(*Kind::ALL.iter().find(|(_, kind)| *kind == name).expect(USAGE)),
        }
    }
    if is_child {
        let runtime = Builder::new_current_thread().enable_time().build()?;
        print!("{}", runtime.block_on(measure(kinds[0].0, connections))?.to_lines());
        return Ok(());
    }
    let kinds = if kinds.is_empty() { Kind::ALL.to_vec() } else { kinds };
    let reports = kinds.iter().map(|(_, name)| Ok((*name, apart(name, connections)?)));
    let reports = reports.collect::<io::Result<Vec<_>>>()?;
    println!("### {connections} connections in one process\n\n{}", table(&reports));
    Ok(())
}

/// Measures a kind in a process of its own.
fn apart(name: &str, connections: u64) -> io::Result<Report> {
    let mut command = Command::new(env::current_exe()?);
    command.args(["--in-this-process", "--connections", &connections.to_string(), name]);
    let output = command.stderr(Stdio::inherit()).output()?;
    let report = Report::parse(&String::from_utf8_lossy(&output.stdout));
    report.filter(|_| output.status.success()).ok_or_else(|| io::Error::other(name.to_owned()))
}
