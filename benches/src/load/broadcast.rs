//! One client says something, all of them are told: again once everybody has it.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Instant;

use super::raw::{Checker, connect, masked, payload};
use super::{Process, Span, Took};

/// Puts the load on a server, and says what it took: each message that reaches a client is an answer.
///
/// # Errors
///
/// If a connection fails.
///
/// # Panics
///
/// If what arrives is not what was said.
pub fn run(
    address: SocketAddr,
    server: Process,
    connections: usize,
    size: usize,
    span: Span,
) -> io::Result<Took> {
    let connect = |_| Ok((connect(address)?, Checker::default()));
    let mut clients = (0..connections).map(connect).collect::<io::Result<Vec<_>>>()?;
    let payload = payload(size);
    let message = masked(&payload, 1, [1, 2, 3, 4]);
    let mut buffer = vec![0; size + 16];
    let mut until = |end: Instant| -> io::Result<u64> {
        let mut answers = 0;
        while Instant::now() < end {
            clients[0].0.write_all(&message)?;
            for (stream, checker) in &mut clients {
                receive(stream, checker, &payload, &mut buffer)?;
            }
            answers += clients.len() as u64;
        }
        Ok(answers)
    };
    until(Instant::now() + span.warm_up)?;
    let (start, cpu) = (Instant::now(), server.cpu());
    let answers = until(start + span.measured)?;
    Ok(Took { answers, time: start.elapsed(), cpu: server.cpu() - cpu, sent: 0 })
}

fn receive(
    stream: &mut TcpStream,
    checker: &mut Checker,
    payload: &[u8],
    buffer: &mut [u8],
) -> io::Result<()> {
    loop {
        let read = stream.read(buffer)?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if checker.take(&buffer[..read], payload) == 1 {
            return Ok(());
        }
    }
}
