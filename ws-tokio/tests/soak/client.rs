//! The client's end of a connection: messages whose echoes are checked, to the byte and in order, then one of several ends.

use std::collections::VecDeque;
use std::io;
use std::mem;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::timeout;
use ws_tokio::{
    CloseCode, ConnectOptions, Connection, Error, Message, MessageWriter, RecvHalf, SendHalf,
};

use crate::books::{Account, Books};
use crate::counted::Counted;
use crate::plan::{AT_ONCE, Deaf, Manner, Plan, Random, push};

/// What has not come by then was lost.
const LOST: Duration = Duration::from_secs(300);

/// One connection.
pub(crate) async fn talk(server: SocketAddr, number: u64, books: &Books) {
    let (plan, account, random) = (Plan::of(number), books.open(number), Random::of_client(number));
    let connection = connect(server, number, &plan).await;
    let mut client =
        Client { account: &account, plan: &plan, random, expected: Expected::default() };
    let talking = async {
        match plan.deaf {
            Deaf::Nobody => client.converse(connection).await,
            Deaf::Client => client.never_receive(connection).await,
            Deaf::Server => client.give_up(connection).await,
        }
    };
    timeout(LOST, talking).await.expect("what is waited for comes");
    account.client_left.notify_one();
    books.leave(account);
}

async fn connect(server: SocketAddr, number: u64, plan: &Plan) -> Connection<Counted> {
    let options = ConnectOptions::default()
        .settings(plan.settings(Deaf::Server))
        .handshake_timeout(Duration::from_secs(120));
    #[cfg(feature = "deflate")]
    let options = options.compression(crate::server::COMPRESSIONS[number as usize % 4]);
    let stream = Counted::new(TcpStream::connect(server).await.expect("a server"));
    let connected = options.connect_over(stream, &format!("ws://{server}/{number}")).await;
    connected.expect("a connection").0
}

struct Client<'a> {
    account: &'a Account,
    plan: &'a Plan,
    random: Random,
    expected: Expected,
}

/// What is to come.
#[derive(Default)]
struct Expected {
    echoes: VecDeque<Message>,
    /// Pushes that came.
    heard: u64,
}

