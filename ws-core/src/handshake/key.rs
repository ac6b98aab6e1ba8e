//! `Sec-WebSocket-Key`, and the `Sec-WebSocket-Accept` that proves a WebSocket server read it (RFC
//! 6455, 4.2.2).

use std::fmt;
use std::str;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;
use sha1::{Digest, Sha1};

/// A handshake's key: 22 characters of base64's alphabet and `==`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Key(
    // Invariant: ASCII, as `Key::parse` checks.
    [u8; KEY_LEN],
);

impl Key {
    /// Makes a client's key of 16 bytes, which must be random and new for each attempt (RFC 6455,
    /// 4.1).
    ///
    /// ```
    /// # use ws_core::handshake::key::Key;
    /// assert_eq!(Key::from_random(*b"the sample nonce").as_str(), "dGhlIHNhbXBsZSBub25jZQ==");
    /// ```
    pub fn from_random(nonce: [u8; 16]) -> Self {
        let mut key = [0; KEY_LEN];
        STANDARD.encode_slice(nonce, &mut key).expect("16 bytes are 24 in base64");
        Self(key)
    }

    /// Reads a header's value, trimmed. `None` unless it is 22 characters of base64's alphabet and
    /// `==`.
    ///
    /// The last character's unused bits may be set: naive clients send any 24 characters.
    pub fn parse(value: &[u8]) -> Option<Self> {
        let key: [u8; KEY_LEN] = value.trim_ascii().try_into().ok()?;
        let symbols = key.strip_suffix(b"==")?;
        symbols
            .iter()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/'))
            .then_some(Self(key))
    }

    /// The key as the header carries it.
    pub fn as_str(&self) -> &str {
        str::from_utf8(&self.0).expect("a key is ASCII")
    }

    /// The `Sec-WebSocket-Accept` that answers this key.
    pub fn accept(&self) -> HeaderValue {
        let digest = Sha1::new().chain_update(self.0).chain_update(GUID).finalize();
        visible(&STANDARD.encode(digest))
    }
}

impl From<Key> for HeaderValue {
    fn from(key: Key) -> Self {
        visible(key.as_str())
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Key").field(&self.as_str()).finish()
    }
}

fn visible(base64: &str) -> HeaderValue {
    HeaderValue::from_str(base64).expect("base64 is visible ASCII")
}

/// Length of 16 bytes in base64.
const KEY_LEN: usize = 24;

/// What is appended to the key before it is hashed (RFC 6455, 1.3).
const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn accept_of_the_key_in_the_rfc_is_the_one_in_the_rfc() {
        let key = Key::parse(b"dGhlIHNhbXBsZSBub25jZQ==").expect("a key");
        assert_eq!(key.accept(), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }

    #[test]
    fn key_is_trimmed_and_its_last_bits_are_not_judged() {
        assert_eq!(
            Key::parse(b" \tdGhlIHNhbXBsZSBub25jZQ== "),
            Key::parse(b"dGhlIHNhbXBsZSBub25jZQ==")
        );
        assert!(Key::parse(b"+/+/+/+/+/+/+/+/+/+/+/==").is_some());
    }

    #[test]
    fn key_of_another_form_is_refused() {
        let bad: [&[u8]; 7] = [
            b"",
            b"==",
            b"dGhlIHNhbXBsZSBub25jZQ=",
            b"dGhlIHNhbXBsZSBub25jZQ===",
            b"dGhlIHNhbXBsZSBub25jZQAA",
            b"dGhlIHNhbXBsZSBub25j-_==",
            b"dGhlIHNhbX sZSBub25jZQ==",
        ];
        for key in bad {
            assert_eq!(Key::parse(key), None, "{}", key.escape_ascii());
        }
    }

    proptest! {
        #[test]
        fn every_generated_key_is_a_valid_one(nonce: [u8; 16]) {
            let key = Key::from_random(nonce);
            prop_assert_eq!(Key::parse(key.as_str().as_bytes()), Some(key));
            prop_assert_eq!(HeaderValue::from(key), key.as_str());
            prop_assert_eq!(key.accept().len(), 28);
        }

        #[test]
        fn no_key_panics(value: Vec<u8>) {
            let _ = Key::parse(&value).map(|key| (key.accept(), format!("{key:?}")));
        }
    }
}
