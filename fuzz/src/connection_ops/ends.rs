//! A whole connection and its halves under common names: the same operations on both.

use std::ops::ControlFlow;

use ws_tokio::{
    CloseCode, Connection, Error, Message, MessageKind, MessageReader, MessageRef, MessageWriter,
    Outbox, PayloadWriter, Ping, PreparedMessage, RecvHalf, SendHalf,
};

use crate::support::scripted::Scripted;

/// What receives.
pub(super) trait Receives {
    async fn recv(&mut self) -> Result<Option<Message>, Error>;
    async fn recv_into(&mut self, buffer: &mut Vec<u8>) -> Result<Option<MessageKind>, Error>;
    async fn recv_with<R>(
        &mut self,
        read: impl FnOnce(MessageRef<'_>) -> R,
    ) -> Result<Option<R>, Error>;
    async fn run(
        &mut self,
        handler: impl FnMut(MessageRef<'_>, &mut Outbox<'_>) -> ControlFlow<()>,
    ) -> Result<Option<()>, Error>;
    async fn reader(&mut self) -> Result<Option<MessageReader<'_, Scripted>>, Error>;
    fn fail(&mut self, code: u16) -> Result<(), Error>;
}

/// What sends.
pub(super) trait Sends {
    async fn send(&mut self, message: Message) -> Result<(), Error>;
    async fn feed(&mut self, message: Message) -> Result<(), Error>;
    async fn feed_prepared(&mut self, message: &PreparedMessage) -> Result<(), Error>;
    async fn feed_with(
        &mut self,
        kind: MessageKind,
        fill: impl FnOnce(&mut PayloadWriter<'_>) -> Result<(), Error>,
    ) -> Result<(), Error>;
    async fn flush(&mut self) -> Result<(), Error>;
    async fn writer(&mut self, kind: MessageKind) -> Result<MessageWriter<'_, Scripted>, Error>;
    async fn close(&mut self, code: u16) -> Result<(), Error>;
    fn ping(&mut self) -> Result<Ping, Error>;
    fn close_now(&mut self);
    fn queued(&self) -> usize;
}

macro_rules! receives {
    ($end:ident) => {
        impl Receives for $end<Scripted> {
            async fn recv(&mut self) -> Result<Option<Message>, Error> {
                $end::recv(self).await
            }

            async fn recv_into(
                &mut self,
                buffer: &mut Vec<u8>,
            ) -> Result<Option<MessageKind>, Error> {
                $end::recv_into(self, buffer).await
            }

            async fn recv_with<R>(
                &mut self,
                read: impl FnOnce(MessageRef<'_>) -> R,
            ) -> Result<Option<R>, Error> {
                $end::recv_with(self, read).await
            }

            async fn run(
                &mut self,
                handler: impl FnMut(MessageRef<'_>, &mut Outbox<'_>) -> ControlFlow<()>,
            ) -> Result<Option<()>, Error> {
                $end::run(self, handler).await
            }

            async fn reader(&mut self) -> Result<Option<MessageReader<'_, Scripted>>, Error> {
                $end::reader(self).await
            }

            fn fail(&mut self, code: u16) -> Result<(), Error> {
                $end::fail(self, CloseCode::new(code), "")
            }
        }
    };
}

/// `$writer` is how one waits for a writer.
macro_rules! sends {
    ($end:ident, |$writer:ident| $wait:expr) => {
        impl Sends for $end<Scripted> {
            async fn send(&mut self, message: Message) -> Result<(), Error> {
                $end::send(self, message).await
            }

            async fn feed(&mut self, message: Message) -> Result<(), Error> {
                $end::feed(self, message).await
            }

            async fn feed_prepared(&mut self, message: &PreparedMessage) -> Result<(), Error> {
                $end::feed_prepared(self, message).await
            }

            async fn feed_with(
                &mut self,
                kind: MessageKind,
                fill: impl FnOnce(&mut PayloadWriter<'_>) -> Result<(), Error>,
            ) -> Result<(), Error> {
                $end::feed_with(self, kind, fill).await
            }

            async fn flush(&mut self) -> Result<(), Error> {
                $end::flush(self).await
            }

            async fn writer(
                &mut self,
                kind: MessageKind,
            ) -> Result<MessageWriter<'_, Scripted>, Error> {
                let $writer = $end::writer(self, kind);
                $wait
            }

            async fn close(&mut self, code: u16) -> Result<(), Error> {
                $end::close(self, CloseCode::new(code), "").await
            }

            fn ping(&mut self) -> Result<Ping, Error> {
                $end::ping(self)
            }

            fn close_now(&mut self) {
                $end::close_now(self);
            }

            fn queued(&self) -> usize {
                $end::queued(self)
            }
        }
    };
}

receives!(Connection);
receives!(RecvHalf);
sends!(Connection, |writer| writer);
sends!(SendHalf, |writer| writer.await);