impl Client<'_> {
    async fn converse(&mut self, connection: Connection<Counted>) {
        match self.exchange(connection).await {
            Ok(connection) => {
                self.account.finished.raise();
                self.end(connection).await;
            }
            Err(error) => self.account.expect(&error),
        }
    }

    /// Sends and receives until all is done.
    async fn exchange(
        &mut self,
        mut connection: Connection<Counted>,
    ) -> Result<Connection<Counted>, Error> {
        for _ in 0..1 + self.random.below(4) {
            match self.plan.manner {
                Manner::ByOnes => self.burst(&mut connection, 1).await?,
                Manner::InBursts => self.burst(&mut connection, 20).await?,
                Manner::InHalves => connection = self.burst_in_halves(connection).await?,
            }
        }
        while self.expected.heard < self.plan.pushes {
            let message = connection.recv().await?.ok_or(Error::Cut(None))?;
            self.expected.take(&message, self.account);
        }
        Ok(connection)
    }

    /// Sends up to so many messages in one of several ways, and a ping, and receives the echoes and the pong.
    async fn burst(
        &mut self,
        connection: &mut Connection<Counted>,
        most: u64,
    ) -> Result<(), Error> {
        let (mut left, account) = (AT_ONCE, self.account);
        for _ in 0..1 + self.random.below(most) {
            let message = self.random.message();
            let Some(less) = left.checked_sub(message.as_bytes().len()) else { break };
            left = less;
            self.expected.echoes.push_back(message.clone());
            account.sent.one_more();
            match self.random.below(3) {
                0 => {
                    let writer = connection.writer(message.kind())?;
                    in_fragments(writer, &message, &mut self.random).await?;
                }
                1 => connection.feed(message).await?,
                _ => connection.send(message).await?,
            }
        }
        account.pings.one_more();
        let mut ping = connection.ping()?;
        self.stall_at_times().await;
        let mut answered = false;
        while !(answered && self.expected.echoes.is_empty()) {
            tokio::select! {
                pong = &mut ping, if !answered => {
                    pong?;
                    account.pongs.one_more();
                    answered = true;
                }
                message = connection.recv() => {
                    self.expected.take(&message?.ok_or(Error::Cut(None))?, account);
                }
            }
        }
        Ok(())
    }

    /// Sends through one half and receives through the other, at the same time.
    async fn burst_in_halves(
        &mut self,
        connection: Connection<Counted>,
    ) -> Result<Connection<Counted>, Error> {
        let messages: Vec<Message> =
            (0..1 + self.random.below(40)).map(|_| self.random.message()).collect();
        self.expected.echoes.extend(messages.iter().cloned());
        self.stall_at_times().await;
        let (mut receiving, sending) = connection.split();
        let received = receive(&mut receiving, &mut self.expected, self.account);
        let sent = send(&sending, messages, &mut self.random, self.account);
        tokio::try_join!(received, sent)?;
        Ok(receiving.reunite(sending).expect("the only halves"))
    }

    async fn stall_at_times(&mut self) {
        if self.random.one_in(8) {
            self.account.stalls.one_more();
            self.random.stall().await;
        }
    }

    async fn end(&mut self, mut connection: Connection<Counted>) {
        match self.random.below(4) {
            0 => {
                self.account.client_breaks_off.raise();
                drop(connection);
            }
            // A stall in the middle of a frame, and then a cut.
            1 => {
                self.account.client_breaks_off.raise();
                let mut stream = connection.into_inner();
                _ = stream.write_all(b"\x82\xfe\x10").await;
                self.random.stall().await;
            }
            _ => {
                if let Err(error) = connection.close(CloseCode::NORMAL, "done").await {
                    self.account.expect(&error);
                }
            }
        }
    }

    /// Sends and never receives, until the server has had enough.
    async fn never_receive(&mut self, mut connection: Connection<Counted>) {
        self.account.deaf.raise();
        self.account.client_breaks_off.raise();
        let error = self.send_without_end(&mut connection).await;
        assert!(matches!(error, Error::Io(_)), "the server cut it: {error}");
    }

    /// Talks to a server that receives nothing, until that shows, or one of two other ends.
    async fn give_up(&mut self, mut connection: Connection<Counted>) {
        match self.random.below(3) {
            0 => {
                let error = self.send_without_end(&mut connection).await;
                let stalled =
                    matches!(&error, Error::Io(it) if it.kind() == io::ErrorKind::TimedOut);
                assert!(stalled, "the write timeout ends it: {error}");
            }
            1 => {
                self.account.sent.one_more();
                connection.feed(self.random.message()).await.expect("room in the queue");
                let closed = connection.close(CloseCode::NORMAL, "is anybody there?").await;
                assert!(matches!(closed, Err(Error::CloseTimeout)), "{closed:?}");
            }
            _ => self.random.stall().await,
        }
        self.account.client_breaks_off.raise();
    }

    async fn send_without_end(&mut self, connection: &mut Connection<Counted>) -> Error {
        loop {
            self.account.sent.one_more();
            if let Err(error) = connection.send(self.random.message()).await {
                return error;
            }
        }
    }
}

impl Expected {
    fn take(&mut self, message: &Message, account: &Account) {
        if message.as_bytes().starts_with(b"#") {
            assert!(*message == push(self.heard), "{message:?} is not push {}", self.heard);
            self.heard += 1;
            account.heard.one_more();
        } else {
            let echo = self.echoes.pop_front().expect("a message that was sent");
            let (sent, came) = (echo.as_bytes().len(), message.as_bytes().len());
            assert!(*message == echo, "{sent} bytes came back as {came}");
            account.echoed.one_more();
        }
    }
}

async fn receive(
    half: &mut RecvHalf<Counted>,
    expected: &mut Expected,
    account: &Account,
) -> Result<(), Error> {
    while !expected.echoes.is_empty() {
        // `None` is an error here: the server ends with a code other than 1000, or with a cut.
        let message = half.recv().await?.ok_or(Error::Cut(None))?;
        expected.take(&message, account);
    }
    Ok(())
}

async fn send(
    half: &SendHalf<Counted>,
    messages: Vec<Message>,
    random: &mut Random,
    account: &Account,
) -> Result<(), Error> {
    for message in messages {
        account.sent.one_more();
        match random.below(3) {
            0 => in_fragments(half.writer(message.kind()).await?, &message, random).await?,
            1 => half.feed(message).await?,
            _ => half.send(message).await?,
        }
    }
    half.flush().await
}

async fn in_fragments(
    mut writer: MessageWriter<'_, Counted>,
    message: &Message,
    random: &mut Random,
) -> Result<(), Error> {
    let mut stalls = random.one_in(16);
    for part in message.as_bytes().chunks(1 + random.below(20_000) as usize) {
        writer.write_all(part).await?;
        writer.flush().await?;
        if mem::take(&mut stalls) {
            random.stall().await;
        }
    }
    writer.finish().await
}
