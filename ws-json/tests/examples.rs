//! The example does what it promises.
//!
//! Cargo builds examples for `cargo test`, but not for `cargo test --test examples` alone.

#[path = "../../ws-tokio/tests/support/process.rs"]
mod process;

use std::env;
use std::process::Command;

use ws_tokio::{CloseCode, Connection, Transport, connect};

use process::Serving;

async fn hears(connection: &mut Connection<Transport>, line: &str) {
    while connection.recv().await.expect("a line").expect("a line").as_text() != Some(line) {}
}

#[tokio::test]
async fn everybody_in_the_chat_example_hears_a_line_and_a_wrong_shape_is_answered() {
    let test = env::current_exe().expect("this test's");
    let built = test.ancestors().nth(2).expect("the profile's folder").join("examples");
    let example = built.join("chat").with_extension(env::consts::EXE_EXTENSION);
    let server = Serving::start(Command::new(example).arg("127.0.0.1:0"));
    let mut room = [connect(&server.url).await.unwrap().0, connect(&server.url).await.unwrap().0];
    // Who hears itself is in the room, and hears from then on.
    for (connection, name) in room.iter_mut().zip(["one", "two"]) {
        let line = format!(r#"{{"name":"{name}","text":"hello"}}"#);
        connection.send(line.as_str()).await.unwrap();
        hears(connection, &line).await;
    }
    room[0].send(r#" { "text": "all", "name": "one" } "#).await.unwrap();
    for connection in &mut room {
        hears(connection, r#"{"name":"one","text":"all"}"#).await;
    }
    room[1].send(r#"{"name":"two"}"#).await.unwrap();
    let refused = room[1].recv().await.unwrap().unwrap();
    assert!(refused.as_text().unwrap().starts_with(r#"{"error":"#), "{refused:?}");
    room[1].send("no JSON").await.unwrap();
    let end = room[1].recv().await.unwrap_err();
    assert_eq!(end.close_code(), Some(CloseCode::INVALID_PAYLOAD));
}
