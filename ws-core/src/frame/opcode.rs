//! The six opcodes (RFC 6455, 5.2).

/// The kind of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Opcode {
    /// Continues the current message.
    Continuation = 0,
    /// Begins a text message.
    Text = 1,
    /// Begins a binary message.
    Binary = 2,
    /// Closes the connection; the last frame of its direction.
    Close = 8,
    /// Asks for a pong.
    Ping = 9,
    /// Answers a ping, or is unsolicited.
    Pong = 10,
}

impl Opcode {
    /// Returns the opcode in the low four bits of a frame's first byte; `None` for the ten reserved ones.
    #[must_use]
    pub const fn from_bits(bits: u8) -> Option<Self> {
        match bits & 0x0f {
            0 => Some(Self::Continuation),
            1 => Some(Self::Text),
            2 => Some(Self::Binary),
            8 => Some(Self::Close),
            9 => Some(Self::Ping),
            10 => Some(Self::Pong),
            _ => None,
        }
    }

    /// Returns whether this is a close, a ping or a pong, which are never fragmented and have at most 125 bytes (5.5).
    #[must_use]
    pub const fn is_control(self) -> bool {
        self as u8 >= 8
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn six_of_sixteen_opcodes_are_known() {
        let known: Vec<u8> = (0..16).filter(|&bits| Opcode::from_bits(bits).is_some()).collect();
        assert_eq!(known, [0, 1, 2, 8, 9, 10]);
        assert!(known.iter().all(|&bits| Opcode::from_bits(bits).unwrap() as u8 == bits));
    }
}
