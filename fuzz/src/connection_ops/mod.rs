//! A workload of operations over a connection, each dropped after so many polls, over a scripted transport: what comes in
//! and goes out is what a simple model says.
//!
//! What the peer said is received once and in order, and ends as it should. What was accepted for sending is on the wire
//! once and in order, in valid frames, with nothing behind a close frame and no end that nobody wrote. Nothing panics,
//! nothing hangs, and the queue keeps its limit.
//!
//! The fuzzer feeds it, and tests of ws-tokio replay the corpus on it. Whoever includes it has the tests' `support`.

mod book;
mod ends;
mod input;
mod judge;
mod ops;
mod plan;
mod received;
mod sent;
mod speech;

use std::cell::RefCell;
use std::cmp::Ordering;
use std::future::{Future, poll_fn};
use std::num::NonZeroUsize;
use std::pin::pin;
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use bytes::BytesMut;
use tokio::runtime::Builder;
use tokio::task::{LocalSet, spawn_local, unconstrained, yield_now};
use tokio::time::{Instant, sleep, timeout};
use ws_core::Limits;
use ws_tokio::{Connection, Negotiated};

use crate::support::scripted::{ReadEnd, Script, Scripted};
use book::{Book, Shared};
use judge::{Time, judge};
use plan::{Finale, Op, Plan, Receiving, Sending, Step, Until};
use speech::{Heard, Last};

/// Any bytes: a transport, a peer, and operations.
pub fn connection_ops(data: &[u8]) {
    let plan = Plan::read(data);
    let mut runtime = Builder::new_current_thread();
    let runtime = runtime.enable_time().start_paused(true).build().expect("a runtime");
    runtime.block_on(LocalSet::new().run_until(unconstrained(play(plan))));
}

/// A message is read in chunks of so many bytes.
const CHUNK: NonZeroUsize = NonZeroUsize::new(64 * 1024).expect("not zero");

/// Longer than any deadline: what takes so long hangs.
const EVER: Duration = Duration::from_secs(600);

async fn play(plan: Plan) {
    let limits = Limits::default()
        .with_message_size(plan.limits.max_message)
        .with_fragments(plan.limits.max_fragments);
    let heard = Heard::new(plan.role, limits, CHUNK, &plan.incoming);
    let book = Rc::new(RefCell::new(Book::new(&plan, heard)));
    let wire = Arc::new(Mutex::new(Vec::new()));
    let Plan { role, finale, read_end, write_end, .. } = plan;
    let mut connection = connect(&plan, &wire);
    let mut slept = false;
    for step in plan.program {
        connection = match step {
            Step::Do(Op::Receive(what), until) => {
                until.limit(&book, Waits::Maybe, ops::receive(&mut connection, &what, &book)).await;
                connection
            }
            Step::Do(Op::Send(what), until) => {
                send(&mut connection, &what, until, &book).await;
                connection
            }
            Step::Sleep(seconds) => {
                slept = true;
                sleep(Duration::from_secs(seconds.into())).await;
                connection
            }
            Step::Together { receiver, senders } => {
                together(connection, receiver, senders, &book).await
            }
        };
        book.borrow().judge_queue(connection.queued());
    }
    let ended = end(connection, finale, &book).await;
    let book = book.borrow();
    let fails = write_end.is_some() || matches!(read_end, ReadEnd::Fails(_));
    let answered = !matches!(book.received.heard.last, Last::Nothing);
    let enough = ended == Ended::ByPeer && answered && !fails && !slept;
    let time = if enough { Time::Enough } else { Time::Unknown };
    judge(role, &wire.lock().expect("a wire"), &book, time);
}

fn connect(plan: &Plan, wire: &Arc<Mutex<Vec<u8>>>) -> Connection<Scripted> {
    let (leftover, rest) = plan.incoming.split_at(plan.leftover);
    let stream = Scripted::new(Script { portion: 1, writes: plan.writes }, rest)
        .paced(&plan.reading, &plan.writing)
        .ending(plan.read_end, plan.write_end)
        .leaving(wire);
    let (leftover, negotiated) = (BytesMut::from(leftover), Negotiated::default());
    Connection::from_upgraded(stream, plan.role, leftover, negotiated, plan.limits.settings())
}

