//! Typed JSON messages over real connections in memory.

use std::borrow::Cow;
use std::collections::HashMap;

use serde::ser::{Error as _, SerializeStruct};
use serde::{Deserialize, Serialize, Serializer};
use tokio::io::DuplexStream;
use ws_json::{Error, Json};
use ws_tokio::{CloseCode, Connection, Message, Settings, pipe, pipe_with};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Order {
    item: String,
    pieces: u32,
}

#[derive(Debug, PartialEq, Eq, Deserialize)]
struct Borrowed<'m> {
    item: &'m str,
}

#[derive(Debug, Deserialize)]
struct Copied<'m> {
    #[serde(borrow)]
    item: Cow<'m, str>,
}

fn order(pieces: u32) -> Order {
    Order { item: "tea".into(), pieces }
}

type Raw = Connection<DuplexStream>;

async fn pair() -> (Json<Raw>, Raw) {
    let (client, server) = pipe().await;
    (Json(client), server)
}

/// What our end makes of one message, and what the peer learns: its end's code.
async fn received(message: Message) -> (Error, Option<CloseCode>) {
    let (mut json, mut peer) = pair().await;
    peer.send(message).await.expect("room");
    let hears = async {
        let error = json.recv::<Order>().await.expect_err("no order");
        if matches!(error, Error::Shape(_)) {
            json.0.close(CloseCode::NORMAL, "").await.expect("an answer");
        }
        error
    };
    let (error, told) = tokio::join!(hears, peer.recv());
    (error, told.err().and_then(|error| error.close_code()))
}

