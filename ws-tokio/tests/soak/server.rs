//! The server's end of a connection: echoes in one of several ways, stalls at times, and ends some in the middle.

use std::io;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinSet;
#[cfg(feature = "deflate")]
use ws_tokio::Compression;
use ws_tokio::{
    AcceptOptions, CloseCode, Connection, Error, MessageRef, MessageWriter, Outbox, RecvHalf,
    SendHalf, Ticket, Tracker,
};

use crate::books::{Account, Books};
use crate::counted::Counted;
use crate::plan::{Deaf, Plan, Random, Way, push};

/// What clients offer and servers take, in all combinations.
#[cfg(feature = "deflate")]
pub(crate) const COMPRESSIONS: [Compression; 4] = [
    Compression::Off,
    Compression::NoContextTakeover,
    Compression::Off,
    Compression::ContextTakeover,
];

/// Accepts until it is told to stop, and then waits for those that it serves.
pub(crate) async fn serve(
    listener: TcpListener,
    books: Arc<Books>,
    tracker: Tracker,
    mut stopped: oneshot::Receiver<()>,
) {
    let options = options();
    let mut serving = JoinSet::new();
    for options in options.iter().cycle() {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = &mut stopped => break,
        };
        let (stream, _) = accepted.expect("a connection");
        let ticket = tracker.enter().expect("the tracker is open");
        serving.spawn(serve_one(options.clone(), stream, ticket, books.clone()));
        while let Some(served) = serving.try_join_next() {
            let served: Result<(), _> = served;
            served.expect("no server task panics");
        }
    }
    while let Some(served) = serving.join_next().await {
        served.expect("no server task panics");
    }
}

fn options() -> Vec<AcceptOptions> {
    let plain = AcceptOptions::default().handshake_timeout(Duration::from_secs(120));
    #[cfg(feature = "deflate")]
    return COMPRESSIONS.map(|compression| plain.clone().compression(compression)).to_vec();
    #[cfg(not(feature = "deflate"))]
    return vec![plain];
}

async fn serve_one(options: AcceptOptions, stream: TcpStream, ticket: Ticket, books: Arc<Books>) {
    let incoming = options.read(Counted::new(stream)).await.expect("a handshake");
    let number = incoming.request().uri().path()[1..].parse().expect("a number");
    let (plan, account) = (Plan::of(number), books.find(number));
    let incoming = incoming.with_settings(plan.settings(Deaf::Client));
    let mut connection = incoming.accept().await.expect("the client waits for it");
    #[cfg(feature = "deflate")]
    if connection.compression().is_some() {
        account.compressed.raise();
    }
    let mut server = Server::new(&account, &plan, number);
    let served = match (plan.deaf, plan.way) {
        (Deaf::Server, _) => {
            tokio::select! {
                served = server.hear_nothing(&mut connection) => Some(served),
                () = ticket.closing() => None,
            }
        }
        (Deaf::Nobody | Deaf::Client, Way::Run | Way::Recv | Way::Stream) => {
            connection.track(ticket);
            Some(server.echo(&mut connection).await)
        }
        (Deaf::Nobody | Deaf::Client, Way::HalvesRun | Way::HalvesRecv) => {
            account.in_halves.raise();
            connection.track(ticket);
            let (receiving, sending) = connection.split();
            let pushing = tokio::spawn(push_all(sending.clone(), number, account.clone()));
            let served = server.echo_in_halves(receiving, sending).await;
            if let Err(error) = pushing.await.expect("the pushing task does not panic") {
                account.expect(&error);
            }
            Some(served)
        }
    };
    // `None` where the shutdown ended it.
    judge(&plan, &account, served.unwrap_or(Ok(())));
    books.leave(account);
}

fn judge(plan: &Plan, account: &Account, served: Result<(), Error>) {
    match (plan.deaf, served) {
        (Deaf::Client, served) => {
            let stalled =
                matches!(&served, Err(Error::Io(it)) if it.kind() == io::ErrorKind::TimedOut);
            assert!(stalled, "the write timeout ends it: {served:?}");
        }
        (Deaf::Nobody | Deaf::Server, Err(error)) => account.expect(&error),
        (Deaf::Nobody | Deaf::Server, Ok(())) => {}
    }
}

struct Server<'a> {
    account: &'a Account,
    way: Way,
    random: Random,
    /// Messages until it has enough.
    left: u64,
}

/// What comes behind a message.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    GoOn,
    Stall,
    Enough,
}

impl<'a> Server<'a> {
    fn new(account: &'a Account, plan: &Plan, number: u64) -> Self {
        let mut random = Random::of_server(number);
        // Who meets a deaf client is to find out.
        let left = match plan.deaf {
            Deaf::Nobody if random.one_in(4) => 1 + random.below(40),
            Deaf::Nobody | Deaf::Client | Deaf::Server => u64::MAX,
        };
        Self { account, way: plan.way, random, left }
    }

    fn step(&mut self) -> Step {
        self.left -= 1;
        match (self.left, self.random.one_in(50)) {
            (0, _) => Step::Enough,
            (_, true) => Step::Stall,
            (_, false) => Step::GoOn,
        }
    }

