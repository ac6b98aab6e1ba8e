//! What an engine between nodes says of its own traffic: NATS at its monitoring port, Redis at its only one.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};

use serde_json::Value;

/// An engine, to be asked.
pub enum Engine {
    /// Where its HTTP server listens.
    Nats(SocketAddr),
    /// A connection, whose own traffic is left out.
    Redis(Redis),
}

/// A connection to Redis.
pub struct Redis {
    stream: BufReader<TcpStream>,
    own: Traffic,
}

/// What went through an engine. NATS counts payloads, Redis everything on the wire.
#[derive(Clone, Copy, Debug, Default)]
pub struct Traffic {
    /// Bytes that came to it.
    pub bytes_in: u64,
    /// Bytes that it sent.
    pub bytes_out: u64,
    /// Messages that came to it; of Redis, those to be published.
    pub messages_in: u64,
    /// Messages that it sent; Redis doesn't count them.
    pub messages_out: u64,
}

impl Engine {
    /// The `nats` or `redis` at this address.
    ///
    /// # Errors
    ///
    /// If there is none, or it is called otherwise.
    pub fn at(kind: &str, address: SocketAddr) -> io::Result<Self> {
        match kind {
            "nats" => Ok(Self::Nats(address)),
            "redis" => {
                let stream = BufReader::new(TcpStream::connect(address)?);
                Ok(Self::Redis(Redis { stream, own: Traffic::default() }))
            }
            _ => Err(io::Error::other("an engine is nats or redis")),
        }
    }

    /// Its counts so far.
    ///
    /// # Errors
    ///
    /// If it doesn't answer, or not as expected.
    pub fn traffic(&mut self) -> io::Result<Traffic> {
        let found = match self {
            Self::Nats(monitor) => varz(*monitor)?,
            Self::Redis(redis) => redis.info()?,
        };
        found.ok_or_else(|| io::Error::other("the engine doesn't say what it counted"))
    }
}

fn varz(monitor: SocketAddr) -> io::Result<Option<Traffic>> {
    let mut stream = TcpStream::connect(monitor)?;
    stream.write_all(b"GET /varz HTTP/1.0\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    let counts: Value = serde_json::from_str(body)?;
    let count = |name: &str| counts[name].as_u64();
    Ok((|| {
        Some(Traffic {
            bytes_in: count("in_bytes")?,
            bytes_out: count("out_bytes")?,
            messages_in: count("in_msgs")?,
            messages_out: count("out_msgs")?,
        })
    })())
}

impl Redis {
    /// A question is counted before it is answered, and the answer afterwards.
    fn info(&mut self) -> io::Result<Option<Traffic>> {
        const QUESTION: &[u8] = b"INFO all\r\n";
        self.stream.get_mut().write_all(QUESTION)?;
        self.own.bytes_in += QUESTION.len() as u64;
        let mut head = String::new();
        self.stream.read_line(&mut head)?;
        let len = head.trim_end().strip_prefix('$').and_then(|len| len.parse().ok());
        let mut text = vec![0; len.unwrap_or(0)];
        self.stream.read_exact(&mut text)?;
        self.stream.read_exact(&mut [0; 2])?;
        let text = String::from_utf8_lossy(&text).into_owned();
        let traffic = Traffic::of_info(&text, self.own);
        self.own.bytes_out += (head.len() + text.len() + 2) as u64;
        Ok(traffic)
    }
}

impl Traffic {
    fn of_info(text: &str, own: Self) -> Option<Self> {
        let count = |name: &str| text.lines().find_map(|line| line.strip_prefix(name));
        let published = count("cmdstat_publish:calls=").and_then(|rest| rest.split(',').next());
        Some(Self {
            bytes_in: count("total_net_input_bytes:")?.parse::<u64>().ok()? - own.bytes_in,
            bytes_out: count("total_net_output_bytes:")?.parse::<u64>().ok()? - own.bytes_out,
            messages_in: published.unwrap_or("0").parse().ok()?,
            messages_out: 0,
        })
    }

    /// What went through it since then.
    #[must_use]
    pub const fn since(self, before: Self) -> Self {
        Self {
            bytes_in: self.bytes_in - before.bytes_in,
            bytes_out: self.bytes_out - before.bytes_out,
            messages_in: self.messages_in - before.messages_in,
            messages_out: self.messages_out - before.messages_out,
        }
    }
}
