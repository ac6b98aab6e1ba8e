//! A member of a chat without a terminal or a page: joining, hearing, saying, and how it ended.
//!
//! It uses no clock, threads or sockets of its own, so that it runs wherever a connection does, also in a page.

use ws_json::{Error, Json};
use ws_tokio::{CloseCode, CloseFrame, Connection, RecvHalf, SendHalf, Transport};

use crate::messages::{ClientMessage, Refusal, ServerMessage};

/// Both directions of a member's connection.
pub(crate) struct Client {
    pub(crate) listener: Listener,
    pub(crate) speaker: Speaker,
}

/// The direction that hears.
pub(crate) struct Listener(Json<RecvHalf<Transport>>);

/// The direction that speaks.
pub(crate) struct Speaker(Json<SendHalf<Transport>>);

impl Client {
    pub(crate) fn new(connection: Connection) -> Self {
        let (receiving, sending) = connection.split();
        Self { listener: Listener(Json(receiving)), speaker: Speaker(Json(sending)) }
    }
}

impl Listener {
    /// Hears the next message of the server; `None` once the connection has ended, for which [`ending`](Self::ending) has the words.
    pub(crate) async fn hear(&mut self) -> Result<Option<ServerMessage>, Error> {
        loop {
            match self.0.recv().await {
                // A newer server may say more than this client knows.
                Err(Error::Shape(_)) => {}
                heard => return heard,
            }
        }
    }

    /// Returns the server's close frame, if it has sent one.
    pub(crate) fn close_frame(&self) -> Option<CloseFrame> {
        self.0.0.close_frame()
    }

    /// Returns in words how the connection ended.
    pub(crate) fn ending(&self, error: Option<&Error>) -> String {
        match (self.close_frame(), error) {
            (Some(frame), _) => in_words(&frame),
            (None, Some(error)) => format!("The connection was lost: {error}."),
            (None, None) => "The connection has ended.".to_owned(),
        }
    }
}

impl Speaker {
    /// Asks to join; the listener hears the answer.
    pub(crate) async fn join(&self, room: &str, name: &str) -> Result<(), Error> {
        self.0.send(&ClientMessage::Join { room: room.to_owned(), name: name.to_owned() }).await
    }

    /// Says something to everybody. Its id comes back with it.
    pub(crate) async fn say(&self, id: String, text: String) -> Result<(), Error> {
        self.0.send(&ClientMessage::Say { id, text }).await
    }

    /// Says that the member is writing.
    pub(crate) async fn types(&self) -> Result<(), Error> {
        self.0.send(&ClientMessage::Typing {}).await
    }

    /// Leaves. The listener must be polled meanwhile, or dropped.
    pub(crate) async fn leave(&self) -> Result<(), Error> {
        Ok(self.0.0.close(CloseCode::NORMAL, "").await?)
    }
}

/// Whether the server would only close again for the same reason.
pub(crate) fn is_final(code: CloseCode) -> bool {
    matches!(code, CloseCode::POLICY_VIOLATION | CloseCode::TOO_BIG)
}

/// Why the server didn't let somebody in.
pub(crate) fn refusal(why: Refusal) -> &'static str {
    match why {
        Refusal::BadName => "A name has 1 to 32 visible characters.",
        Refusal::BadRoom => "The name of a room has 1 to 32 visible characters.",
        Refusal::NameTaken => "Somebody in the room has that name already.",
        Refusal::RoomFull => "The room is full.",
        Refusal::NoMoreRooms => "The server has no more rooms; join one that exists.",
    }
}

fn in_words(frame: &CloseFrame) -> String {
    let what = match frame.code() {
        CloseCode::NORMAL => "The connection was closed",
        CloseCode::GOING_AWAY => "The server is going away",
        CloseCode::POLICY_VIOLATION => "The server closed the connection",
        CloseCode::TOO_BIG => "A message was too long for the server",
        CloseCode::TRY_AGAIN_LATER => "The server asks to come back later",
        _ => "The server closed the connection",
    };
    let reason = printable(frame.reason());
    let colon = if reason.is_empty() { "" } else { ": " };
    format!("{what} ({}{colon}{reason}).", frame.code().get())
}

/// Replaces what would control a terminal, or the direction of the text around it.
pub(crate) fn printable(text: &str) -> String {
    text.chars().map(visible).collect()
}

fn visible(c: char) -> char {
    match c {
        '\n' | '\t' => c,
        '\0'..='\u{1f}' => {
            char::from_u32(0x2400 + u32::from(c)).unwrap_or(char::REPLACEMENT_CHARACTER)
        }
        '\u{7f}' => '\u{2421}',
        '\u{80}'..='\u{9f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
            char::REPLACEMENT_CHARACTER
        }
        _ => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn controls_are_shown_and_all_else_stays() {
        assert_eq!(printable("a\x1b[2J\r\u{9b}\u{7f}\u{202e}b"), "a␛[2J␍\u{fffd}␡\u{fffd}b");
        assert_eq!(printable("a\n\tשלום 👩‍🚀"), "a\n\tשלום 👩‍🚀");
    }

    #[test]
    fn a_close_frame_is_told_with_its_code_and_reason() {
        let frame = CloseFrame::new(CloseCode::GOING_AWAY, "the server is restarting").unwrap();
        assert_eq!(in_words(&frame), "The server is going away (1001: the server is restarting).");
        let frame = CloseFrame::new(CloseCode::NORMAL, "").unwrap();
        assert_eq!(in_words(&frame), "The connection was closed (1000).");
    }
}
