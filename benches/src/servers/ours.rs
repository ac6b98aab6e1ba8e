//! This project's two ways of receiving.

use tokio::io::{AsyncRead, AsyncWrite};
use ws_tokio::{AcceptError, AcceptOptions, Connection};

use super::{Deflate, Ended};

pub(super) async fn run<S: AsyncRead + AsyncWrite + Unpin>(stream: S, deflate: Deflate) -> Ended {
    let mut connection = Box::pin(accept(stream, deflate)).await?;
    Ok(connection.run(|message, outbox| outbox.send(message)).await?)
}

pub(super) async fn recv<S: AsyncRead + AsyncWrite + Unpin>(stream: S, deflate: Deflate) -> Ended {
    let mut connection = Box::pin(accept(stream, deflate)).await?;
    while let Some(message) = connection.recv().await? {
        connection.feed(message).await?;
    }
    Ok(())
}

/// To be boxed: what it holds is large and short-lived, and an idle connection is its task.
pub(super) async fn accept<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    deflate: Deflate,
) -> Result<Connection<S>, AcceptError> {
    AcceptOptions::default().compression(deflate.options()).accept(stream).await
}
