//! What a member hears and says over one connection after another, whatever shows it: a terminal, or a page.

use std::collections::{BTreeMap, VecDeque};
use std::error::Error;
use std::io;

use ws_tokio::{CloseFrame, Connection};

use crate::client::{Client, Speaker, refusal};
use crate::messages::{MAX_TEXT, Refusal, ServerMessage};

/// How often the name may be taken by this member's own lost connection, until the server notices.
const GHOSTS: u32 = 8;
/// Most messages that are remembered to know them again in a history.
const SEEN: usize = 200;

pub(crate) type Failure = Box<dyn Error>;

/// What shows a talk, and knows what its user does.
pub(crate) trait Show {
    /// Waits for what the user does. Asked while the member is inside; if dropped, it must lose nothing.
    async fn deed(&mut self) -> io::Result<Deed>;

    fn joined(&mut self, room: &str, name: &str, members: Vec<String>);
    /// The history has been shown.
    fn caught_up(&mut self) {}
    fn entered(&mut self, name: &str);
    fn left(&mut self, name: &str);
    fn typing(&mut self, _name: &str) {}
    fn said(&mut self, name: &str, at: u64, text: &str);

    /// The member says this, and then either hears it back or doesn't.
    fn saying(&mut self, _id: u64, _text: &str) {}
    fn delivered(&mut self, _id: u64) {}
    fn undelivered(&mut self, id: u64, text: &str);
}

/// What a user does. A text is one that [may be said](may_say).
pub(crate) enum Deed {
    Say(String),
    #[cfg_attr(
        not(target_family = "wasm"),
        expect(dead_code, reason = "a terminal has whole lines")
    )]
    Type,
    Leave,
}

/// How a connection ended.
pub(crate) enum End {
    /// By the user, who wants no more.
    Left,
    /// The server may be asked again, unless its close frame [is final](crate::client::is_final). In words, too.
    Lost(Option<CloseFrame>, String),
    /// The server may not be asked again, for this reason.
    Refused(&'static str),
}

/// What outlasts a connection.
pub(crate) struct Talk {
    room: String,
    name: String,
    /// What was said and not heard back yet, by its id.
    unheard: BTreeMap<u64, String>,
    next_id: u64,
    seen: VecDeque<(u64, String, String)>,
    was_inside: bool,
    ghosts: u32,
    /// How many messages of the history are still to come; `None` before joining.
    history: Option<usize>,
}

impl Talk {
    /// Ids count from the first one. An earlier talk shouldn't have used them, for the history may still have its messages: the
    /// microseconds since 1970 will do.
    pub(crate) fn new(room: String, name: String, first_id: u64) -> Self {
        Self {
            room,
            name,
            unheard: BTreeMap::new(),
            next_id: first_id,
            seen: VecDeque::new(),
            was_inside: false,
            ghosts: 0,
            history: None,
        }
    }

    /// Joins and talks until the connection ends or the user leaves.
    pub(crate) async fn over(
        &mut self,
        connection: Connection,
        show: &mut impl Show,
    ) -> Result<End, Failure> {
        let Client { mut listener, speaker } = Client::new(connection);
        self.history = None;
        // If it fails, the listener knows why; likewise below.
        _ = speaker.join(&self.room, &self.name).await;
        loop {
            tokio::select! {
                heard = listener.hear() => match heard {
                    Ok(Some(ServerMessage::Refused { why })) => return Ok(self.refused(why)),
                    Ok(Some(message)) => self.hear(message, show),
                    ended => {
                        let words = listener.ending(ended.err().as_ref());
                        return Ok(End::Lost(listener.close_frame(), words));
                    }
                },
                // What is done before waits.
                deed = show.deed(), if self.history == Some(0) => match deed? {
                    Deed::Say(text) => self.say(text, &speaker, show).await,
                    Deed::Type => _ = speaker.types().await,
                    Deed::Leave => {
                        drop(listener);
                        speaker.leave().await?;
                        return Ok(End::Left);
                    }
                },
            }
        }
    }

    async fn say(&mut self, text: String, speaker: &Speaker, show: &mut impl Show) {
        let id = self.next_id;
        self.next_id += 1;
        show.saying(id, &text);
        self.unheard.insert(id, text.clone());
        _ = speaker.say(id.to_string(), text).await;
    }

    fn hear(&mut self, message: ServerMessage, show: &mut impl Show) {
        match message {
            ServerMessage::Joined { room, name, members, history } => {
                show.joined(&room, &name, members);
                (self.was_inside, self.ghosts, self.name) = (true, 0, name);
                self.history = Some(history);
                self.catch_up(show);
            }
            ServerMessage::Entered { name, .. } => show.entered(&name),
            ServerMessage::Left { name, .. } => show.left(&name),
            ServerMessage::Said { id, name, at, text } => {
                self.said(&text, (at, name, id), show);
                if let Some(history @ 1..) = &mut self.history {
                    *history -= 1;
                    self.catch_up(show);
                }
            }
            ServerMessage::Typing { name } if name != self.name => show.typing(&name),
            // A refusal is handled before.
            ServerMessage::Typing { .. } | ServerMessage::Refused { .. } => {}
        }
    }

