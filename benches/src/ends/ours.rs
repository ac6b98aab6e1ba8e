//! This project's two ways of receiving.

use std::sync::Arc;

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncWrite};
use ws_core::Role;
use ws_tokio::{Connection, Error, MessageRef, Negotiated, Outbox, Settings};

use super::work::{Kind, Work};
use crate::servers::Ended;

pub(super) async fn run<S>(stream: S, role: Role, work: Arc<Work>) -> Ended
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut connection = connection(stream, role);
    match work.kind {
        Kind::Ask(in_flight) => {
            let burst = |outbox: &mut Outbox<'_>| -> Result<(), Error> {
                (0..in_flight).try_for_each(|_| outbox.send(MessageRef::Binary(&work.payload)))
            };
            burst(&mut connection.outbox())?;
            let mut left = in_flight;
            let answered = |message: MessageRef<'_>, outbox: &mut Outbox<'_>| {
                work.check(message.as_bytes());
                left -= 1;
                if left > 0 {
                    return Ok(());
                }
                work.done(in_flight);
                left = in_flight;
                burst(outbox)
            };
            connection.run(answered).await?;
        }
        Kind::Take | Kind::Wait => {
            if matches!(work.kind, Kind::Wait) {
                connection.send(work.payload.clone()).await?;
            }
            let took = |message: MessageRef<'_>, _: &mut Outbox<'_>| {
                work.check(message.as_bytes());
                work.done(1);
            };
            connection.run(took).await?;
        }
        Kind::Give => give(&mut connection, &work).await?,
    }
    Ok(())
}

pub(super) async fn recv<S>(stream: S, role: Role, work: Arc<Work>) -> Ended
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut connection = connection(stream, role);
    match work.kind {
        Kind::Ask(in_flight) => loop {
            for _ in 0..in_flight {
                connection.feed(work.payload.clone()).await?;
            }
            for _ in 0..in_flight {
                let Some(message) = connection.recv().await? else { return Ok(()) };
                work.check(message.as_bytes());
            }
            work.done(in_flight);
        },
        Kind::Take | Kind::Wait => {
            if matches!(work.kind, Kind::Wait) {
                connection.send(work.payload.clone()).await?;
            }
            while let Some(message) = connection.recv().await? {
                work.check(message.as_bytes());
                work.done(1);
            }
        }
        Kind::Give => give(&mut connection, &work).await?,
    }
    Ok(())
}

async fn give<S>(connection: &mut Connection<S>, work: &Work) -> Result<(), Error>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    loop {
        connection.send(work.payload.clone()).await?;
        work.done(1);
    }
}

fn connection<S>(stream: S, role: Role) -> Connection<S> {
    let settings = Settings::default().max_message(LARGEST);
    Connection::from_upgraded(stream, role, BytesMut::new(), Negotiated::default(), settings)
}

/// Of the messages that are measured; the default is less.
const LARGEST: usize = 16 << 20;
