//! The rooms: who is in them, what was said lately, and one topic each that tells everybody.
//!
//! A room begins with its first member and ends with its last. A message is put into JSON once, and compressed once, for everybody
//! in the room and for those who come later.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};

use ws_tokio::{Broadcast, PreparedMessage, Subscription};

use crate::history::History;
use crate::messages::{Refusal, ServerMessage};
use crate::names;
use crate::telling::{lock, now, prepare, topic};

/// All rooms. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Rooms(Arc<House>);

/// Locked in this order: the rooms, then one of them; never while anything waits.
struct House {
    bounds: Bounds,
    rooms: Mutex<HashMap<String, Arc<Room>>>,
}

/// How many there may be.
#[derive(Clone, Copy)]
pub(crate) struct Bounds {
    pub(crate) rooms: usize,
    pub(crate) members: usize,
}

struct Room {
    name: String,
    topic: Broadcast,
    inside: Mutex<Inside>,
}

#[derive(Default)]
struct Inside {
    /// Names by what they look like.
    members: BTreeMap<String, String>,
    history: History,
}

/// What a new member gets.
pub(crate) struct Entry {
    pub(crate) member: Member,
    /// What is said from now on.
    pub(crate) subscription: Subscription,
    /// The answer, and then what was said before.
    pub(crate) welcome: ServerMessage,
    pub(crate) history: Vec<PreparedMessage>,
}

/// A place in a room; dropping it leaves the room.
pub(crate) struct Member {
    house: Arc<House>,
    room: Arc<Room>,
    name: String,
}

impl Rooms {
    pub(crate) fn new(bounds: Bounds) -> Self {
        Self(Arc::new(House { bounds, rooms: Mutex::default() }))
    }

    /// Lets somebody in. Over several nodes, as in the example `cluster`, this waits for what the others know of the room.
    pub(crate) async fn admit(&self, room: &str, name: &str) -> Result<Entry, Refusal> {
        self.join(room, name)
    }

    /// Lets somebody in, and makes the room if it is new.
    fn join(&self, room: &str, name: &str) -> Result<Entry, Refusal> {
        let room = names::parse(room).ok_or(Refusal::BadRoom)?;
        let name = names::parse(name).ok_or(Refusal::BadName)?;
        let mut rooms = lock(&self.0.rooms);
        let key = names::key(room);
        let room = match rooms.get(&key) {
            Some(room) => room.clone(),
            None if rooms.len() >= self.0.bounds.rooms => return Err(Refusal::NoMoreRooms),
            None => Arc::new(Room::new(room)),
        };
        let (subscription, members, history) = room.enter(name, self.0.bounds.members)?;
        rooms.insert(key, room.clone());
        drop(rooms);
        let welcome = ServerMessage::Joined {
            room: room.name.clone(),
            name: name.to_owned(),
            members,
            history: history.len(),
        };
        let member = Member { house: self.0.clone(), room, name: name.to_owned() };
        Ok(Entry { member, subscription, welcome, history })
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        lock(&self.0.rooms).len()
    }
}

impl Room {
    fn new(name: &str) -> Self {
        Self { name: name.to_owned(), topic: topic(), inside: Mutex::default() }
    }

    /// Under one lock, so that a new member misses nothing and hears nothing twice.
    fn enter(
        &self,
        name: &str,
        most: usize,
    ) -> Result<(Subscription, Vec<String>, Vec<PreparedMessage>), Refusal> {
        let mut inside = lock(&self.inside);
        let key = names::key(name);
        if inside.members.contains_key(&key) {
            return Err(Refusal::NameTaken);
        }
        if inside.members.len() >= most {
            return Err(Refusal::RoomFull);
        }
        inside.members.insert(key, name.to_owned());
        self.tell(&ServerMessage::Entered { name: name.to_owned(), at: now() });
        let members = inside.members.values().cloned().collect();
        Ok((self.topic.subscribe(), members, inside.history.iter().cloned().collect()))
    }

    /// Returns whether nobody is left.
    fn leave(&self, name: &str) -> bool {
        let mut inside = lock(&self.inside);
        inside.members.remove(&names::key(name));
        self.tell(&ServerMessage::Left { name: name.to_owned(), at: now() });
        inside.members.is_empty()
    }

    fn tell(&self, message: &ServerMessage) {
        if let Some(message) = prepare(message) {
            self.topic.publish_prepared(&message);
        }
    }
}

impl Member {
    pub(crate) fn say(&self, id: String, text: String) {
        let said = ServerMessage::Said { id, name: self.name.clone(), at: now(), text };
        let Some(said) = prepare(&said) else { return };
        let mut inside = lock(&self.room.inside);
        self.room.topic.publish_prepared(&said);
        inside.history.keep(said);
    }

    pub(crate) fn types(&self) {
        self.room.tell(&ServerMessage::Typing { name: self.name.clone() });
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        let mut rooms = lock(&self.house.rooms);
        if self.room.leave(&self.name) {
            rooms.remove(&names::key(&self.room.name));
        }
    }
}

#[cfg(test)]
mod tests {
    use ws_tokio::CloseCode;

