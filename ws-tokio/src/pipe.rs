//! Both ends of a connection in memory, for tests. They exchange the same bytes as over a network.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::pin;
use std::task::Poll;

use tokio::io::{DuplexStream, duplex};

use crate::client::{ConnectError, ConnectOptions};
use crate::connection::Connection;
use crate::server::AcceptOptions;

/// Capacity of a pipe in each direction, in bytes.
const CAPACITY: usize = 64 * 1024;

/// The client's URL. No host name is resolved.
const URL: &str = "ws://localhost/";

/// Connects a client and a server in memory, with a real handshake and default options. Each direction buffers 64 KiB
/// before its writer waits.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), ws_tokio::Error> {
/// let (mut client, mut server) = ws_tokio::pipe().await;
/// client.send("hello").await?;
/// assert_eq!(server.recv().await?, Some("hello".into()));
/// # Ok(())
/// # }
/// ```
///
/// # Panics
/// If the operating system has no randomness for the masking keys.
///
/// # Cancel safety
/// If dropped, both ends are dropped with it.
pub async fn pipe() -> (Connection<DuplexStream>, Connection<DuplexStream>) {
    let (connect, accept) = (ConnectOptions::default(), AcceptOptions::default());
    pipe_with(&connect, &accept, CAPACITY).await.expect("the defaults agree with each other")
}

/// Connects a client and a server in memory, as [`pipe`] does, with these options. Each direction buffers `capacity`
/// bytes before its writer waits; with 1, every read and write transfers a single byte.
///
/// The URL is `ws://localhost/`. To use another, or to inspect the request, use [`ConnectOptions::connect_over`] and
/// [`AcceptOptions::read`] over [`tokio::io::duplex`], as this function does.
///
/// # Errors
/// As for [`ConnectOptions::connect_over`]. If the server refused the handshake, the error contains its response.
///
/// # Panics
/// As for [`pipe`], and if `capacity` is 0.
///
/// # Cancel safety
/// If dropped, both ends are dropped with it.
pub async fn pipe_with(
    connect: &ConnectOptions,
    accept: &AcceptOptions,
    capacity: usize,
) -> Result<(Connection<DuplexStream>, Connection<DuplexStream>), ConnectError> {
    assert!(capacity > 0, "a pipe without capacity passes nothing on");
    let (near, far) = duplex(capacity);
    let (mut connecting, mut accepting) =
        (pin!(connect.connect_over(near, URL)), pin!(accept.accept(far)));
    let mut accepted = None;
    let connected = poll_fn(|cx| {
        if accepted.is_none() {
            if let Poll::Ready(server) = accepting.as_mut().poll(cx) {
                accepted = Some(server);
            }
        }
        connecting.as_mut().poll(cx)
    });
    let (client, _response) = connected.await?;
    let server = match accepted {
        Some(server) => server,
        None => accepting.await,
    };
    // The client has received the response, so this is an error of the stream.
    Ok((client, server.map_err(io::Error::other)?))
}
