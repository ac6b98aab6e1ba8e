//! Nodes over an engine in memory: what their clients see.

use std::time::Duration;

use axum::Router;
use tokio::io::DuplexStream;
use tokio::time::{sleep, timeout};
use ws_json::Json;
use ws_tokio::{CloseCode, ConnectOptions, Connection, Hub, Settings, Tracker};

use crate::exchange::Exchange;
use crate::listen::BEAT;
use crate::messages::{ClientMessage, MAX_MESSAGE, Refusal, ServerMessage};
use crate::others::SILENCE;
use crate::rooms::{Bounds, Rooms};
use crate::{options, site};

type Client = Json<Connection<DuplexStream>>;

/// Nodes that are connected to the exchange.
fn nodes<const N: usize>(exchange: &Exchange) -> [Router; N] {
    std::array::from_fn(|number| {
        let node = node(exchange, number);
        exchange.connect(number);
        node
    })
}

fn node(exchange: &Exchange, number: usize) -> Router {
    let hub = Hub::over(exchange.node(number), options());
    site::router(Rooms::new(Bounds { rooms: 2, members: 4 }, hub), Vec::new(), &Tracker::new())
}

async fn ask_to_join(node: &Router, name: &str) -> Client {
    let settings = Settings::default().max_message(MAX_MESSAGE);
    let options = ConnectOptions::default().settings(settings);
    let connected = options.connect_router(node.clone(), "ws://chat.example/ws").await;
    let mut client = Json(connected.unwrap().0);
    client.send(&ClientMessage::Join { room: "tea".into(), name: name.into() }).await.unwrap();
    client
}

/// Somebody who has joined, who was there, and what was said before.
async fn join(node: &Router, name: &str) -> (Client, Vec<String>, Vec<String>) {
    let mut client = ask_to_join(node, name).await;
    let joined = client.recv().await.unwrap();
    let Some(ServerMessage::Joined { members, history, .. }) = joined else {
        panic!("{joined:?}");
    };
    let mut texts = Vec::new();
    for _ in 0..history {
        let Some(ServerMessage::Said { text, .. }) = client.recv().await.unwrap() else {
            panic!("no history");
        };
        texts.push(text);
    }
    (client, members, texts)
}

async fn joined(node: &Router, name: &str) -> Client {
    join(node, name).await.0
}

async fn say(client: &mut Client, text: &str) {
    client.send(&ClientMessage::Say { id: "1".into(), text: text.into() }).await.unwrap();
}

/// What a client has heard by now.
async fn heard(client: &mut Client) -> Vec<String> {
    let mut heard = Vec::new();
    while let Ok(Ok(Some(message))) = timeout(Duration::from_millis(10), client.recv()).await {
        heard.push(match message {
            ServerMessage::Entered { name, .. } => format!("+{name}"),
            ServerMessage::Left { name, .. } => format!("-{name}"),
            ServerMessage::Typing { name } => format!("{name}…"),
            ServerMessage::Said { name, text, .. } => format!("{name}: {text}"),
            other => panic!("{other:?}"),
        });
    }
    heard
}