/// Where nothing else sends, it is known whether a dropped operation had queued its message.
async fn send(connection: &mut Connection<Scripted>, what: &Sending, until: Until, book: &Shared) {
    let taken = |it: &Connection<Scripted>| it.get_ref().written().len() + it.queued();
    let (before, messages) = (taken(connection), book.borrow().sent.messages().len());
    let done = until.limit(book, Waits::Never, ops::send(connection, what, book)).await;
    let mut book = book.borrow_mut();
    let began = book.sent.messages().len() > messages;
    // Pongs that wait for their turn, and what is lost at the end, would mislead.
    if done.is_none() && began && book.received.heard.all_pongs_fit() {
        match taken(connection).cmp(&before) {
            Ordering::Less => {}
            grown => book.sent.dropped(grown == Ordering::Greater),
        }
    }
}

/// The halves as tasks of their own, and the connection that they are afterwards.
async fn together(
    connection: Connection<Scripted>,
    receiver: Vec<(Receiving, Until)>,
    senders: Vec<Vec<(Sending, Until)>>,
    book: &Shared,
) -> Connection<Scripted> {
    let (mut receiving, sending) = connection.split();
    let receiver = spawn_local(unconstrained({
        let book = book.clone();
        async move {
            for (what, until) in receiver {
                let receive = ops::receive(&mut receiving, &what, &book);
                until.limit(&book, Waits::Maybe, receive).await;
            }
            receiving
        }
    }));
    let start = |program: Vec<(Sending, Until)>| {
        let (book, mut sending) = (book.clone(), sending.clone());
        spawn_local(unconstrained(async move {
            for (what, until) in program {
                until.limit(&book, Waits::Never, ops::send(&mut sending, &what, &book)).await;
            }
        }))
    };
    let senders: Vec<_> = senders.into_iter().map(start).collect();
    let receiving = receiver.await.expect("no panic");
    for sender in senders {
        sender.await.expect("no panic");
    }
    receiving.reunite(sending).expect("no clone is left")
}

/// How it came to the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ended {
    /// All was received, and nobody closed before.
    ByPeer,
    Otherwise,
}

async fn end(mut connection: Connection<Scripted>, finale: Finale, book: &Shared) -> Ended {
    if finale == Finale::Drop {
        drop(connection);
        book.borrow_mut().judge_pings();
        return Ended::Otherwise;
    }
    let until = Until::Done;
    until.limit(book, Waits::Never, ops::send(&mut connection, &Sending::Flush, book)).await;
    let mut ended = Ended::Otherwise;
    if finale == Finale::Receive {
        let all = Receiving::Run { replies: Vec::new(), most: u8::MAX };
        let received = until.limit(book, Waits::Maybe, ops::receive(&mut connection, &all, book));
        if received.await.is_some() && book.borrow().is_untouched() {
            ended = Ended::ByPeer;
        }
    }
    let close = Sending::Close(1000);
    let queued = if finale == Finale::Part {
        let (receiving, mut sending) = connection.split();
        drop(receiving);
        until.limit(book, Waits::Never, ops::send(&mut sending, &close, book)).await;
        book.borrow_mut().judge_pings();
        sending.queued()
    } else {
        until.limit(book, Waits::Never, ops::send(&mut connection, &close, book)).await;
        book.borrow_mut().judge_pings();
        connection.queued()
    };
    assert_eq!(queued, 0, "nothing is kept of what can't be sent any more");
    ended
}

/// Whether an operation may wait for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Waits {
    Never,
    /// While the peer is silent.
    Maybe,
}

impl Until {
    /// Polls so often, and lets other tasks take their turns between; `None` where the future was dropped.
    async fn limit<F: Future>(self, book: &Shared, waits: Waits, future: F) -> Option<F::Output> {
        let mut future = pin!(future);
        match self {
            Self::Polls(polls) => {
                for _ in 0..polls {
                    let polled = poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx))).await;
                    if let Poll::Ready(output) = polled {
                        return Some(output);
                    }
                    yield_now().await;
                }
                None
            }
            Self::Done => {
                let began = Instant::now();
                let done = timeout(EVER, future).await.ok();
                // The timeout's own poll must not make up for a wake-up that was lost.
                let may_wait = waits == Waits::Maybe && book.borrow().may_wait();
                assert!(began.elapsed() < EVER || may_wait, "it hangs");
                done
            }
        }
    }
}
