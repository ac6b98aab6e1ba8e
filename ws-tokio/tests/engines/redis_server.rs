//! A Redis server in a process of its own, which can be paused, killed and started again; it ends with this.

use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

pub(crate) struct Engine {
    port: u16,
    folder: PathBuf,
    arguments: Vec<String>,
    child: Child,
}

impl Engine {
    /// Starts one on a free port; `None`, and a line that says so, where there is none.
    pub(crate) fn start() -> Option<Self> {
        Self::start_with(&[])
    }

    /// Starts one with more arguments.
    pub(crate) fn start_with(arguments: &[&str]) -> Option<Self> {
        if Command::new(PROGRAM).arg("--version").stdout(Stdio::null()).status().is_err() {
            // Not by `eprintln!`, which a passing test would keep to itself.
            let _ = writeln!(io::stderr(), "SKIPPED: no {PROGRAM} here");
            return None;
        }
        static FOLDERS: AtomicU32 = AtomicU32::new(0);
        let name = (std::process::id(), FOLDERS.fetch_add(1, Ordering::Relaxed));
        let folder = std::env::temp_dir().join(format!("ws-redis-{}-{}", name.0, name.1));
        fs::create_dir_all(&folder).expect("a folder for its files");
        let arguments: Vec<_> = arguments.iter().map(|&argument| argument.to_owned()).collect();
        loop {
            // Another process may take the port before the server does.
            let port = free_port();
            let mut child = spawn(port, &folder, &arguments);
            if answers(port, &mut child) {
                return Some(Self { port, folder, arguments, child });
            }
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Stops its process: it keeps its connections, and answers no more.
    pub(crate) fn pause(&self) {
        self.signal("-STOP");
    }

    pub(crate) fn resume(&self) {
        self.signal("-CONT");
    }

    /// Ends it, as a crash does.
    pub(crate) fn kill(&mut self) {
        self.child.kill().expect("it runs until now");
        self.child.wait().expect("it ends");
    }

    /// Starts it again on the same port, after it was killed.
    pub(crate) fn restart(&mut self) {
        // The port may need a moment.
        loop {
            self.child = spawn(self.port, &self.folder, &self.arguments);
            if answers(self.port, &mut self.child) {
                return;
            }
        }
    }

    /// Runs a command, such as `CLIENT KILL TYPE pubsub`; returns the reply, if it is a line or a text, else its first line.
    pub(crate) fn command(&self, words: &str) -> String {
        ask(self.port, words).expect("it answers")
    }

    /// Where its files are, until it ends.
    #[cfg(feature = "ring")]
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    #[cfg(feature = "ring")]
    pub(crate) fn free_port() -> u16 {
        free_port()
    }

    fn signal(&self, signal: &str) {
        let id = self.child.id().to_string();
        let status = Command::new("kill").args([signal, &id]).status().expect("kill runs");
        assert!(status.success(), "kill {signal} {id}");
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        // It may have been killed already.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

const PROGRAM: &str = "redis-server";

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("an address").port()
}

fn spawn(port: u16, folder: &Path, arguments: &[String]) -> Child {
    Command::new(PROGRAM)
        .args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--dir"])
        .arg(folder)
        .args(["--loglevel", "warning"])
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .expect("it starts")
}

/// Waits until it answers; `false` if it ended before.
fn answers(port: u16, child: &mut Child) -> bool {
    let begin = Instant::now();
    while ask(port, "PING").is_none_or(|reply| reply != "+PONG") {
        if child.try_wait().expect("it is ours").is_some() {
            return false;
        }
        assert!(begin.elapsed() < Duration::from_secs(60), "{PROGRAM} doesn't answer");
        sleep(Duration::from_millis(10));
    }
    true
}

fn ask(port: u16, words: &str) -> Option<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream.write_all(format!("{words}\r\n").as_bytes()).ok()?;
    let mut replies = BufReader::new(stream);
    let mut line = String::new();
    replies.read_line(&mut line).ok()?;
    let Some(len) = line.strip_prefix('$') else { return Some(line.trim_end().to_owned()) };
    let mut text = vec![0; len.trim_end().parse().ok()?];
    replies.read_exact(&mut text).ok()?;
    String::from_utf8(text).ok()
}
