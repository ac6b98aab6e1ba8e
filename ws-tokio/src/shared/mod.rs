//! What both directions share: the stream, the send queue, and how the connection ends.

mod direct;
mod end;
mod watch;

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};

use tokio::io::{AsyncRead, AsyncWrite};
#[cfg(feature = "deflate")]
use ws_core::deflate::AgreedCompression;
use ws_core::{CloseFrame, Control, Counts, Message, PreparedMessage, Role};

use crate::callbacks::{Callbacks, PingReply};
use crate::counters::{Counters, Traffic};
use crate::error::Error;
use crate::failure::Failure;
use crate::inbound::Inbound;
use crate::news::News;
use crate::outbound::Outbound;
use crate::outbox::Outbox;
use crate::pings::Ping;
use crate::settings::{Millis, Settings};
use crate::wants::Wants;
pub(crate) use direct::Direct;
use direct::Tasks;
pub(crate) use end::End;
use end::Phase;
use watch::{Waits, Watch, Writing};

/// The part of a connection that its halves share: a connection owns it, halves lock it.
pub(crate) struct Shared<S> {
    stream: S,
    outbound: Outbound,
    phase: Phase,
    role: Role,
    close_timeout: Millis,
    write_timeout: Millis,
    watch: Option<Box<Watch>>,
    /// Who waits, where it is no split connection.
    tasks: Tasks,
    /// What the one task waits for, or gave up to wait for without a word.
    waited_for: Wants,
    #[cfg(feature = "deflate")]
    compression: Option<AgreedCompression>,
    rare: Option<Box<Rare>>,
}

/// What few connections have, or only for a while.
#[derive(Default)]
struct Rare {
    subprotocol: Option<Box<str>>,
    peer_addr: Option<SocketAddr>,
    close_frame: Option<CloseFrame>,
    callbacks: Option<Box<Callbacks>>,
    /// What was received, as of the last read, where it is counted.
    received: Traffic,
}

/// How the receiving side reaches what it shares: directly, or under a lock for each call.
pub(crate) trait Link<S> {
    /// Does something that doesn't wait.
    fn with<R>(&mut self, act: impl FnOnce(&mut Shared<S>) -> R) -> R;

    /// Does something that may wait. `act` may be called twice, and must register the context's waker each time.
    fn poll<R>(
        &mut self,
        cx: &mut Context<'_>,
        act: impl FnMut(&mut Shared<S>, &mut Context<'_>) -> Poll<R>,
    ) -> Poll<R>;

    /// Tells others what they have to hear of.
    fn tell(&mut self);

    /// Where a handler's replies go.
    fn outbox(&mut self) -> Outbox<'_>;
}

impl<S> Shared<S> {
    pub(crate) fn new(
        stream: S,
        outbound: Outbound,
        role: Role,
        settings: &Settings,
        subprotocol: Option<String>,
        peer_addr: Option<SocketAddr>,
    ) -> Self {
        let rare = (subprotocol.is_some() || peer_addr.is_some()).then(|| {
            let subprotocol = subprotocol.map(String::into_boxed_str);
            Box::new(Rare { subprotocol, peer_addr, ..Rare::default() })
        });
        Self {
            stream,
            outbound,
            phase: Phase::Open,
            role,
            close_timeout: Millis::from(settings.close_timeout),
            write_timeout: Millis::from(settings.write_timeout),
            watch: Watch::of(settings),
            tasks: Tasks::default(),
            waited_for: Wants::NONE,
            #[cfg(feature = "deflate")]
            compression: None,
            rare,
        }
    }

    #[cfg(feature = "deflate")]
    pub(crate) fn with_compression(self, agreed: Option<AgreedCompression>) -> Self {
        Self { compression: agreed, ..self }
    }

    #[cfg(feature = "deflate")]
    pub(crate) const fn compression(&self) -> Option<AgreedCompression> {
        self.compression
    }

    /// What passed, where it is counted; with what the receiving side has found since its last read, if it is at hand.
    pub(crate) fn counters(&self, found: Option<Counts>) -> Option<Counters> {
        let sent = self.outbound.traffic()?;
        let mut received = self.rare.as_ref().map_or_else(Traffic::default, |rare| rare.received);
        received.counts = found.unwrap_or(received.counts);
        Some(Counters { received, sent, round_trip: self.outbound.round_trip() })
    }

