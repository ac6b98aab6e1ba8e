//! What the bytes say: which end we are, how the transport behaves, what the peer says, and what we do.

use std::io::ErrorKind;

use ws_tokio::{MessageKind, Role, Settings};

use super::input::Input;
use super::speech::speech;
use crate::support::scripted::{ReadEnd, Turn, WriteEnd, Writes};
use crate::support::wire::peer_of;

/// All of it.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) role: Role,
    pub(super) writes: Writes,
    pub(super) reading: Vec<Turn>,
    pub(super) writing: Vec<Turn>,
    pub(super) read_end: ReadEnd,
    pub(super) write_end: Option<(usize, WriteEnd)>,
    pub(super) limits: Bounds,
    /// What the peer sends; so many bytes of it came with the handshake.
    pub(super) incoming: Vec<u8>,
    pub(super) leftover: usize,
    pub(super) program: Vec<Step>,
    pub(super) finale: Finale,
}

/// What is set.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    pub(super) queue_limit: usize,
    high_water: usize,
    pub(super) max_message: usize,
    pub(super) max_fragments: u32,
}

#[derive(Debug)]
pub(super) enum Step {
    Do(Op, Until),
    /// Time passes.
    Sleep(u8),
    /// The connection is split for tasks that take turns at each poll, each with its own operations, and reunited.
    Together {
        receiver: Vec<(Receiving, Until)>,
        senders: Vec<Vec<(Sending, Until)>>,
    },
}

/// What is done at the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Finale {
    /// Receives until the end, then closes.
    Receive,
    /// Closes.
    Close,
    /// Drops the half that receives; the other closes.
    Part,
    /// Drops the connection.
    Drop,
}

/// When an operation is dropped.
#[derive(Clone, Copy, Debug)]
pub(super) enum Until {
    Polls(u8),
    /// Polled only when it is woken; never dropped unless it hangs.
    Done,
}

#[derive(Debug)]
pub(super) enum Op {
    Receive(Receiving),
    Send(Sending),
}

#[derive(Debug)]
pub(super) enum Receiving {
    Recv,
    RecvInto,
    RecvWith,
    /// Answers each message with these, and ends after so many.
    Run {
        replies: Vec<Body>,
        most: u8,
    },
    /// Reads in such portions, at most so many.
    Read {
        portion: usize,
        most: u8,
    },
    Fail(u16),
}

#[derive(Debug)]
pub(super) enum Sending {
    Send(Body),
    Feed(Body),
    FeedPrepared(Body),
    FeedWith(Body, Fill),
    Flush,
    Write { kind: MessageKind, pieces: Vec<Piece>, end: WriterEnd },
    Ping,
    Close(u16),
    CloseNow,
}

