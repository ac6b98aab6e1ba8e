//! A member of one node says something, the members of all nodes are told: again once all have it. Whatever carries it, as many
//! messages are written together then. A message counts as delivered when its member's socket has been read.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use mio::{Events, Interest, Poll, Token};

use super::engine::{Engine, Traffic};
use super::raw::{Checker, masked, payload};
use super::told::{Part, Told};
use super::wire::{Layer, Wire};
use super::{Process, Span};

/// A node under load.
#[derive(Clone, Copy, Debug)]
pub struct Node {
    /// Where it listens.
    pub address: SocketAddr,
    /// The one that listens there.
    pub process: Process,
    /// Whether one of its own members says everything; else it hears of it from another node.
    pub hears: bool,
}

/// The shape of the load.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// How many members each node has.
    pub members: usize,
    /// Bytes of a message.
    pub size: usize,
    /// How many messages are said at once.
    pub at_once: usize,
}

/// Puts the load on nodes, of which the first hears everything, and says what it took.
///
/// # Errors
///
/// If a connection fails, or a message doesn't come.
///
/// # Panics
///
/// If what arrives is not what was said.
pub fn run(
    nodes: &[Node],
    shape: Shape,
    span: Span,
    mut engine: Option<Engine>,
) -> io::Result<Told> {
    let mut traffic = || engine.as_mut().map_or(Ok(Traffic::default()), Engine::traffic);
    let mut load = Load::connect(nodes, shape)?;
    load.until(Instant::now() + span.warm_up)?;
    load.heard.fill_with(Heard::default);
    let cpu = || nodes.iter().map(|node| node.process.cpu());
    let (before, start) = ((load.said, cpu().collect::<Vec<_>>(), traffic()?), Instant::now());
    load.until(start + span.measured)?;
    let time = start.elapsed();
    let parts = cpu().zip(&before.1).zip(&mut load.heard);
    let part = |((after, before), heard): ((Duration, &Duration), &mut Heard)| Part {
        cpu: after - *before,
        p50: quantile(&mut heard.took, 50),
        p99: quantile(&mut heard.took, 99),
        reads: heard.reads,
    };
    Ok(Told {
        messages: load.said - before.0,
        time,
        nodes: parts.map(part).collect(),
        traffic: traffic()?.since(before.2),
    })
}

fn quantile(took: &mut [Duration], percent: usize) -> Duration {
    let place = (took.len() * percent / 100).min(took.len() - 1);
    *took.select_nth_unstable(place).1
}

/// All members.
struct Load {
    poll: Poll,
    /// Node by node.
    members: Vec<Member>,
    shape: Shape,
    /// Who says what is said, one after the other.
    speakers: Vec<usize>,
    /// Those who have yet to say it, and how many deliveries come before the next does.
    rest: VecDeque<usize>,
    before_next: usize,
    payload: Vec<u8>,
    burst: Vec<u8>,
    said: u64,
    /// What not all members have; the oldest first.
    flights: VecDeque<Flight>,
    /// By node.
    heard: Vec<Heard>,
}

/// What the members of a node heard.
#[derive(Clone, Default)]
struct Heard {
    /// How long each delivery took.
    took: Vec<Duration>,
    reads: u64,
}

struct Member {
    stream: Wire,
    checker: Checker,
    heard: u64,
}

/// A message on its way.
struct Flight {
    said: Instant,
    /// Members that don't have it.
    missing: usize,
}

/// How long to wait for a message.
const PATIENCE: Duration = Duration::from_secs(10);

impl Load {
    fn connect(nodes: &[Node], shape: Shape) -> io::Result<Self> {
        let poll = Poll::new()?;
        let mut members = Vec::new();
        for node in nodes {
            for _ in 0..shape.members {
                let mut stream = Wire::connect(node.address, Layer::Plain)?;
                let token = Token(members.len());
                poll.registry().register(stream.socket(), token, Interest::READABLE)?;
                members.push(Member { stream, checker: Checker::default(), heard: 0 });
            }
        }
        let hearing = nodes.iter().enumerate().filter(|(_, node)| node.hears);
        let payload = payload(shape.size);
        Ok(Self {
            poll,
            members,
            shape,
            speakers: hearing.map(|(at, _)| at * shape.members).collect(),
            rest: VecDeque::new(),
            before_next: 0,
            burst: masked(&payload, 1, [1, 2, 3, 4]).repeat(shape.at_once),
            payload,
            said: 0,
            flights: VecDeque::new(),
            heard: vec![Heard::default(); nodes.len()],
        })
    }

    /// Says something until then, and waits until all members have everything.
    fn until(&mut self, end: Instant) -> io::Result<()> {
        let mut events = Events::with_capacity(1024);
        let mut buffer = vec![0; 256 * 1024];
        loop {
            if self.flights.is_empty() {
                if Instant::now() >= end {
                    return Ok(());
                }
                self.say()?;
            }
            self.poll.poll(&mut events, Some(PATIENCE))?;
            if events.is_empty() {
                return Err(io::Error::new(ErrorKind::TimedOut, "a message did not come"));
            }
            for event in &events {
                self.hear(event.token().0, &mut buffer)?;
            }
            if self.before_next == 0 {
                self.say_next()?;
            }
        }
    }

    fn say(&mut self) -> io::Result<()> {
        let (said, missing) = (Instant::now(), self.members.len());
        self.flights.extend((0..self.shape.at_once).map(|_| Flight { said, missing }));
        self.said += self.shape.at_once as u64;
        self.rest.extend(&self.speakers);
        self.say_next()
    }

    /// Lets the next one say it, if there is one: once the node before has it everywhere, as over an engine between nodes that
    /// share a core.
    fn say_next(&mut self) -> io::Result<()> {
        let Some(speaker) = self.rest.pop_front() else { return Ok(()) };
        self.before_next = self.shape.members * self.shape.at_once;
        let now = Instant::now();
        self.flights.iter_mut().for_each(|flight| flight.said = now);
        self.members[speaker].stream.write_all(&self.burst)
    }

    /// Takes what came to a member.
    fn hear(&mut self, at: usize, buffer: &mut [u8]) -> io::Result<()> {
        let (member, heard) = (&mut self.members[at], &mut self.heard[at / self.shape.members]);
        loop {
            let read = match member.stream.read(buffer) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(read) => read,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            };
            let now = Instant::now();
            heard.reads += 1;
            for _ in 0..member.checker.take(&buffer[..read], &self.payload) {
                let oldest = self.said - self.flights.len() as u64;
                let place = usize::try_from(member.heard - oldest).expect("it is on its way");
                member.heard += 1;
                let flight = &mut self.flights[place];
                flight.missing -= 1;
                heard.took.push(now - flight.said);
                self.before_next = self.before_next.saturating_sub(1);
                // The messages come to each in their order: none is complete before an older one.
                if self.flights.front().is_some_and(|oldest| oldest.missing == 0) {
                    self.flights.pop_front();
                }
            }
            if read < buffer.len() {
                return Ok(());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::quantile;
    use std::time::Duration;

    #[test]
    fn a_quantile_is_one_of_the_values() {
        let mut took: Vec<_> = (0..100).rev().map(Duration::from_millis).collect();
        assert_eq!(quantile(&mut took, 50), Duration::from_millis(50));
        assert_eq!(quantile(&mut took, 99), Duration::from_millis(99));
        let one = Duration::from_millis(7);
        assert_eq!(quantile(&mut [one], 99), one);
    }
}
