//! How TCP cut the bytes never shows in the events; no input panics; the limits hold.

use std::num::NonZeroUsize;

use bytes::BytesMut;
use ws_core::{DecodeError, Decoder, Delivery, Event, Limits, Message, OwnedEvent, Role, Unpooled};

use super::first::take;

/// All that a decoder makes of the bytes: its events, and the error that ended them.
type Outcome = (Vec<OwnedEvent>, Option<DecodeError>);

/// Any bytes, any cuts, both roles, whole and in pieces, borrowed and owned: the same events.
pub fn decode(mut data: &[u8]) {
    let config = take(&mut data);
    let cuts: Vec<usize> = (0..8).map(|_| usize::from(take(&mut data))).collect();
    let role = if config & 1 == 0 { Role::Server } else { Role::Client };
    let limits = Limits::default().with_message_size(1 << (config >> 4)).with_fragments(20);
    hold(|| Decoder::new(role, limits), usize::from(config >> 1 & 7), data, &cuts);
}

/// The laws, for what such a decoder makes of these bytes; whole where the chunk is 0.
pub(super) fn hold(new: impl Fn() -> Decoder, chunk: usize, wire: &[u8], cuts: &[usize]) {
    let decoder = || {
        let mut decoder = new();
        decoder.set_delivery(NonZeroUsize::new(chunk).map_or(Delivery::Messages, Delivery::Pieces));
        decoder
    };
    let whole = borrowed(decoder(), wire, &[]);
    for cuts in [cuts, &[1]] {
        assert_eq!(
            borrowed(decoder(), wire, cuts),
            whole,
            "how the bytes were cut must not matter"
        );
        assert_eq!(
            owned(decoder(), wire, cuts),
            whole,
            "an owned event is a borrowed one that is kept"
        );
    }
    for event in &whole.0 {
        let len = match event {
            OwnedEvent::Message(message) => message.as_bytes().len(),
            OwnedEvent::Piece(piece) => piece.data.len(),
            OwnedEvent::Control(_) => 0,
        };
        assert!(len <= new().limits().message_size());
    }
}

/// Feeds `wire` in portions of these sizes, over and over; in one portion where there are none.
fn feed(wire: &[u8], cuts: &[usize], mut each: impl FnMut(&[u8]) -> bool) {
    let mut rest = wire;
    let mut sizes = cuts.iter().map(|&size| size.max(1)).cycle();
    loop {
        let (portion, behind) = rest.split_at(sizes.next().unwrap_or(rest.len()).min(rest.len()));
        rest = behind;
        if !each(portion) || rest.is_empty() {
            return;
        }
    }
}

fn borrowed(mut decoder: Decoder, wire: &[u8], cuts: &[usize]) -> Outcome {
    let (mut events, mut error) = (Vec::new(), None);
    let mut input = Vec::new();
    feed(wire, cuts, |portion| {
        input.extend_from_slice(portion);
        loop {
            let (event, used) = match decoder.decode(&mut input, &mut Unpooled) {
                Ok((event, used)) => (event.map(to_owned), used),
                Err(fact) => {
                    error = Some(fact);
                    let all = input.len();
                    assert_eq!(decoder.decode(&mut input, &mut Unpooled), Ok((None, all)));
                    return false;
                }
            };
            input.drain(..used);
            match event {
                Some(event) => events.push(event),
                None => return true,
            }
        }
    });
    (events, error)
}

fn owned(mut decoder: Decoder, wire: &[u8], cuts: &[usize]) -> Outcome {
    let (mut events, mut error) = (Vec::new(), None);
    let mut input = BytesMut::new();
    feed(wire, cuts, |portion| {
        input.extend_from_slice(portion);
        loop {
            match decoder.decode_owned(&mut input, &mut Unpooled) {
                Ok(Some(event)) => events.push(event),
                Ok(None) => return true,
                Err(fact) => {
                    error = Some(fact);
                    return false;
                }
            }
        }
    });
    (events, error)
}

fn to_owned(event: Event<'_>) -> OwnedEvent {
    match event {
        Event::Message(message) => OwnedEvent::Message(Message::from(message)),
        Event::Piece(piece) => OwnedEvent::Piece(piece.to_piece()),
        Event::Control(control) => OwnedEvent::Control(control),
    }
}
