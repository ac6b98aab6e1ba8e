//! decode(encode(m)) == m, per message and in both roles, in every way that a message can be encoded.

use bytes::{Bytes, BytesMut};
use ws_core::{
    Control, ControlPayload, Decoder, EncodeError, Encoder, Limits, MaskKeys, Message, MessageKind,
    More, OwnedEvent, PieceRef, Role, SendQueue, Unpooled,
};

use super::first::take;

/// Any messages and control frames: what comes out is what went in.
pub fn roundtrip(mut data: &[u8]) {
    let config = take(&mut data);
    let (encoder, reader) = ends(config);
    hold(encoder, Decoder::new(reader, Limits::default()), usize::MAX, data);
}

/// An encoder, and the role of whoever reads what it writes.
pub(super) fn ends(config: u8) -> (Encoder, Role) {
    match config & 1 {
        0 => (Encoder::server(), Role::Client),
        _ => (Encoder::client(MaskKeys::from_seed([config; 32])), Role::Server),
    }
}

/// The law, for all that `data` says to send, read in portions of so many bytes.
pub(super) fn hold(mut encoder: Encoder, mut decoder: Decoder, portion: usize, mut data: &[u8]) {
    let (mut queue, mut sent) = (SendQueue::new(), Vec::new());
    while !data.is_empty() {
        let how = take(&mut data);
        send(how, &mut data, &mut encoder, &mut queue, &mut sent)
            .expect("nothing is sent after a close");
    }
    let (mut received, mut wire) = (Vec::new(), BytesMut::new());
    while !queue.is_empty() {
        let front = queue.first_slice();
        let len = front.len().min(portion);
        wire.extend_from_slice(&front[..len]);
        queue.advance(len);
        while let Some(event) = decoder.decode_owned(&mut wire, &mut Unpooled).expect("valid") {
            received.push(event);
        }
    }
    assert_eq!(received, sent);
    assert!(wire.is_empty());
}

/// Sends one event in the way that `how` says.
fn send(
    how: u8,
    data: &mut &[u8],
    encoder: &mut Encoder,
    queue: &mut SendQueue,
    sent: &mut Vec<OwnedEvent>,
) -> Result<(), EncodeError> {
    let pool = &mut Unpooled;
    // Lengths around each form of the header, and around the border of by-reference.
    let len = match how >> 5 {
        0 | 1 => usize::from(take(data)),
        2 | 3 => 126 + usize::from(take(data)),
        4 | 5 => 16 * 1024 - 128 + usize::from(take(data)),
        _ => 65_536 - 128 + usize::from(take(data)),
    };
    let seed = take(data);
    let payload: Vec<u8> = (0..len).map(|i| (i as u8).wrapping_mul(seed)).collect();
    let message = if how & 1 == 0 {
        Message::binary(payload)
    } else {
        Message::text(String::from_utf8_lossy(&payload).into_owned())
    };
    match how >> 1 & 7 {
        0 | 1 => encoder.message(message.as_ref(), queue, pool)?,
        2 => encoder.owned(message.clone(), queue, pool)?,
        3 => encoder.message_with(message.kind(), queue, pool, |writer| {
            writer.extend_from_slice(message.as_bytes());
            Ok::<_, EncodeError>(())
        })?,
        4 | 5 => return send_in_pieces(message, usize::from(seed), encoder, queue, sent),
        control => {
            let bytes = message.as_bytes();
            let payload = ControlPayload::new(&bytes[..bytes.len().min(125)])?;
            let control =
                if control == 6 { Control::Ping(payload) } else { Control::Pong(payload) };
            encoder.control(&control, queue, pool)?;
            sent.push(OwnedEvent::Control(control));
            return Ok(());
        }
    }
    sent.push(OwnedEvent::Message(message));
    Ok(())
}

/// Sends a message in pieces, with pings between them.
fn send_in_pieces(
    message: Message,
    size: usize,
    encoder: &mut Encoder,
    queue: &mut SendQueue,
    sent: &mut Vec<OwnedEvent>,
) -> Result<(), EncodeError> {
    let (kind, mut rest): (MessageKind, Bytes) = (message.kind(), message.as_bytes().clone());
    let size = size.max(1 + rest.len() / 40);
    loop {
        let data = rest.split_to(size.min(rest.len()));
        let more = if rest.is_empty() { More::Ended } else { More::Follows };
        encoder.piece(PieceRef { kind, data: &data, more }, queue, &mut Unpooled)?;
        if more == More::Ended {
            sent.push(OwnedEvent::Message(message));
            return Ok(());
        }
        let ping = Control::Ping(ControlPayload::new(b"between")?);
        encoder.control(&ping, queue, &mut Unpooled)?;
        sent.push(OwnedEvent::Control(ping));
    }
}
