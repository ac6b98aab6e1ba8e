//! Values as a `Stream` and a `Sink` of the futures crates.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::mem;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use futures_core::stream::FusedStream;
use futures_sink::Sink;
use serde::Serialize;
use serde::de::DeserializeOwned;
use ws_tokio::{Connection, Message, SendHalf};

use crate::duplex::Duplex;
use crate::error::Error;
use crate::json::Json;
use crate::receive::Receive;

/// A connection, or a half of one, as a `Stream` of `In` and a `Sink` of `Out`. Made by [`Json::typed`].
///
/// The stream yields what [`Json::recv`] returns. It continues after an [`Error::Shape`] and ends after any other
/// error. The sink sends as [`Json::send`] does, and closes with 1000.
pub struct Typed<C, In, Out = In> {
    inner: C,
    state: State,
    /// It holds neither type: it makes one and takes the other.
    types: PhantomData<fn(Out) -> In>,
}

/// The state of the stream.
enum State {
    Open,
    /// The connection is closing for this reason.
    Ending(Error),
    /// The error was yielded; the end is next.
    Failed,
    Ended,
}

impl<C> Json<C> {
    /// Makes a stream of values of one type and a sink for values of the same or another; see [`Typed`].
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// use ws_json::{Json, Typed};
    ///
    /// # let (client, _server) = ws_tokio::pipe().await;
    /// let numbers: Typed<_, u64> = Json(client).typed();
    /// # }
    /// ```
    pub fn typed<In, Out>(self) -> Typed<C, In, Out> {
        Typed { inner: self.0, state: State::Open, types: PhantomData }
    }
}

impl<C, In, Out> Typed<C, In, Out> {
    /// Returns the connection or half.
    pub const fn get_mut(&mut self) -> &mut C {
        &mut self.inner
    }

    /// Returns the connection or half.
    pub fn into_inner(self) -> C {
        self.inner
    }
}

impl<C: Receive, In: DeserializeOwned, Out> Typed<C, In, Out> {
    fn poll_value(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<In>, Error>> {
        let received = pin!(self.inner.recv_with(|message| Json(message).parse()));
        let parsed = ready!(received.poll(cx))?;
        Poll::Ready(parsed.transpose())
    }

    /// Receives nothing more; closes the connection if a message violated the protocol.
    fn end(&mut self, error: Error) {
        if let Some((code, reason)) = error.refusal() {
            self.inner.fail(code, reason);
        }
        self.state = State::Ending(error);
    }
}

impl<C: Receive + Unpin, In: DeserializeOwned, Out> Stream for Typed<C, In, Out> {
    type Item = Result<In, Error>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        if let State::Open = this.state {
            match ready!(this.poll_value(cx)) {
                Ok(Some(value)) => return Poll::Ready(Some(Ok(value))),
                Ok(None) => this.state = State::Ended,
                Err(error @ Error::Shape(_)) => return Poll::Ready(Some(Err(error))),
                Err(error) => this.end(error),
            }
        }
        if let State::Ending(_) = this.state {
            _ = ready!(pin!(this.inner.recv_with(|_| ())).poll(cx));
        }
        match mem::replace(&mut this.state, State::Ended) {
            State::Ending(error) => {
                this.state = State::Failed;
                Poll::Ready(Some(Err(error)))
            }
            State::Open | State::Failed | State::Ended => Poll::Ready(None),
        }
    }
}

impl<C: Receive + Unpin, In: DeserializeOwned, Out> FusedStream for Typed<C, In, Out> {
    fn is_terminated(&self) -> bool {
        matches!(self.state, State::Ended)
    }
}

impl<C: Queue, In, Out: Serialize> Sink<Out> for Typed<C, In, Out> {
    type Error = Error;

    fn poll_ready(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Pin::new(&mut self.inner).poll_ready(cx).map_err(Error::Connection)
    }

    fn start_send(mut self: Pin<&mut Self>, value: Out) -> Result<(), Error> {
        self.inner.queue(&value)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Pin::new(&mut self.inner).poll_flush(cx).map_err(Error::Connection)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Pin::new(&mut self.inner).poll_close(cx).map_err(Error::Connection)
    }
}

/// A sender of values: a [`Connection`] or a [`SendHalf`].
pub trait Queue: Sink<Message, Error = ws_tokio::Error> + Unpin {
    #[doc(hidden)]
    fn queue<T: Serialize>(&mut self, value: &T) -> Result<(), Error>;
}

macro_rules! queue {
    ($($sender:ident),*) => {$(
        impl<S: Duplex> Queue for $sender<S> {
            #[cfg(not(target_family = "wasm"))]
            fn queue<T: Serialize>(&mut self, value: &T) -> Result<(), Error> {
                Json(&mut self.outbox()).send(value)
            }

            #[cfg(target_family = "wasm")]
            fn queue<T: Serialize>(&mut self, value: &T) -> Result<(), Error> {
                let text = serde_json::to_string(value).map_err(Error::Serialize)?;
                Ok(Pin::new(self).start_send(Message::text(text))?)
            }
        }
    )*};
}
queue!(Connection, SendHalf);

impl<C: fmt::Debug, In, Out> fmt::Debug for Typed<C, In, Out> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Typed").field(&self.inner).finish()
    }
}
