//! The tables of `docs/BENCHMARKS.md` and `docs/SCALING.md` that need processes of their own, on Linux: `cargo bench -p ws-benches --bench compare --
//! [--quick] [TABLE...]`; without a table, all but those of `everything`. `large` is all whose names begin with `large-`, and so
//! on. They go to `target/compare` too, with a plot of each.
//!
//! The servers take turns, round by round: a figure is the median of the rounds, a ratio the median of the rounds' ratios.

mod cells;
mod clients;
mod compressed;
mod connections;
mod echo;
mod effort;
mod engines;
mod everything;
mod http;
mod large;
mod machine;
mod nodes;
mod page;
mod plot;
mod rig;
mod threads;
mod told;

use effort::Effort;
use page::Page;
use plot::Failure;

fn main() -> Result<(), Failure> {
    // Cargo says to a benchmark that it is one.
    let said = std::env::args().skip(1).filter(|argument| argument != "--bench");
    let (flags, wanted): (Vec<_>, Vec<_>) = said.partition(|argument| argument.starts_with('-'));
    let effort = match flags.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => Effort::FULL,
        ["--quick"] => Effort::QUICK,
        _ => panic!("usage: compare [--quick] [TABLE...]"),
    };
    if let Some(group) = wanted.first().and_then(|name| name.strip_prefix("everything")) {
        return everything::measure(group.trim_start_matches(':'), &effort);
    }
    for name in &wanted {
        let known = TABLES.iter().any(|table| table.is(name));
        assert!(known, "tables: everything, {:?}", TABLES.map(|table| table.name));
    }
    for table in TABLES {
        if wanted.is_empty() || wanted.iter().any(|name| table.is(name)) {
            (table.fill)(&mut Page::create(table.name)?, &effort)?;
        }
    }
    Ok(())
}

#[derive(Clone, Copy)]
struct Table {
    name: &'static str,
    fill: fn(&mut Page, &Effort) -> Result<(), Failure>,
}

impl Table {
    /// Whether it is called so, or is one of those that are.
    fn is(&self, name: &str) -> bool {
        let rest = self.name.strip_prefix(name);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
    }
}

const TABLES: [Table; 19] = [
    Table { name: "echo", fill: echo::echo },
    Table { name: "tls", fill: echo::tls },
    Table { name: "tls-streams", fill: echo::tls_streams },
    Table { name: "http", fill: http::http },
    Table { name: "http2", fill: http::http2 },
    Table { name: "threads", fill: threads::threads },
    Table { name: "broadcast", fill: connections::broadcast },
    Table { name: "nodes", fill: nodes::nodes },
    Table { name: "idle", fill: connections::idle },
    Table { name: "sockets", fill: threads::sockets },
    Table { name: "handshakes", fill: connections::handshakes },
    Table { name: "compression", fill: compressed::compression },
    Table { name: "idle-compressed", fill: compressed::idle },
    Table { name: "client", fill: clients::client },
    Table { name: "large-server", fill: large::server },
    Table { name: "large-server-tls", fill: large::server_tls },
    Table { name: "large-client", fill: large::client },
    Table { name: "large-client-tls", fill: large::client_tls },
    Table { name: "large-compressed", fill: large::compressed },
];
