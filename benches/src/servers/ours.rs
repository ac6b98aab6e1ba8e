//! This project's ways of receiving.
//!
//! An idle connection is its task, mostly. So the handshake, which is large and short, is made a future on the heap before the
//! task begins: the task then holds no stream.

use std::future::Future;

use tokio::io::{AsyncRead, AsyncWrite};
use ws_tokio::{AcceptError, AcceptOptions, Connection, Settings};

use super::asked::{Deflate, Ended};

pub(super) fn run<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    deflate: Deflate,
) -> impl Future<Output = Ended> {
    let accepting = Box::pin(accept(stream, deflate));
    async {
        let mut connection = accepting.await?;
        Ok(connection.run(|message, outbox| outbox.send(message)).await?)
    }
}

pub(super) fn recv<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    deflate: Deflate,
) -> impl Future<Output = Ended> {
    let accepting = Box::pin(accept(stream, deflate));
    async {
        let mut connection = accepting.await?;
        loop {
            // Not `recv().await?`, which would keep a second place for a message in the task.
            match connection.recv().await {
                Ok(Some(message)) => connection.feed(message).await?,
                Ok(None) => return Ok(()),
                Err(error) => return Err(error.into()),
            }
        }
    }
}

/// As [`recv`], by the halves of a split connection.
pub(super) fn halves<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    deflate: Deflate,
) -> impl Future<Output = Ended> {
    let accepting = Box::pin(accept(stream, deflate));
    async {
        let (mut receiving, sending) = accepting.await?.split();
        while let Some(message) = receiving.recv().await? {
            sending.feed(message).await?;
        }
        Ok(())
    }
}

pub(super) async fn accept<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    deflate: Deflate,
) -> Result<Connection<S>, AcceptError> {
    let settings = Settings::default().max_message(LARGEST);
    let options = AcceptOptions::default().settings(settings).compression(deflate.options());
    options.accept(stream).await
}

/// Of the messages that are measured; the default is less.
const LARGEST: usize = 16 << 20;
