//! The chat in a terminal: `cargo run -p ws-json --example chat_client -- ws://127.0.0.1:9001/ws ROOM NAME`
//!
//! Each line of standard input is a message; `/quit` or the end of input leaves. If the connection is lost it comes back by
//! itself, and says so. A line that was sent is never sent again: one that wasn't heard back is told as not delivered.

#[path = "../chat/messages.rs"]
mod messages;

mod client;

mod terminal;

use std::error::Error;
use std::process::ExitCode;
use std::time::Duration;

use ws_tokio::{CloseCode, Compression, ConnectOptions, Reconnect, Settings};

use client::Client;
use messages::MAX_MESSAGE;
use terminal::{End, Terminal};

const USAGE: &str = "usage: chat_client URL ROOM NAME";

type Failure = Box<dyn Error>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let args: Vec<_> = std::env::args().skip(1).collect();
    let Ok([url, room, name]) = <[String; 3]>::try_from(args) else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    let talked = talk(&url, Terminal::new(room, name)).await;
    if let Err(error) = &talked {
        eprintln!("{url}: {error}");
    }
    // Not by returning: the thread that waits for standard input would be waited for.
    std::process::exit(i32::from(talked.is_err()))
}

/// Talks over one connection after another.
async fn talk(url: &str, mut terminal: Terminal) -> Result<(), Failure> {
    let options = options();
    // What the server refuses for good: it says why in its close frame.
    let mut reconnect = Reconnect::new(|| options.connect(url))
        .pauses(Duration::from_millis(500), Duration::from_secs(10))
        .final_codes(|code| matches!(code, CloseCode::POLICY_VIOLATION | CloseCode::TOO_BIG));
    while let Some(connection) = reconnect.connect().await {
        let Client { mut listener, speaker } = Client::new(connection?);
        match terminal.serve(&mut listener, &speaker).await? {
            End::Quit => {
                drop(listener);
                return Ok(speaker.leave().await?);
            }
            End::Refused(why) => return Err(why.into()),
            End::Lost => reconnect.ended(listener.close_frame().as_ref()),
        }
    }
    Err("the server wants no more of this".into())
}

fn options() -> ConnectOptions {
    let beat = Duration::from_secs(15);
    let settings = Settings::default().max_message(MAX_MESSAGE).heartbeat(beat, beat);
    ConnectOptions::default().settings(settings).compression(Compression::NoContextTakeover)
}
