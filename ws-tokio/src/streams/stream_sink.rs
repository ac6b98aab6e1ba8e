//! `Stream` and `Sink` of the futures crates, for connections and their halves.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use futures_core::stream::FusedStream;
use futures_sink::Sink;
use tokio::io::{AsyncRead, AsyncWrite};
use ws_core::{CloseFrame, Message};

use crate::connection::Connection;
use crate::error::Error;
use crate::machine::{Shared, Want};
use crate::split::{RecvHalf, SendHalf};

/// Yields messages as [`Connection::recv`] returns them; ends at `None`, and after an error.
impl<S: AsyncRead + AsyncWrite + Unpin> Stream for Connection<S> {
    type Item = Result<Message, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let received = ready!(self.poll_recv(cx));
        Poll::Ready(self.items().next(received))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> FusedStream for Connection<S> {
    fn is_terminated(&self) -> bool {
        self.has_given_its_end()
    }
}

/// `feed` and `send` of the futures crates behave as the connection's own methods; `close` sends 1000, drops messages
/// that still arrive, and waits for the end.
///
/// Different tasks may poll the stream and the sink, as after `StreamExt::split`. If one task waits in `next` while
/// another closes, it still yields the messages that it receives first, and then ends.
impl<S: AsyncRead + AsyncWrite + Unpin> Sink<Message> for Connection<S> {
    type Error = Error;

    fn poll_ready(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Connection::poll_room(&mut self, cx, 0)
    }

    fn start_send(mut self: Pin<&mut Self>, message: Message) -> Result<(), Error> {
        self.shared().queue(message).map_err(|error| *error)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Connection::poll_flush(&mut self, cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Connection::poll_close(&mut self, cx, &CloseFrame::normal())
    }
}

/// Yields messages as [`RecvHalf::recv`] returns them; ends at `None`, and after an error.
impl<S: AsyncRead + AsyncWrite + Unpin> Stream for RecvHalf<S> {
    type Item = Result<Message, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let received = ready!(self.poll_recv(cx));
        Poll::Ready(self.items().next(received))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> FusedStream for RecvHalf<S> {
    fn is_terminated(&self) -> bool {
        self.has_given_its_end()
    }
}

/// Behaves as for [`Connection`]. While another task streams a message, sending one here is an error: only
/// [`SendHalf::send`] and [`SendHalf::feed`] wait.
impl<S: AsyncRead + AsyncWrite + Unpin> Sink<Message> for SendHalf<S> {
    type Error = Error;

    fn poll_ready(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.poll_sink(Want::Room, cx, |shared, cx| shared.poll_room(cx, 0))
    }

    fn start_send(self: Pin<&mut Self>, message: Message) -> Result<(), Error> {
        self.queue(message)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.poll_sink(Want::Flush, cx, Shared::poll_flush)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.start_closing(&CloseFrame::normal());
        self.poll_sink_closed(cx)
    }
}
