//! `Stream` and `Sink` of the futures crates, for connections and their halves.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use futures_core::stream::FusedStream;
use futures_sink::Sink;
use ws_core::{CloseFrame, Message};

use super::connection::Connection;
use super::split::{RecvHalf, SendHalf};
use crate::error::Error;

macro_rules! stream {
    ($($receiver:ident),*) => {$(
        /// Yields messages as `recv` returns them; ends at `None`, and after an error.
        impl<S> Stream for $receiver<S> {
            type Item = Result<Message, Error>;

            fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
                let received = ready!(self.socket().events.poll_message(cx));
                Poll::Ready(self.items.next(received))
            }
        }

        impl<S> FusedStream for $receiver<S> {
            fn is_terminated(&self) -> bool {
                self.items.has_ended()
            }
        }
    )*};
}
stream!(Connection, RecvHalf);

macro_rules! sink {
    ($($sender:ident),*) => {$(
        /// `feed` and `send` of the futures crates behave as its own methods, but that `send` waits until the browser holds
        /// nothing; `close` sends 1000 and waits for the end.
        impl<S> Sink<Message> for $sender<S> {
            type Error = Error;

            fn poll_ready(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
                self.socket().poll_room(cx, 0)
            }

            fn start_send(self: Pin<&mut Self>, message: Message) -> Result<(), Error> {
                self.socket().queue(&message)
            }

            fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
                self.socket().poll_flush(cx)
            }

            fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
                self.socket().start_closing(&CloseFrame::normal());
                self.socket().poll_closed(cx)
            }
        }
    )*};
}
sink!(Connection, SendHalf);
