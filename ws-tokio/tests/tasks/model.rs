//! Random tasks on one connection over a transport with a script: where all sleep, none may be able to go on.
//!
//! The tasks are polled by hand, and only when they were woken. Once none is, each is polled without having been: if that
//! moves a byte or ends an operation, it slept for nothing. Then the transport does its next step.

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use proptest::prelude::*;
use tokio::task::unconstrained;
use tokio::time::advance;
use ws_tokio::{
    CloseCode, Connection, Message, MessageKind, Ping, RecvHalf, Role, SendHalf, Settings,
};

use crate::gated::{Gate, Gated, Memory, gated};
use crate::support::memory::over;
use crate::support::parse::whole_frames;
use crate::support::wire::{close, frame, peer_of};

/// How the tasks come by the connection.
#[derive(Clone, Copy, Debug)]
enum Sharing {
    /// `StreamExt::split` of the futures crates.
    Futures,
    /// Its own halves; what is left of them is reunited.
    Halves,
    /// `&mut`, borrowed for one poll at a time.
    Hands,
}

/// What a task does, one after the other.
#[derive(Clone, Copy, Debug)]
enum Op {
    /// Receives so many messages.
    Receive(u8),
    Send(usize),
    /// Feeds one and flushes: what is fed alone may stay.
    Feed(usize),
    Flush,
    /// Waits for room.
    Ready,
    /// Pings, and waits for the pong.
    Ping,
    /// Leaves a message to others.
    Leave(usize),
    /// Streams a message.
    Stream(usize),
    Close,
    CloseLater,
    CloseNow,
}

/// What the transport and the peer do next.
#[derive(Clone, Copy, Debug)]
enum Step {
    Take(usize),
    Say(usize),
    Ping,
    /// Answers what has been asked.
    Answer,
    Close,
    Advance(u64),
}

#[derive(Clone, Debug)]
struct Plan {
    us: Role,
    sharing: Sharing,
    tasks: Vec<Vec<Op>>,
    /// How often an operation is polled before it is dropped; 0 is never.
    patience: u8,
    steps: Vec<Step>,
    memory: Memory,
    /// Whether to look for those who sleep at each standstill: to look also wakes.
    looks: Vec<bool>,
}

/// What the tasks have come to.
#[derive(Default)]
struct Book {
    ended: Cell<usize>,
    received: Cell<usize>,
    /// Whether tasks are polled that were not woken: that tries nobody's patience.
    judging: Cell<bool>,
    /// Whether the connection is over. Where nobody receives, no ping hears of it.
    over: Cell<bool>,
}

impl Book {
    fn note(&self) {
        self.ended.set(self.ended.get() + 1);
    }
}

/// An operation, dropped after so many polls.
async fn patient<F: Future>(book: &Book, patience: u8, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut left = patience;
    poll_fn(|cx| {
        if let Poll::Ready(output) = future.as_mut().poll(cx) {
            return Poll::Ready(Some(output));
        }
        if !book.judging.get() {
            if left == 1 {
                return Poll::Ready(None);
            }
            left = left.saturating_sub(1);
        }
        Poll::Pending
    })
    .await
}

/// Waits for a ping's pong.
async fn pong(book: &Book, ping: Ping) {
    let mut ping = pin!(ping);
    poll_fn(|cx| match ping.as_mut().poll(cx) {
        Poll::Pending if !book.over.get() => Poll::Pending,
        Poll::Pending | Poll::Ready(_) => Poll::Ready(()),
    })
    .await;
}

fn message(len: usize) -> Message {
    vec![7; len].into()
}

