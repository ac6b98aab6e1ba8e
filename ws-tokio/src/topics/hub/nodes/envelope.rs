//! What hubs write to each other: a head of 9 bytes, the key if there is one, and the message as it was published.
//!
//! | bytes | |
//! |---|---|
//! | 1 | [`VERSION`] in the upper half, flags in the lower |
//! | 8 | the node |
//! | 4 and so many | the key and its length, big-endian, if [`KEYED`] |
//! | the rest | the payload |

use bytes::{BufMut, Bytes, BytesMut};
use ws_core::{Message, PreparedMessage, Utf8Bytes};

const VERSION: u8 = 1 << 4;
const TEXT: u8 = 1;
const KEYED: u8 = 1 << 1;
/// Never to be compressed.
const PLAIN: u8 = 1 << 2;
/// No message: some were lost.
const GAP: u8 = 1 << 3;

/// Differs from node to node, and from one life of a node to the next.
pub(super) type Node = [u8; 8];

const HEAD: usize = 1 + size_of::<Node>();

/// What another hub, or this one, wrote.
#[derive(Debug)]
pub(super) enum Envelope {
    /// This hub wrote it itself.
    Own,
    Gap,
    Message(Option<Utf8Bytes>, PreparedMessage),
}

/// Writes a message.
pub(super) fn seal(node: Node, key: Option<&str>, message: &PreparedMessage) -> Bytes {
    let payload = message.message();
    let mut flags = VERSION;
    flags |= if matches!(payload, Message::Text(_)) { TEXT } else { 0 };
    flags |= if key.is_some() { KEYED } else { 0 };
    flags |= if message.is_plain() { PLAIN } else { 0 };
    let key_len = key.map_or(0, |key| size_of::<u32>() + key.len());
    let mut sealed = BytesMut::with_capacity(HEAD + key_len + payload.as_bytes().len());
    sealed.put_u8(flags);
    sealed.put_slice(&node);
    if let Some(key) = key {
        sealed.put_u32(u32::try_from(key.len()).expect("a key under 4 GiB"));
        sealed.put_slice(key.as_bytes());
    }
    sealed.put_slice(payload.as_bytes());
    sealed.freeze()
}

/// Writes that messages were lost.
pub(super) fn seal_gap(node: Node) -> Bytes {
    let mut sealed = BytesMut::with_capacity(HEAD);
    sealed.put_u8(VERSION | GAP);
    sealed.put_slice(&node);
    sealed.freeze()
}

/// Reads what a hub wrote. Nothing is copied. Returns `None` for anything else.
pub(super) fn open(node: Node, mut sealed: Bytes) -> Option<Envelope> {
    let (&flags, rest) = sealed.split_first()?;
    let from = rest.first_chunk::<{ size_of::<Node>() }>()?;
    if flags & 0xf0 != VERSION {
        return None;
    }
    if *from == node {
        return Some(Envelope::Own);
    }
    if flags & GAP != 0 {
        return Some(Envelope::Gap);
    }
    let mut payload = sealed.split_off(HEAD);
    let key = if flags & KEYED == 0 {
        None
    } else {
        let len = u32::from_be_bytes(*payload.first_chunk()?);
        let end = size_of::<u32>().checked_add(usize::try_from(len).ok()?)?;
        if payload.len() < end {
            return None;
        }
        let mut key = payload.split_to(end);
        Some(Utf8Bytes::try_from(key.split_off(size_of::<u32>())).ok()?)
    };
    let message = if flags & TEXT == 0 {
        Message::Binary(payload)
    } else {
        Message::Text(Utf8Bytes::try_from(payload).ok()?)
    };
    let prepare = if flags & PLAIN == 0 { PreparedMessage::new } else { PreparedMessage::plain };
    Some(Envelope::Message(key, prepare(message)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const OURS: Node = *b"ourselvs";
    const THEIRS: Node = *b"somebody";

    fn message() -> impl Strategy<Value = Message> {
        prop_oneof![
            any::<String>().prop_map(Message::text),
            any::<Vec<u8>>().prop_map(Message::binary),
        ]
    }

    proptest! {
        #[test]
        fn a_message_comes_as_it_was_published(message in message(), key: Option<String>, plain: bool) {
            let prepare = if plain { PreparedMessage::plain } else { PreparedMessage::new };
            let sealed = seal(THEIRS, key.as_deref(), &prepare(message.clone()));
            let Some(Envelope::Message(read, prepared)) = open(OURS, sealed.clone()) else { panic!("no message") };
            prop_assert_eq!(read.as_deref(), key.as_deref());
            prop_assert_eq!(prepared.message(), &message);
            prop_assert_eq!(prepared.is_plain(), plain);
            prop_assert!(matches!(open(THEIRS, sealed), Some(Envelope::Own)));
        }

        #[test]
        fn any_bytes_can_be_opened(bytes: Vec<u8>, flags in 0..16_u8) {
            let mut sealed = vec![VERSION | flags];
            sealed.extend(&bytes);
            open(OURS, sealed.into());
            open(OURS, bytes.into());
        }
    }

    #[test]
    fn a_gap_is_told_by_others_alone() {
        assert!(matches!(open(OURS, seal_gap(THEIRS)), Some(Envelope::Gap)));
        assert!(matches!(open(OURS, seal_gap(OURS)), Some(Envelope::Own)));
    }

    #[test]
    fn what_no_hub_wrote_is_rejected() {
        let text = seal(THEIRS, None, &PreparedMessage::new("text")).to_vec();
        let changed = |at: usize, byte: u8| {
            let mut changed = text.clone();
            changed[at] = byte;
            open(OURS, changed.into()).is_none()
        };
        // A newer version, text that isn't, a key that is longer than everything.
        assert!(changed(0, (2 << 4) | TEXT));
        assert!(changed(9, 0xff));
        assert!(changed(0, VERSION | KEYED | TEXT));
        for len in 0..HEAD {
            assert!(open(OURS, Bytes::copy_from_slice(&text[..len])).is_none());
        }
    }
}
