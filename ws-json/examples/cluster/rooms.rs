//! The rooms of this node, which it shares with the others over a hub: in place of the rooms of the chat on one node.
//!
//! A room begins here with the first who wants to come in, and ends with the last who leaves; on other nodes, it may go on.

use std::collections::HashMap;
use std::collections::hash_map;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::time::timeout;
use ws_tokio::{Hub, PreparedMessage};

use crate::ears::Ears;
use crate::listen::listen;
use crate::messages::{Refusal, ServerMessage};
use crate::names;
use crate::room::{Entered, Room};
use crate::telling::lock;

/// How long a new room waits for what other nodes know of it. If there are none, nobody can say so.
const WAIT: Duration = Duration::from_millis(500);

/// All rooms. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Rooms(Arc<House>);

/// Locked in this order: the rooms, then one of them; never while anything waits.
struct House {
    bounds: Bounds,
    hub: Hub,
    rooms: Mutex<HashMap<String, Open>>,
}

/// How many there may be.
#[derive(Clone, Copy)]
pub(crate) struct Bounds {
    /// On this node.
    pub(crate) rooms: usize,
    /// Of a room, on all nodes.
    pub(crate) members: usize,
}

/// What a new member gets.
pub(crate) struct Entry {
    pub(crate) member: Member,
    /// What is said from now on.
    pub(crate) subscription: Ears,
    /// The answer, and then what was said before.
    pub(crate) welcome: ServerMessage,
    pub(crate) history: Vec<PreparedMessage>,
}

/// A place in a room; dropping it leaves the room.
pub(crate) struct Member {
    visit: Visit,
    name: String,
    number: u64,
}

/// Keeps a room here.
struct Visit {
    house: Arc<House>,
    room: Arc<Room>,
}

struct Open {
    room: Arc<Room>,
    visits: usize,
}

impl Rooms {
    /// Makes the rooms of a node.
    pub(crate) fn new(bounds: Bounds, hub: Hub) -> Self {
        Self(Arc::new(House { bounds, hub, rooms: Mutex::default() }))
    }

    /// Lets somebody in, and makes the room if it is new here, for which this waits for what other nodes know of it.
    pub(crate) async fn admit(&self, room: &str, name: &str) -> Result<Entry, Refusal> {
        let room = names::parse(room).ok_or(Refusal::BadRoom)?;
        let name = names::parse(name).ok_or(Refusal::BadName)?;
        let visit = self.visit(room)?;
        if timeout(WAIT, visit.room.answered()).await.is_err() {
            visit.room.give_up_waiting();
        }
        let Entered { number, ears, members, history } = visit.room.enter(name)?;
        let welcome = ServerMessage::Joined {
            room: visit.room.name.clone(),
            name: name.to_owned(),
            members,
            history: history.len(),
        };
        let member = Member { visit, name: name.to_owned(), number };
        Ok(Entry { member, subscription: ears, welcome, history })
    }

    fn visit(&self, name: &str) -> Result<Visit, Refusal> {
        let House { bounds, hub, rooms } = &*self.0;
        let mut rooms = lock(rooms);
        let count = rooms.len();
        let room = match rooms.entry(names::key(name)) {
            hash_map::Entry::Occupied(mut open) => {
                let open = open.get_mut();
                open.visits += 1;
                open.room.clone()
            }
            hash_map::Entry::Vacant(_) if count >= bounds.rooms => {
                return Err(Refusal::NoMoreRooms);
            }
            hash_map::Entry::Vacant(vacant) => {
                let room = Arc::new(Room::new(name, bounds.members, hub.clone()));
                let subscriber = hub.subscriber();
                subscriber.subscribe(room.key()).map_err(|_| Refusal::BadRoom)?;
                tokio::spawn(listen(Arc::downgrade(&room), subscriber));
                vacant.insert(Open { room: room.clone(), visits: 1 });
                room
            }
        };
        Ok(Visit { house: self.0.clone(), room })
    }
}

impl Member {
    pub(crate) fn say(&self, id: String, text: String) {
        self.visit.room.say(id, self.name.clone(), text);
    }

    pub(crate) fn types(&self) {
        self.visit.room.types(&self.name);
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        self.visit.room.leave(&self.name, self.number);
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        let mut rooms = lock(&self.house.rooms);
        if let hash_map::Entry::Occupied(mut open) = rooms.entry(names::key(&self.room.name)) {
            open.get_mut().visits -= 1;
            if open.get().visits == 0 {
                open.remove();
            }
        }
    }
}
