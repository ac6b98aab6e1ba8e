//! The chat in a terminal: `cargo run -p ws-json --example chat_client -- ws://127.0.0.1:9001/ws ROOM NAME`
//!
//! Each line of standard input is a message; `/quit` or the end of input leaves. If the connection is lost it comes back by
//! itself, and says so. A line that was sent is never sent again: one that wasn't heard back is told as not delivered.

#[path = "../chat/messages.rs"]
mod messages;

mod client;

mod talk;

mod terminal;

use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ws_tokio::{Compression, ConnectOptions, Reconnect, Settings};

use client::is_final;
use messages::MAX_MESSAGE;
use talk::{End, Failure, Talk};
use terminal::Terminal;

const USAGE: &str = "usage: chat_client URL ROOM NAME";

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let args: Vec<_> = std::env::args().skip(1).collect();
    let Ok([url, room, name]) = <[String; 3]>::try_from(args) else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    let talked = talk(&url, Talk::new(room, name, first_id())).await;
    if let Err(error) = &talked {
        eprintln!("{url}: {error}");
    }
    // Not by returning: the thread that waits for standard input would be waited for.
    std::process::exit(i32::from(talked.is_err()))
}

/// Talks over one connection after another.
async fn talk(url: &str, mut talk: Talk) -> Result<(), Failure> {
    let mut terminal = Terminal::new();
    let options = options();
    // What the server refuses for good: it says why in its close frame.
    let mut reconnect = Reconnect::new(|| options.connect(url))
        .pauses(Duration::from_millis(500), Duration::from_secs(10))
        .final_codes(is_final);
    while let Some(connection) = reconnect.connect().await {
        match talk.over(connection?, &mut terminal).await? {
            End::Left => return Ok(()),
            End::Refused(why) => return Err(why.into()),
            End::Lost(frame, words) => {
                println!("* {words}");
                reconnect.ended(frame.as_ref());
            }
        }
    }
    Err("the server wants no more of this".into())
}

fn first_id() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or_default()
}

fn options() -> ConnectOptions {
    let beat = Duration::from_secs(15);
    let settings = Settings::default().max_message(MAX_MESSAGE).heartbeat(beat, beat);
    ConnectOptions::default().settings(settings).compression(Compression::NoContextTakeover)
}
