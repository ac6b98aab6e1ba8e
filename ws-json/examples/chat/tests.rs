//! The server in memory: what its clients see.

use axum::Router;
use tokio::io::DuplexStream;
use ws_json::Json;
use ws_tokio::{CloseCode, Compression, ConnectError, ConnectOptions, Connection, Error, Tracker};

use crate::messages::{ClientMessage, MAX_MESSAGE, MAX_TEXT, Refusal, ServerMessage};
use crate::rooms::{Bounds, Rooms};
use crate::site;

type Client = Json<Connection<DuplexStream>>;

fn router(tracker: &Tracker) -> Router {
    let rooms = Rooms::new(Bounds { rooms: 2, members: 2 });
    site::router(rooms, vec!["https://friend.example".into()], tracker)
}

fn options() -> ConnectOptions {
    let settings = ws_tokio::Settings::default().max_message(MAX_MESSAGE);
    ConnectOptions::default().settings(settings).compression(Compression::NoContextTakeover)
}

async fn connect(router: &Router) -> Client {
    Json(options().connect_router(router.clone(), "ws://chat.example/ws").await.unwrap().0)
}

async fn join(router: &Router, name: &str) -> Client {
    let mut client = connect(router).await;
    client.send(&ClientMessage::Join { room: "tea".into(), name: name.into() }).await.unwrap();
    assert!(matches!(hear(&mut client).await, ServerMessage::Joined { .. }));
    client
}

async fn hear(client: &mut Client) -> ServerMessage {
    client.recv().await.unwrap().expect("a message")
}

async fn say(client: &mut Client, text: String) {
    client.send(&ClientMessage::Say { id: "1".into(), text }).await.unwrap();
}

/// The code and the reason that the server closes with.
async fn closed(client: &mut Client) -> (CloseCode, String) {
    while let Ok(Some(_)) = client.recv::<ServerMessage>().await {}
    let frame = client.0.close_frame().expect("a close frame");
    (frame.code(), frame.reason().to_owned())
}

#[tokio::test]
async fn two_talk_and_a_third_is_refused_by_name_and_by_room() {
    let router = router(&Tracker::new());
    let (mut ada, mut bob) = (join(&router, "Ada").await, join(&router, "Bob").await);
    assert!(matches!(hear(&mut ada).await, ServerMessage::Entered { name, .. } if name == "Bob"));
    let text = "\"\n".repeat(MAX_TEXT / 2);
    say(&mut bob, text.clone()).await;
    for client in [&mut ada, &mut bob] {
        assert!(
            matches!(hear(client).await, ServerMessage::Said { text: heard, .. } if heard == text)
        );
    }
    let mut third = connect(&router).await;
    for (name, why) in
        [("ADA", Refusal::NameTaken), ("", Refusal::BadName), ("Cy", Refusal::RoomFull)]
    {
        third.send(&ClientMessage::Join { room: "tea".into(), name: name.into() }).await.unwrap();
        assert_eq!(hear(&mut third).await, ServerMessage::Refused { why });
    }
    third.send(&ClientMessage::Join { room: "coffee".into(), name: "Ada".into() }).await.unwrap();
    assert!(matches!(hear(&mut third).await, ServerMessage::Joined { .. }));
}

#[tokio::test]
async fn a_late_member_gets_what_was_said() {
    let router = router(&Tracker::new());
    let mut ada = join(&router, "Ada").await;
    say(&mut ada, "before".into()).await;
    hear(&mut ada).await;
    let mut bob = join(&router, "Bob").await;
    assert!(matches!(hear(&mut bob).await, ServerMessage::Said { text, .. } if text == "before"));
}

#[tokio::test]
async fn a_flood_is_closed_with_1008_and_the_others_talk_on() {
    let router = router(&Tracker::new());
    let (mut ada, mut bob) = (join(&router, "Ada").await, join(&router, "Bob").await);
    for _ in 0..100 {
        _ = bob.feed(&ClientMessage::Typing {}).await;
    }
    let (code, reason) = closed(&mut bob).await;
    assert_eq!(code, CloseCode::POLICY_VIOLATION);
    assert!(reason.starts_with("too fast"), "{reason}");
    say(&mut ada, "still here".into()).await;
    while !matches!(hear(&mut ada).await, ServerMessage::Said { .. }) {}
}

#[tokio::test]
async fn what_is_no_message_of_the_chat_closes_with_a_reason() {
    let router = router(&Tracker::new());
    for (sent, code) in [
        ("no JSON", CloseCode::INVALID_PAYLOAD),
        (r#"{"join":{}}"#, CloseCode::POLICY_VIOLATION),
        (r#"{"typing":{}}"#, CloseCode::POLICY_VIOLATION),
    ] {
        let mut client = connect(&router).await;
        client.0.send(sent).await.unwrap();
        assert_eq!(closed(&mut client).await.0, code, "{sent}");
        let mut member = join(&router, "Ada").await;
        if !sent.contains("typing") {
            member.0.send(sent).await.unwrap();
            assert_eq!(closed(&mut member).await.0, code, "{sent}");
        }
    }
    let mut long = connect(&router).await;
    long.0.send(" ".repeat(10_000)).await.unwrap();
    assert_eq!(closed(&mut long).await.0, CloseCode::TOO_BIG);
}

#[tokio::test]
async fn a_shutdown_closes_members_and_those_who_have_not_joined_with_1001_and_a_reason() {
    let tracker = Tracker::new();
    let router = router(&tracker);
    let mut clients = [join(&router, "Ada").await, connect(&router).await];
    let shutdown =
        tokio::spawn(async move { tracker.shutdown(std::time::Duration::from_secs(5)).await });
    for client in &mut clients {
        let told = closed(client).await;
        assert_eq!(told, (CloseCode::GOING_AWAY, "the server is restarting".into()));
    }
    assert!(shutdown.await.unwrap().cut.is_empty());
}

#[tokio::test]
async fn pages_of_other_origins_are_refused_but_those_that_are_listed() {
    let router = router(&Tracker::new());
    for (origin, allowed) in [
        ("http://chat.example", true),
        ("https://friend.example", true),
        ("https://evil.example", false),
    ] {
        let options = options().header("origin".parse().unwrap(), origin.parse().unwrap());
        let connected = options.connect_router(router.clone(), "ws://chat.example/ws").await;
        match connected {
            Ok(_) => assert!(allowed, "{origin}"),
            Err(ConnectError::Refused(response)) => {
                assert!(!allowed && response.status() == 403, "{origin}");
            }
            Err(error) => panic!("{error}"),
        }
    }
}

#[tokio::test]
async fn a_message_longer_than_all_is_closed_with_1009() {
    let router = router(&Tracker::new());
    let mut ada = join(&router, "Ada").await;
    say(&mut ada, "a".repeat(MAX_TEXT + 1)).await;
    assert!(
        matches!(ada.recv::<ServerMessage>().await, Err(ws_json::Error::Connection(Error::Closed(frame)))
        if frame.code() == CloseCode::TOO_BIG && frame.reason() == "a message is too long")
    );
}

#[test]
fn a_page_in_rust_that_was_not_built_is_told_with_what_builds_it() {
    let told = site::wasm("nowhere".as_ref()).expect_err("no such folder");
    assert!(told.starts_with("nowhere/index.html: ") && told.contains("chat_wasm/build"), "{told}");
}
