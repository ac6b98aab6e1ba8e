//! Closing a connection, with or without the closing handshake (RFC 6455, 7).

use std::convert::Infallible;
use std::future::poll_fn;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite};
use ws_core::{CloseCode, CloseFrame, Utf8Bytes};

use super::Connection;
use crate::error::{Error, closed};
use crate::machine::{Progress, Want, Wants};

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    /// Closes the connection: sends a close frame, drops messages that still arrive, waits for the peer's close frame,
    /// and then up to 250 ms for the end of its stream. All of this takes at most
    /// [`Settings::close_timeout`](crate::Settings).
    ///
    /// If a close frame was already sent, this only waits. If the connection has ended, this returns its result.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let (mut connection, mut peer) = ws_tokio::pipe().await;
    /// # let peer = tokio::spawn(async move { (peer.recv().await, peer) });
    /// use ws_tokio::CloseCode;
    ///
    /// connection.close(CloseCode::NORMAL, "done").await?;
    /// # let (received, peer) = peer.await?;
    /// # assert_eq!(received?, None);
    ///
    /// // What the peer finds:
    /// let frame = peer.close_frame().expect("it was closed with a code");
    /// assert_eq!((frame.code(), frame.reason()), (CloseCode::NORMAL, "done"));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::Send`] if the code may not be sent or the reason is longer than 123 bytes; nothing is sent then.
    /// [`Error::CloseTimeout`] if the peer doesn't answer in time. Otherwise as for [`recv`](Self::recv), except that
    /// the peer's close code is never an error.
    ///
    /// # Cancel safety
    /// If dropped, the close frame is queued or sent, and its deadline keeps running. Call this again, or
    /// [`recv`](Self::recv), to continue.
    pub async fn close(
        &mut self,
        code: CloseCode,
        reason: impl Into<Utf8Bytes>,
    ) -> Result<(), Error> {
        let frame = CloseFrame::new(code, reason)?;
        poll_fn(|cx| self.poll_close(cx, &frame)).await
    }

    /// Fails the connection (RFC 6455, 7.1.7) because the peer violated the application's own protocol. Queues a close
    /// frame unless one was already queued; no more messages are received.
    ///
    /// This doesn't wait. The next [`recv`](Self::recv) writes the close frame, drops further input, and returns
    /// [`Error::Failed`] at most 250 ms after the close frame was written, and within
    /// [`Settings::close_timeout`](crate::Settings). This has no effect on a connection that has ended.
    ///
    /// # Errors
    /// [`Error::Send`] if the code may not be sent or the reason is longer than 123 bytes; this has no effect then.
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

    /// Ends the connection without a closing handshake. Queued messages are lost, and the stream's write side is shut
    /// down.
    ///
    /// May be called repeatedly, at any time. Receiving then returns [`Error::Cut`], unless the connection had already
    /// ended.
    pub fn close_now(&mut self) {
        self.shared().close_now();
        self.shared().tell(Wants::NONE);
    }
}
