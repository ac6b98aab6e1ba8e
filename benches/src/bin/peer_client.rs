//! A client by one of the crates, in one of its forms:
//!
//! ```text
//! peer_client NAME ADDR PID|own plain|tls ask:IN_FLIGHT|take|give CONNECTIONS SIZE SECONDS
//! peer_client NAME ADDR own plain|tls idle CONNECTIONS
//! peer_client NAME ADDR own plain connect SECONDS
//! peer_client copy SIZE SECONDS
//! ```
//!
//! Prints the messages or handshakes, the nanoseconds that passed, and the nanoseconds of CPU that the process PID took, or this
//! one; of `idle` the KiB that this one holds per connection; of `copy` what copying such a payload takes.

use std::env::Args;
use std::error::Error;
use std::hint::black_box;
use std::str::FromStr;
use std::time::Instant;

use ws_benches::ends::drive::{self, Shape};
use ws_benches::ends::{Kind, connects, find};
use ws_benches::load::wire::Layer;
use ws_benches::load::{Process, Span, Took, handshakes};

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args();
    args.next();
    let name: String = next(&mut args)?;
    if name == "copy" {
        println!("{}", copy(next(&mut args)?, seconds(&mut args)?).to_line());
        return Ok(());
    }
    let address = next(&mut args)?;
    let measured = match next::<String>(&mut args)?.as_str() {
        "own" => Process(std::process::id()),
        other => Process(other.parse()?),
    };
    let layer = match next::<String>(&mut args)?.as_str() {
        "plain" => Layer::Plain,
        "tls" => Layer::Tls,
        _ => return Err("plain or tls".into()),
    };
    let kind: String = next(&mut args)?;
    let kind = match kind.as_str() {
        "take" => Kind::Take,
        "give" => Kind::Give,
        "idle" => {
            println!("{}", drive::idle(find(&name)?, address, next(&mut args)?, layer)?);
            return Ok(());
        }
        "connect" => {
            let found = connects::CONNECTS.iter().find(|connect| connect.name == name);
            let once = found.ok_or("no such client")?.once;
            println!(
                "{}",
                handshakes::run(address, measured, seconds(&mut args)?, once)?.to_line()
            );
            return Ok(());
        }
        ask => Kind::Ask(ask.strip_prefix("ask:").ok_or("ask:IN_FLIGHT, take, give")?.parse()?),
    };
    let (connections, size) = (next(&mut args)?, next(&mut args)?);
    let shape = Shape { kind, connections, size, layer };
    let span = seconds(&mut args)?;
    println!("{}", drive::run(find(&name)?, address, measured, shape, span)?.to_line());
    Ok(())
}

/// One copy after the other, of the same payload to the same place.
fn copy(size: usize, span: Span) -> Took {
    let (from, mut to) = (vec![7; size], vec![0; size]);
    let mut until = |end: Instant| {
        let mut copies = 0;
        while Instant::now() < end {
            black_box(&mut to).copy_from_slice(black_box(&from));
            copies += 1;
        }
        copies
    };
    until(Instant::now() + span.warm_up);
    let own = Process(std::process::id());
    let (start, cpu) = (Instant::now(), own.cpu());
    let answers = until(start + span.measured);
    Took { answers, time: start.elapsed(), cpu: own.cpu() - cpu, sent: 0 }
}

fn next<T: FromStr<Err: Error + 'static>>(args: &mut Args) -> Result<T, Box<dyn Error>> {
    Ok(args.next().ok_or("an argument is missing")?.parse()?)
}

fn seconds(args: &mut Args) -> Result<Span, Box<dyn Error>> {
    Ok(Span::of_seconds(next(args)?))
}
