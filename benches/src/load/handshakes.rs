//! Opening handshakes, 32 under way at a time: each connection asks, checks the answer, and is reset.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::time::Instant;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use super::raw::{REQUEST, check_response};
use super::{Process, Span, Took};

const UNDER_WAY: usize = 32;

/// Shakes hands with a server in this way, and says what the measured process took: the server's, or this one.
///
/// # Errors
///
/// If a connection fails.
///
/// # Panics
///
/// If an answer is no handshake.
pub fn run<F>(
    address: SocketAddr,
    measured: Process,
    span: Span,
    handshake: impl Fn(SocketAddr) -> F + Copy + Send + 'static,
) -> io::Result<Took>
where
    F: Future<Output = io::Result<()>> + Send,
{
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let until = async |end| {
        let mut tasks = JoinSet::new();
        for _ in 0..UNDER_WAY {
            tasks.spawn(async move {
                let mut answers = 0;
                while Instant::now() < end {
                    handshake(address).await?;
                    answers += 1;
                }
                io::Result::Ok(answers)
            });
        }
        tasks.join_all().await.into_iter().sum::<io::Result<u64>>()
    };
    runtime.block_on(async {
        until(Instant::now() + span.warm_up).await?;
        let (start, cpu) = (Instant::now(), measured.cpu());
        let answers = until(start + span.measured).await?;
        Ok(Took { answers, time: start.elapsed(), cpu: measured.cpu() - cpu, sent: 0 })
    })
}

/// A handshake below every library.
///
/// # Errors
///
/// If the connection fails.
///
/// # Panics
///
/// If the answer is no handshake.
pub async fn raw(address: SocketAddr) -> io::Result<()> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(REQUEST).await?;
    let mut head = Vec::with_capacity(1024);
    while !head.ends_with(b"\r\n\r\n") {
        if stream.read_buf(&mut head).await? == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
    }
    check_response(&head);
    // A reset: the port is free again at once.
    stream.set_zero_linger()
}
