//! What both ends of a connection will do: it follows from the connection's number, which the client's request tells.

use std::time::Duration;

use tokio::time::sleep;
use ws_tokio::{Message, Settings};

/// Most bytes that a client sends at once before it receives: together with the server's pushes they fit into the server's
/// queue (1 MiB), so that none waits for the other.
pub(crate) const AT_ONCE: usize = 900_000;

/// A stream of numbers that depends on its seed alone.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn of_client(number: u64) -> Self {
        Self(number ^ 0x5555_5555 << 32)
    }

    pub(crate) fn of_server(number: u64) -> Self {
        Self(number ^ 0xaaaa_aaaa << 32)
    }

    pub(crate) fn of_pushes(number: u64) -> Self {
        Self(number ^ 0x3333_3333 << 32)
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound
    }

    pub(crate) fn one_in(&mut self, many: u64) -> bool {
        self.below(many) == 0
    }

    /// Does nothing for a while.
    pub(crate) async fn stall(&mut self) {
        sleep(Duration::from_millis(self.below(100))).await;
    }

    /// A message of letters, of a size around one of the borders; half of them are hard to compress.
    pub(crate) fn message(&mut self) -> Message {
        let around = [0, 0, 0, 125, 125, 1024, 1024, 4096, 16_384, 65_536][self.below(10) as usize];
        let len = around + self.below(200);
        let bytes: Vec<u8> = match self.below(2) {
            0 => vec![b'a' + self.below(16) as u8; len as usize],
            _ => (0..len).map(|_| b'a' + self.below(16) as u8).collect(),
        };
        match self.below(2) {
            0 => Message::binary(bytes),
            _ => Message::text(String::from_utf8(bytes).expect("letters")),
        }
    }
}

/// Which end stops to receive, and never goes on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Deaf {
    Nobody,
    Client,
    Server,
}

/// How the server receives and answers.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    Run,
    Recv,
    Stream,
    /// A half runs, while another task pushes.
    HalvesRun,
    /// A half receives and another answers, while another task pushes.
    HalvesRecv,
}

/// How the client sends and receives.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    /// One message, and its echo.
    ByOnes,
    /// Up to twenty messages, and then their echoes.
    InBursts,
    /// In halves: up to forty messages, and their echoes meanwhile.
    InHalves,
}

pub(crate) struct Plan {
    pub(crate) deaf: Deaf,
    pub(crate) way: Way,
    pub(crate) manner: Manner,
    /// Messages that the server sends unasked.
    pub(crate) pushes: u64,
}

impl Plan {
    pub(crate) fn of(number: u64) -> Self {
        let mut random = Random(number);
        let deaf = match random.below(40) {
            0 => Deaf::Client,
            1 => Deaf::Server,
            _ => Deaf::Nobody,
        };
        let ways = [Way::Run, Way::Recv, Way::Stream, Way::HalvesRun, Way::HalvesRecv];
        let way = ways[random.below(5) as usize];
        let manner = match (random.one_in(3), way) {
            (true, _) => Manner::InHalves,
            // The server waits until its answer is written: this client must receive it before it sends more.
            (false, Way::Stream | Way::HalvesRecv) => Manner::ByOnes,
            (false, Way::Run | Way::Recv | Way::HalvesRun) => Manner::InBursts,
        };
        let pushes = match way {
            Way::Run | Way::Recv | Way::Stream => 0,
            Way::HalvesRun | Way::HalvesRecv => random.below(30),
        };
        Self { deaf, way, manner, pushes }
    }

    /// Who meets a deaf peer gives it up soon. Nobody else is to be given up on the slowest machine.
    pub(crate) fn settings(&self, peer: Deaf) -> Settings {
        let patience = Duration::from_secs(if self.deaf == peer { 1 } else { 120 });
        Settings::default()
            .heartbeat(Duration::from_secs(20), Duration::from_secs(120))
            .close_timeout(patience)
            .write_timeout(patience)
    }
}

/// What the server pushes: it tells its number, and no client sends the like.
pub(crate) fn push(index: u64) -> Message {
    let len = Random(index).below(1500) as usize;
    Message::text(format!("#{index} {}", "push ".repeat(len / 5)))
}
