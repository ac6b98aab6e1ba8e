//! Each operation, done by a connection or a half and written down in the book; it may be dropped at any poll.

use std::io::ErrorKind;
use std::ops::ControlFlow;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use ws_core::EncodeError;
use ws_tokio::{CloseCode, Error, MessageKind, MessageRef, Outbox, PreparedMessage};

use super::book::Shared;
use super::ends::{Receives, Sends};
use super::plan::{Body, Fill, Piece, Receiving, Sending, WriterEnd};
use super::received::Extent;
use super::sent::{Given, Presence, message};

pub(super) async fn receive(end: &mut impl Receives, what: &Receiving, book: &Shared) {
    let ended = match what {
        Receiving::Recv => {
            let received = end.recv().await;
            received.map(|it| it.map(|it| whole(book, it.as_ref())))
        }
        Receiving::RecvInto => {
            let mut buffer = b"replaced".to_vec();
            let received = end.recv_into(&mut buffer).await;
            received.map(|it| {
                it.map(|kind| book.borrow_mut().received.message(kind, &buffer, Extent::Whole))
            })
        }
        Receiving::RecvWith => end.recv_with(|message| whole(book, message)).await,
        Receiving::Run { replies, most } => {
            let mut left = *most;
            let handler = |message: MessageRef<'_>, outbox: &mut Outbox<'_>| {
                whole(book, message);
                replies.iter().for_each(|body| reply(outbox, *body, book));
                left = left.saturating_sub(1);
                if left == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            };
            end.run(handler).await
        }
        Receiving::Read { portion, most } => read(end, *portion, *most, book).await,
        Receiving::Fail(code) => {
            book.borrow_mut().fail(*code);
            assert_eq!(end.fail(*code).is_ok(), CloseCode::new(*code).is_sendable());
            return;
        }
    };
    match ended {
        Ok(Some(())) => {}
        Ok(None) => book.borrow_mut().received.ended(Ok(())),
        Err(error) => book.borrow_mut().received.ended(Err(error)),
    }
}

fn whole(book: &Shared, message: MessageRef<'_>) {
    book.borrow_mut().received.message(message.kind(), message.as_bytes(), Extent::Whole);
}

fn reply(outbox: &mut Outbox<'_>, body: Body, book: &Shared) {
    let mut attempt = Attempt::new(book, body);
    attempt.waits = Waits::Never;
    let sent = outbox.send(&attempt.message());
    attempt.settle(&sent, Presence::Queued, Presence::Absent);
}

/// A message under reading: what was read of it counts, wherever it is dropped.
struct Reading<'a> {
    book: &'a Shared,
    kind: MessageKind,
    read: Vec<u8>,
    extent: Extent,
}

impl Drop for Reading<'_> {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.book.borrow_mut().received.message(self.kind, &self.read, self.extent);
        }
    }
}

async fn read(
    end: &mut impl Receives,
    portion: usize,
    most: u8,
    book: &Shared,
) -> Result<Option<()>, Error> {
    let Some(mut reader) = end.reader().await? else { return Ok(None) };
    let (kind, extent) = (reader.kind(), Extent::Start);
    let mut reading = Reading { book, kind, read: Vec::new(), extent };
    let mut buffer = vec![0; portion];
    for _ in 0..most {
        match reader.read(&mut buffer).await {
            Ok(0) => {
                reading.extent = Extent::Whole;
                break;
            }
            Ok(len) => reading.read.extend_from_slice(&buffer[..len]),
            // How the connection ended is told to whoever receives next.
            Err(_) => break,
        }
    }
    Ok(Some(()))
}

/// A message that is being sent; the operation is over when this is dropped.
struct Attempt<'a> {
    book: &'a Shared,
    number: usize,
    kind: MessageKind,
    payload: Vec<u8>,
    waits: Waits,
}

/// Whether a message waits for its turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Waits {
    Ever,
    /// A handler can't wait until another task's message is finished.
    Never,
}

impl<'a> Attempt<'a> {
    fn new(book: &'a Shared, body: Body) -> Self {
        let (number, payload) = book.borrow_mut().sent.begin(body);
        Self { book, number, kind: body.kind, payload, waits: Waits::Ever }
    }

    fn message(&self) -> ws_tokio::Message {
        message(self.kind, self.payload.clone())
    }

