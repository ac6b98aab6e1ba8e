//! Topics as subjects: any text as one token, so that NATS finds neither levels nor wildcards in it.

use std::sync::Arc;

use async_nats::Subject;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::error::CallError;

/// What is encoded: all that NATS may read as more than text, and what its tools don't like.
const ENCODED: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b':').remove(b'/').remove(b'@');

/// The token for empty text. No other text has it: after a percent sign, there are two digits.
const EMPTY: &str = "%";

/// The token before subjects of our own. Topics have no second token, nor this one.
const OWN: &str = "%%";

/// Longest subject. By default, a server ends the connection at a line of more than 4096 bytes, again after each reconnect.
const MAX_LEN: usize = 3072;

/// All subjects of a prefix.
#[derive(Clone)]
pub(super) struct Subjects {
    prefix: Arc<str>,
}

impl Subjects {
    /// Takes a prefix, of which dots stay and all else is encoded.
    pub(super) fn new(prefix: &str) -> Self {
        let tokens: Vec<_> = prefix.split('.').map(token).collect();
        Self { prefix: tokens.join(".").into() }
    }

    /// The subject of a topic.
    pub(super) fn topic(&self, name: &str) -> Result<Subject, CallError> {
        let mut subject = String::with_capacity(self.prefix.len() + 1 + name.len());
        subject.push_str(&self.prefix);
        subject.push('.');
        if name.is_empty() {
            subject.push_str(EMPTY);
        }
        subject.extend(utf8_percent_encode(name, ENCODED));
        if subject.len() > MAX_LEN {
            return Err(CallError::LongName);
        }
        Ok(subject.into())
    }

    /// A subject that nobody subscribes to.
    pub(super) fn nobody(&self) -> Subject {
        format!("{}.{OWN}.nobody", self.prefix).into()
    }

    /// Where the server's answers come to. A number follows.
    pub(super) fn inbox(&self, id: u128) -> String {
        format!("{}.{OWN}.{id:032x}.", self.prefix)
    }
}

fn token(text: &str) -> String {
    if text.is_empty() { EMPTY.to_owned() } else { utf8_percent_encode(text, ENCODED).to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn topic(name: &str) -> String {
        Subjects::new("ws").topic(name).expect("it isn't too long").to_string()
    }

    #[test]
    fn any_text_is_one_token() {
        assert_eq!(topic("rooms/5:a_b-c@d"), "ws.rooms/5:a_b-c@d");
        assert_eq!(topic("a.b *>%"), "ws.a%2Eb%20%2A%3E%25");
        assert_eq!(topic("\r\n\0"), "ws.%0D%0A%00");
        assert_eq!(topic("$SYS"), "ws.%24SYS");
        assert_eq!(topic("ä"), "ws.%C3%A4");
    }

    #[test]
    fn empty_text_has_a_token_of_its_own() {
        assert_eq!(topic(""), "ws.%");
        assert_eq!(topic("%"), "ws.%25");
    }

    #[test]
    fn a_prefix_keeps_its_dots() {
        let subject = Subjects::new("app 1.ws..").topic("x").expect("it isn't too long");
        assert_eq!(subject.as_str(), "app%201.ws.%.%.x");
    }

    #[test]
    fn a_name_that_would_end_the_connection_is_refused() {
        assert!(Subjects::new("ws").topic(&"ä".repeat(500)).is_ok());
        assert!(Subjects::new("ws").topic(&"ä".repeat(600)).is_err());
    }
}
