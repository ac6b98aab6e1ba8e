//! A client below every library: precomputed bytes out, and each byte that comes back compared.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};

/// The request with the sample key of RFC 6455, 1.3.
pub const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n\
    Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
    Sec-WebSocket-Version: 13\r\n\r\n";

/// The request for another path, which begins behind the slash.
#[must_use]
pub fn request(path: &str) -> Vec<u8> {
    const TO_ROOT: usize = b"GET /".len();
    [&REQUEST[..TO_ROOT], path.as_bytes(), &REQUEST[TO_ROOT..]].concat()
}

/// Fails unless `head` is a 101 with the accept value that belongs to the sample key.
pub fn check_response(head: &[u8]) {
    let text = String::from_utf8_lossy(head);
    let sound = text.starts_with("HTTP/1.1 101") && text.contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    assert!(sound, "not a handshake: {text}");
}

/// A connection after its handshake.
pub fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    shake_hands(&mut stream)?;
    Ok(stream)
}

/// The handshake.
pub fn shake_hands(stream: &mut (impl Read + Write)) -> io::Result<()> {
    stream.write_all(REQUEST)?;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte)?;
        head.extend(byte);
    }
    check_response(&head);
    Ok(())
}

/// Bytes that can't be taken for each other when they come back in the wrong place.
pub fn payload(size: usize) -> Vec<u8> {
    (0..size).map(|at| (at * 7 + at / 251) as u8).collect()
}

/// A binary message as a client sends it, in this many fragments.
pub fn masked(payload: &[u8], fragments: usize, key: [u8; 4]) -> Vec<u8> {
    let piece = payload.len().div_ceil(fragments).max(1);
    let mut wire = Vec::new();
    let mut rest = payload;
    for fragment in 0..fragments {
        let (now, later) = rest.split_at(piece.min(rest.len()));
        rest = later;
        let fin = if fragment + 1 == fragments { 0x80 } else { 0 };
        let opcode = if fragment == 0 { 2 } else { 0 };
        wire.push(fin | opcode);
        match now.len() {
            short @ 0..126 => wire.push(0x80 | short as u8),
            medium @ 126..65_536 => {
                wire.push(0x80 | 126);
                wire.extend((medium as u16).to_be_bytes());
            }
            long => {
                wire.push(0x80 | 127);
                wire.extend((long as u64).to_be_bytes());
            }
        }
        wire.extend(key);
        wire.extend(now.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key));
    }
    wire
}

/// Compares a stream of unmasked binary messages with the one that all of them have to be.
#[derive(Default)]
pub struct Checker {
    header: Vec<u8>,
    /// Payload of the current frame still to come.
    left: usize,
    /// Payload of the current message that came.
    came: usize,
    /// Whether the next frame continues a message.
    continues: bool,
}

impl Checker {
    /// Takes what arrived; returns how many messages it completed.
    ///
    /// # Panics
    ///
    /// At the first byte that isn't as it should be.
    pub fn take(&mut self, mut input: &[u8], expected: &[u8]) -> usize {
        let mut messages = 0;
        loop {
            if self.left > 0 {
                let (now, later) = input.split_at(self.left.min(input.len()));
                assert!(now == &expected[self.came..][..now.len()], "a byte came back different");
                self.left -= now.len();
                self.came += now.len();
                input = later;
            }
            if self.left == 0 && self.header_is_whole() {
                self.continues = self.header[0] & 0x80 == 0;
                if !self.continues {
                    assert_eq!(self.came, expected.len(), "a message came back shorter");
                    self.came = 0;
                    messages += 1;
                }
                self.header.clear();
            }
            let Some((first, later)) = input.split_first() else { return messages };
            if self.left == 0 {
                self.header.push(*first);
                input = later;
                if self.header_is_whole() {
                    self.left = self.announced();
                    assert!(self.came + self.left <= expected.len(), "a message came back longer");
                }
            }
        }
    }

    fn header_is_whole(&self) -> bool {
        let length = self.header.get(1).map(|byte| match byte {
            126 => 4,
            127 => 10,
            0..126 => 2,
            128.. => panic!("a server's frame is masked"),
        });
        length == Some(self.header.len())
    }

    /// The payload's length in the whole header of a data frame.
    fn announced(&self) -> usize {
        let expected = if self.continues { 0 } else { 2 };
        assert_eq!(self.header[0] & 0x7f, expected, "not a frame of a binary message");
        match self.header[1..] {
            [126, a, b] => u16::from_be_bytes([a, b]).into(),
            [127, ref long @ ..] => u64::from_be_bytes(long.try_into().expect("8 bytes")) as usize,
            _ => self.header[1].into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Checker, masked, payload};

    #[test]
    fn every_cut_of_an_answer_counts_the_same_messages() {
        for size in [0, 1, 125, 126, 65_536] {
            let expected = payload(size);
            // With this key, a client's frame is the server's but for the bit and the key.
            let mut wire = Vec::new();
            for fragments in [1, 2] {
                let piece = size.div_ceil(fragments).max(1).min(size);
                let masked = masked(&expected, fragments, [0; 4]);
                let mut rest = &masked[..];
                for fragment in 0..fragments {
                    let payload = if fragment == 0 { piece } else { size - piece };
                    let header = if payload < 126 {
                        2
                    } else if payload < 65_536 {
                        4
                    } else {
                        10
                    };
                    wire.extend([rest[0], rest[1] & 0x7f]);
                    wire.extend(&rest[2..header]);
                    wire.extend(&rest[header + 4..][..payload]);
                    rest = &rest[header + 4 + payload..];
                }
                assert!(rest.is_empty());
            }
            for cut in (0..wire.len()).step_by(1 + wire.len() / 300) {
                let mut checker = Checker::default();
                let (front, back) = wire.split_at(cut);
                let messages = checker.take(front, &expected) + checker.take(back, &expected);
                assert_eq!(messages, 2, "{size} bytes, cut at {cut}");
            }
        }
    }

    #[test]
    #[should_panic(expected = "came back different")]
    fn a_byte_that_came_back_different_is_found() {
        Checker::default().take(b"\x82\x03\x00\x07\x0f", &payload(3));
    }
}
