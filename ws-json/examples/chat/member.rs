//! One connection, from its first message to its close frame.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use tokio::time::timeout;
use ws_json::{Error, Json};
use ws_tokio::{CloseCode, Connection, MessageRef, Outbox, Tracker};

use crate::messages::{ClientMessage, MAX_MESSAGE, MAX_TEXT, ServerMessage};
use crate::pace::{PER_SECOND, Pace};
use crate::rooms::{Entry, Member, Rooms};

/// Most bytes of a message before joining.
pub(crate) const MAX_JOIN: usize = 4 << 10;
/// How long a client may take to join, for choosing another name too.
const JOINING: Duration = Duration::from_secs(60);

/// Why the server closes a connection.
struct Farewell(CloseCode, String);

/// Serves a connection until it ends, or until the server shuts down.
pub(crate) async fn serve(connection: Connection, rooms: Rooms, tracker: Tracker) {
    let mut json = Json(connection);
    let farewell = tokio::select! {
        // First, so that the reason is ours: the tracker closes with 1001 alone.
        biased;
        () = tracker.closing() => Some(Farewell(CloseCode::GOING_AWAY, "the server is restarting".into())),
        served = talk(&mut json, &rooms) => served,
    };
    if let Some(Farewell(code, reason)) = farewell {
        _ = json.0.close(code, reason).await;
    }
}

/// Returns why the server should close the connection, unless it has ended by itself.
async fn talk(json: &mut Json<Connection>, rooms: &Rooms) -> Option<Farewell> {
    let mut pace = Pace::new(Instant::now());
    let entry = match timeout(JOINING, join(json, rooms, &mut pace)).await {
        Ok(Ok(entry)) => entry,
        Ok(Err(farewell)) => return farewell,
        Err(_) => return policy(format!("join within {} s", JOINING.as_secs())),
    };
    let Entry { member, mut subscription, welcome, history } = entry;
    json.0.set_max_message(MAX_MESSAGE);
    json.send(&welcome).await.ok()?;
    for said in history {
        json.0.feed_prepared(&said).await.ok()?;
    }
    let hear = |message: MessageRef<'_>, _: &mut Outbox<'_>| hear(&member, message, &mut pace);
    // An error is the end of the connection: it was cut, or closed because it was too slow.
    subscription.serve(&mut json.0, hear).await.ok()??
}

/// Waits for a name that is good; `None` in the error when the connection has ended.
async fn join(
    json: &mut Json<Connection>,
    rooms: &Rooms,
    pace: &mut Pace,
) -> Result<Entry, Option<Farewell>> {
    loop {
        let (room, name) = match json.recv().await {
            Ok(Some(ClientMessage::Join { room, name })) => (room, name),
            Ok(Some(ClientMessage::Say { .. } | ClientMessage::Typing {})) => {
                return Err(policy("join a room first"));
            }
            Ok(None) => return Err(None),
            Err(error) => return Err(farewell(&error)),
        };
        if !pace.allows(MAX_JOIN, Instant::now()) {
            return Err(too_fast());
        }
        match rooms.admit(&room, &name).await {
            Ok(entry) => return Ok(entry),
            Err(why) => json.send(&ServerMessage::Refused { why }).await.map_err(|_| None)?,
        }
    }
}

/// Passes a member's message on to the room.
fn hear(
    member: &Member,
    message: MessageRef<'_>,
    pace: &mut Pace,
) -> ControlFlow<Option<Farewell>> {
    if !pace.allows(message.as_bytes().len(), Instant::now()) {
        return ControlFlow::Break(too_fast());
    }
    match Json(message).parse() {
        Ok(ClientMessage::Say { id, .. }) if id.len() > 64 => {
            ControlFlow::Break(policy("an id is too long"))
        }
        Ok(ClientMessage::Say { text, .. }) if text.len() > MAX_TEXT => {
            ControlFlow::Break(Some(Farewell(CloseCode::TOO_BIG, "a message is too long".into())))
        }
        Ok(ClientMessage::Say { id, text }) => {
            if !text.trim().is_empty() {
                member.say(id, text);
            }
            ControlFlow::Continue(())
        }
        Ok(ClientMessage::Typing {}) => {
            member.types();
            ControlFlow::Continue(())
        }
        Ok(ClientMessage::Join { .. }) => {
            ControlFlow::Break(policy("this connection has joined already"))
        }
        Err(error) => ControlFlow::Break(farewell(&error)),
    }
}

fn policy(reason: impl Into<String>) -> Option<Farewell> {
    Some(Farewell(CloseCode::POLICY_VIOLATION, reason.into()))
}

fn too_fast() -> Option<Farewell> {
    policy(format!("too fast: {PER_SECOND} messages per second are allowed"))
}

/// `None` if the connection is closed already.
fn farewell(error: &Error) -> Option<Farewell> {
    match error {
        Error::Syntax(_) => Some(Farewell(CloseCode::INVALID_PAYLOAD, "not JSON".into())),
        Error::Binary => Some(Farewell(CloseCode::UNSUPPORTED, "JSON is text".into())),
        Error::Shape(_) => policy("not a message of this chat"),
        _ => None,
    }
}