    use super::*;
    use crate::history::HISTORY_BYTES;

    fn rooms(rooms: usize, members: usize) -> Rooms {
        Rooms::new(Bounds { rooms, members })
    }

    fn refusal(joined: Result<Entry, Refusal>) -> Refusal {
        joined.err().expect("a refusal")
    }

    fn read(message: &PreparedMessage) -> ServerMessage {
        let text = message.message().as_text().expect("JSON is text");
        serde_json::from_str(text).expect("a message of ours")
    }

    async fn next(entry: &mut Entry) -> ServerMessage {
        read(&entry.subscription.recv().await.expect("in time").expect("a message"))
    }

    fn texts(entry: &Entry) -> Vec<String> {
        let text = |message| match read(message) {
            ServerMessage::Said { text, .. } => text,
            other => panic!("{other:?} in the history"),
        };
        entry.history.iter().map(text).collect()
    }

    #[tokio::test]
    async fn everybody_hears_a_message_and_who_comes_and_goes() {
        let rooms = rooms(1, 2);
        let mut ada = rooms.join("tea", "Ada").unwrap();
        let bob = rooms.join(" Tea ", "Bob").unwrap();
        assert!(matches!(&bob.welcome, ServerMessage::Joined { room, members, .. }
            if room == "tea" && members == &["Ada", "Bob"]));
        assert!(
            matches!(next(&mut ada).await, ServerMessage::Entered { name, .. } if name == "Bob")
        );
        bob.member.say("7".into(), "hello".into());
        bob.member.types();
        drop(bob);
        assert!(matches!(next(&mut ada).await, ServerMessage::Said { id, name, text, .. }
            if (&*id, &*name, &*text) == ("7", "Bob", "hello")));
        assert_eq!(next(&mut ada).await, ServerMessage::Typing { name: "Bob".into() });
        assert!(matches!(next(&mut ada).await, ServerMessage::Left { name, .. } if name == "Bob"));
    }

    #[test]
    fn a_name_is_taken_in_one_room_and_free_in_another() {
        let rooms = rooms(2, 2);
        let _ada = rooms.join("tea", "Ada").unwrap();
        assert_eq!(refusal(rooms.join("tea", "ada ")), Refusal::NameTaken);
        assert!(rooms.join("coffee", "Ada").is_ok());
    }

    #[test]
    fn rooms_and_members_are_bounded_and_make_room_when_they_go() {
        let rooms = rooms(1, 1);
        let ada = rooms.join("tea", "Ada").unwrap();
        assert_eq!(refusal(rooms.join("tea", "Bob")), Refusal::RoomFull);
        assert_eq!(refusal(rooms.join("coffee", "Bob")), Refusal::NoMoreRooms);
        assert_eq!(rooms.len(), 1);
        drop(ada);
        assert_eq!(rooms.len(), 0);
        assert!(rooms.join("coffee", "Bob").is_ok());
    }

    #[test]
    fn bad_names_make_no_room() {
        let rooms = rooms(1, 1);
        assert_eq!(refusal(rooms.join("tea", "\u{202e}")), Refusal::BadName);
        assert_eq!(refusal(rooms.join("", "Ada")), Refusal::BadRoom);
        assert_eq!(rooms.len(), 0);
    }

    #[test]
    fn the_last_hundred_messages_wait_for_a_new_member_and_go_with_the_room() {
        let rooms = rooms(1, 2);
        let ada = rooms.join("tea", "Ada").unwrap();
        for n in 0..150 {
            ada.member.say(String::new(), n.to_string());
        }
        let bob = rooms.join("tea", "Bob").unwrap();
        assert_eq!(texts(&bob), (50..150).map(|n| n.to_string()).collect::<Vec<_>>());
        drop((ada, bob));
        assert!(rooms.join("tea", "Ada").unwrap().history.is_empty());
    }

    #[test]
    fn the_history_is_bounded_in_bytes_but_keeps_the_newest() {
        let rooms = rooms(1, 2);
        let ada = rooms.join("tea", "Ada").unwrap();
        for text in ["a", "b", "c"] {
            ada.member.say(String::new(), text.repeat(HISTORY_BYTES / 2 - 200));
        }
        let kept = texts(&rooms.join("tea", "Bob").unwrap());
        assert!(kept.len() == 2 && kept[0].starts_with('b') && kept[1].starts_with('c'));
        ada.member.say(String::new(), "d".repeat(HISTORY_BYTES + 1));
        assert_eq!(texts(&rooms.join("tea", "Bob").unwrap()).len(), 1);
    }

    #[tokio::test]
    async fn who_is_too_far_behind_is_told_to_try_again() {
        let rooms = rooms(1, 2);
        let (ada, mut bob) = (rooms.join("tea", "Ada").unwrap(), rooms.join("tea", "Bob").unwrap());
        for _ in 0..300 {
            ada.member.types();
        }
        let slow = bob.subscription.recv().await.unwrap_err();
        assert_eq!(slow.close_code(), CloseCode::TRY_AGAIN_LATER);
    }
}
