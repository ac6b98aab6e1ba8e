//! A server in a process of its own, which prints its address; it ends with this.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::thread::{self, JoinHandle};

pub(crate) struct Serving {
    pub(crate) child: Child,
    pub(crate) url: String,
    /// The last line that it printed.
    pub(crate) last: Option<JoinHandle<Option<String>>>,
}

impl Serving {
    /// Starts it and waits for its address.
    pub(crate) fn start(command: &mut Command) -> Self {
        let spawned = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
        let mut child = spawned.unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let mut lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
        let url = lines.by_ref().find_map(|line| {
            let line = line.expect("lines of text");
            line.find("ws://").map(|at| line[at..].to_owned())
        });
        // The pipe stays open: what is printed later finds a reader.
        let last = thread::spawn(move || lines.map_while(Result::ok).last());
        Self { child, url: url.expect("it prints its address"), last: Some(last) }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        if self.last.is_some() {
            self.child.kill().expect("it runs until now");
        }
        self.child.wait().expect("it ends");
    }
}
