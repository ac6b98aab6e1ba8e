//! A chat room: `cargo run -p ws-json --example chat [ADDR]`, then talk to ws://127.0.0.1:9002 with any WebSocket client.
//!
//! Say `{"name":"you","text":"hello"}`; everybody in the room hears it. What has another shape is answered with
//! `{"error":"..."}`, and what is no JSON closes the connection with 1007.

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::broadcast::{self, error::RecvError};
use ws_json::{Error, Json};
use ws_tokio::Connection;

/// Lines that a slow client may be behind; it misses those before.
const BEHIND: usize = 100;

#[derive(Clone, Serialize, Deserialize)]
struct Line {
    name: String,
    text: String,
}

#[derive(Serialize)]
struct Refusal {
    error: String,
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:9002".to_owned());
    let listener = TcpListener::bind(address).await?;
    println!("listening on ws://{}", listener.local_addr()?);
    let (room, _) = broadcast::channel(BEHIND);
    loop {
        let (stream, peer) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let room = room.clone();
        tokio::spawn(async move {
            match ws_tokio::accept(stream).await {
                Ok(connection) => match chat(connection, room).await {
                    Ok(()) => println!("{peer} left"),
                    Err(error) => println!("{peer}: {error}"),
                },
                Err(error) => println!("{peer}: {error}"),
            }
        });
    }
}

/// Both futures of the loop can be dropped at any time: no line is lost in either direction.
async fn chat<S: AsyncRead + AsyncWrite + Unpin>(
    connection: Connection<S>,
    room: broadcast::Sender<Line>,
) -> Result<(), Error> {
    let (mut json, mut hearing) = (Json(connection), room.subscribe());
    loop {
        tokio::select! {
            said = json.recv::<Line>() => match said {
                // There is always one who hears it: this client.
                Ok(Some(line)) => _ = room.send(line),
                Ok(None) => return Ok(()),
                Err(Error::Shape(error)) => json.send(&Refusal { error: error.to_string() }).await?,
                Err(error) => return Err(error),
            },
            heard = hearing.recv() => match heard {
                Ok(line) => json.send(&line).await?,
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return Ok(()),
            },
        }
    }
}
