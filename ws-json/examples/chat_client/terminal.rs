//! The terminal: lines in, lines out.

use std::io;

use tokio::io::{AsyncBufReadExt, BufReader, Lines, Stdin, stdin};

use crate::client::printable;
use crate::talk::{Deed, Show, may_say};

/// Most characters of a message that are shown.
const SHOWN: usize = 2000;

pub(crate) struct Terminal(Lines<BufReader<Stdin>>);

impl Terminal {
    pub(crate) fn new() -> Self {
        Self(BufReader::new(stdin()).lines())
    }
}

/// Who is typing isn't shown: a line that goes away again is more than a terminal without tricks can do.
impl Show for Terminal {
    async fn deed(&mut self) -> io::Result<Deed> {
        loop {
            match self.0.next_line().await? {
                None => return Ok(Deed::Leave),
                Some(line) if line.trim() == "/quit" => return Ok(Deed::Leave),
                Some(line) if line.trim().is_empty() => {}
                Some(line) => match may_say(&line) {
                    Ok(()) => return Ok(Deed::Say(line)),
                    Err(why) => println!("* {why}"),
                },
            }
        }
    }

    fn joined(&mut self, room: &str, name: &str, members: Vec<String>) {
        let here = format!("* You are in {room} as {name}. Here: {}.", members.join(", "));
        println!("{}", printable(&here));
    }

    fn entered(&mut self, name: &str) {
        println!("* {} joined.", printable(name));
    }

    fn left(&mut self, name: &str) {
        println!("* {} left.", printable(name));
    }

    fn said(&mut self, name: &str, _at: u64, text: &str) {
        println!("{}: {}", printable(name), folded(text));
    }

    fn undelivered(&mut self, _id: u64, text: &str) {
        println!("* Not delivered; say it again if you like: {}", folded(text));
    }
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
