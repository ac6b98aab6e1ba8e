//! Ends that work until they are told to stop: connected to a server, or as one, which does what the path asked for says.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::sleep;
use ws_core::Role;
use ws_tokio::rustls::pki_types::ServerName;
use ws_tokio::tokio_rustls::{TlsAcceptor, TlsConnector};

use super::End;
use super::work::{Kind, Work};
use crate::load::raw::{check_response, request};
use crate::load::wire::{self, Layer};
use crate::load::{Process, Span, Took};
use crate::servers::Ended;
use crate::servers::upgrade::{path, upgrade};

/// What the ends of a client do.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// Each of them.
    pub kind: Kind,
    /// How many there are.
    pub connections: usize,
    /// Bytes of a message.
    pub size: usize,
    /// Over what.
    pub layer: Layer,
}

/// How long to wait for the first message that is measured.
const LONGEST: Duration = Duration::from_secs(10);

/// Lets ends work with a server, and says what the measured process took: a server's, or this one.
///
/// # Errors
///
/// If a connection fails.
///
/// # Panics
///
/// If what comes is not what was sent, or nothing does.
pub fn run(
    end: &End,
    address: SocketAddr,
    measured: Process,
    shape: Shape,
    span: Span,
) -> io::Result<Took> {
    on_a_runtime(async {
        let work = Arc::new(Work::new(shape.kind, shape.size));
        start(end, address, shape, &work).await?;
        sleep(span.warm_up).await;
        work.tally.trust();
        let (start, cpu, before) = (Instant::now(), measured.cpu(), work.tally.messages());
        sleep(span.measured).await;
        // A large message may take longer.
        while work.tally.messages() == before && start.elapsed() < LONGEST {
            sleep(Duration::from_millis(1)).await;
        }
        work.tally.check_all_work();
        let answers = work.tally.messages() - before;
        assert!(answers > 0, "nothing was done");
        Ok(Took { answers, cpu: measured.cpu() - cpu, time: start.elapsed(), sent: 0 })
    })
}

/// Resident KiB that this process has for each connection that waits after an echo of 1 KiB.
///
/// # Errors
///
/// If a connection fails.
pub fn idle(end: &End, address: SocketAddr, connections: usize, layer: Layer) -> io::Result<f64> {
    /// After these, what all of them share has come to be.
    const SHARED: usize = 100;
    on_a_runtime(async {
        let work = Arc::new(Work::new(Kind::Wait, 1024));
        let resident = async |connections: usize| {
            let shape = Shape { kind: Kind::Wait, connections: 1, size: 1024, layer };
            for _ in 0..connections {
                let before = work.tally.messages();
                start(end, address, shape, &work).await?;
                while work.tally.messages() == before {
                    tokio::task::yield_now().await;
                }
            }
            sleep(Duration::from_millis(500)).await;
            work.tally.check_all_work();
            io::Result::Ok(Process(std::process::id()).resident_kib() as f64)
        };
        let before = resident(SHARED).await?;
        Ok((resident(connections).await? - before) / connections as f64)
    })
}

/// Connects all, then starts them.
async fn start(end: &End, address: SocketAddr, shape: Shape, work: &Arc<Work>) -> io::Result<()> {
    let path = work.asked();
    let mut connected: Vec<Box<dyn FnOnce()>> = vec![];
    for _ in 0..shape.connections {
        let mut stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let work = work.clone();
        connected.push(match shape.layer {
            Layer::Plain => {
                shake_hands(&mut stream, &path).await?;
                let tcp = end.tcp;
                Box::new(move || tcp(stream, Role::Client, work))
            }
            Layer::Tls => {
                let name = ServerName::try_from("localhost").expect("a name");
                let connector = TlsConnector::from(wire::CONFIG.clone());
                let mut stream = connector.connect(name, stream).await?;
                shake_hands(&mut stream, &path).await?;
                let tls = end.tls;
                Box::new(move || tls(stream.into(), Role::Client, work))
            }
        });
    }
    connected.into_iter().for_each(|start| start());
    Ok(())
}

/// Reads no further than the answer: frames may follow at once.
async fn shake_hands<S>(stream: &mut S, path: &str) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    stream.write_all(&request(path)).await?;
    stream.flush().await?;
    let mut head = Vec::with_capacity(256);
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    check_response(&head);
    Ok(())
}

/// A server's end of a connection, which takes or gives as it is asked to.
pub async fn serve(
    end: &'static End,
    mut stream: TcpStream,
    acceptor: Option<TlsAcceptor>,
) -> Ended {
    match acceptor {
        None => {
            let work = asked(&mut stream).await?;
            (end.tcp)(stream, Role::Server, work);
        }
        Some(acceptor) => {
            let mut stream = acceptor.accept(stream).await?;
            let work = asked(&mut stream).await?;
            (end.tls)(stream.into(), Role::Server, work);
        }
    }
    Ok(())
}

async fn asked<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut S) -> Result<Arc<Work>, io::Error> {
    let request = upgrade(stream, None).await?;
    let work = path(&request).and_then(Work::parse);
    work.map(Arc::new).ok_or_else(|| io::Error::other("take/SIZE or give/SIZE"))
}

fn on_a_runtime<T>(load: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(load)
}
