//! A server that really runs out of file descriptors, in a process of its own that may open few.
#![cfg(unix)]

#[path = "support/process.rs"]
mod process;

use std::env;
use std::fs::File;
use std::process::Command;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::sleep;
use ws_tokio::{CloseCode, ConnectOptions, Connection, Server, Transport};

use process::Serving;

/// Most descriptors that the server's process may have open, its listener's and the runtime's among them.
const MOST: u64 = 40;

/// Says to this file's only test that it is the server's process.
const SERVE: &str = "SERVE_WITH_FEW_DESCRIPTORS";

/// Asks the server whether no file can be opened.
const FULL: &str = "full?";

#[tokio::test]
async fn a_server_whose_descriptors_ran_out_goes_on_serving_and_accepts_again_when_some_are_free() {
    if env::var_os(SERVE).is_some() {
        return serve().await;
    }
    let server = Serving::start(
        Command::new("sh")
            .args(["-c", &format!("ulimit -n {MOST} && exec \"$@\""), "sh"])
            .arg(env::current_exe().expect("this test's"))
            .arg("--nocapture")
            .env(SERVE, ""),
    );
    let mut first = connect(server.url.clone()).await;
    // Each takes a descriptor and keeps it, so that some have to wait.
    let mut others: JoinSet<_> = (0..MOST).map(|_| connect(server.url.clone())).collect();
    while answer(&mut first, FULL).await != "yes" {
        sleep(Duration::from_millis(1)).await;
    }
    assert_eq!(answer(&mut first, "hello").await, "hello", "it goes on serving");
    let mut served = 0;
    while let Some(connected) = others.join_next().await {
        let mut connection = connected.expect("it is accepted, if late");
        assert_eq!(answer(&mut connection, "hello").await, "hello");
        connection.close(CloseCode::NORMAL, "").await.expect("a normal end");
        served += 1;
    }
    assert_eq!(served, MOST);
    assert_eq!(answer(&mut first, "hello").await, "hello", "it still does");
}

/// Echoes for ever, and says whether descriptors have run out.
async fn serve() {
    let server = Server::bind("127.0.0.1:0").await.expect("a listener");
    println!("listening on ws://{}", server.local_addr().expect("an address"));
    let served = server.serve(|mut connection| async move {
        while let Ok(Some(message)) = connection.recv().await {
            let sent = match message.as_text() {
                Some(FULL) if File::open("/dev/null").is_err() => connection.send("yes").await,
                Some(FULL) => connection.send("no").await,
                _ => connection.send(message).await,
            };
            sent.expect("the client waits for it");
        }
    });
    served.await;
}

/// Waits for as long as it takes.
async fn connect(url: String) -> Connection<Transport> {
    let options = ConnectOptions::default().handshake_timeout(Duration::from_secs(120));
    options.connect(&url).await.expect("a server").0
}

async fn answer(connection: &mut Connection<Transport>, message: &'static str) -> String {
    connection.send(message).await.expect("sent");
    let answer = connection.recv().await.expect("an answer").expect("an answer");
    answer.as_text().expect("text").to_owned()
}
