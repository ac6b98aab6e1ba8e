//! What the browser has told of its WebSocket, and the tasks that wait for it.

use std::cell::{OnceCell, RefCell};
use std::collections::VecDeque;
use std::io;
use std::mem;
use std::task::{Context, Poll, Waker};

use js_sys::{ArrayBuffer, JsString, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use ws_core::{CloseCode, CloseFrame, DecodeError, EncodeError, Message};

use super::error::ConnectError;
use super::settings::Settings;
use crate::error::Error;

/// What a message that waits counts beside its length, so that empty ones are bounded too.
const OVERHEAD: usize = 64;

/// What the browser tells, for as long as it may call.
pub(super) struct Events {
    state: RefCell<State>,
    /// The peer's close frame.
    close_frame: OnceCell<CloseFrame>,
}

struct State {
    phase: Phase,
    /// What waits to be received; `None` once nobody receives.
    received: Option<VecDeque<Message>>,
    /// What `received` counts.
    unread: usize,
    max_message: usize,
    receive_limit: usize,
    /// The task that receives.
    receiver: Option<Waker>,
    /// The others. Few, so that all are woken by everything that happens.
    waiting: Vec<Waker>,
}

enum Phase {
    Connecting,
    Open,
    /// This end has closed.
    Closing,
    Ended(End),
}

const CONNECTING: u8 = 0;
const OPEN: u8 = 1;

impl Phase {
    /// They only ever follow each other in this order.
    const fn rank(&self) -> u8 {
        match self {
            Self::Connecting => CONNECTING,
            Self::Open => OPEN,
            Self::Closing => OPEN + 1,
            Self::Ended(_) => OPEN + 2,
        }
    }
}

/// How a connection ended.
pub(super) enum End {
    /// There was none, for this reason, if the browser tells one.
    NotMade(String),
    /// There was none in time.
    Late,
    Normal,
    /// By the peer, for the reason that its frame has.
    Closed,
    Cut,
    /// A message was larger than this limit.
    TooBig(usize),
    /// More waited than was received.
    Overrun,
    /// By this end, with this code.
    Failed(CloseCode),
    CloseTimeout,
    WriteTimeout,
}

impl Events {
    pub(super) fn new(settings: &Settings) -> Self {
        let state = RefCell::new(State {
            phase: Phase::Connecting,
            received: Some(VecDeque::new()),
            unread: 0,
            max_message: settings.max_message,
            receive_limit: settings.receive_limit,
            receiver: None,
            waiting: Vec::new(),
        });
        Self { state, close_frame: OnceCell::new() }
    }

    /// Wakes every task, to look again. Nothing is borrowed by then: a waker may run its task at once.
    #[inline(never)]
    pub(super) fn look_again(&self) {
        let mut state = self.state.borrow_mut();
        let (receiver, waiting) = (state.receiver.take(), mem::take(&mut state.waiting));
        drop(state);
        receiver.into_iter().chain(waiting).for_each(Waker::wake);
    }

    /// Goes on to this phase, if that is further than where it is.
    #[inline(never)]
    fn advance(&self, next: Phase) -> bool {
        let mut state = self.state.borrow_mut();
        let is_further = next.rank() > state.phase.rank();
        if is_further {
            state.phase = next;
        }
        drop(state);
        self.look_again();
        is_further
    }

    pub(super) fn opened(&self) {
        self.advance(Phase::Open);
    }

    /// Takes a message. If it can't, the connection has ended, and is to be closed with the code that this returns.
    pub(super) fn arrived(&self, data: &JsValue) -> Result<(), CloseCode> {
        let taken = self.state.borrow_mut().take(data);
        match taken {
            Ok(()) => self.look_again(),
            Err((end, code)) => {
                self.end(end);
                return Err(code);
            }
        }
        Ok(())
    }

    /// The browser tells of an error. After it was open, there is more to come.
    pub(super) fn not_made(&self, reason: String) {
        if self.state.borrow().phase.rank() == CONNECTING {
            self.end(End::NotMade(reason));
        }
    }

    /// The browser's last word.
    pub(super) fn closed(&self, code: CloseCode, reason: String) {
        let rank = self.state.borrow().phase.rank();
        if rank == CONNECTING {
            return self.not_made(reason);
        }
        let end = match (CloseFrame::new(code, reason), code.get()) {
            (Ok(frame), _) => {
                _ = self.close_frame.set(frame);
                if rank == OPEN && !code.is_normal() { End::Closed } else { End::Normal }
            }
            (Err(_), 1005) => End::Normal,
            // No closing handshake (1006), or none of TLS (1015).
            (Err(_), _) => End::Cut,
        };
        self.end(end);
    }

    /// Ends the connection, unless it has ended.
    pub(super) fn end(&self, end: End) -> bool {
        self.advance(Phase::Ended(end))
    }

    /// Begins to close; whether it was open until now.
    pub(super) fn close(&self) -> bool {
        self.advance(Phase::Closing)
    }

    /// Drops what waits, and what arrives from now on.
    pub(super) fn stop_receiving(&self) {
        self.state.borrow_mut().received = None;
    }

    pub(super) fn set_max_message(&self, bytes: usize) {
        self.state.borrow_mut().max_message = bytes;
    }

    pub(super) fn close_frame(&self) -> Option<&CloseFrame> {
        self.close_frame.get()
    }

    pub(super) fn poll_open(&self, cx: &Context<'_>) -> Poll<Result<(), ConnectError>> {
        let mut state = self.state.borrow_mut();
        Poll::Ready(match &state.phase {
            Phase::Connecting => return state.wait(cx),
            Phase::Ended(End::Late) => Err(ConnectError::Timeout),
            Phase::Ended(End::NotMade(reason)) => Err(ConnectError::Failed(reason.clone())),
            // Its messages and its end are for those who receive.
            Phase::Open | Phase::Closing | Phase::Ended(_) => Ok(()),
        })
    }

    pub(super) fn poll_message(&self, cx: &Context<'_>) -> Poll<Result<Option<Message>, Error>> {
        let mut state = self.state.borrow_mut();
        if let Some(message) = state.received.as_mut().and_then(VecDeque::pop_front) {
            state.unread -= cost(&message);
            return Poll::Ready(Ok(Some(message)));
        }
        if let Some(end) = state.end(self.close_frame()) {
            return Poll::Ready(end.map(|()| None));
        }
        state.receiver = Some(cx.waker().clone());
        Poll::Pending
    }

    pub(super) fn poll_end(&self, cx: &Context<'_>) -> Poll<Result<(), Error>> {
        let mut state = self.state.borrow_mut();
        match state.end(self.close_frame()) {
            Some(end) => Poll::Ready(end),
            None => state.wait(cx),
        }
    }

    /// Whether messages may be sent.
    pub(super) fn may_send(&self) -> Result<(), Error> {
        match self.state.borrow().phase {
            Phase::Open => Ok(()),
            Phase::Ended(End::WriteTimeout) => Err(Error::Io(timed_out())),
            Phase::Connecting | Phase::Closing | Phase::Ended(_) => {
                Err(Error::Send(EncodeError::Closed))
            }
        }
    }
}

impl State {
    fn wait<T>(&mut self, cx: &Context<'_>) -> Poll<T> {
        if !self.waiting.iter().any(|waker| waker.will_wake(cx.waker())) {
            self.waiting.push(cx.waker().clone());
        }
        Poll::Pending
    }

    /// How the connection ended, if it has.
    fn end(&self, frame: Option<&CloseFrame>) -> Option<Result<(), Error>> {
        let Phase::Ended(end) = &self.phase else { return None };
        Some(Err(match (end, frame) {
            (End::Normal, _) | (End::Closed, None) => return Some(Ok(())),
            (End::Closed, Some(frame)) => Error::Closed(frame.clone()),
            (End::TooBig(limit), _) => {
                Error::Protocol(DecodeError::MessageTooBig { limit: *limit })
            }
            (End::Overrun, _) => Error::Overrun,
            (End::Failed(code), _) => Error::Failed(*code),
            (End::CloseTimeout, _) => Error::CloseTimeout,
            (End::WriteTimeout, _) => Error::Io(timed_out()),
            (End::Cut | End::NotMade(_) | End::Late, _) => Error::Cut(None),
        }))
    }

    /// Copies a message into our memory: the one copy there is. How long it is in the browser's is known before.
    fn take(&mut self, data: &JsValue) -> Result<(), (End, CloseCode)> {
        let (Phase::Open, Some(received)) = (&self.phase, &mut self.received) else {
            return Ok(());
        };
        let limit = self.max_message;
        let judge = |len: usize| match len {
            _ if len > limit => Err((End::TooBig(limit), CloseCode::TOO_BIG)),
            _ => Ok(()),
        };
        let message = match data.dyn_ref::<ArrayBuffer>() {
            Some(buffer) => {
                let bytes = Uint8Array::new(buffer);
                judge(bytes.length() as usize)?;
                Message::binary(bytes.to_vec())
            }
            None => {
                // In UTF-16, which is never longer than UTF-8.
                judge(data.unchecked_ref::<JsString>().length() as usize)?;
                Message::text(data.as_string().unwrap_or_default())
            }
        };
        judge(message.as_bytes().len())?;
        if !received.is_empty() && self.unread + cost(&message) > self.receive_limit {
            return Err((End::Overrun, CloseCode::POLICY_VIOLATION));
        }
        self.unread += cost(&message);
        received.push_back(message);
        Ok(())
    }
}

fn cost(message: &Message) -> usize {
    message.as_bytes().len() + OVERHEAD
}

fn timed_out() -> io::Error {
    io::ErrorKind::TimedOut.into()
}