    /// Whether it goes on; if so, when it is time for it.
    async fn goes_on(&mut self, step: Step) -> bool {
        if step == Step::Stall {
            self.account.stalls.one_more();
            self.random.stall().await;
        }
        step != Step::Enough
    }

    /// Echoes until the client ends the connection, or this end has enough.
    async fn echo(&mut self, connection: &mut Connection<Counted>) -> Result<(), Error> {
        loop {
            let step = match self.way {
                Way::Run => {
                    match connection.run(|message, outbox| self.answer(message, outbox)).await? {
                        Some(step) => step?,
                        None => return Ok(()),
                    }
                }
                Way::Recv => {
                    let Some(message) = connection.recv().await? else { return Ok(()) };
                    self.account.received.one_more();
                    self.account.answered.one_more();
                    connection.feed(message).await?;
                    self.step()
                }
                Way::Stream | Way::HalvesRun | Way::HalvesRecv => {
                    let Some(mut reader) = connection.reader().await? else { return Ok(()) };
                    let (kind, mut bytes) = (reader.kind(), Vec::new());
                    reader.read_to_end(&mut bytes).await?;
                    drop(reader);
                    self.account.received.one_more();
                    self.account.answered.one_more();
                    in_parts(connection.writer(kind)?, &bytes).await?;
                    self.step()
                }
            };
            if !self.goes_on(step).await {
                break;
            }
        }
        self.account.server_breaks_off.raise();
        match self.random.below(2) {
            0 => connection.close(CloseCode::TRY_AGAIN_LATER, "enough").await,
            _ => Ok(()),
        }
    }

    /// As [`echo`](Self::echo), through halves.
    async fn echo_in_halves(
        &mut self,
        mut receiving: RecvHalf<Counted>,
        sending: SendHalf<Counted>,
    ) -> Result<(), Error> {
        loop {
            let step = if self.way == Way::HalvesRun {
                match receiving.run(|message, outbox| self.answer(message, outbox)).await? {
                    Some(step) => step?,
                    None => return Ok(()),
                }
            } else {
                let Some(message) = receiving.recv().await? else { return Ok(()) };
                self.account.received.one_more();
                self.account.answered.one_more();
                match self.random.below(3) {
                    0 => {
                        let writer = sending.writer(message.kind()).await?;
                        in_parts(writer, message.as_bytes()).await?;
                    }
                    1 => sending.feed(message).await?,
                    _ => sending.send(message).await?,
                }
                self.step()
            };
            if !self.goes_on(step).await {
                break;
            }
        }
        self.account.server_breaks_off.raise();
        match self.random.below(3) {
            0 => {
                drop(receiving);
                sending.close(CloseCode::TRY_AGAIN_LATER, "enough").await
            }
            1 => {
                let drained = async { while let Ok(Some(_)) = receiving.recv().await {} };
                tokio::join!(sending.close(CloseCode::TRY_AGAIN_LATER, "enough"), drained).0
            }
            _ => {
                sending.close_now();
                Ok(())
            }
        }
    }

    /// The handler of a run: it ends the run where there is something to do but to go on.
    fn answer(
        &mut self,
        message: MessageRef<'_>,
        outbox: &mut Outbox<'_>,
    ) -> ControlFlow<Result<Step, Error>> {
        self.account.received.one_more();
        self.account.answered.one_more();
        match (outbox.send(message), self.step()) {
            (Err(error), _) => ControlFlow::Break(Err(error)),
            (Ok(()), Step::GoOn) => ControlFlow::Continue(()),
            (Ok(()), step) => ControlFlow::Break(Ok(step)),
        }
    }

    /// Receives nothing until the client has gone, and then what it left.
    async fn hear_nothing(&mut self, connection: &mut Connection<Counted>) -> Result<(), Error> {
        self.account.deaf.raise();
        self.account.server_breaks_off.raise();
        self.account.client_left.notified().await;
        while connection.recv().await?.is_some() {
            self.account.received.one_more();
        }
        Ok(())
    }
}

async fn in_parts(mut writer: MessageWriter<'_, Counted>, bytes: &[u8]) -> Result<(), Error> {
    for part in bytes.chunks(20_000) {
        writer.write_all(part).await?;
        writer.flush().await?;
    }
    writer.finish().await
}

/// Sends messages unasked, and pings between them.
async fn push_all(
    half: SendHalf<Counted>,
    number: u64,
    account: Arc<Account>,
) -> Result<(), Error> {
    let (plan, mut random) = (Plan::of(number), Random::of_pushes(number));
    for index in 0..plan.pushes {
        if random.one_in(4) {
            account.pings.one_more();
            let ping = half.ping()?;
            half.flush().await?;
            ping.await?;
            account.pongs.one_more();
        }
        if random.one_in(8) {
            random.stall().await;
        }
        account.pushed.one_more();
        let message = push(index);
        match random.below(3) {
            0 => half.send(message).await?,
            // Beside a run no message may be streamed: its answers can't wait.
            1 if plan.way == Way::HalvesRecv => {
                in_parts(half.writer(message.kind()).await?, message.as_bytes()).await?;
            }
            _ => {
                half.ready(message.as_bytes().len()).await?;
                half.feed(message).await?;
            }
        }
    }
    half.flush().await
}
