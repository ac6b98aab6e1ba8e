//! The closing handshake (RFC 6455, 7), and ending without it.

use std::convert::Infallible;
use std::future::poll_fn;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite};
use ws_core::{CloseCode, CloseFrame, Utf8Bytes};

use super::Connection;
use crate::error::{Error, closed};
use crate::machine::{Progress, Want, Wants};

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    /// Closes the connection: sends a close frame, drops the messages that still come, waits for the peer's close
    /// frame, and up to 250 ms for the end of its stream. All of it within
    /// [`Settings::close_timeout`](crate::Settings), which nothing can stretch.
    ///
    /// Where a close frame was sent already, it only waits. Once the connection has ended, it says how.
    ///
    /// # Errors
    /// [`Error::Send`] for a code that may not be sent or a reason of more than 123 bytes: nothing is sent then.
    /// [`Error::CloseTimeout`] where the peer didn't answer in time, else as [`recv`](Self::recv), but that the
    /// peer's own code, whatever it is, makes no error.
    ///
    /// # Cancel safety
    /// If dropped, the close frame is queued or sent, and its deadline runs; call it again, or
    /// [`recv`](Self::recv), to go on.
    pub async fn close(
        &mut self,
        code: CloseCode,
        reason: impl Into<Utf8Bytes>,
    ) -> Result<(), Error> {
        let frame = CloseFrame::new(code, reason)?;
        poll_fn(|cx| self.poll_close(cx, &frame)).await
    }

    /// Fails the connection (RFC 6455, 7.1.7), as a peer that breaks the protocol does: for a message that the
    /// application's own protocol doesn't allow. It queues a close frame, where none was sent; no message is received
    /// any more.
    ///
    /// It doesn't wait. The next [`recv`](Self::recv) sees to it that the peer is told, while what it still sends is
    /// dropped, and is [`Error::Failed`]: at the latest 250 ms after the close frame was written, and within
    /// [`Settings::close_timeout`](crate::Settings). A connection that has ended is left as it is.
    ///
    /// # Errors
    /// [`Error::Send`] for a code that may not be sent or a reason of more than 123 bytes: nothing is done then.
    pub fn fail(&mut self, code: CloseCode, reason: impl Into<Utf8Bytes>) -> Result<(), Error> {
        let frame = CloseFrame::new(code, reason)?;
        self.shared().fail(frame);
        self.shared().tell(Wants::NONE);
        Ok(())
    }

    pub(crate) fn poll_close(
        &mut self,
        cx: &mut Context<'_>,
        frame: &CloseFrame,
    ) -> Poll<Result<(), Error>> {
        self.shared().start_closing(frame);
        let received = ready!(self.poll_receive_as::<Infallible>(Want::End, cx, |inbound| {
            inbound.borrowed(|_| Progress::Handled)
        }));
        Poll::Ready(closed(received.map(|_| ())))
    }

    /// Ends the connection without a closing handshake: what is queued is lost, and the peer sees its stream end.
    ///
    /// Safe at any time and any number of times. Receiving says [`Error::Cut`] from then on, unless the connection
    /// had ended before.
    pub fn close_now(&mut self) {
        self.shared().close_now();
        self.shared().tell(Wants::NONE);
    }
}
