//! The terminal: lines in, events out, and what outlasts a connection.

use std::collections::{BTreeMap, VecDeque};
use std::time::{SystemTime, UNIX_EPOCH};

use tokio::io::{AsyncBufReadExt, BufReader, Lines, Stdin, stdin};

use crate::Failure;
use crate::client::{Listener, Speaker, printable, refusal};
use crate::messages::{MAX_TEXT, Refusal, ServerMessage};

/// How often the name may be taken by this member's own lost connection, until the server notices.
const GHOSTS: u32 = 8;
/// Most messages that are remembered to know them again in a history.
const SEEN: usize = 200;
/// Most characters of a message that are shown.
const SHOWN: usize = 2000;

pub(crate) struct Terminal {
    room: String,
    name: String,
    lines: Lines<BufReader<Stdin>>,
    /// What was sent and not heard back yet, by its id.
    unheard: BTreeMap<u64, String>,
    next_id: u64,
    seen: VecDeque<(u64, String, String)>,
    was_inside: bool,
    ghosts: u32,
    /// How many messages of the history are still to come; `None` before joining.
    history: Option<usize>,
}

/// How a connection ended.
pub(crate) enum End {
    /// The user wants no more.
    Quit,
    /// The server may be asked again.
    Lost,
    /// It may not.
    Refused(&'static str),
}

impl Terminal {
    pub(crate) fn new(room: String, name: String) -> Self {
        Self {
            room,
            name,
            lines: BufReader::new(stdin()).lines(),
            unheard: BTreeMap::new(),
            next_id: first_id(),
            seen: VecDeque::new(),
            was_inside: false,
            ghosts: 0,
            history: None,
        }
    }

    /// Joins and talks until the connection ends or the user quits.
    pub(crate) async fn serve(
        &mut self,
        listener: &mut Listener,
        speaker: &Speaker,
    ) -> Result<End, Failure> {
        self.history = None;
        // If it fails, the listener knows why; likewise below.
        _ = speaker.join(&self.room, &self.name).await;
        loop {
            tokio::select! {
                heard = listener.hear() => match heard {
                    Ok(Some(ServerMessage::Refused { why })) => return Ok(self.refused(why)),
                    Ok(Some(message)) => self.show(message),
                    ended => {
                        println!("* {}", listener.ending(ended.err().as_ref()));
                        return Ok(End::Lost);
                    }
                },
                // What is typed before waits.
                line = self.lines.next_line(), if self.history == Some(0) => match line? {
                    Some(line) if line.trim() == "/quit" => return Ok(End::Quit),
                    Some(line) => self.say(speaker, line).await,
                    None => return Ok(End::Quit),
                },
            }
        }
    }

    async fn say(&mut self, speaker: &Speaker, line: String) {
        if line.len() > MAX_TEXT {
            println!("* That is too long: a message has at most {MAX_TEXT} bytes.");
        } else if !line.trim().is_empty() {
            let id = self.next_id;
            self.next_id += 1;
            self.unheard.insert(id, line.clone());
            _ = speaker.say(id.to_string(), line).await;
        }
    }

    fn show(&mut self, message: ServerMessage) {
        match message {
            ServerMessage::Joined { room, name, members, history } => {
                let here = format!("* You are in {room} as {name}. Here: {}.", members.join(", "));
                println!("{}", printable(&here));
                (self.was_inside, self.ghosts, self.name) = (true, 0, name);
                self.history = Some(history);
                self.tell_unheard();
            }
            ServerMessage::Entered { name, .. } => println!("* {} joined.", printable(&name)),
            ServerMessage::Left { name, .. } => println!("* {} left.", printable(&name)),
            ServerMessage::Said { id, name, at, text } => self.said(id, name, at, &text),
            // A line that goes away again is more than a terminal without tricks can show; a refusal is handled before.
            ServerMessage::Typing { .. } | ServerMessage::Refused { .. } => {}
        }
    }

    fn said(&mut self, id: String, name: String, at: u64, text: &str) {
        if name == self.name {
            id.parse().ok().and_then(|id: u64| self.unheard.remove(&id));
        }
        let said = (at, name, id);
        if !self.seen.contains(&said) {
            println!("{}: {}", printable(&said.1), folded(text));
            self.seen.truncate(SEEN - 1);
            self.seen.push_front(said);
        }
        if let Some(history @ 1..) = &mut self.history {
            *history -= 1;
            self.tell_unheard();
        }
    }

    /// After the history, what was sent over an earlier connection and isn't there didn't arrive, or is long ago.
    fn tell_unheard(&mut self) {
        if self.history == Some(0) {
            for text in std::mem::take(&mut self.unheard).into_values() {
                println!("* Not delivered; say it again if you like: {}", folded(&text));
            }
        }
    }

    fn refused(&mut self, why: Refusal) -> End {
        self.ghosts += 1;
        if why == Refusal::NameTaken && self.was_inside && self.ghosts <= GHOSTS {
            println!("* Your lost connection still has your name.");
            return End::Lost;
        }
        End::Refused(refusal(why))
    }
}

/// One that an earlier run hasn't used, for the history may still have its messages.
fn first_id() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or_default()
}

/// Makes a message printable: its further lines can't be taken for messages of others, and it is not endless.
fn folded(text: &str) -> String {
    let shown = match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}... ({} characters)", &text[..end], text.chars().count()),
        None => text.to_owned(),
    };
    printable(&shown).replace('\n', "\n  | ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_cannot_look_like_two() {
        assert_eq!(folded("hello\nBob: hi"), "hello\n  | Bob: hi");
    }

    #[test]
    fn a_long_message_is_cut() {
        let shown = folded(&"é".repeat(5000));
        assert!(shown.ends_with("... (5000 characters)") && shown.chars().count() < 2100);
    }
}
