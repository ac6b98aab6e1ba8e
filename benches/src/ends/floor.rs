//! What an end on Tokio can't do without: one read and one write per burst, headers parsed, and a client's payloads masked on
//! their way into a buffer, as much of them at a time as stays in the cache. No limits, no checks, no control frames: what a
//! library takes above it is the price of being one.

use std::cell::RefCell;
use std::future::poll_fn;
use std::io::{self, ErrorKind, IoSlice};
use std::sync::Arc;

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use ws_core::{MaskKeys, Role};
use ws_mask::{MaskKey, mask_extend};

use super::work::{Kind, Work};
use crate::servers::Ended;
use crate::servers::floor::{Frame, give, poll_input};

pub(super) async fn talk<S>(mut stream: S, role: Role, work: Arc<Work>) -> Ended
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut kept = BytesMut::new();
    match work.kind {
        Kind::Ask(in_flight) => loop {
            send(&mut stream, role, &work.payload, in_flight).await?;
            let mut answers = 0;
            while answers < in_flight {
                answers += receive(&mut stream, &mut kept, &work).await?;
            }
            work.done(in_flight);
        },
        Kind::Take | Kind::Wait => {
            if matches!(work.kind, Kind::Wait) {
                send(&mut stream, role, &work.payload, 1).await?;
            }
            loop {
                let messages = receive(&mut stream, &mut kept, &work).await?;
                work.done(messages);
            }
        }
        Kind::Give => loop {
            send(&mut stream, role, &work.payload, 1).await?;
            work.done(1);
        },
    }
}

/// Reads once; returns how many messages that completed.
async fn receive<S: AsyncRead + Unpin>(
    stream: &mut S,
    kept: &mut BytesMut,
    work: &Work,
) -> io::Result<usize> {
    let mut input = poll_fn(|cx| poll_input(stream, kept, cx)).await?;
    if input.is_empty() {
        return Err(ErrorKind::UnexpectedEof.into());
    }
    let mut messages = 0;
    while let Some(frame) = Frame::find(&input) {
        frame.lend(&mut input, |payload| work.check(payload));
        messages += 1;
    }
    match input.is_empty() {
        true => give(input),
        false => *kept = input,
    }
    Ok(messages)
}

/// Sends the message so many times, in one write if it is short.
async fn send<S: AsyncWrite + Unpin>(
    stream: &mut S,
    role: Role,
    payload: &[u8],
    count: usize,
) -> io::Result<()> {
    let mut output =
        WRITE.with_borrow_mut(Vec::pop).unwrap_or_else(|| Vec::with_capacity(2 * CHUNK));
    for _ in 0..count {
        match role {
            Role::Client => {
                let mut key = KEYS.with_borrow_mut(MaskKeys::next_key);
                put_header(&mut output, payload.len(), Some(key));
                for chunk in payload.chunks(CHUNK) {
                    key = mask_extend(&mut output, chunk, key);
                    if output.len() >= CHUNK {
                        stream.write_all(&output).await?;
                        output.clear();
                    }
                }
            }
            Role::Server => {
                put_header(&mut output, payload.len(), None);
                let header = output.len();
                let slices = [IoSlice::new(&output), IoSlice::new(payload)];
                let written = stream.write_vectored(&slices).await?;
                let rest = written.checked_sub(header).ok_or(ErrorKind::WriteZero)?;
                stream.write_all(&payload[rest..]).await?;
                output.clear();
            }
        }
    }
    stream.write_all(&output).await?;
    // TLS keeps what the socket doesn't take.
    stream.flush().await?;
    output.clear();
    WRITE.with_borrow_mut(|pool| pool.push(output));
    Ok(())
}

fn put_header(output: &mut Vec<u8>, len: usize, key: Option<MaskKey>) {
    let masked = if key.is_some() { 0x80 } else { 0 };
    output.push(0x82);
    match len {
        0..126 => output.push(masked | len as u8),
        126..65_536 => {
            output.push(masked | 126);
            output.extend((len as u16).to_be_bytes());
        }
        _ => {
            output.push(masked | 127);
            output.extend((len as u64).to_be_bytes());
        }
    }
    if let Some(key) = key {
        output.extend(key.to_bytes());
    }
}

/// Bytes that are masked and written at a time.
const CHUNK: usize = 512 * 1024;

thread_local! {
    static WRITE: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
    /// Of the same generator as a library's, but one for all connections; the seed doesn't matter here.
    static KEYS: RefCell<MaskKeys> = RefCell::new(MaskKeys::from_seed([7; 32]));
}
