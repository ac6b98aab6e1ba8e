//! The example does what a server must, to the byte, for a client that is a bare TCP socket.
//!
//! Cargo builds examples for `cargo test`, but not for `cargo test --test examples` alone.
//! Emulators run tests where words are short or big-endian, but no program that a test starts.
#![cfg(all(feature = "deflate", target_pointer_width = "64", target_endian = "little"))]

use std::env;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread;

/// The example in a process of its own, which ends with this.
struct Server {
    child: Child,
    address: String,
    /// Open, so that it can print.
    _stdout: BufReader<ChildStdout>,
}

impl Server {
    fn start() -> Self {
        let test = env::current_exe().expect("this test's");
        let built = test.ancestors().nth(2).expect("the profile's folder").join("examples");
        let example = built.join("blocking_echo").with_extension(env::consts::EXE_EXTENSION);
        let mut command = Command::new(&example);
        let spawned = command.arg("127.0.0.1:0").stdout(Stdio::piped()).spawn();
        let mut child = spawned.unwrap_or_else(|error| panic!("{example:?}: {error}"));
        let mut stdout = BufReader::new(child.stdout.take().expect("it is piped"));
        let mut line = String::new();
        stdout.read_line(&mut line).expect("its address");
        let (_, address) = line.trim().split_once("ws://").expect("its address");
        Self { child, address: address.into(), _stdout: stdout }
    }

    /// Connects, sends these bytes, and returns the stream.
    fn told(&self, bytes: &[u8]) -> TcpStream {
        let mut stream = TcpStream::connect(&self.address).expect("it listens");
        stream.write_all(bytes).expect("sent");
        stream
    }

    /// Opens a WebSocket.
    fn opened(&self) -> TcpStream {
        let mut stream = self.told(REQUEST);
        assert_eq!(received(&mut stream, ANSWER.len()), ANSWER);
        stream
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().expect("it runs until now");
        self.child.wait().expect("it ends");
    }
}

fn received(stream: &mut TcpStream, len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    stream.read_exact(&mut bytes).expect("an answer");
    bytes
}

/// All that comes, until the server ends.
fn rest(stream: &mut TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).expect("an end without a reset");
    bytes
}

const REQUEST: &[u8] =
    b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
    Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
    Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n";

const ANSWER: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n";

#[test]
fn messages_come_back_pings_are_answered_and_a_close_frame_is_too() {
    let server = Server::start();
    // A key of zeros masks nothing.
    let fragment = b"\x01\x83\0\0\0\0Hel";
    let ping = b"\x89\x82\0\0\0\0hi";
    let end = b"\x80\x82\0\0\0\0lo";
    let deflated = b"\xc1\x87\0\0\0\0\xf2\x48\xcd\xc9\xc9\x07\x00";
    let close = b"\x88\x85\0\0\0\0\x03\xe8bye";
    let frames: [&[u8]; 5] = [fragment, ping, end, deflated, close];
    // The first frames may come along with the request.
    let mut stream = server.told(&[REQUEST, &frames.concat()].concat());
    let answers = b"\x8a\x02hi\x81\x05Hello\x81\x05Hello\x88\x02\x03\xe8";
    assert_eq!(rest(&mut stream), [ANSWER, answers].concat());
}

#[test]
fn bad_text_a_violation_and_a_message_too_big_are_each_told_their_code() {
    let server = Server::start();
    for (wire, code) in [
        (&b"\x81\x81\0\0\0\0\xff"[..], 1007_u16),
        (b"\x81\x02hi", 1002),
        (b"\x82\xff\x00\x00\x00\x00\x01\x00\x00\x01\0\0\0\0", 1009),
    ] {
        let mut stream = server.opened();
        stream.write_all(wire).expect("sent");
        let [high, low] = code.to_be_bytes();
        assert_eq!(rest(&mut stream), [0x88, 2, high, low]);
    }
}

#[test]
fn a_close_frame_reaches_a_peer_that_goes_on_sending() {
    let server = Server::start();
    let mut stream = server.opened();
    let mut sender = stream.try_clone().expect("a second handle");
    let sending = thread::spawn(move || {
        sender.write_all(b"\x83\x80\0\0\0\0").expect("a reserved opcode");
        for _ in 0..100 {
            sender.write_all(&[0; 64 * 1024]).expect("it is still read");
        }
        sender.shutdown(Shutdown::Write).expect("our end");
    });
    sending.join().expect("all of it is taken");
    assert_eq!(rest(&mut stream), b"\x88\x02\x03\xea");
}

#[test]
fn a_request_that_is_none_of_a_websocket_is_told_why() {
    let server = Server::start();
    for (request, status) in
        [("GET / HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 426 "), ("hello\r\n\r\n", "HTTP/1.1 400 ")]
    {
        let answer = rest(&mut server.told(request.as_bytes()));
        assert!(answer.starts_with(status.as_bytes()), "{}", answer.escape_ascii());
    }
}

#[test]
fn a_peer_that_ends_without_a_close_frame_is_sent_one() {
    let server = Server::start();
    let stream = server.opened();
    stream.shutdown(Shutdown::Write).expect("our end");
    assert_eq!(rest(&mut { stream }), b"\x88\x00");
}