/// Borrows the connection for each poll of a new future: progress lives in the connection.
async fn hand<R>(
    shared: &RefCell<Connection<Gated>>,
    mut poll: impl FnMut(&mut Connection<Gated>, &mut Context<'_>) -> Poll<R>,
) -> R {
    poll_fn(|cx| poll(&mut shared.borrow_mut(), cx)).await
}

async fn by_hand(
    shared: Rc<RefCell<Connection<Gated>>>,
    ops: Vec<Op>,
    patience: u8,
    book: Rc<Book>,
) {
    for op in ops {
        let done = async {
            match op {
                Op::Receive(most) => {
                    for _ in 0..most {
                        let received = hand(&shared, |it, cx| pin!(it.recv()).poll(cx)).await;
                        if !matches!(received, Ok(Some(_))) {
                            break;
                        }
                        book.received.set(book.received.get() + 1);
                    }
                }
                Op::Send(len) | Op::Stream(len) => {
                    let mut left = Some(message(len));
                    let fed = hand(&shared, |it, cx| {
                        std::task::ready!(pin!(it.ready(len)).poll(cx))?;
                        let mut fed = pin!(it.feed(left.take().expect("fed once")));
                        fed.as_mut().poll(cx)
                    });
                    if fed.await.is_ok() {
                        _ = hand(&shared, |it, cx| pin!(it.flush()).poll(cx)).await;
                    }
                }
                Op::Feed(len) => {
                    let ready = hand(&shared, |it, cx| pin!(it.ready(len)).poll(cx)).await;
                    if ready.is_ok() {
                        _ = hand(&shared, |it, cx| pin!(it.feed(message(len))).poll(cx)).await;
                        _ = hand(&shared, |it, cx| pin!(it.flush()).poll(cx)).await;
                    }
                }
                Op::Flush => _ = hand(&shared, |it, cx| pin!(it.flush()).poll(cx)).await,
                Op::Ready => _ = hand(&shared, |it, cx| pin!(it.ready(100)).poll(cx)).await,
                Op::Ping => {
                    let ping = shared.borrow_mut().ping();
                    if let Ok(ping) = ping {
                        pong(&book, ping).await;
                    }
                }
                Op::Leave(len) => _ = shared.borrow_mut().outbox().send(&vec![7; len][..]),
                Op::Close => {
                    _ = hand(&shared, |it, cx| pin!(it.close(CloseCode::NORMAL, "")).poll(cx))
                        .await;
                }
                Op::CloseLater => _ = shared.borrow_mut().outbox().close(CloseCode::NORMAL, ""),
                Op::CloseNow => shared.borrow_mut().close_now(),
            }
        };
        _ = patient(&book, patience, done).await;
        book.note();
    }
}

async fn receive_half(
    mut half: RecvHalf<Gated>,
    ops: Vec<Op>,
    patience: u8,
    book: Rc<Book>,
) -> RecvHalf<Gated> {
    for op in ops {
        let done = async {
            match op {
                Op::Receive(most) => {
                    for _ in 0..most {
                        if !matches!(half.recv().await, Ok(Some(_))) {
                            break;
                        }
                        book.received.set(book.received.get() + 1);
                    }
                }
                // The handler answers, and ends the run behind the first message.
                _ => {
                    _ = half
                        .run(|message, outbox| {
                            _ = outbox.send(message);
                            std::ops::ControlFlow::Break(())
                        })
                        .await;
                }
            }
        };
        _ = patient(&book, patience, done).await;
        book.note();
    }
    half
}

async fn send_half(
    half: SendHalf<Gated>,
    ops: Vec<Op>,
    patience: u8,
    book: Rc<Book>,
) -> SendHalf<Gated> {
    for op in ops {
        let done = async {
            match op {
                Op::Receive(_) | Op::Flush => _ = half.flush().await,
                Op::Send(len) => _ = half.send(message(len)).await,
                Op::Feed(len) => {
                    _ = half.feed(message(len)).await;
                    _ = half.flush().await;
                }
                Op::Ready => _ = half.ready(100).await,
                Op::Ping => {
                    if let Ok(ping) = half.ping() {
                        pong(&book, ping).await;
                    }
                }
                Op::Leave(len) => _ = half.outbox().send(&vec![7; len][..]),
                Op::Stream(len) => {
                    if let Ok(mut writer) = half.writer(MessageKind::Binary).await {
                        _ = tokio::io::AsyncWriteExt::write_all(&mut writer, &vec![7; len]).await;
                        _ = writer.finish().await;
                    }
                }
                Op::Close => _ = half.close(CloseCode::NORMAL, "").await,
                Op::CloseLater => _ = half.outbox().close(CloseCode::NORMAL, ""),
                Op::CloseNow => half.close_now(),
            }
        };
        _ = patient(&book, patience, done).await;
        book.note();
    }
    half
}

type Task = Pin<Box<dyn Future<Output = ()>>>;

/// The tasks of a plan.
fn tasks(plan: &Plan, connection: Connection<Gated>, book: &Rc<Book>) -> Vec<Task> {
    let (ops, patience) = (plan.tasks.clone(), plan.patience);
    match plan.sharing {
        Sharing::Futures => by_futures(connection, ops, patience, book),
        Sharing::Halves => by_halves(connection, ops, patience, book),
        Sharing::Hands => {
            let shared = Rc::new(RefCell::new(connection));
            let task = |(number, ops): (usize, Vec<Op>)| -> Task {
                let ops = ops.into_iter().filter(|op| op.is_for(number)).collect();
                Box::pin(by_hand(shared.clone(), ops, patience, book.clone()))
            };
            ops.into_iter().enumerate().map(task).collect()
        }
    }
}

impl Op {
    /// Whether a task does this that shares `&mut`: as of any future or stream, of each way to wait the last task alone is
    /// remembered.
    fn is_for(self, task: usize) -> bool {
        let one = match self {
            Self::Receive(_) => 0,
            Self::Send(_) | Self::Feed(_) | Self::Flush | Self::Ready | Self::Stream(_) => 1,
            Self::Close => 2,
            Self::Ping | Self::Leave(_) | Self::CloseLater | Self::CloseNow => return true,
        };
        one == task
    }
}

fn by_futures(
    connection: Connection<Gated>,
    ops: Vec<Vec<Op>>,
    patience: u8,
    book: &Rc<Book>,
) -> Vec<Task> {
    let (mut sink, mut stream) = StreamExt::split(connection);
    let receives = book.clone();
    let reading = async move {
        while let Some(Ok(_)) = stream.next().await {
            receives.received.set(receives.received.get() + 1);
            receives.note();
        }
        receives.note();
    };
    let sends = book.clone();
    let sending = async move {
        for op in ops.into_iter().flatten() {
            let done = async {
                _ = match op {
                    Op::Send(len) | Op::Stream(len) | Op::Leave(len) => {
                        sink.send(message(len)).await
                    }
                    Op::Feed(len) => {
                        _ = sink.feed(message(len)).await;
                        SinkExt::<Message>::flush(&mut sink).await
                    }
                    Op::Flush | Op::Ready | Op::Ping | Op::Receive(_) => {
                        SinkExt::<Message>::flush(&mut sink).await
                    }
                    Op::Close | Op::CloseLater | Op::CloseNow => {
                        SinkExt::<Message>::close(&mut sink).await
                    }
                };
            };
            _ = patient(&sends, patience, done).await;
            sends.note();
        }
    };
    vec![Box::pin(reading), Box::pin(sending)]
}

fn by_halves(
    connection: Connection<Gated>,
    mut ops: Vec<Vec<Op>>,
    patience: u8,
    book: &Rc<Book>,
) -> Vec<Task> {
    let (receiving, sending) = connection.split();
    // What comes back is reunited, and closed by whoever has it all.
    let returned = Rc::new(RefCell::new((None, None)));
    let (first, last, closes) = (returned.clone(), returned, book.clone());
    let receives = receive_half(receiving, ops.remove(0), patience, book.clone());
    let mut tasks: Vec<Task> = vec![Box::pin(async move {
        let half = receives.await;
        first.borrow_mut().0 = Some(half);
    })];
    let last_ops = ops.pop().unwrap_or_default();
    for ops in ops {
        let sends = send_half(sending.clone(), ops, patience, book.clone());
        tasks.push(Box::pin(async move { drop(sends.await) }));
    }
    let sends = send_half(sending, last_ops, patience, book.clone());
    tasks.push(Box::pin(async move {
        let half = sends.await;
        last.borrow_mut().1 = Some(half);
        let both = last.take();
        let (Some(receiving), Some(sending)) = both else { return };
        if let Ok(mut connection) = receiving.reunite(sending) {
            _ = connection.flush().await;
            _ = connection.close(CloseCode::NORMAL, "").await;
        }
        closes.note();
    }));
    tasks
}

/// Whether a task was woken.
struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Polls tasks that were woken, and judges those that sleep.
struct Executor {
    tasks: Vec<(Option<Task>, Arc<Flag>)>,
    polls: usize,
}

impl Executor {
    fn new(tasks: Vec<Task>) -> Self {
        let tasks =
            tasks.into_iter().map(|task| (Some(task), Arc::new(Flag(AtomicBool::new(true)))));
        Self { tasks: tasks.collect(), polls: 0 }
    }

    async fn poll(&mut self, index: usize) {
        self.polls += 1;
        assert!(self.polls < 100_000, "tasks wake each other for ever");
        let (task, flag) = &mut self.tasks[index];
        flag.0.store(false, Ordering::Relaxed);
        let waker = Waker::from(flag.clone());
        // Within the runtime, for the timers.
        poll_fn(|_| {
            if let Some(future) = task {
                if future.as_mut().poll(&mut Context::from_waker(&waker)).is_ready() {
                    *task = None;
                }
            }
            Poll::Ready(())
        })
        .await;
    }

    /// Polls until nobody is woken any more.
    async fn settle(&mut self) {
        while let Some(index) = self
            .tasks
            .iter()
            .position(|(task, flag)| flag.0.load(Ordering::Relaxed) && task.is_some())
        {
            self.poll(index).await;
        }
    }

    async fn poll_all(&mut self) {
        for index in 0..self.tasks.len() {
            self.poll(index).await;
            self.settle().await;
        }
    }

    /// Polls all that sleep, none of which may be able to go on.
    async fn judge(&mut self, book: &Book, seen: impl Fn() -> [usize; 4]) {
        book.judging.set(true);
        for index in 0..self.tasks.len() {
            let (before, alive) = (seen(), self.alive());
            self.poll(index).await;
            assert_eq!((seen(), self.alive()), (before, alive), "task {index} slept for nothing");
            self.settle().await;
            assert_eq!((seen(), self.alive()), (before, alive), "it wakes who slept for nothing");
        }
        book.judging.set(false);
    }

    fn alive(&self) -> usize {
        self.tasks.iter().filter(|(task, _)| task.is_some()).count()
    }
}

/// The peer, who answers what it is asked.
struct Peer {
    us: Role,
    gate: Gate,
    /// Frames of ours that it has looked at.
    looked_at: usize,
}

impl Peer {
    fn answer(&mut self) {
        let written = self.gate.written();
        let (frames, _) = whole_frames(self.us, &written);
        for (first, payload) in &frames[self.looked_at..] {
            match first {
                0x89 => self.gate.give(&frame(peer_of(self.us), 0x8a, payload)),
                0x88 => self.gate.give(&close(peer_of(self.us), 1000, "")),
                _ => {}
            }
        }
        self.looked_at = frames.len();
    }

    async fn step(&mut self, step: Step) {
        match step {
            Step::Take(bytes) => self.gate.take(bytes),
            Step::Say(len) => self.gate.give(&frame(peer_of(self.us), 0x82, &vec![7; len])),
            Step::Ping => self.gate.give(&frame(peer_of(self.us), 0x89, b"?")),
            Step::Answer => self.answer(),
            Step::Close => self.gate.give(&close(peer_of(self.us), 1000, "")),
            Step::Advance(millis) => advance(Duration::from_millis(millis)).await,
        }
    }
}

async fn run(plan: Plan) {
    let (stream, gate) = gated();
    gate.set_memory(plan.memory);
    let settings = Settings::default()
        .queue_limit(300)
        .high_water(200)
        .heartbeat(Duration::from_secs(20), Duration::from_secs(10));
    let book = Rc::new(Book::default());
    let mut executor = Executor::new(tasks(&plan, over(stream, plan.us, settings), &book));
    let mut peer = Peer { us: plan.us, gate: gate.clone(), looked_at: 0 };
    let seen = || [gate.written().len(), gate.unread(), book.ended.get(), book.received.get()];
    let mut looks = plan.looks.iter().cycle();
    for step in &plan.steps {
        executor.settle().await;
        if *looks.next().expect("there are some") {
            executor.judge(&book, seen).await;
        }
        peer.step(*step).await;
    }
    executor.settle().await;
    executor.judge(&book, seen).await;
    gate.take(usize::MAX);
    executor.settle().await;
    executor.judge(&book, seen).await;
    peer.answer();
    gate.end();
    executor.settle().await;
    book.over.set(true);
    executor.poll_all().await;
    // Deadlines, and lingering.
    for _ in 0..4 {
        advance(Duration::from_secs(100)).await;
        executor.settle().await;
    }
    assert_eq!(executor.alive(), 0, "the connection has ended, and a task still waits");
}

fn op() -> impl Strategy<Value = Op> {
    let len = prop_oneof![0..20usize, 90..400usize];
    prop_oneof![
        3 => (1..4u8).prop_map(Op::Receive),
        3 => len.clone().prop_map(Op::Send),
        2 => len.clone().prop_map(Op::Feed),
        1 => Just(Op::Flush),
        1 => Just(Op::Ready),
        2 => Just(Op::Ping),
        2 => len.clone().prop_map(Op::Leave),
        1 => len.prop_map(Op::Stream),
        1 => Just(Op::Close),
        1 => Just(Op::CloseLater),
        1 => Just(Op::CloseNow),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (1..400usize).prop_map(Step::Take),
        3 => (0..200usize).prop_map(Step::Say),
        1 => Just(Step::Ping),
        3 => Just(Step::Answer),
        1 => Just(Step::Close),
        1 => (1..30_000u64).prop_map(Step::Advance),
    ]
}

fn plan() -> impl Strategy<Value = Plan> {
    let us = prop_oneof![Just(Role::Client), Just(Role::Server)];
    let sharing = prop_oneof![Just(Sharing::Futures), Just(Sharing::Halves), Just(Sharing::Hands)];
    let tasks = prop::collection::vec(prop::collection::vec(op(), 1..5), 2..4);
    let memory = prop_oneof![Just(Memory::Keeps), Just(Memory::Forgets)];
    let patience = prop_oneof![2 => Just(0u8), 1 => 1..4u8];
    let steps = prop::collection::vec(step(), 0..14);
    let looks = prop::collection::vec(any::<bool>(), 1..14);
    (us, sharing, tasks, patience, steps, memory, looks).prop_map(
        |(us, sharing, tasks, patience, steps, memory, looks)| Plan {
            us,
            sharing,
            tasks,
            patience,
            steps,
            memory,
            looks,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn nobody_sleeps_who_could_go_on(plan in plan()) {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_time().start_paused(true).build().expect("a runtime");
        runtime.block_on(unconstrained(run(plan)));
    }
}
