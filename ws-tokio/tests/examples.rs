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
    let test = env::current_exe().expect("this test's");
    let built = test.ancestors().nth(2).expect("the profile's folder").join("examples");
    let example = built.join(name).with_extension(env::consts::EXE_EXTENSION);
    Serving::start(Command::new(example).arg("127.0.0.1:0"))
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
