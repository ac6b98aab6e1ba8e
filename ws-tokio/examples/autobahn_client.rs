//! Runs all cases of an Autobahn fuzzing server: `autobahn_client ws://127.0.0.1:9001 AGENT`

use std::error::Error;
use std::time::Duration;

use ws_tokio::{Compression, ConnectError, ConnectOptions, Connection, Settings, Transport};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let (Some(server), Some(agent)) = (args.next(), args.next()) else {
        return Err("usage: autobahn_client URL AGENT".into());
    };
    let cases = case_count(&server).await?;
    for case in 1..=cases {
        let mut connection = open(&format!("{server}/runCase?case={case}&agent={agent}")).await?;
        // Most cases end in an error on purpose; the server judges them.
        _ = connection.run(|message, outbox| outbox.send(message)).await;
    }
    let mut reports = open(&format!("{server}/updateReports?agent={agent}")).await?;
    reports.recv().await?;
    println!("{cases} cases run");
    Ok(())
}

async fn case_count(server: &str) -> Result<u32, Box<dyn Error>> {
    let mut connection = open(&format!("{server}/getCaseCount")).await?;
    let count = connection.recv().await?.ok_or("no case count")?;
    Ok(count.as_text().ok_or("a case count that is no text")?.parse()?)
}

async fn open(url: &str) -> Result<Connection<Transport>, ConnectError> {
    let settings = Settings::default().max_message(64 << 20).close_timeout(Duration::from_secs(10));
    // The suite agrees where a case is about compression.
    let options = ConnectOptions::default().compression(Compression::ContextTakeover);
    Ok(options.settings(settings).connect(url).await?.0)
}