/// A message's kind and length.
#[derive(Clone, Copy, Debug)]
pub(super) struct Body {
    pub(super) kind: MessageKind,
    pub(super) len: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fill {
    Whole,
    /// Fails in the middle.
    Fails,
}

/// What is written at once, and whether it is flushed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Piece {
    pub(super) len: usize,
    pub(super) flush: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WriterEnd {
    Finish,
    Drop,
}

impl Plan {
    pub(super) fn read(data: &[u8]) -> Self {
        let mut input = Input::new(data);
        let flags = input.byte();
        let role = if flags & 1 == 0 { Role::Server } else { Role::Client };
        let writes = if flags & 2 == 0 { Writes::Plain } else { Writes::Vectored };
        let finale = [Finale::Receive, Finale::Close, Finale::Part, Finale::Drop];
        let finale = finale[usize::from(flags >> 2 & 3)];
        let ends = input.byte();
        let read_end = match ends & 3 {
            0 | 1 => ReadEnd::End,
            2 => ReadEnd::Fails(ErrorKind::ConnectionReset),
            _ => ReadEnd::Silence,
        };
        let write_end = match ends >> 2 & 7 {
            0 => Some(WriteEnd::Fails(ErrorKind::BrokenPipe)),
            1 => Some(WriteEnd::Zero),
            2 => Some(WriteEnd::Stalls),
            _ => None,
        };
        let write_end = write_end.map(|end| (input.word() % 2048, end));
        let limits = Bounds {
            queue_limit: input.one_of(&[1 << 20, 200, 40, 0]),
            high_water: input.one_of(&[64 << 10, 100, 16, 0]),
            max_message: input.one_of(&[1 << 20, 20_000, 100, 10]),
            max_fragments: input.one_of(&[100, 3]),
        };
        let [mut reading, mut writing] = [(); 2].map(|()| pace(&mut input));
        let mut incoming = speech(peer_of(role), &mut input);
        // The stream ends anywhere, most often at the end.
        let (cut, leftover) = (input.word(), usize::from(input.byte()));
        if cut & 1 == 1 {
            incoming.truncate(cut >> 1);
        }
        let leftover = leftover.min(incoming.len());
        let mut program = Vec::new();
        while !input.is_empty() && program.len() < MOST_STEPS {
            program.push(step(&mut input));
        }
        if input.had_large() {
            // Byte by byte they would take long, and show nothing more.
            reading.iter_mut().chain(&mut writing).for_each(hasten);
        }
        Self {
            role,
            writes,
            reading,
            writing,
            read_end,
            write_end,
            limits,
            incoming,
            leftover,
            program,
            finale,
        }
    }
}

impl Bounds {
    pub(super) fn settings(self) -> Settings {
        Settings::default()
            .queue_limit(self.queue_limit)
            .high_water(self.high_water)
            .max_message(self.max_message)
            .max_fragments(self.max_fragments)
    }
}

const MOST_STEPS: usize = 40;

fn pace(input: &mut Input<'_>) -> Vec<Turn> {
    let mut turns = input.some(3, |input| match input.byte() {
        0..=63 => Turn::Waits,
        small @ 64..=191 => Turn::Moves(usize::from(small - 63)),
        large @ 192.. => Turn::Moves(1 << (large % 17)),
    });
    // Some turn moves something.
    turns.push(Turn::Moves(1 + usize::from(input.byte()) * 8));
    turns
}

fn hasten(turn: &mut Turn) {
    if let Turn::Moves(most) = turn {
        *most = 100.max(*most);
    }
}

fn step(input: &mut Input<'_>) -> Step {
    match input.byte() {
        0..=99 => Step::Do(Op::Receive(receive(input)), until(input)),
        100..=223 => Step::Do(Op::Send(send(input)), until(input)),
        224..=227 => Step::Sleep(input.byte() % 64),
        _ => Step::Together {
            receiver: input.some(4, |input| (receive(input), until(input))),
            senders: input.some(3, |input| input.some(3, |input| (send(input), until(input)))),
        },
    }
}

fn until(input: &mut Input<'_>) -> Until {
    match input.byte() {
        polls @ 0..=207 => Until::Polls(polls % 32),
        208.. => Until::Done,
    }
}

fn receive(input: &mut Input<'_>) -> Receiving {
    match input.byte() {
        0..=59 => Receiving::Recv,
        60..=99 => Receiving::RecvInto,
        100..=139 => Receiving::RecvWith,
        140..=189 => Receiving::Run { replies: input.some(2, reply), most: input.byte() },
        190..=251 => {
            Receiving::Read { portion: 1 + usize::from(input.byte()) * 4, most: input.byte() }
        }
        252.. => Receiving::Fail(code(input)),
    }
}

fn send(input: &mut Input<'_>) -> Sending {
    match input.byte() {
        0..=49 => Sending::Send(body(input)),
        50..=99 => Sending::Feed(body(input)),
        100..=119 => Sending::FeedPrepared(body(input)),
        120..=139 => Sending::FeedWith(body(input), Fill::Whole),
        140..=149 => Sending::FeedWith(body(input), Fill::Fails),
        150..=179 => Sending::Flush,
        180..=219 => Sending::Write {
            kind: kind(input),
            pieces: input.some(3, |input| Piece { len: input.len(), flush: input.byte() & 1 == 1 }),
            end: if input.byte() < 240 { WriterEnd::Finish } else { WriterEnd::Drop },
        },
        220..=244 => Sending::Ping,
        245..=252 => Sending::Close(code(input)),
        253.. => Sending::CloseNow,
    }
}

fn body(input: &mut Input<'_>) -> Body {
    Body { kind: kind(input), len: input.len() }
}

fn reply(input: &mut Input<'_>) -> Body {
    Body { kind: kind(input), len: input.small_len() }
}

fn kind(input: &mut Input<'_>) -> MessageKind {
    input.one_of(&[MessageKind::Text, MessageKind::Binary])
}

/// A close code, which mostly may be sent.
fn code(input: &mut Input<'_>) -> u16 {
    input.one_of(&[1000, 1001, 1008, 3000, 4999, 1005])
}