#[tokio::test(start_paused = true)]
async fn people_on_two_nodes_hear_each_other_and_see_each_other_come_type_and_go() {
    let [one, two] = nodes(&Exchange::default());
    let mut ada = joined(&one, "Ada").await;
    let (mut bob, members, _) = join(&two, "Bob").await;
    assert_eq!(members, ["Ada", "Bob"]);
    say(&mut ada, "hello 👩‍🚀").await;
    assert_eq!(heard(&mut bob).await, ["Ada: hello 👩‍🚀"]);
    bob.send(&ClientMessage::Typing {}).await.unwrap();
    say(&mut bob, "hi").await;
    assert_eq!(heard(&mut bob).await, ["Bob…", "Bob: hi"]);
    assert_eq!(heard(&mut ada).await, ["+Bob", "Ada: hello 👩‍🚀", "Bob…", "Bob: hi"]);
    bob.0.close(CloseCode::NORMAL, "").await.unwrap();
    assert_eq!(heard(&mut ada).await, ["-Bob"]);
    // Signs of life say nothing new.
    sleep(SILENCE * 2).await;
    assert_eq!(heard(&mut ada).await, [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_name_is_taken_and_a_room_is_full_over_all_nodes() {
    let [one, two, three] = nodes(&Exchange::default());
    let _ada = joined(&one, "Ada").await;
    for (node, name, why) in [(&two, "ADA", Refusal::NameTaken), (&one, "ada", Refusal::NameTaken)]
    {
        let refused = ask_to_join(node, name).await.recv().await.unwrap();
        assert_eq!(refused, Some(ServerMessage::Refused { why }));
    }
    let _others = [joined(&two, "Bob").await, joined(&two, "Cy").await, joined(&one, "Dan").await];
    let refused = ask_to_join(&three, "Eve").await.recv().await.unwrap();
    assert_eq!(refused, Some(ServerMessage::Refused { why: Refusal::RoomFull }));
}

#[tokio::test(start_paused = true)]
async fn who_comes_late_gets_the_last_hundred_messages_on_either_node() {
    let [one, two, three] = nodes(&Exchange::default());
    let mut people =
        [joined(&one, "Ada").await, joined(&two, "Bob").await, joined(&one, "Cy").await];
    for n in 0..35 {
        for (client, name) in people.iter_mut().zip(["a", "b", "c"]) {
            say(client, &format!("{name}{n}")).await;
            sleep(Duration::from_millis(10)).await;
        }
    }
    let expected: Vec<_> =
        (0..35).flat_map(|n| ["a", "b", "c"].map(|name| format!("{name}{n}"))).collect();
    for node in [&one, &two, &three] {
        let (late, _, history) = join(node, "Dan").await;
        assert_eq!(history, expected[5..]);
        drop(late);
        sleep(Duration::from_millis(10)).await;
    }
}

/// How long it takes until silence is noticed, at most.
const NOTICED: Duration = Duration::from_secs(SILENCE.as_secs() + BEAT.as_secs());

#[tokio::test(start_paused = true)]
async fn who_is_on_a_node_that_dies_leaves_the_list_and_may_come_back_elsewhere() {
    let exchange = Exchange::default();
    let [one, two] = nodes(&exchange);
    let mut ada = joined(&one, "Ada").await;
    let _bob = joined(&two, "Bob").await;
    assert_eq!(heard(&mut ada).await, ["+Bob"]);
    // It doesn't say goodbye.
    exchange.cut(1);
    sleep(SILENCE - BEAT).await;
    assert_eq!(heard(&mut ada).await, [""; 0]);
    let refused = ask_to_join(&one, "Bob").await.recv().await.unwrap();
    assert_eq!(refused, Some(ServerMessage::Refused { why: Refusal::NameTaken }));
    sleep(NOTICED).await;
    assert_eq!(heard(&mut ada).await, ["-Bob"]);
    let new = node(&exchange, 2);
    exchange.connect(2);
    let (mut bob, members, _) = join(&new, "Bob").await;
    assert_eq!(members, ["Ada", "Bob"]);
    say(&mut bob, "back").await;
    assert_eq!(heard(&mut ada).await, ["+Bob", "Bob: back"]);
}

#[tokio::test(start_paused = true)]
async fn without_the_engine_each_node_goes_on_and_afterwards_both_catch_up() {
    let exchange = Exchange::default();
    let [one, two] = nodes(&exchange);
    let mut ada = joined(&one, "Ada").await;
    let mut bob = joined(&two, "Bob").await;
    say(&mut ada, "before").await;
    heard(&mut ada).await;
    assert_eq!(heard(&mut bob).await, ["Ada: before"]);
    // What is published now is lost, and what is published later waits.
    exchange.cut(1);
    say(&mut ada, "into the void").await;
    sleep(Duration::from_millis(10)).await;
    exchange.cut(0);
    say(&mut ada, "alone").await;
    say(&mut bob, "alone too").await;
    let mut cy = joined(&one, "Cy").await;
    sleep(NOTICED).await;
    assert_eq!(heard(&mut ada).await, ["Ada: into the void", "Ada: alone", "+Cy", "-Bob"]);
    assert_eq!(heard(&mut bob).await, ["Bob: alone too", "-Ada"]);
    for node in [0, 1] {
        exchange.connect(node);
        sleep(BEAT).await;
    }
    assert_eq!(heard(&mut cy).await, ["-Bob", "Bob: alone too", "+Bob"]);
    let mut caught_up = heard(&mut bob).await;
    caught_up.sort_unstable();
    assert_eq!(caught_up, ["+Ada", "+Cy", "Ada: alone", "Ada: into the void"]);
    say(&mut bob, "together").await;
    assert_eq!(heard(&mut cy).await, ["Bob: together"]);
    assert_eq!(heard(&mut ada).await, ["Bob: alone too", "+Bob", "Bob: together"]);
    let history = join(&two, "Dan").await.2;
    assert_eq!(history, ["before", "alone too", "into the void", "alone", "together"]);
}

#[tokio::test(start_paused = true)]
async fn what_the_engine_loses_is_asked_for_again() {
    let exchange = Exchange::default();
    let [one, two, three] = nodes(&exchange);
    let mut ada = joined(&one, "Ada").await;
    let mut bob = joined(&two, "Bob").await;
    let mut cy = joined(&three, "Cy").await;
    for client in [&mut ada, &mut bob] {
        heard(client).await;
    }
    // The node fails to publish, and tells the others of that later.
    exchange.refuse(0, true);
    say(&mut ada, "lost").await;
    sleep(Duration::from_millis(10)).await;
    exchange.refuse(0, false);
    say(&mut ada, "not lost").await;
    sleep(BEAT).await;
    for client in [&mut bob, &mut cy] {
        assert_eq!(heard(client).await, ["Ada: not lost", "Ada: lost"]);
    }
    assert_eq!(heard(&mut ada).await, ["Ada: lost", "Ada: not lost"]);
}

#[tokio::test(start_paused = true)]
async fn of_two_who_took_a_name_on_nodes_that_did_not_hear_each_other_the_later_comes_again() {
    let exchange = Exchange::default();
    let [one, two] = nodes(&exchange);
    let mut ada = joined(&one, "Ada").await;
    exchange.cut(1);
    // The clock that tells who was first is the real one.
    std::thread::sleep(Duration::from_millis(2));
    let (mut late, mut bob) = (joined(&two, "ada").await, joined(&two, "Bob").await);
    assert_eq!(heard(&mut late).await, ["+Bob"]);
    exchange.connect(1);
    sleep(BEAT).await;
    assert!(
        late.recv::<ServerMessage>().await.is_err_and(|error| format!("{error}").contains("1013"))
    );
    assert_eq!(late.0.close_frame().map(|frame| frame.code()), Some(CloseCode::TRY_AGAIN_LATER));
    let refused = ask_to_join(&two, "ada").await.recv().await.unwrap();
    assert_eq!(refused, Some(ServerMessage::Refused { why: Refusal::NameTaken }));
    say(&mut ada, "still here").await;
    assert_eq!(heard(&mut bob).await, ["-ada", "+Ada", "Ada: still here"]);
    assert_eq!(heard(&mut ada).await, ["+Bob", "Ada: still here"]);
    let members = join(&one, "Cy").await.1;
    assert_eq!(members, ["Ada", "Bob", "Cy"]);
}

#[tokio::test(start_paused = true)]
async fn a_room_ends_here_with_its_last_member_and_goes_on_elsewhere() {
    let [one, two] = nodes(&Exchange::default());
    let mut ada = joined(&one, "Ada").await;
    let mut bob = joined(&two, "Bob").await;
    say(&mut ada, "bye").await;
    heard(&mut ada).await;
    ada.0.close(CloseCode::NORMAL, "").await.unwrap();
    assert_eq!(heard(&mut bob).await, ["Ada: bye", "-Ada"]);
    say(&mut bob, "alone").await;
    let (mut ada, members, history) = join(&one, "Ada").await;
    assert_eq!(
        (members, history),
        (vec!["Ada".into(), "Bob".into()], vec!["bye".into(), "alone".into()])
    );
    say(&mut ada, "back").await;
    assert_eq!(heard(&mut bob).await, ["Bob: alone", "+Ada", "Ada: back"]);
}

#[tokio::test(start_paused = true)]
async fn an_engine_may_come_later_than_the_members() {
    let exchange = Exchange::default();
    let [one, two] = [node(&exchange, 0), node(&exchange, 1)];
    let (mut ada, mut bob) = (joined(&one, "Ada").await, joined(&two, "Bob").await);
    say(&mut ada, "nobody there?").await;
    heard(&mut ada).await;
    for node in [0, 1] {
        exchange.connect(node);
        sleep(BEAT).await;
    }
    assert_eq!(heard(&mut ada).await, ["+Bob"]);
    let mut caught_up = heard(&mut bob).await;
    caught_up.sort_unstable();
    assert_eq!(caught_up, ["+Ada", "Ada: nobody there?"]);
}
