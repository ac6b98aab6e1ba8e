//! An echo server over ws-core without a runtime: blocking sockets, and a thread for each connection.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::thread::{self, Builder};
use std::time::Duration;

use bytes::{Buf, BytesMut};
use http::HeaderMap;
use ws_core::deflate::{Compression, CompressionOptions};
use ws_core::handshake::http1::{self, HeadLimits, HeadReader};
use ws_core::handshake::server::{Accepted, Policy, Upgrade};
use ws_core::{Control, Decoder, Encoder, Limits, OwnedEvent, Role, SendQueue, Unpooled};

/// How long a peer may be silent, and how long it may read nothing of what we write.
const PATIENCE: Duration = Duration::from_secs(60);
const COMPRESSION: CompressionOptions = CompressionOptions::new(Compression::ContextTakeover);

fn main() -> io::Result<()> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:9001".into());
    let listener = TcpListener::bind(address)?;
    println!("listening on ws://{}", listener.local_addr()?);
    loop {
        let thread = listener.accept().and_then(|(it, _)| Builder::new().spawn(|| serve(it)));
        if thread.is_err() {
            // Out of descriptors or threads, most likely: wait for connections to end.
            thread::sleep(Duration::from_millis(50));
        }
    }
}

fn serve(mut stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut input = BytesMut::new();
    if let Some(accepted) = accept(&mut stream, &mut input)? {
        echo(&mut stream, &mut input, &accepted)?;
    }
    // Closing a socket with unread input resets it, and our last bytes may be lost: wait for the peer's end.
    stream.shutdown(Shutdown::Write)?;
    io::copy(&mut stream.take(64 << 20), &mut io::sink()).map(drop)
}

/// Reads a request and answers it; `None` if it is refused. The first frames may come along, and stay in `input`.
fn accept(stream: &mut TcpStream, input: &mut BytesMut) -> io::Result<Option<Accepted>> {
    let (mut reader, mut answer) = (HeadReader::new(HeadLimits::default()), Vec::new());
    let judged = loop {
        match reader.request(input) {
            Ok(None) if read(stream, input)? == 0 => return Ok(None),
            Ok(None) => {}
            Ok(Some((request, len))) => {
                input.advance(len);
                break Policy::new().compression(COMPRESSION).judge(&request, Upgrade::Http1);
            }
            Err(error) => break Err(error.into()),
        }
    };
    match &judged {
        Ok(it) => http1::write_response_head(&it.response(&HeaderMap::new()), &mut answer),
        Err(refusal) => http1::write_response(&refusal.response(Upgrade::Http1), &mut answer),
    }
    stream.write_all(&answer)?;
    Ok(judged.ok())
}

/// Sends messages back until it has sent a close frame.
fn echo(stream: &mut TcpStream, input: &mut BytesMut, accepted: &Accepted) -> io::Result<()> {
    let mut decoder = Decoder::new(Role::Server, Limits::default().with_message_size(16 << 20));
    let (mut encoder, mut queue, pool) = (Encoder::server(), SendQueue::new(), &mut Unpooled);
    if let Some(agreed) = accepted.compression() {
        decoder = decoder.with_compression(&agreed);
        encoder = encoder.with_compression(&agreed, &COMPRESSION);
    }
    while !encoder.is_closed() {
        match decoder.decode_owned(input, pool) {
            Ok(Some(OwnedEvent::Message(message))) => encoder.owned(message, &mut queue, pool)?,
            Ok(Some(OwnedEvent::Control(control))) => encoder.reply(&control, &mut queue, pool),
            Ok(Some(OwnedEvent::Piece(_))) => unreachable!("messages come whole by default"),
            Err(violation) => encoder.control(&violation.into(), &mut queue, pool)?,
            // Everything that has arrived is answered, with one write.
            Ok(None) => {
                queue.write_to(stream)?;
                if !matches!(read(stream, input), Ok(1..)) {
                    encoder.control(&Control::Close(None), &mut queue, pool)?;
                }
            }
        }
    }
    queue.write_to(stream)
}

/// Appends what arrives next to `input`. Returns how many bytes; 0 is the end.
fn read(stream: &mut TcpStream, input: &mut BytesMut) -> io::Result<usize> {
    let mut chunk = [0; 16 * 1024];
    let len = stream.read(&mut chunk)?;
    input.extend_from_slice(&chunk[..len]);
    Ok(len)
}
