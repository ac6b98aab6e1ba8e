//! What was received, against what the peer said: each message once and in order, and the end that it had.

use std::io::ErrorKind;

use ws_core::{CloseFrame, MessageKind, More};
use ws_tokio::{CloseCode, Error};

use super::plan::{Plan, Step};
use super::speech::{Heard, Last};
use crate::support::scripted::{ReadEnd, WriteEnd};

/// What was received, and what could be.
pub(super) struct Received {
    pub(super) heard: Heard,
    /// The next message.
    next: usize,
    /// How receiving ended, once it has.
    ended: Option<String>,
    /// How it may end.
    ends: Vec<String>,
    /// How it ends if nobody closes and nothing fails.
    natural: Vec<String>,
    /// Whether messages may be dropped, for we are closing.
    pub(super) draining: bool,
}

/// How much of a message was received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Extent {
    Whole,
    Start,
}

impl Received {
    pub(super) fn new(plan: &Plan, heard: Heard) -> Self {
        let natural = natural_ends(plan, &heard.last);
        let mut ends = natural.clone();
        // Or nobody looked for so long that a transport that waits seems to have stalled.
        let sleeps = plan.program.iter().any(|step| matches!(step, Step::Sleep(_)));
        if sleeps || matches!(plan.write_end, Some((_, WriteEnd::Stalls))) {
            ends.push(failed(Error::Io(ErrorKind::TimedOut.into())));
        }
        Self { heard, next: 0, ended: None, ends, natural, draining: false }
    }

    pub(super) fn message(&mut self, kind: MessageKind, bytes: &[u8], extent: Extent) {
        let messages = &self.heard.messages;
        let candidates =
            if self.draining { messages.len() } else { messages.len().min(self.next + 1) };
        let found = (self.next..candidates).find(|&index| {
            let said = &messages[index];
            said.kind == kind
                && match extent {
                    Extent::Whole => said.more == More::Ended && said.bytes == bytes,
                    Extent::Start => said.bytes.starts_with(bytes),
                }
        });
        self.next = 1 + found.unwrap_or_else(|| {
            panic!("{kind:?} {extent:?} of {} bytes is not message {}", bytes.len(), self.next)
        });
    }

    /// It may end so, too.
    pub(super) fn may_end(&mut self, error: Error) {
        self.ends.push(failed(error));
    }

    /// Receiving ended so: as it may, and as it did before.
    pub(super) fn ended(&mut self, result: Result<(), Error>) {
        let end = format!("{result:?}");
        assert!(self.ends.contains(&end), "{end} is none of {:?}", self.ends);
        if self.natural.contains(&end) && !self.draining {
            let whole = self.heard.messages.iter().filter(|it| it.more == More::Ended).count();
            assert!(self.next >= whole, "ended before message {} of {whole}", self.next);
        }
        let before = self.ended.get_or_insert_with(|| end.clone());
        assert_eq!(*before, end, "an end is told as often as it is asked for");
    }

    /// Closing ended so; the peer's own code makes no error.
    pub(super) fn closed(&mut self, result: Result<(), Error>) {
        let end = format!("{result:?}");
        let ends = self
            .ended
            .iter()
            .chain(self.ended.is_none().then_some(&self.ends).into_iter().flatten());
        let closed = |end: &str| {
            if end.starts_with("Err(Closed") { "Ok(())".into() } else { end.to_owned() }
        };
        let ends: Vec<_> = ends.map(|end| closed(end)).collect();
        assert!(ends.contains(&end), "{end} is none of {ends:?}");
    }
}

fn natural_ends(plan: &Plan, last: &Last) -> Vec<String> {
    match (last, plan.read_end) {
        (Last::Close(Some(frame)), _) if !frame.code().is_normal() => {
            vec![failed(Error::Closed(frame.clone()))]
        }
        (Last::Close(_), _) => vec!["Ok(())".to_owned()],
        (Last::Violation(error), _) => vec![failed(Error::Protocol(*error))],
        (Last::Nothing, ReadEnd::Fails(kind)) => vec![broken(kind)],
        (Last::Nothing, ReadEnd::Silence) => Vec::new(),
        (Last::Nothing, ReadEnd::End) => match plan.write_end {
            Some((_, WriteEnd::Fails(kind))) => {
                vec![failed(Error::Cut(None)), broken(kind)]
            }
            Some((_, WriteEnd::Zero)) => {
                vec![failed(Error::Cut(None)), failed(Error::Io(ErrorKind::WriteZero.into()))]
            }
            Some((_, WriteEnd::Stalls)) | None => vec![failed(Error::Cut(None))],
        },
    }
}

/// A stream that breaks without a close frame was cut, whatever it calls that.
fn broken(kind: ErrorKind) -> String {
    failed(match kind {
        ErrorKind::UnexpectedEof
        | ErrorKind::ConnectionReset
        | ErrorKind::ConnectionAborted
        | ErrorKind::BrokenPipe => Error::Cut(Some(kind.into())),
        _ => Error::Io(kind.into()),
    })
}

fn failed(error: Error) -> String {
    format!("{:?}", Err::<(), _>(error))
}

/// The payload of the close frame that answers what comes last, if that asks for one.
pub(super) fn answer(last: &Last) -> Option<Vec<u8>> {
    let code = |code: CloseCode| code.get().to_be_bytes().to_vec();
    match last {
        Last::Close(frame) => Some(frame.as_ref().map(CloseFrame::code).map_or(Vec::new(), code)),
        Last::Violation(error) => Some(code(error.close_code())),
        Last::Nothing => None,
    }
}