    fn said(&mut self, text: &str, said: (u64, String, String), show: &mut impl Show) {
        let (at, name, id) = &said;
        if let (true, Ok(id)) = (*name == self.name, id.parse()) {
            if self.unheard.remove(&id).is_some() {
                show.delivered(id);
            }
        }
        if !self.seen.contains(&said) {
            show.said(name, *at, text);
            self.seen.truncate(SEEN - 1);
            self.seen.push_front(said);
        }
    }

    /// After the history, what was said over an earlier connection and isn't there didn't arrive, or is long ago.
    fn catch_up(&mut self, show: &mut impl Show) {
        if self.history == Some(0) {
            show.caught_up();
            for (id, text) in std::mem::take(&mut self.unheard) {
                show.undelivered(id, &text);
            }
        }
    }

    fn refused(&mut self, why: Refusal) -> End {
        self.ghosts += 1;
        if why == Refusal::NameTaken && self.was_inside && self.ghosts <= GHOSTS {
            return End::Lost(None, "Your lost connection still has your name.".to_owned());
        }
        End::Refused(refusal(why))
    }
}

/// Whether a text may be said; if not, why.
pub(crate) fn may_say(text: &str) -> Result<(), String> {
    // Controls, of which there are few in most texts, take six bytes of JSON.
    let fits = text.len() <= MAX_TEXT / 3
        || text.len() <= MAX_TEXT
            && serde_json::to_string(text)
                .is_ok_and(|json| json.len() <= 2 * MAX_TEXT + "\"\"".len());
    if fits {
        Ok(())
    } else {
        Err(format!("That is too long: a message has at most {} MiB.", MAX_TEXT >> 20))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Told(Vec<String>);

    impl Show for Told {
        async fn deed(&mut self) -> io::Result<Deed> {
            std::future::pending().await
        }
        fn joined(&mut self, room: &str, _: &str, _: Vec<String>) {
            self.0.push(format!("in {room}"));
        }
        fn entered(&mut self, name: &str) {
            self.0.push(format!("{name} entered"));
        }
        fn left(&mut self, name: &str) {
            self.0.push(format!("{name} left"));
        }
        fn said(&mut self, name: &str, _: u64, text: &str) {
            self.0.push(format!("{name}: {text}"));
        }
        fn delivered(&mut self, id: u64) {
            self.0.push(format!("{id} delivered"));
        }
        fn undelivered(&mut self, id: u64, _: &str) {
            self.0.push(format!("{id} undelivered"));
        }
    }

    fn joined(history: usize) -> ServerMessage {
        let (room, name) = ("tea".to_owned(), "Ada".to_owned());
        ServerMessage::Joined { room, name, members: Vec::new(), history }
    }

    fn said(id: u64, name: &str) -> ServerMessage {
        let (id, name) = (id.to_string(), name.to_owned());
        ServerMessage::Said { id, name, at: 0, text: "hello".to_owned() }
    }

    #[test]
    fn a_history_tells_what_was_delivered_and_repeats_nothing() {
        let (mut talk, mut told) = (Talk::new("tea".into(), "Ada".into(), 1), Told::default());
        let mut hear = |talk: &mut Talk, message| talk.hear(message, &mut told);
        hear(&mut talk, joined(0));
        talk.unheard = [(1, "a".into()), (2, "b".into()), (3, "c".into())].into();
        // Somebody else's id may be the same.
        for message in [said(1, "Bob"), said(1, "Ada"), joined(2), said(1, "Ada"), said(3, "Ada")] {
            hear(&mut talk, message);
        }
        let all = [
            "in tea",
            "Bob: hello",
            "1 delivered",
            "Ada: hello",
            "in tea",
            "3 delivered",
            "Ada: hello",
            "2 undelivered",
        ];
        assert_eq!(told.0, all);
    }

    #[test]
    fn a_name_may_be_taken_by_the_own_lost_connection_but_not_for_ever() {
        let mut talk = Talk::new("tea".into(), "Ada".into(), 1);
        assert!(matches!(talk.refused(Refusal::NameTaken), End::Refused(_)));
        talk.hear(joined(0), &mut Told::default());
        for _ in 0..GHOSTS {
            assert!(matches!(talk.refused(Refusal::NameTaken), End::Lost(None, _)));
        }
        assert!(matches!(talk.refused(Refusal::NameTaken), End::Refused(_)));
    }

    #[test]
    fn what_the_server_would_close_on_is_not_said() {
        assert!(may_say(&"\"\n".repeat(MAX_TEXT / 2)).is_ok());
        assert!(may_say(&"a".repeat(MAX_TEXT + 1)).is_err());
        assert!(may_say(&"\u{1}".repeat(MAX_TEXT)).is_err());
    }
}
