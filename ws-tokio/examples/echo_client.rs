//! A client for lines: `cargo run -p ws-tokio --example echo_client ws://127.0.0.1:9001 [--compress[=takeover]]`
//!
//! Sends each line of standard input as a text message and prints the answers. At the end of input it closes with
//! 1000. It fails, and says why, where the server closed with anything but 1000 or 1001.

use std::error::Error;
use std::process::ExitCode;

use tokio::io::{AsyncBufReadExt, BufReader, stdin};
use ws_tokio::{CloseCode, Compression, ConnectOptions, Message};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let Some((url, compression)) = parse(std::env::args().skip(1)) else {
        eprintln!("usage: echo_client URL [--compress[=takeover]]");
        return ExitCode::from(2);
    };
    let talked = talk(&url, compression).await;
    if let Err(error) = &talked {
        eprintln!("{url}: {error}");
    }
    // Not by returning: the thread that waits for standard input would be waited for.
    std::process::exit(i32::from(talked.is_err()))
}

fn parse(mut args: impl Iterator<Item = String>) -> Option<(String, Compression)> {
    let url = args.next()?;
    let compression = match args.next().as_deref() {
        None => Compression::Off,
        Some("--compress") => Compression::NoContextTakeover,
        Some("--compress=takeover") => Compression::ContextTakeover,
        Some(_) => return None,
    };
    Some((url, compression))
}

async fn talk(url: &str, compression: Compression) -> Result<(), Box<dyn Error>> {
    let options = ConnectOptions::default().compression(compression);
    let (mut connection, _response) = options.connect(url).await?;
    let mut lines = BufReader::new(stdin()).lines();
    loop {
        tokio::select! {
            line = lines.next_line() => match line? {
                Some(line) => connection.send(line).await?,
                None => return Ok(connection.close(CloseCode::NORMAL, "").await?),
            },
            received = connection.recv() => match received? {
                Some(Message::Text(text)) => println!("{text}"),
                Some(Message::Binary(bytes)) => println!("{} bytes", bytes.len()),
                None => return Ok(()),
            },
        }
    }
}
