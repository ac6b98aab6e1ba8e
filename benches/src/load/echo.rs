//! Echoes over TCP: each connection sends a burst of the same binary message, takes all of the answers, and sends the next.
//!
//! Readiness events, frames masked beforehand: a thread of it costs less than any thread of a server that it drives.

use std::io::{self, ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::sync::Barrier;
use std::thread;
use std::time::Instant;

use mio::{Events, Interest, Poll, Token};

use super::raw::{Checker, masked, payload};
use super::spread::Spread;
use super::wire::{Layer, Wire};
use super::{Process, Span, Took};

/// The shape of the load.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// How many connections.
    pub connections: usize,
    /// How many messages a connection sends before it takes the answers.
    pub in_flight: usize,
    /// Bytes of a message.
    pub size: usize,
    /// In how many frames.
    pub fragments: usize,
    /// Over what.
    pub layer: Layer,
}

/// Puts the load on a server, from so many threads, each with its share of the connections. Says what it took, and how the
/// answers were spread over the connections.
///
/// # Errors
///
/// If a connection fails.
///
/// # Panics
///
/// If an answer is not what was sent.
pub fn run(
    threads: usize,
    address: SocketAddr,
    server: Process,
    shape: Shape,
    span: Span,
) -> io::Result<(Took, Spread)> {
    let share =
        |thread| shape.connections / threads + usize::from(thread < shape.connections % threads);
    let loads = (0..threads).map(|thread| Load::connect(address, shape, share(thread)));
    let loads = loads.collect::<io::Result<Vec<_>>>()?;
    let together = &Barrier::new(threads + 1);
    thread::scope(|scope| {
        let load = |mut load: Load| {
            scope.spawn(move || {
                load.until(Instant::now() + span.warm_up)?;
                load.clients.iter_mut().for_each(|client| client.answers = 0);
                together.wait();
                load.until(Instant::now() + span.measured)?;
                io::Result::Ok(load.clients.iter().map(|client| client.answers).collect::<Vec<_>>())
            })
        };
        let running: Vec<_> = loads.into_iter().map(load).collect();
        together.wait();
        let (start, cpu) = (Instant::now(), server.cpu());
        let mut answers = Vec::with_capacity(shape.connections);
        for load in running {
            answers.extend(load.join().expect("no panic")?);
        }
        let (time, cpu) = (start.elapsed(), server.cpu() - cpu);
        let took = Took { answers: answers.iter().sum(), cpu, time, sent: 0 };
        Ok((took, Spread::of(&answers)))
    })
}

/// A thread's connections.
struct Load {
    poll: Poll,
    clients: Vec<Client>,
    payload: Vec<u8>,
    burst: Vec<u8>,
    in_flight: usize,
}

impl Load {
    fn connect(address: SocketAddr, shape: Shape, connections: usize) -> io::Result<Self> {
        let poll = Poll::new()?;
        let mut clients = Vec::new();
        for token in (0..connections).map(Token) {
            let mut stream = Wire::connect(address, shape.layer)?;
            let both = Interest::READABLE | Interest::WRITABLE;
            poll.registry().register(stream.socket(), token, both)?;
            clients.push(Client {
                stream,
                sent: 0,
                awaited: shape.in_flight,
                checker: Checker::default(),
                answers: 0,
            });
        }
        let payload = payload(shape.size);
        let message =
            |i: usize| masked(&payload, shape.fragments, (0x9e37_79b9 ^ i as u32).to_ne_bytes());
        let burst = (0..shape.in_flight).flat_map(message).collect();
        Ok(Self { poll, clients, payload, burst, in_flight: shape.in_flight })
    }

    fn until(&mut self, end: Instant) -> io::Result<()> {
        let mut events = Events::with_capacity(1024);
        let mut buffer = vec![0; 256 * 1024];
        while let Some(left) = end.checked_duration_since(Instant::now()) {
            self.poll.poll(&mut events, Some(left))?;
            for event in &events {
                let client = &mut self.clients[event.token().0];
                // What was sent at once may have been answered already: until then no event would come.
                while client.send(&self.burst)? | client.receive(&mut buffer, &self.payload)? {
                    if client.awaited == 0 {
                        client.answers += self.in_flight as u64;
                        (client.awaited, client.sent) = (self.in_flight, 0);
                    }
                }
            }
        }
        Ok(())
    }
}

struct Client {
    stream: Wire,
    /// Bytes of the burst.
    sent: usize,
    /// Messages.
    awaited: usize,
    checker: Checker,
    /// Messages.
    answers: u64,
}

impl Client {
    /// Sends what the socket takes of the burst; whether that was anything.
    fn send(&mut self, burst: &[u8]) -> io::Result<bool> {
        let before = self.sent;
        while self.sent < burst.len() {
            match self.stream.write(&burst[self.sent..]) {
                Ok(written) => self.sent += written,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        Ok(self.sent > before)
    }

    /// Takes what is there; whether that was the last of the answers.
    fn receive(&mut self, buffer: &mut [u8], payload: &[u8]) -> io::Result<bool> {
        loop {
            let read = match self.stream.read(buffer) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(read) => read,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
                Err(error) => return Err(error),
            };
            self.awaited -= self.checker.take(&buffer[..read], payload);
            // Of TLS there may be another record.
            let was_all = read < buffer.len() && matches!(self.stream, Wire::Plain(_));
            if self.awaited == 0 || was_all {
                return Ok(self.awaited == 0);
            }
        }
    }
}
