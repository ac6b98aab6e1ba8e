//! Load on a server that runs already, in one of its forms:
//!
//! ```text
//! load ADDR PID echo|echo-tls CONNECTIONS IN_FLIGHT SIZE FRAGMENTS SECONDS [THREADS]
//! load ADDR PID compressed json|chat SIZE alone:LEVEL|takeover:LEVEL SECONDS
//! load ADDR PID handshakes SECONDS
//! load ADDR PID http2 STREAMS IN_FLIGHT SIZE SECONDS
//! load ADDR PID broadcast CONNECTIONS SIZE SECONDS
//! load ADDR PID nodes MEMBERS SIZE AT_ONCE SECONDS [reached|apart ADDR PID]... [nats|redis ADDR]
//! load ADDR PID idle|idle-tls|idle-http2 CONNECTIONS [alone:LEVEL|takeover:LEVEL]
//! load ADDR PID sockets CONNECTIONS
//! ```
//!
//! Prints the answers, the nanoseconds that passed, the nanoseconds of CPU that the process PID took, and the bytes that it
//! sent where they were counted; of `idle` the KiB that it holds per connection; of `nodes` the line of
//! [`Told`](ws_benches::load::told::Told); of `sockets` the lines of [`Kernel`](ws_benches::load::sockets::Kernel); of an
//! echo one line more, of [`Spread`](ws_benches::load::spread::Spread).

use std::env::Args;
use std::error::Error;
use std::str::FromStr;

use ws_benches::load::engine::Engine;
use ws_benches::load::texts::TEXTS;
use ws_benches::load::wire::Layer;
use ws_benches::load::{
    Process, Span, broadcast, compressed, echo, handshakes, http2, idle, nodes, sockets,
};
use ws_benches::servers::Deflate;

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args();
    args.next();
    let address = next(&mut args)?;
    let server = Process(next(&mut args)?);
    let form: String = next(&mut args)?;
    let took = match form.as_str() {
        "echo" | "echo-tls" => {
            let shape = echo::Shape {
                connections: next(&mut args)?,
                in_flight: next(&mut args)?,
                size: next(&mut args)?,
                fragments: next(&mut args)?,
                layer: if form == "echo" { Layer::Plain } else { Layer::Tls },
            };
            let span = seconds(&mut args)?;
            let threads = next(&mut args).unwrap_or(1);
            let (took, spread) = echo::run(threads, address, server, shape, span)?;
            println!("{}\n{}", took.to_line(), spread.to_line());
            return Ok(());
        }
        "compressed" => {
            let name: String = next(&mut args)?;
            let text = TEXTS.iter().find(|text| text.name.eq_ignore_ascii_case(&name));
            let shape = compressed::Shape {
                text: text.ok_or("no such text")?,
                size: next(&mut args)?,
                deflate: deflate(&mut args)?,
            };
            compressed::run(address, server, shape, seconds(&mut args)?)?
        }
        "handshakes" => handshakes::run(address, server, seconds(&mut args)?, handshakes::raw)?,
        "broadcast" => {
            let (connections, size) = (next(&mut args)?, next(&mut args)?);
            broadcast::run(address, server, connections, size, seconds(&mut args)?)?
        }
        "http2" => {
            let shape = http2::Shape {
                streams: next(&mut args)?,
                in_flight: next(&mut args)?,
                size: next(&mut args)?,
            };
            http2::run(address, server, shape, seconds(&mut args)?)?
        }
        "nodes" => {
            println!("{}", told(nodes::Node { address, process: server, hears: true }, &mut args)?);
            return Ok(());
        }
        "sockets" => {
            print!("{}", sockets::run(address, next(&mut args)?)?.to_lines());
            return Ok(());
        }
        "idle-http2" => {
            println!("{}", http2::idle(address, server, next(&mut args)?)?);
            return Ok(());
        }
        "idle-tls" => {
            println!("{}", idle::tls(address, server, next(&mut args)?)?);
            return Ok(());
        }
        "idle" => {
            let connections = next(&mut args)?;
            let kib = match deflate(&mut args) {
                Ok(deflate) => idle::compressed(address, server, connections, deflate)?,
                Err(_) => idle::plain(address, server, connections)?,
            };
            println!("{kib}");
            return Ok(());
        }
        _ => {
            return Err(
                "echo, echo-tls, compressed, handshakes, http2, broadcast, nodes, idle, idle-tls, idle-http2 or sockets".into()
            );
        }
    };
    println!("{}", took.to_line());
    Ok(())
}

/// The line of `nodes`.
fn told(first: nodes::Node, args: &mut Args) -> Result<String, Box<dyn Error>> {
    let shape = nodes::Shape { members: next(args)?, size: next(args)?, at_once: next(args)? };
    let span = seconds(args)?;
    let (mut all, mut engine) = (vec![first], None);
    while let Some(word) = args.next() {
        let address = next(args)?;
        match word.as_str() {
            "reached" | "apart" => {
                let process = Process(next(args)?);
                all.push(nodes::Node { address, process, hears: word == "apart" });
            }
            kind => engine = Some(Engine::at(kind, address)?),
        }
    }
    Ok(nodes::run(&all, shape, span, engine)?.to_line())
}

fn next<T: FromStr<Err: Error + 'static>>(args: &mut Args) -> Result<T, Box<dyn Error>> {
    Ok(args.next().ok_or("an argument is missing")?.parse()?)
}

fn seconds(args: &mut Args) -> Result<Span, Box<dyn Error>> {
    Ok(Span::of_seconds(next(args)?))
}

fn deflate(args: &mut Args) -> Result<Deflate, Box<dyn Error>> {
    Ok(Deflate::parse(&next::<String>(args)?).ok_or("alone:LEVEL or takeover:LEVEL")?)
}