    /// Counts what was read, and tells of what was found in what was read before.
    pub(crate) fn count_read(&mut self, inbound: &Inbound, bytes: usize) {
        if let Some(counts) = inbound.counts() {
            let received = &mut self.rare().received;
            received.counts = counts;
            received.wire_bytes += bytes as u64;
        }
    }

    pub(crate) const fn role(&self) -> Role {
        self.role
    }

    pub(crate) const fn phase(&self) -> &Phase {
        &self.phase
    }

    pub(crate) fn subprotocol(&self) -> Option<&str> {
        self.rare.as_ref()?.subprotocol.as_deref()
    }

    pub(crate) fn peer_addr(&self) -> Option<SocketAddr> {
        self.rare.as_ref()?.peer_addr
    }

    pub(crate) fn close_frame(&self) -> Option<&CloseFrame> {
        self.rare.as_ref()?.close_frame.as_ref()
    }

    pub(crate) const fn outbound(&self) -> &Outbound {
        &self.outbound
    }

    pub(crate) const fn outbound_mut(&mut self) -> &mut Outbound {
        &mut self.outbound
    }

    pub(crate) const fn stream(&self) -> &S {
        &self.stream
    }

    pub(crate) fn into_stream(self) -> S {
        self.stream
    }

    /// Queues our close frame, if none was.
    pub(crate) fn start_closing(&mut self, frame: &CloseFrame) {
        if !self.outbound.is_closed() {
            self.outbound.close(Some(frame.clone()));
        }
    }

    /// What others have to hear of, now that no lock is held.
    #[inline]
    pub(crate) fn take_news(&mut self) -> Option<News> {
        self.outbound.take_news()
    }

    /// Something is being queued by code that can't wait: whoever waits to receive writes it.
    pub(crate) fn leave_to_others(&mut self) {
        self.outbound.wake(Wants::READING);
    }

    /// Queues a ping, for others to write.
    pub(crate) fn ping(&mut self) -> Result<Ping, Error> {
        self.leave_to_others();
        self.outbound.ping()
    }

    /// How far writing has come.
    fn writing(&self) -> Writing {
        Writing { written: self.outbound.written(), timeout: self.write_timeout.get() }
    }

    /// Who is told of pings and pongs.
    pub(crate) fn callbacks(&mut self) -> &mut Callbacks {
        self.rare().callbacks.get_or_insert_default()
    }

    /// Lends the callbacks to whoever receives, to be given back: they must not run under a lock.
    pub(crate) fn lend_callbacks(&mut self) -> Option<Box<Callbacks>> {
        self.rare.as_mut()?.callbacks.take()
    }

    pub(crate) fn give_callbacks_back(&mut self, callbacks: Box<Callbacks>) {
        self.rare().callbacks = Some(callbacks);
    }

    /// What the protocol does with a control frame, a ping so.
    pub(crate) fn control_received(&mut self, control: Control, ping_reply: PingReply) {
        match (control.reply(), ping_reply) {
            (Some(Control::Pong(_)), PingReply::Withheld) | (None, _) => {}
            (Some(reply), _) => self.outbound.reply(reply),
        }
        match control {
            Control::Ping(_) => {}
            Control::Pong(payload) => self.outbound.pong_received(&payload),
            Control::Close(frame) => self.close_received(frame),
        }
    }

    fn rare(&mut self) -> &mut Rare {
        self.rare.get_or_insert_default()
    }
}

impl<S: AsyncWrite + Unpin> Shared<S> {
    /// Queues the message once there is room, and takes it away then.
    #[inline]
    pub(crate) fn poll_feed(
        &mut self,
        cx: &mut Context<'_>,
        message: &mut Option<Message>,
    ) -> Poll<Result<(), Error>> {
        let len = message.as_ref().map_or(0, |message| message.as_bytes().len());
        ready!(self.poll_room(cx, len))?;
        Poll::Ready(message.take().map_or(Ok(()), |message| self.queue(message)))
    }

    /// Queues a message that other connections are sent too, once there is room.
    pub(crate) fn poll_feed_prepared(
        &mut self,
        cx: &mut Context<'_>,
        message: &PreparedMessage,
    ) -> Poll<Result<(), Error>> {
        ready!(self.poll_room(cx, message.message().as_bytes().len()))?;
        Poll::Ready(self.outbound.prepared(message))
    }

