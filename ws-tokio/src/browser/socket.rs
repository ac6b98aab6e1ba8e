//! A browser's WebSocket with its handlers: what a connection and its halves are handles of.

use std::cell::{Cell, RefCell};
use std::io;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use js_sys::Array;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{BinaryType, CloseEvent, MessageEvent, WebSocket};
use ws_core::{CloseCode, CloseFrame, EncodeError, Message, Utf8Bytes};

use super::drain::Drain;
use super::error::ConnectError;
use super::events::{End, Events};
use super::settings::Settings;
use super::timeout::Timeout;
use crate::error::{Error, closed};

/// What connections are over here: the browser's WebSocket, which has no stream to get at.
#[derive(Debug)]
pub enum Transport {}

pub(super) struct Socket {
    js: WebSocket,
    pub(super) events: Rc<Events>,
    /// For open, message, error and close.
    _handlers: [Handler; 4],
    /// For connecting, then for closing.
    deadline: RefCell<Option<Timeout>>,
    drain: RefCell<Drain>,
    /// How many bytes were given to the browser.
    fed: Cell<u64>,
    queue_limit: usize,
    close_timeout: Duration,
    write_timeout: Duration,
}

/// What the browser calls; kept as long as it may. Of one type, and thus of one bridge to JavaScript.
type Handler = Closure<dyn FnMut(JsValue)>;

impl Socket {
    /// Has the browser connect.
    pub(super) fn new(
        url: &str,
        subprotocols: &[String],
        settings: &Settings,
        timeout: Duration,
    ) -> Result<Self, ConnectError> {
        let offered: Array = subprotocols.iter().map(|name| JsValue::from_str(name)).collect();
        let js = WebSocket::new_with_str_sequence(url, &offered)
            .map_err(|thrown| ConnectError::Invalid(words(&thrown)))?;
        js.set_binary_type(BinaryType::Arraybuffer);
        let events = Rc::new(Events::new(settings));
        let late = events.clone();
        Ok(Self {
            _handlers: handlers(&js, &events),
            js,
            events,
            deadline: RefCell::new(Timeout::after(timeout, move || _ = late.end(End::Late))),
            drain: RefCell::new(Drain::new()),
            fed: Cell::new(0),
            queue_limit: settings.queue_limit,
            close_timeout: settings.close_timeout,
            write_timeout: settings.write_timeout,
        })
    }

    pub(super) fn poll_open(&self, cx: &Context<'_>) -> Poll<Result<(), ConnectError>> {
        let opened = ready!(self.events.poll_open(cx));
        self.deadline.take();
        Poll::Ready(opened)
    }

    /// The subprotocol that the server chose, empty for none.
    pub(super) fn subprotocol(&self) -> String {
        self.js.protocol()
    }

    /// How many bytes the browser holds.
    pub(super) fn queued(&self) -> usize {
        self.js.buffered_amount() as usize
    }

    pub(super) fn poll_feed(
        &self,
        cx: &Context<'_>,
        message: &mut Option<Message>,
    ) -> Poll<Result<(), Error>> {
        let len = message.as_ref().map_or(0, |message| message.as_bytes().len());
        ready!(self.poll_room(cx, len))?;
        Poll::Ready(message.take().map_or(Ok(()), |message| self.queue(&message)))
    }

    /// Gives a message to the browser, whatever it holds.
    pub(super) fn queue(&self, message: &Message) -> Result<(), Error> {
        self.may_send()?;
        let given = match message {
            Message::Text(text) => self.js.send_with_str(text),
            Message::Binary(bytes) => self.js.send_with_u8_array(bytes),
        };
        // It throws before it is open, and for memory that threads share.
        given.map_err(|_| Error::Io(io::ErrorKind::NotConnected.into()))?;
        self.fed.set(self.fed.get() + message.as_bytes().len() as u64);
        Ok(())
    }

    pub(super) fn poll_room(&self, cx: &Context<'_>, len: usize) -> Poll<Result<(), Error>> {
        self.may_send()?;
        self.poll_held(cx, self.queue_limit.saturating_sub(len))
    }

    /// The browser drops messages between the peer's close frame and the end, of which it hasn't told yet.
    fn may_send(&self) -> Result<(), Error> {
        self.events.may_send()?;
        match self.js.ready_state() {
            WebSocket::OPEN => Ok(()),
            _ => Err(Error::Send(EncodeError::Closed)),
        }
    }

