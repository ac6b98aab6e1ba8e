//! Receiving methods that a connection and its receiving half share.

use std::future::{Future, poll_fn};
use std::task::{Context, Poll};

use ws_core::{DecodeError, MessageKind, MessageRef};

use super::inbound::{Inbound, Progress};
use crate::error::Error;

/// A receiver: a connection or a receiving half.
pub(crate) trait Receives {
    /// Receives until `step` returns a value.
    fn poll_receive<T>(
        &mut self,
        cx: &mut Context<'_>,
        step: impl FnMut(&mut Inbound) -> Result<Progress<T>, DecodeError>,
    ) -> Poll<Result<Option<T>, Error>>;
}

/// Receives the next message into `buffer`.
pub(crate) fn recv_into(
    source: &mut impl Receives,
    buffer: &mut Vec<u8>,
) -> impl Future<Output = Result<Option<MessageKind>, Error>> {
    let mut copy = |message: MessageRef<'_>| {
        buffer.clear();
        buffer.extend_from_slice(message.as_bytes());
        Progress::Value(message.kind())
    };
    poll_fn(move |cx| source.poll_receive(cx, |inbound| inbound.borrowed(&mut copy)))
}

/// Receives the next message and calls `read` with it.
pub(crate) fn recv_with<R>(
    source: &mut impl Receives,
    read: impl FnOnce(MessageRef<'_>) -> R,
) -> impl Future<Output = Result<Option<R>, Error>> {
    let mut read = Some(read);
    let mut lend = move |message: MessageRef<'_>| {
        let read = read.take().expect("only one message is lent");
        Progress::Value(read(message))
    };
    poll_fn(move |cx| source.poll_receive(cx, |inbound| inbound.borrowed(&mut lend)))
}