#[tokio::test]
async fn values_pass_both_ways_as_text() {
    let (mut json, mut peer) = pair().await;
    json.send(&order(2)).await.unwrap();
    assert_eq!(peer.recv().await.unwrap(), Some(r#"{"item":"tea","pieces":2}"#.into()));
    peer.send(r#" { "pieces": 3, "item": "tea" } "#).await.unwrap();
    assert_eq!(json.recv().await.unwrap(), Some(order(3)));
}

#[tokio::test]
async fn values_of_any_length_arrive() {
    let (mut json, peer) = pair().await;
    let mut peer = Json(peer);
    for len in [0, 123, 124, 125, 65_533, 65_534, 70_000, 1_000_000] {
        let text = "x".repeat(len);
        let (sent, received) = tokio::join!(json.send(&text), peer.recv::<String>());
        sent.unwrap();
        assert_eq!(received.unwrap(), Some(text));
    }
}

#[tokio::test]
async fn a_normal_end_is_none_and_any_other_the_connections_error() {
    let (mut json, mut peer) = pair().await;
    let (closed, end) = tokio::join!(peer.close(CloseCode::NORMAL, ""), json.recv::<Order>());
    closed.unwrap();
    assert_eq!(end.unwrap(), None);
    let (mut json, mut peer) = pair().await;
    let (closed, end) = tokio::join!(peer.close(CloseCode::new(4000), "why"), json.recv::<Order>());
    closed.unwrap();
    let error = end.unwrap_err();
    assert!(
        matches!(&error, Error::Connection(ws_tokio::Error::Closed(it)) if it.reason() == "why")
    );
    assert_eq!(error.to_string(), "the peer closed the connection with 4000 (why)");
}

#[tokio::test]
async fn a_message_that_is_not_json_closes_1007() {
    let nests = "[".repeat(10_000);
    let behind_a_wrong_shape = r#"{"item": 1, "pieces": oops}"#;
    let texts =
        ["", " ", "oops", "{", r#"{"item":"tea","pieces":2"#, r#""\x""#, "1 2", "01", &nests];
    for text in texts.into_iter().chain([behind_a_wrong_shape]) {
        let (error, told) = received(text.into()).await;
        assert!(matches!(error, Error::Syntax(_)), "{text:.20}: {error:?}");
        assert_eq!(told, Some(CloseCode::INVALID_PAYLOAD), "{text:.20}");
    }
}

#[tokio::test]
async fn a_message_of_another_shape_is_an_error_and_leaves_the_connection_open() {
    let deep = format!("{}1{}", "[".repeat(1000), "]".repeat(1000));
    let texts =
        ["null", "[]", "{}", r#"{"item":"tea","pieces":-1}"#, r#"{"item":"tea","pieces":1e999}"#];
    let (mut json, mut peer) = pair().await;
    for text in texts.into_iter().chain([r#"{"item":"\ud800","pieces":1}"#, &deep]) {
        peer.send(text).await.unwrap();
        let error = json.recv::<Order>().await.unwrap_err();
        assert!(matches!(error, Error::Shape(_)), "{text:.20}: {error:?}");
    }
    peer.send(r#"{"item":"tea","pieces":1}"#).await.unwrap();
    assert_eq!(json.recv().await.unwrap(), Some(order(1)));
    json.send(&order(2)).await.unwrap();
    assert!(peer.recv().await.unwrap().is_some());
}

#[tokio::test]
async fn a_number_too_large_for_any_type_is_json_of_another_shape() {
    let (mut json, mut peer) = pair().await;
    peer.send("1e999").await.unwrap();
    assert!(matches!(json.recv::<f64>().await, Err(Error::Shape(_))));
}

#[tokio::test]
async fn a_binary_message_closes_1003_even_if_its_bytes_are_json() {
    let (error, told) = received(b"{}".to_vec().into()).await;
    assert!(matches!(error, Error::Binary));
    assert_eq!(told, Some(CloseCode::UNSUPPORTED));
}

#[tokio::test]
async fn after_a_message_that_was_not_json_the_connection_is_over() {
    let (mut json, mut peer) = pair().await;
    peer.feed("oops").await.unwrap();
    peer.feed(r#"{"item":"tea","pieces":1}"#).await.unwrap();
    peer.flush().await.unwrap();
    let (error, _told) = tokio::join!(json.recv::<Order>(), peer.recv());
    assert!(matches!(error, Err(Error::Syntax(_))));
    for _ in 0..2 {
        let error = json.recv::<Order>().await.unwrap_err();
        let Error::Connection(error) = error else { panic!("{error:?}") };
        assert!(matches!(error, ws_tokio::Error::Failed(CloseCode::INVALID_PAYLOAD)));
    }
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_never_answers_holds_the_error_for_a_quarter_of_a_second() {
    let (mut json, mut peer) = pair().await;
    peer.send("oops").await.unwrap();
    let since = tokio::time::Instant::now();
    assert!(matches!(json.recv::<Order>().await, Err(Error::Syntax(_))));
    assert_eq!(since.elapsed().as_millis(), 250);
}

/// Fails after it was begun.
struct Unfinished;

impl Serialize for Unfinished {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_struct("Unfinished", 2)?.serialize_field("half", "of it")?;
        Err(S::Error::custom("and no more"))
    }
}

#[tokio::test]
async fn a_value_that_cannot_be_json_is_an_error_and_nothing_of_it_is_queued() {
    let (mut json, mut peer) = pair().await;
    assert!(matches!(json.send(&Unfinished).await, Err(Error::Serialize(_))));
    assert!(matches!(json.feed(&HashMap::from([([1], 2)])).await, Err(Error::Serialize(_))));
    assert_eq!(json.0.queued(), 0);
    let (receiving, sending) = json.0.split();
    let sending = Json(sending);
    assert!(matches!(sending.send(&Unfinished).await, Err(Error::Serialize(_))));
    assert_eq!(sending.0.queued(), 0);
    sending.send("fine").await.unwrap();
    assert_eq!(peer.recv().await.unwrap(), Some(r#""fine""#.into()));
    drop(receiving);
}

#[tokio::test]
async fn sending_after_a_close_is_the_connections_error() {
    let (mut json, mut peer) = pair().await;
    let (closed, _end) = tokio::join!(json.0.close(CloseCode::NORMAL, ""), peer.recv());
    closed.unwrap();
    let error = json.send(&1).await.unwrap_err();
    let Error::Connection(ws_tokio::Error::Send(_)) = error else { panic!("{error:?}") };
}

#[tokio::test]
async fn what_is_fed_is_written_when_recv_waits() {
    let (mut json, peer) = pair().await;
    let mut peer = Json(peer);
    for pieces in 0..100 {
        json.feed(&order(pieces)).await.unwrap();
    }
    let receives = async {
        for pieces in 0..100 {
            assert_eq!(peer.recv().await.unwrap(), Some(order(pieces)));
        }
        peer.send("done").await.unwrap();
    };
    let (answer, ()) = tokio::join!(json.recv::<String>(), receives);
    assert_eq!(answer.unwrap().as_deref(), Some("done"));
}

#[tokio::test]
async fn a_full_queue_makes_feed_wait() {
    let settings = Settings::default().queue_limit(1000);
    let connect = ws_tokio::ConnectOptions::default().settings(settings);
    let (client, _server) =
        pipe_with(&connect, &ws_tokio::AcceptOptions::default(), 1000).await.unwrap();
    let mut json = Json(client);
    let feeds = async {
        loop {
            json.feed("x").await.unwrap();
        }
    };
    let waited = tokio::time::timeout(std::time::Duration::from_millis(50), feeds).await;
    assert!(waited.is_err());
    assert!(json.0.queued() <= 1000 + 9, "{} bytes", json.0.queued());
}

#[tokio::test]
async fn halves_speak_from_different_tasks() {
    let (client, server) = pipe().await;
    let echo = tokio::spawn(async move {
        let mut json = Json(server);
        while let Some(order) = json.recv::<Order>().await? {
            json.send(&order).await?;
        }
        Ok::<(), Error>(())
    });
    let (receiving, sending) = client.split();
    let (mut receiving, sending) = (Json(receiving), Json(sending));
    let senders: Vec<_> = (0..4)
        .map(|task| {
            let sending = sending.clone();
            tokio::spawn(async move {
                for n in 0..100 {
                    sending.send(&order(100 * task + n)).await.expect("an open connection");
                }
            })
        })
        .collect();
    let mut pieces = Vec::new();
    while pieces.len() < 400 {
        pieces.push(receiving.recv::<Order>().await.unwrap().unwrap().pieces);
    }
    for sender in senders {
        sender.await.unwrap();
    }
    pieces.sort_unstable();
    assert_eq!(pieces, (0..400).collect::<Vec<_>>());
    let (closed, end) =
        tokio::join!(sending.0.close(CloseCode::NORMAL, ""), receiving.recv::<Order>());
    closed.unwrap();
    assert_eq!(end.unwrap(), None);
    echo.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_value_may_ask_the_half_that_it_is_sent_through() {
    struct Queued<'a>(&'a Json<ws_tokio::SendHalf<DuplexStream>>);

    impl Serialize for Queued<'_> {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.serialize_u64(self.0.0.queued() as u64)
        }
    }

    let (json, mut peer) = pair().await;
    let (_receiving, sending) = json.0.split();
    let sending = Json(sending);
    sending.send(&Queued(&sending)).await.unwrap();
    assert_eq!(peer.recv().await.unwrap(), Some("0".into()), "the queue is not locked");
}

#[tokio::test]
async fn run_lends_types_that_borrow_and_answers() {
    let (json, mut peer) = pair().await;
    let served = tokio::spawn(async move {
        let mut json = json;
        json.run(|message, mut outbox| {
            let Borrowed { item } = message.parse()?;
            outbox.send(&item.len())
        })
        .await
    });
    for item in ["tea", "coffee", ""] {
        peer.send(format!(r#"{{"item":"{item}"}}"#)).await.unwrap();
        assert_eq!(peer.recv().await.unwrap(), Some(item.len().to_string().into()));
    }
    peer.close(CloseCode::NORMAL, "").await.unwrap();
    served.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_string_with_an_escape_can_be_borrowed_only_as_a_cow() {
    let (mut json, mut peer) = pair().await;
    let mut items = Vec::new();
    for text in [r#"{"item":"a\tb"}"#, r#"{"item":"ab"}"#, "{}"] {
        peer.send(text).await.unwrap();
    }
    let error = json.run(|message, _| {
        let Copied { item } = message.parse()?;
        items.push((item.to_string(), matches!(item, Cow::Borrowed(_))));
        match message.parse::<Borrowed<'_>>() {
            Ok(Borrowed { item: "ab" }) => Ok(()),
            Err(Error::Shape(_)) if item == "a\tb" => Ok(()),
            other => panic!("{other:?}"),
        }
    });
    assert!(matches!(error.await, Err(Error::Shape(_))), "the last has no item");
    assert_eq!(items, [("a\tb".into(), false), ("ab".into(), true)]);
}

#[tokio::test]
async fn a_run_fails_as_recv_does() {
    let (mut json, mut peer) = pair().await;
    peer.send("[1]").await.unwrap();
    peer.send("2").await.unwrap();
    peer.send("oops").await.unwrap();
    let mut sum = 0;
    let add = |json: &mut u64, message: Json<ws_tokio::MessageRef<'_>>| {
        *json += message.parse::<u64>()?;
        Ok(())
    };
    let shape = json.run(|message, _| add(&mut sum, message)).await;
    assert!(matches!(shape, Err(Error::Shape(_))));
    let run = json.run(|message, _| add(&mut sum, message));
    let (syntax, told) = tokio::join!(run, peer.recv());
    assert!(matches!(syntax, Err(Error::Syntax(_))));
    assert_eq!(told.unwrap_err().close_code(), Some(CloseCode::INVALID_PAYLOAD));
    assert_eq!(sum, 2);
}

#[tokio::test]
async fn a_receiving_half_runs_beside_a_sending_half() {
    let (json, peer) = pair().await;
    let (receiving, sending) = json.0.split();
    let (mut receiving, sending, mut peer) = (Json(receiving), Json(sending), Json(peer));
    let run = receiving.run(|message, mut outbox| outbox.send(&(message.parse::<u64>()? + 1)));
    let talks = async {
        sending.send("pushed").await.unwrap();
        peer.send(&1).await.unwrap();
        assert_eq!(peer.recv::<String>().await.unwrap().as_deref(), Some("pushed"));
        assert_eq!(peer.recv::<u64>().await.unwrap(), Some(2));
        peer.0.send("oops").await.unwrap();
        peer.0.recv().await.unwrap_err().close_code()
    };
    let (ran, told) = tokio::join!(run, talks);
    assert!(matches!(ran, Err(Error::Syntax(_))));
    assert_eq!(told, Some(CloseCode::INVALID_PAYLOAD));
}
