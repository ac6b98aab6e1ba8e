//! Engines that carry messages between nodes, beside the load on core 1; `.ci/packages nats-server:nats-server
//! redis-server:redis-server` installs them.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use crate::rig::{Cores, program};

#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    Nats,
    Redis,
}

/// An engine that runs until this is dropped.
pub(crate) struct Engine {
    kind: Kind,
    process: Child,
    address: SocketAddr,
    /// Where it tells what it counted.
    counts: SocketAddr,
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::Nats => "nats",
            Self::Redis => "redis",
        }
    }

    pub(crate) const fn program(self) -> &'static str {
        match self {
            Self::Nats => "nats-server",
            Self::Redis => "redis-server",
        }
    }
}

impl Engine {
    /// Starts one; `None` where the program isn't there.
    pub(crate) fn start(kind: Kind) -> io::Result<Option<Self>> {
        let name = kind.program();
        if Command::new(name).arg("--version").stdout(Stdio::null()).status().is_err() {
            return Ok(None);
        }
        let (address, monitor) = (free()?, free()?);
        let (port, monitor_port) = (address.port().to_string(), monitor.port().to_string());
        let mut command = program(Cores::Only(1), name);
        let counts = match kind {
            Kind::Nats => {
                command.args(["--addr", "127.0.0.1", "--port", &port, "-m", &monitor_port]);
                monitor
            }
            Kind::Redis => {
                command.args(["--bind", "127.0.0.1", "--port", &port, "--save", ""]);
                address
            }
        };
        let process = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
        let mut engine = Self { kind, process, address, counts };
        while ![address, counts].into_iter().all(|address| TcpStream::connect(address).is_ok()) {
            if let Some(status) = engine.process.try_wait()? {
                return Err(io::Error::other(format!("{name} ended with {status}")));
            }
            thread::sleep(Duration::from_millis(10));
        }
        Ok(Some(engine))
    }

    pub(crate) fn url(&self) -> String {
        format!("{}://{}", self.kind.name(), self.address)
    }

    /// What a load needs to ask for its counts.
    pub(crate) fn place(&self) -> [String; 2] {
        [self.kind.name().to_owned(), self.counts.to_string()]
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        _ = self.process.kill();
        _ = self.process.wait();
    }
}

fn free() -> io::Result<SocketAddr> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()
}