    /// Waits until a message of `len` bytes has room. Starts writing where much is queued.
    #[inline]
    pub(crate) fn poll_room(
        &mut self,
        cx: &mut Context<'_>,
        len: usize,
    ) -> Poll<Result<(), Error>> {
        self.outbound.may_send()?;
        if self.outbound.is_high() {
            // What the transport doesn't take now, the next flush will.
            let written = self.write(|outbound, stream| outbound.poll_flush(cx, stream));
            if let Poll::Ready(written) = written {
                written?;
            }
        }
        if self.outbound.has_room(len) {
            return Poll::Ready(Ok(()));
        }
        self.poll_write(cx, |outbound, stream, cx| outbound.poll_room(cx, stream, len))
    }

    /// Writes, and watches that it goes on.
    fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        mut write: impl FnMut(&mut Outbound, &mut S, &mut Context<'_>) -> Poll<io::Result<()>>,
    ) -> Poll<Result<(), Error>> {
        loop {
            let written = self.write(|outbound, stream| write(outbound, stream, cx));
            if let Poll::Ready(written) = written {
                return Poll::Ready(written.map_err(Error::Io));
            }
            let writing = self.writing();
            self.watch.get_or_insert_with(Watch::of_write).stalled(writing);
            ready!(self.poll_parked(cx, Waits::ToWrite));
        }
    }

    /// Writes, and where nothing is left to write, or nothing can be, forgets that it waited.
    fn write(
        &mut self,
        write: impl FnOnce(&mut Outbound, &mut S) -> Poll<io::Result<()>>,
    ) -> Poll<io::Result<()>> {
        let written = write(&mut self.outbound, &mut self.stream);
        if self.watch.is_some() {
            self.watch_write();
        }
        written
    }

    fn watch_write(&mut self) {
        if let Some(watch) = &mut self.watch {
            watch.wrote(self.outbound.written());
            if self.outbound.is_flushed() {
                watch.drained();
            }
        }
    }

    #[inline]
    pub(crate) fn queue(&mut self, message: Message) -> Result<(), Error> {
        self.outbound.owned(message, &self.stream)
    }

    pub(crate) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.poll_write(cx, |outbound, stream, cx| outbound.poll_flush(cx, stream))
    }

    /// Writes what is queued when this is first polled, which sets `mark`: what others queue meanwhile is not waited for.
    pub(crate) fn poll_flush_to(
        &mut self,
        cx: &mut Context<'_>,
        mark: &mut Option<u64>,
    ) -> Poll<Result<(), Error>> {
        let mark = *mark.get_or_insert(self.outbound.mark());
        self.poll_write(cx, |outbound, stream, cx| outbound.poll_flush_to(cx, stream, mark))
    }

    /// Ends the connection without a closing handshake.
    pub(crate) fn close_now(&mut self) {
        if self.phase.ended().is_some() {
            return;
        }
        self.end(End::Cut(None));
        // Best effort, without waiting: a socket's write side shuts down at once.
        _ = Pin::new(&mut self.stream).poll_shutdown(&mut Context::from_waker(Waker::noop()));
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Shared<S> {
    /// Writes what is queued, then reads once. Output that the transport doesn't take never stops reading.
    #[inline]
    pub(crate) fn poll_exchange(
        &mut self,
        cx: &mut Context<'_>,
        inbound: &mut Inbound,
    ) -> Poll<()> {
        // What went wrong with writing is seen by whoever sends; a close frame may still be there to be read.
        if !self.outbound.is_flushed() {
            _ = self.poll_flush(cx);
        }
        let read = inbound.poll_fill(cx, &mut self.stream);
        self.count_read(inbound, if let Poll::Ready(Ok(bytes)) = read { bytes } else { 0 });
        match read {
            Poll::Pending => return self.poll_parked(cx, Waits::ToRead),
            Poll::Ready(Ok(0)) => {
                self.end(self.outbound.broken().cloned().map_or(End::Cut(None), End::from));
            }
            Poll::Ready(Ok(_)) => self.heard(),
            Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::Interrupted => {}
            Poll::Ready(Err(error)) => self.end(Failure::from(error).into()),
        }
        Poll::Ready(())
    }

    /// Something arrived.
    #[inline]
    fn heard(&mut self) {
        if let Some(watch) = &mut self.watch {
            watch.heard();
        }
    }

    /// Writes until nothing is over the queue's limit any more.
    pub(crate) fn poll_below(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        // What went wrong with writing is seen by whoever sends.
        self.poll_write(cx, |outbound, stream, cx| outbound.poll_below(cx, stream)).map(drop)
    }

    /// Writes what is queued, because nothing more may be queued before.
    pub(crate) fn poll_drain(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        // What went wrong with writing is seen by whoever sends.
        self.poll_flush(cx).map(drop)
    }
}
