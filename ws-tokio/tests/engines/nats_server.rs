//! A real `nats-server` on a port of its own, which can be paused, killed and started again.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

pub(crate) struct Engine {
    port: u16,
    arguments: Vec<String>,
    child: Child,
}

impl Engine {
    /// Starts one; `None`, with a line on standard error, where the program isn't there.
    pub(crate) fn start() -> Option<Self> {
        Self::start_with(&[])
    }

    /// Starts one with more arguments.
    pub(crate) fn start_with(arguments: &[&str]) -> Option<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let port = listener.local_addr().expect("it is bound").port();
        drop(listener);
        let arguments: Vec<_> = arguments.iter().map(|&argument| argument.to_owned()).collect();
        match run(port, &arguments) {
            Ok(child) => Some(Self { port, arguments, child }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                // Not by `eprintln!`, which a passing test would keep to itself.
                let _ = writeln!(io::stderr(), "SKIPPED: no nats-server here");
                None
            }
            Err(error) => panic!("nats-server: {error}"),
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// It keeps its connections and answers nothing.
    pub(crate) fn pause(&self) {
        self.signal("-STOP");
    }

    pub(crate) fn resume(&self) {
        self.signal("-CONT");
    }

    pub(crate) fn kill(&mut self) {
        self.child.kill().expect("it can be killed");
        self.child.wait().expect("it ends");
    }

    /// Starts it on the same port, after it was killed.
    pub(crate) fn restart(&mut self) {
        self.child = run(self.port, &self.arguments).expect("it started before");
    }

    fn signal(&self, signal: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().expect("kill runs").success());
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs it and waits until it greets.
fn run(port: u16, arguments: &[String]) -> io::Result<Child> {
    let mut child = Command::new("nats-server")
        .args(["--addr", "127.0.0.1", "--port", &port.to_string()])
        .args(arguments)
        .current_dir(std::env::temp_dir())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    while !greets(port) {
        if let Some(status) = child.try_wait()? {
            return Err(io::Error::other(format!("it ended with {status}")));
        }
        thread::sleep(Duration::from_millis(10));
    }
    Ok(child)
}

fn greets(port: u16) -> bool {
    let Ok(stream) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)) else { return false };
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line).is_ok() && line.starts_with("INFO")
}
