//! The parameters of an offer and of its answer, and what both ends agree on (RFC 7692, 7.1).

use std::fmt;

use super::options::{Compression, CompressionOptions, WindowBits};

/// The extension's name.
pub(crate) const NAME: &str = "permessage-deflate";

const SERVER_NO_CONTEXT_TAKEOVER: &str = "server_no_context_takeover";
const CLIENT_NO_CONTEXT_TAKEOVER: &str = "client_no_context_takeover";
const SERVER_MAX_WINDOW_BITS: &str = "server_max_window_bits";
const CLIENT_MAX_WINDOW_BITS: &str = "client_max_window_bits";

/// The window if none is given.
const DEFAULT_BITS: u8 = 15;

/// The compression that both ends agreed on.
///
/// Its `Display` is the value of the answer's `Sec-WebSocket-Extensions`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AgreedCompression(
    // Invariant: valid in an answer, so `client_max_window_bits` has a value if it is there.
    Params,
);

impl AgreedCompression {
    /// Returns whether the server compresses each message by itself.
    #[must_use]
    pub const fn server_no_context_takeover(&self) -> bool {
        self.0.server_no_context_takeover
    }

    /// Returns whether the client compresses each message by itself.
    #[must_use]
    pub const fn client_no_context_takeover(&self) -> bool {
        self.0.client_no_context_takeover
    }

    /// Returns the window of the server's direction, as the power of two of its bytes: 8 to 15.
    #[must_use]
    pub const fn server_max_window_bits(&self) -> u8 {
        match self.0.server_max_window_bits {
            Some(bits) => bits,
            None => DEFAULT_BITS,
        }
    }

    /// Returns the window of the client's direction, as the power of two of its bytes: 8 to 15. With 8 the client sends
    /// uncompressed messages, because zlib can't write that window.
    #[must_use]
    pub const fn client_max_window_bits(&self) -> u8 {
        match self.0.client_max_window_bits {
            ClientBits::AtMost(bits) => bits,
            ClientBits::Absent | ClientBits::Any => DEFAULT_BITS,
        }
    }
}

impl fmt::Display for AgreedCompression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The parameters of one offer or answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Params {
    server_no_context_takeover: bool,
    client_no_context_takeover: bool,
    server_max_window_bits: Option<u8>,
    client_max_window_bits: ClientBits,
}

/// `client_max_window_bits`, the only parameter that may lack a value in an offer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum ClientBits {
    #[default]
    Absent,
    Any,
    AtMost(u8),
}

impl Params {
    /// Parses names with their values; `None` if one is unknown, repeated, or has an invalid value.
    pub(crate) fn parse<'a>(
        params: impl IntoIterator<Item = (&'a str, Option<&'a str>)>,
    ) -> Option<Self> {
        let mut parsed = Self::default();
        for (name, value) in params {
            parsed.set(&name.to_ascii_lowercase(), value)?;
        }
        Some(parsed)
    }

    fn set(&mut self, name: &str, value: Option<&str>) -> Option<()> {
        match (name, value) {
            (SERVER_NO_CONTEXT_TAKEOVER, None) => once(&mut self.server_no_context_takeover, true),
            (CLIENT_NO_CONTEXT_TAKEOVER, None) => once(&mut self.client_no_context_takeover, true),
            (SERVER_MAX_WINDOW_BITS, Some(bits)) => {
                once(&mut self.server_max_window_bits, Some(window_bits(bits)?))
            }
            (CLIENT_MAX_WINDOW_BITS, None) => {
                once(&mut self.client_max_window_bits, ClientBits::Any)
            }
            (CLIENT_MAX_WINDOW_BITS, Some(bits)) => {
                once(&mut self.client_max_window_bits, ClientBits::AtMost(window_bits(bits)?))
            }
            (_, _) => None,
        }
    }
}

/// Sets what may occur at most once.
fn once<T: Default + PartialEq>(place: &mut T, value: T) -> Option<()> {
    (std::mem::replace(place, value) == T::default()).then_some(())
}

/// Parses 8 to 15, without leading zeros (7.1.2).
fn window_bits(text: &str) -> Option<u8> {
    let bits = text.parse::<u8>().ok().filter(|bits| (8..=15).contains(bits))?;
    (bits.to_string() == text).then_some(bits)
}

impl fmt::Display for Params {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(NAME)?;
        if self.server_no_context_takeover {
            write!(f, "; {SERVER_NO_CONTEXT_TAKEOVER}")?;
        }
        if self.client_no_context_takeover {
            write!(f, "; {CLIENT_NO_CONTEXT_TAKEOVER}")?;
        }
        if let Some(bits) = self.server_max_window_bits {
            write!(f, "; {SERVER_MAX_WINDOW_BITS}={bits}")?;
        }
        match self.client_max_window_bits {
            ClientBits::Absent => Ok(()),
            ClientBits::Any => write!(f, "; {CLIENT_MAX_WINDOW_BITS}"),
            ClientBits::AtMost(bits) => write!(f, "; {CLIENT_MAX_WINDOW_BITS}={bits}"),
        }
    }
}