    /// The operation came to this; where it fails, `left` is still possible.
    fn settle(&self, result: &Result<(), Error>, accepted: Presence, left: Presence) {
        let mut book = self.book.borrow_mut();
        book.sent.settle(self.number, result, accepted, left);
        match result {
            Ok(()) => book.accepted(book.sent.messages()[self.number].began),
            Err(Error::Send(EncodeError::MessageUnderWay)) => {
                let left =
                    |it: &Given| it.start && (self.waits == Waits::Never || it.ended != u32::MAX);
                assert!(book.sent.messages().iter().any(left), "nobody left a message unfinished");
            }
            Err(_) => {}
        }
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.book.borrow_mut().sent.end(self.number);
        }
    }
}

pub(super) async fn send(end: &mut impl Sends, what: &Sending, book: &Shared) {
    match what {
        Sending::Send(body) => {
            let attempt = Attempt::new(book, *body);
            let sent = end.send(attempt.message()).await;
            attempt.settle(&sent, Presence::Written, Presence::Possible);
        }
        Sending::Feed(body) => {
            let attempt = Attempt::new(book, *body);
            let fed = end.feed(attempt.message()).await;
            if fed.is_ok() {
                book.borrow().judge_room(body.len, end.queued());
            }
            attempt.settle(&fed, Presence::Queued, Presence::Absent);
        }
        Sending::FeedPrepared(body) => {
            let attempt = Attempt::new(book, *body);
            let fed = end.feed_prepared(&PreparedMessage::new(attempt.message())).await;
            if fed.is_ok() {
                book.borrow().judge_room(body.len, end.queued());
            }
            attempt.settle(&fed, Presence::Queued, Presence::Absent);
        }
        Sending::FeedWith(body, fill) => {
            let attempt = Attempt::new(book, *body);
            let (first, second) = attempt.payload.split_at(body.len / 2);
            let fed = end.feed_with(body.kind, |payload| {
                payload.extend_from_slice(first);
                if *fill == Fill::Fails {
                    return Err(Error::Io(ErrorKind::InvalidData.into()));
                }
                payload.extend_from_slice(second);
                Ok(())
            });
            attempt.settle(&fed.await, Presence::Queued, Presence::Absent);
        }
        Sending::Write { kind, pieces, end: writer_end } => {
            write(end, *kind, pieces, *writer_end, book).await;
        }
        Sending::Flush => {
            let (mark, pings) = {
                let mut book = book.borrow_mut();
                (book.sent.mark(), book.pings.len())
            };
            if end.flush().await.is_ok() {
                book.borrow_mut().written(mark, pings);
            }
        }
        Sending::Ping => {
            let began = book.borrow_mut().sent.tick();
            if let Ok(ping) = end.ping() {
                let mut book = book.borrow_mut();
                book.accepted(began);
                book.pings.push(ping);
            }
        }
        Sending::Close(code) => {
            book.borrow_mut().close(*code);
            let closed = end.close(*code).await;
            match closed {
                Err(Error::Send(_)) => assert!(!CloseCode::new(*code).is_sendable()),
                closed => book.borrow_mut().received.closed(closed),
            }
        }
        Sending::CloseNow => {
            book.borrow_mut().close_now();
            end.close_now();
        }
    }
    book.borrow().judge_queue(end.queued());
}

async fn write(
    end: &mut impl Sends,
    kind: MessageKind,
    pieces: &[Piece],
    writer_end: WriterEnd,
    book: &Shared,
) {
    let len = pieces.iter().map(|piece| piece.len).sum();
    let attempt = Attempt::new(book, Body { kind, len });
    // Whole only once it is finished.
    book.borrow_mut().sent.of(attempt.number).whole = Presence::Absent;
    let mut writer = match end.writer(kind).await {
        Ok(writer) => writer,
        Err(error) => return attempt.settle(&Err(error), Presence::Written, Presence::Absent),
    };
    book.borrow_mut().sent.of(attempt.number).start = true;
    let mut rest = &attempt.payload[..];
    for piece in pieces {
        let (data, behind) = rest.split_at(piece.len);
        rest = behind;
        if writer.write_all(data).await.is_err() || piece.flush && writer.flush().await.is_err() {
            return;
        }
    }
    if writer_end == WriterEnd::Drop {
        return;
    }
    book.borrow_mut().sent.of(attempt.number).whole = Presence::Possible;
    let finished = writer.finish().await;
    attempt.settle(&finished, Presence::Written, Presence::Possible);
    if finished.is_ok() {
        book.borrow_mut().sent.of(attempt.number).start = false;
    }
}
