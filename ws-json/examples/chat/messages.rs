//! What the members of a chat and its server say to each other, as JSON.
//!
//! Each is an object with one key, the kind: `{"say":{"id":"1","text":"hello"}}`.

use serde::{Deserialize, Serialize};

/// Most bytes of text in one message.
pub(crate) const MAX_TEXT: usize = 2 << 20;
/// Most bytes of one message in JSON, where quotes and line breaks take two bytes; the rest is for all but the text.
pub(crate) const MAX_MESSAGE: usize = 2 * MAX_TEXT + (64 << 10);

/// From a member to the server.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ClientMessage {
    /// The first; again after a refusal.
    Join { room: String, name: String },
    /// Something for everybody. The id is the sender's own, to know its message by when it comes back.
    Say { id: String, text: String },
    /// The member is writing; said every 2 s at most.
    Typing {},
}

/// From the server to a member.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ServerMessage {
    /// The answer to `join`, with everybody in the room, the new member too. As many `said` of earlier follow as `history` says.
    Joined {
        room: String,
        name: String,
        members: Vec<String>,
        history: usize,
    },
    /// The other answer. The member may ask again.
    Refused {
        why: Refusal,
    },
    Entered {
        name: String,
        at: u64,
    },
    Left {
        name: String,
        at: u64,
    },
    /// To everybody, the sender too. Times are milliseconds since 1970.
    Said {
        id: String,
        name: String,
        at: u64,
        text: String,
    },
    Typing {
        name: String,
    },
}

/// Why somebody may not join.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Refusal {
    BadName,
    BadRoom,
    NameTaken,
    RoomFull,
    NoMoreRooms,
}
