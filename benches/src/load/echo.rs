//! Echoes over TCP: each connection sends a burst of the same binary message, takes all of the answers, and sends the next.
//!
//! One thread, readiness events, frames masked beforehand: it costs less than any server that it drives.

use std::io::{self, ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::time::Instant;

use mio::{Events, Interest, Poll, Token};

use super::raw::{Checker, masked, payload};
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

/// Puts the load on a server, and says what it took.
///
/// # Errors
///
/// If a connection fails.
///
/// # Panics
///
/// If an answer is not what was sent.
pub fn run(address: SocketAddr, server: Process, shape: Shape, span: Span) -> io::Result<Took> {
    let mut load = Load::connect(address, shape)?;
    load.until(Instant::now() + span.warm_up)?;
    let (start, cpu, before) = (Instant::now(), server.cpu(), load.answers);
    load.until(start + span.measured)?;
    Ok(Took {
        answers: load.answers - before,
        cpu: server.cpu() - cpu,
        time: start.elapsed(),
        sent: 0,
    })
}

/// All of the connections.
struct Load {
    poll: Poll,
    clients: Vec<Client>,
    payload: Vec<u8>,
    burst: Vec<u8>,
    in_flight: usize,
    answers: u64,
}

impl Load {
    fn connect(address: SocketAddr, shape: Shape) -> io::Result<Self> {
        let poll = Poll::new()?;
        let mut clients = Vec::new();
        for token in (0..shape.connections).map(Token) {
            let mut stream = Wire::connect(address, shape.layer)?;
            let both = Interest::READABLE | Interest::WRITABLE;
            poll.registry().register(stream.socket(), token, both)?;
            clients.push(Client {
                stream,
                sent: 0,
                awaited: shape.in_flight,
                checker: Checker::default(),
            });
        }
        let payload = payload(shape.size);
        let message =
            |i: usize| masked(&payload, shape.fragments, (0x9e37_79b9 ^ i as u32).to_ne_bytes());
        let burst = (0..shape.in_flight).flat_map(message).collect();
        Ok(Self { poll, clients, payload, burst, in_flight: shape.in_flight, answers: 0 })
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
                        self.answers += self.in_flight as u64;
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
