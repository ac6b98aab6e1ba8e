//! Echoes of compressed text over TCP. The client is this project's, by the same terms for every server.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use ws_tokio::{Compression, ConnectOptions, Connection, Message, Settings};

use super::texts::Text;
use super::{Process, Span, Took};
use crate::servers::Deflate;

/// The shape of the load.
#[derive(Clone, Copy)]
pub struct Shape {
    /// What is sent.
    pub text: &'static Text,
    /// Bytes of a message.
    pub size: usize,
    /// What both ends are asked for.
    pub deflate: Deflate,
}

impl Shape {
    /// How many connections: 8, and fewer for large messages.
    fn connections(self) -> usize {
        ((1 << 20) / self.size).clamp(1, 8)
    }

    /// How many messages a connection sends before it takes the answers: at most 16, and not more than 64 KiB.
    fn in_flight(self) -> usize {
        (65_536 / self.size).clamp(1, 16)
    }

    /// So many different messages that those in reach of a window are all different.
    fn messages(self) -> Vec<Message> {
        self.text.messages(self.size, ((1 << 20) / self.size).clamp(2, 1024))
    }
}

/// Puts the load on a server, and says what it took.
///
/// # Errors
///
/// If a connection fails.
///
/// # Panics
///
/// If an answer is not what was sent, or the server didn't agree to compress.
pub fn run(address: SocketAddr, server: Process, shape: Shape, span: Span) -> io::Result<Took> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let messages: Arc<[Message]> = shape.messages().into();
        let mut clients = Vec::new();
        for number in 0..shape.connections() {
            let connection = connect(address, shape.deflate).await?;
            let next = number * messages.len() / shape.connections();
            clients.push(Client {
                connection,
                messages: messages.clone(),
                next,
                in_flight: shape.in_flight(),
            });
        }
        let (clients, _) = until(clients, Instant::now() + span.warm_up).await?;
        let received = |clients: &[Client]| clients.iter().map(Client::received).sum::<u64>();
        let (start, cpu, before) = (Instant::now(), server.cpu(), received(&clients));
        let (clients, answers) = until(clients, start + span.measured).await?;
        Ok(Took {
            answers,
            time: start.elapsed(),
            cpu: server.cpu() - cpu,
            sent: received(&clients) - before,
        })
    })
}

async fn until(clients: Vec<Client>, end: Instant) -> io::Result<(Vec<Client>, u64)> {
    let mut tasks = JoinSet::new();
    for mut client in clients {
        tasks.spawn(async move {
            let mut answers = 0;
            while Instant::now() < end {
                answers += client.burst().await.map_err(io::Error::other)?;
            }
            io::Result::Ok((client, answers))
        });
    }
    let ended: io::Result<Vec<_>> = tasks.join_all().await.into_iter().collect();
    let (clients, answers): (_, Vec<_>) = ended?.into_iter().unzip();
    Ok((clients, answers.into_iter().sum()))
}

struct Client {
    connection: Connection<Counted>,
    messages: Arc<[Message]>,
    /// Which message is the next.
    next: usize,
    in_flight: usize,
}

impl Client {
    /// Sends a burst and takes the answers; returns how many.
    async fn burst(&mut self) -> Result<u64, ws_tokio::Error> {
        let first = self.next;
        let burst = |i: usize| self.messages[(first + i) % self.messages.len()].clone();
        for i in 0..self.in_flight {
            self.connection.feed(burst(i)).await?;
        }
        self.connection.flush().await?;
        for i in 0..self.in_flight {
            let answer = self.connection.recv().await?;
            assert!(answer == Some(burst(i)), "the message came back different");
        }
        self.next = (first + self.in_flight) % self.messages.len();
        Ok(self.in_flight as u64)
    }

    fn received(&self) -> u64 {
        self.connection.get_ref().received
    }
}

/// A client by the same terms as the server's.
///
/// # Errors
///
/// If the connection or its handshake fails.
///
/// # Panics
///
/// If the server didn't agree to compress.
pub(super) async fn connect(
    address: SocketAddr,
    deflate: Deflate,
) -> io::Result<Connection<Counted>> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let stream = Counted { stream, received: 0 };
    let settings = Settings::default().max_message(16 << 20);
    let options = ConnectOptions::default().settings(settings).compression(deflate.options());
    let connected = options.connect_over(stream, &format!("ws://{address}/")).await;
    let (connection, _) = connected.map_err(io::Error::other)?;
    let agreed = connection.compression().expect("the server agrees to compress");
    let alone = deflate.takeover == Compression::NoContextTakeover;
    assert_eq!(agreed.server_no_context_takeover(), alone, "other terms than were asked for");
    Ok(connection)
}

/// A TCP stream that counts what arrives.
pub(super) struct Counted {
    stream: TcpStream,
    received: u64,
}

impl AsyncRead for Counted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buf))?;
        self.received += (buf.filled().len() - before) as u64;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Counted {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
