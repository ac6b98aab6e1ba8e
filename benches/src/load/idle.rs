//! Connections that have each echoed one message and now wait: what memory the server holds for them.

use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::thread::sleep;
use std::time::Duration;

use super::raw::{Checker, connect, masked, payload};
use super::wire::secured;
use super::{Process, compressed, texts};
use crate::servers::Deflate;

/// Resident KiB per connection that echoed one KiB.
///
/// # Errors
///
/// If a connection fails.
///
/// # Panics
///
/// If an answer is not what was sent.
pub fn plain(address: SocketAddr, server: Process, connections: usize) -> io::Result<f64> {
    measure_echoed(server, connections, || connect(address))
}

/// The same, through TLS.
///
/// # Errors
///
/// If a connection fails.
///
/// # Panics
///
/// If an answer is not what was sent.
pub fn tls(address: SocketAddr, server: Process, connections: usize) -> io::Result<f64> {
    measure_echoed(server, connections, || secured(address))
}

fn measure_echoed<S: Read + Write>(
    server: Process,
    connections: usize,
    connect: impl Fn() -> io::Result<S>,
) -> io::Result<f64> {
    let payload = payload(1024);
    let message = masked(&payload, 1, [1, 2, 3, 4]);
    measure(server, connections, |held| {
        held.push(echoed(connect()?, &message, &payload)?);
        Ok(())
    })
}

/// Sends a message, and waits for its payload to come back.
pub(super) fn echoed<S: Read + Write>(
    mut stream: S,
    message: &[u8],
    payload: &[u8],
) -> io::Result<S> {
    stream.write_all(message)?;
    let (mut checker, mut buffer) = (Checker::default(), [0; 2048]);
    loop {
        let read = stream.read(&mut buffer)?;
        assert_ne!(read, 0, "the server went away");
        if checker.take(&buffer[..read], payload) == 1 {
            return Ok(stream);
        }
    }
}

/// Resident KiB per connection that echoed 4 KiB of JSON, compressed; the client compresses by the same terms.
///
/// # Errors
///
/// If a connection fails.
///
/// # Panics
///
/// If an answer is not what was sent, or the server didn't agree to compress.
pub fn compressed(
    address: SocketAddr,
    server: Process,
    connections: usize,
    deflate: Deflate,
) -> io::Result<f64> {
    let text = texts::JSON.messages(4096, 1).remove(0);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let echo = async || {
        let mut connection = compressed::connect(address, deflate).await?;
        connection.send(text.clone()).await.map_err(io::Error::other)?;
        let answer = connection.recv().await.map_err(io::Error::other)?;
        assert!(answer == Some(text.clone()), "the message came back different");
        io::Result::Ok(connection)
    };
    measure(server, connections, |held| {
        held.push(runtime.block_on(echo())?);
        Ok(())
    })
}

/// The growth from the hundredth connection on: before it, what all of them share has come to be.
fn measure<C>(
    server: Process,
    connections: usize,
    mut open: impl FnMut(&mut Vec<C>) -> io::Result<()>,
) -> io::Result<f64> {
    const SHARED: usize = 100;
    let mut held = Vec::new();
    let mut resident = |count| {
        (0..count).try_for_each(|_| open(&mut held))?;
        sleep(Duration::from_millis(500));
        io::Result::Ok(server.resident_kib() as f64)
    };
    let before = resident(SHARED)?;
    Ok((resident(connections)? - before) / connections as f64)
}
