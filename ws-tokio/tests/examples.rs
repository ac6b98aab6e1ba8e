//! The examples that no foreign peer talks to do what they promise.
//!
//! Cargo builds examples for `cargo test`, but not for `cargo test --test examples` alone.

#[path = "support/process.rs"]
mod process;

use std::env;
use std::process::Command;

use ws_tokio::{Connection, Transport, connect};

use process::Serving;

/// Starts an example on a free port.
fn start(name: &str) -> Serving {
    start_with(name, &[])
}

fn start_with(name: &str, flags: &[&str]) -> Serving {
    let test = env::current_exe().expect("this test's");
    let built = test.ancestors().nth(2).expect("the profile's folder").join("examples");
    let example = built.join(name).with_extension(env::consts::EXE_EXTENSION);
    Serving::start(Command::new(example).arg("127.0.0.1:0").args(flags))
}

async fn enter(url: &str, topic: &str) -> Connection<Transport> {
    connect(&format!("{url}/{topic}")).await.expect("a topic").0
}

#[tokio::test]
async fn who_is_in_a_topic_of_the_broadcast_example_hears_what_is_said_there_and_nothing_else() {
    let server = start("broadcast");
    let mut tea = [enter(&server.url, "tea").await, enter(&server.url, "tea").await];
    let mut coffee = enter(&server.url, "coffee").await;
    // Who hears itself has entered, and hears from then on.
    for (index, connection) in tea.iter_mut().enumerate() {
        let own = format!("{index} is here");
        connection.send(own.as_str()).await.unwrap();
        while connection.recv().await.unwrap().unwrap().as_text() != Some(&own) {}
    }
    coffee.send("black").await.unwrap();
    tea[0].send("green").await.unwrap();
    assert_eq!(coffee.recv().await.unwrap(), Some("black".into()));
    assert_eq!(tea[1].recv().await.unwrap(), Some("green".into()));
}

/// Asks an example to terminate, waits until it does, and returns what it printed last.
#[cfg(all(unix, feature = "deflate"))]
fn terminate(mut server: Serving) -> Option<String> {
    let asked = Command::new("kill").arg(server.child.id().to_string()).status();
    assert!(asked.expect("`kill`").success());
    assert!(server.child.wait().expect("it ends").success());
    server.last.take().expect("once").join().expect("no panic")
}

/// On SIGTERM an example closes every connection with 1001 and waits for them, for a second.
#[cfg(all(unix, feature = "deflate"))]
async fn closes_every_connection_with_1001(server: Serving) {
    let mut clients = Vec::new();
    for _ in 0..9 {
        let (mut client, _) = connect(&server.url).await.expect("accepted");
        client.send("hello").await.expect("it is open");
        assert_eq!(client.recv().await.expect("an echo"), Some("hello".into()));
        clients.push(client);
    }
    // The last one doesn't answer.
    let silent = clients.pop();
    let terminated = tokio::task::spawn_blocking(|| terminate(server));
    for client in &mut clients {
        assert_eq!(client.recv().await.expect("a normal close"), None);
        let code = client.close_frame().expect("a code").code();
        assert_eq!(code, ws_tokio::CloseCode::GOING_AWAY);
    }
    assert_eq!(terminated.await.expect("no panic").as_deref(), Some("8 closed, 1 cut"));
    drop(silent);
}

#[cfg(all(unix, feature = "axum", feature = "deflate"))]
#[tokio::test]
async fn on_sigterm_the_axum_example_closes_every_connection_with_1001_and_waits_for_them() {
    closes_every_connection_with_1001(start_with("axum_server", &["--patience", "1"])).await;
}

#[cfg(all(unix, feature = "deflate"))]
#[tokio::test]
async fn on_sigterm_all_threads_of_the_echo_example_close_every_connection_with_1001() {
    for runtime in ["current", "multi"] {
        let flags = ["--patience", "1", "--threads", "3", "--runtime", runtime];
        closes_every_connection_with_1001(start_with("echo_server", &flags)).await;
    }
}