impl CompressionOptions {
    /// Returns a server's answer to an offer; `None` declines it.
    pub(crate) fn answer(&self, offer: &Params) -> Option<AgreedCompression> {
        let alone = match self.compression {
            Compression::Off => return None,
            Compression::NoContextTakeover => true,
            Compression::ContextTakeover => false,
        };
        let server_max_window_bits = match offer.server_max_window_bits {
            // zlib can't write it.
            Some(8) => return None,
            Some(bits) => Some(bits.min(self.server_window.get())),
            None => limited(self.server_window),
        };
        let client_max_window_bits = match offer.client_max_window_bits {
            ClientBits::Absent => ClientBits::Absent,
            ClientBits::Any => {
                limited(self.client_window).map_or(ClientBits::Absent, ClientBits::AtMost)
            }
            ClientBits::AtMost(bits) => ClientBits::AtMost(bits.min(self.client_window.get())),
        };
        Some(AgreedCompression(Params {
            server_no_context_takeover: alone || offer.server_no_context_takeover,
            client_no_context_takeover: alone || offer.client_no_context_takeover,
            server_max_window_bits,
            client_max_window_bits,
        }))
    }

    /// Returns a client's offer; `None` if it wants no compression.
    pub(crate) fn offer(&self) -> Option<Params> {
        let alone = match self.compression {
            Compression::Off => return None,
            Compression::NoContextTakeover => true,
            Compression::ContextTakeover => false,
        };
        Some(Params {
            server_no_context_takeover: alone,
            client_no_context_takeover: alone,
            server_max_window_bits: limited(self.server_window),
            client_max_window_bits: limited(self.client_window)
                .map_or(ClientBits::Any, ClientBits::AtMost),
        })
    }

    /// Returns what a client agrees to by this answer; `None` if its offer doesn't allow it.
    pub(crate) fn judge(&self, answer: &Params) -> Option<AgreedCompression> {
        let offer = self.offer()?;
        if offer.server_no_context_takeover && !answer.server_no_context_takeover {
            return None;
        }
        let asked = offer.server_max_window_bits;
        if asked.is_some_and(|most| answer.server_max_window_bits.is_none_or(|bits| bits > most)) {
            return None;
        }
        let client_max_window_bits = match answer.client_max_window_bits {
            ClientBits::Any => return None,
            ClientBits::AtMost(bits) => ClientBits::AtMost(bits.min(self.client_window.get())),
            // We promised not to exceed it, whatever the answer (7.1.2.2).
            ClientBits::Absent => {
                limited(self.client_window).map_or(ClientBits::Absent, ClientBits::AtMost)
            }
        };
        Some(AgreedCompression(Params {
            client_no_context_takeover: offer.client_no_context_takeover
                || answer.client_no_context_takeover,
            client_max_window_bits,
            ..*answer
        }))
    }
}

/// Returns the parameter's value for a window; none for the largest.
fn limited(window: WindowBits) -> Option<u8> {
    (window < WindowBits::MAX).then_some(window.get())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_context_that_only_one_side_forgets_is_no_other_sides() {
        let [server, client] = [SERVER_NO_CONTEXT_TAKEOVER, CLIENT_NO_CONTEXT_TAKEOVER];
        for name in [server, client] {
            let answer = Params::parse([(name, None)]).unwrap();
            let options = CompressionOptions::new(Compression::ContextTakeover);
            let agreed = options.judge(&answer).unwrap();
            assert_eq!(agreed.server_no_context_takeover(), name == server);
            assert_eq!(agreed.client_no_context_takeover(), name == client);
        }
    }

    #[test]
    fn a_client_that_offered_to_forget_forgets_also_where_the_answer_does_not_say_so() {
        let options = CompressionOptions::new(Compression::NoContextTakeover);
        let answer = Params::parse([(SERVER_NO_CONTEXT_TAKEOVER, None)]).unwrap();
        assert!(options.judge(&answer).unwrap().client_no_context_takeover());
    }

    #[test]
    fn an_answer_may_say_the_window_that_was_asked_for_and_a_smaller_one() {
        let options =
            CompressionOptions::new(Compression::ContextTakeover).server_max_window_bits(12);
        for (bits, agreed) in [("11", Some(11)), ("12", Some(12)), ("13", None)] {
            let answer = Params::parse([(SERVER_MAX_WINDOW_BITS, Some(bits))]).unwrap();
            let judged = options.judge(&answer);
            assert_eq!(judged.map(|judged| judged.server_max_window_bits()), agreed);
        }
    }
}
