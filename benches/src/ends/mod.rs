//! One end of a connection after its handshake, of either role: the same work for this project, a floor, and the published
//! crates.

pub mod connects;
pub mod drive;
mod floor;
mod ours;
mod peers;
mod work;

use std::io;
use std::sync::Arc;

use tokio::net::TcpStream;
use ws_core::Role;
use ws_tokio::tokio_rustls::TlsStream;

use crate::servers::Ended;
pub use work::{Kind, Tally, Work};

/// One way of holding an end.
pub struct End {
    /// What the tables call it.
    pub name: &'static str,
    /// Works over TCP in a task of its own.
    pub tcp: fn(TcpStream, Role, Arc<Work>),
    /// Works over TLS in a task of its own.
    pub tls: fn(TlsStream<TcpStream>, Role, Arc<Work>),
}

/// A row of [`ENDS`].
macro_rules! end {
    ($name:literal, $talk:expr) => {
        End {
            name: $name,
            tcp: |stream, role, work| spawn(work.clone(), $talk(stream, role, work)),
            tls: |stream, role, work| spawn(work.clone(), $talk(stream, role, work)),
        }
    };
}

/// Every end; the first is the floor that the others are compared with.
pub static ENDS: &[End] = &[
    end!("floor", floor::talk),
    end!("ws-tokio run", ours::run),
    end!("ws-tokio recv+feed", ours::recv),
    end!("sockudo-ws", peers::sockudo),
    end!("yawc", peers::yawc),
    end!("fastwebsockets", peers::fastwebsockets),
    end!("tokio-websockets", peers::tokio_websockets),
    end!("tokio-tungstenite", peers::tungstenite),
];

/// The end of this name.
///
/// # Errors
///
/// If there is none.
pub fn find(name: &str) -> io::Result<&'static End> {
    let found = ENDS.iter().find(|end| end.name == name);
    found.ok_or_else(|| io::Error::other(format!("no end is called {name}")))
}

fn spawn(work: Arc<Work>, talk: impl Future<Output = Ended> + Send + 'static) {
    tokio::spawn(async move {
        work.tally.ended(talk.await);
    });
}