    pub(super) fn poll_flush(&self, cx: &Context<'_>) -> Poll<Result<(), Error>> {
        self.poll_held(cx, 0)
    }

    /// Waits until the browser holds no more than this. After the end, it sends no more.
    fn poll_held(&self, cx: &Context<'_>, most: usize) -> Poll<Result<(), Error>> {
        let held = self.queued();
        if held <= most {
            return Poll::Ready(Ok(()));
        }
        if let Poll::Ready(end) = self.events.poll_end(cx) {
            return Poll::Ready(Err(end.err().unwrap_or(Error::Cut(None))));
        }
        let sent = self.fed.get().saturating_sub(held as u64);
        let stalled = self.drain.borrow_mut().look_later(sent, &self.events);
        if stalled >= self.write_timeout {
            self.end(End::WriteTimeout, None);
        }
        Poll::Pending
    }

    /// Closes; after that, only the end is waited for.
    pub(super) fn start_closing(&self, frame: &CloseFrame) {
        if self.events.close() {
            close(&self.js, frame.code(), frame.reason());
            let late = self.events.clone();
            let deadline =
                Timeout::after(self.close_timeout, move || _ = late.end(End::CloseTimeout));
            self.deadline.replace(deadline);
        }
    }

    pub(super) fn poll_closed(&self, cx: &Context<'_>) -> Poll<Result<(), Error>> {
        self.events.poll_end(cx).map(closed)
    }

    /// Ends the connection, and lets the browser close it, with this frame or without one.
    pub(super) fn end(&self, end: End, frame: Option<&CloseFrame>) {
        if self.events.end(end) {
            match frame {
                Some(frame) => close(&self.js, frame.code(), frame.reason()),
                None => _ = self.js.close(),
            }
        }
    }

    pub(super) fn fail(&self, code: CloseCode, reason: impl Into<Utf8Bytes>) -> Result<(), Error> {
        let frame = CloseFrame::new(code, reason)?;
        self.events.stop_receiving();
        self.end(End::Failed(code), Some(&frame));
        Ok(())
    }

    pub(super) fn close_now(&self) {
        self.end(End::Cut, None);
    }
}

/// A page may close with 1000 and 3000 to 4999 only: every other code goes out 3000 higher.
fn close(js: &WebSocket, code: CloseCode, reason: &str) {
    let code = match code.get() {
        code @ (1000 | 3000..) => code,
        code => code + 3000,
    };
    // It throws only for codes and reasons that no close frame has.
    _ = js.close_with_code_and_reason(code, reason);
}

fn handlers(js: &WebSocket, events: &Rc<Events>) -> [Handler; 4] {
    let told = events.clone();
    let open = Handler::new(move |_| told.opened());
    let (told, to_close) = (events.clone(), js.clone());
    let message = Handler::new(move |event: JsValue| {
        if let Err(code) = told.arrived(&event.unchecked_into::<MessageEvent>().data()) {
            close(&to_close, code, "");
        }
    });
    let told = events.clone();
    // In a browser, `close` always follows; Node.js 20 leaves it at this, but has a message.
    let error = Handler::new(move |event: JsValue| told.not_made(words(&event)));
    let told = events.clone();
    let closed = Handler::new(move |event: JsValue| {
        let event = event.unchecked_into::<CloseEvent>();
        told.closed(event.code().into(), event.reason());
    });
    js.set_onopen(Some(open.as_ref().unchecked_ref()));
    js.set_onmessage(Some(message.as_ref().unchecked_ref()));
    js.set_onerror(Some(error.as_ref().unchecked_ref()));
    js.set_onclose(Some(closed.as_ref().unchecked_ref()));
    [open, message, error, closed]
}

impl Drop for Socket {
    /// Takes the handlers off first: the browser may still have something to tell.
    fn drop(&mut self) {
        self.js.set_onopen(None);
        self.js.set_onmessage(None);
        self.js.set_onerror(None);
        self.js.set_onclose(None);
        _ = self.js.close();
    }
}

/// What an error says, thrown or told.
fn words(error: &JsValue) -> String {
    let message = JsValue::from(error.unchecked_ref::<js_sys::Error>().message());
    message.as_string().unwrap_or_default()
}
