//! A server at work, until it is dropped or goes down gracefully.

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

use super::tracker::{Shutdown, Tracker};

type Running = Pin<Box<dyn Future<Output = ()> + Send>>;
type Start = Box<dyn FnOnce(Option<Tracker>) -> Running + Send>;

/// A [`Server`](crate::Server) at work, once awaited. It never ends by itself;
/// [`with_graceful_shutdown`](Self::with_graceful_shutdown) ends it.
#[must_use = "it does nothing unless awaited"]
pub struct Serving {
    /// Of the server's options.
    tracker: Option<Tracker>,
    state: State,
}

enum State {
    /// Taken when it is polled for the first time.
    Ready(Option<Start>),
    Running(Running),
}

impl Serving {
    pub(super) fn new(
        tracker: Option<Tracker>,
        start: impl FnOnce(Option<Tracker>) -> Running + Send + 'static,
    ) -> Self {
        Self { tracker, state: State::Ready(Some(Box::new(start))) }
    }

    /// Serves until `signal` completes, whatever its output. Then all connections are closed with 1001, late clients are refused
    /// with 503, and after `deadline` at most, the connections that are left are cut and counted.
    ///
    /// The connections are tracked by the options' [`Tracker`](crate::Tracker), if there is one.
    ///
    /// ```no_run
    /// # async fn example() -> std::io::Result<()> {
    /// use std::time::Duration;
    ///
    /// use ws_tokio::{Connection, Server};
    ///
    /// let serving = Server::bind("127.0.0.1:9001").await?.serve(async |mut connection: Connection<_>| {
    ///     connection.run(|message, outbox| outbox.send(message)).await
    /// });
    /// let shutdown =
    ///     serving.with_graceful_shutdown(tokio::signal::ctrl_c(), Duration::from_secs(10)).await;
    /// println!("{} closed, {} cut", shutdown.closed, shutdown.cut.len());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Panics
    /// The future panics if this was polled before.
    ///
    /// # Cancel safety
    /// If dropped, no more connections are accepted; existing ones are still served.
    pub async fn with_graceful_shutdown(
        mut self,
        signal: impl Future,
        deadline: Duration,
    ) -> Shutdown {
        assert!(matches!(self.state, State::Ready(_)), "it was polled before");
        let tracker = self.tracker.get_or_insert_default().clone();
        let mut shutdown = pin!(async move {
            signal.await;
            tracker.shutdown(deadline).await
        });
        poll_fn(|cx| {
            // Late clients are answered while it waits.
            _ = Pin::new(&mut self).poll(cx);
            shutdown.as_mut().poll(cx)
        })
        .await
    }
}

impl Future for Serving {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Self { tracker, state } = &mut *self;
        if let State::Ready(start) = state {
            let start = start.take().expect("started once");
            *state = State::Running(start(tracker.take()));
        }
        match state {
            State::Running(running) => running.as_mut().poll(cx),
            State::Ready(_) => Poll::Pending,
        }
    }
}

impl fmt::Debug for Serving {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Serving").field("tracker", &self.tracker).finish_non_exhaustive()
    }
}
