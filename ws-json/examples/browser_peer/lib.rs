//! What a page's tests call: connections of the browser's, used as programs use them. Built for a page by
//! `.ci/wasm DIR -p ws-json --example browser_peer`; on other targets there is nothing in it.
#![cfg(target_family = "wasm")]

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use futures_util::{FutureExt, SinkExt, StreamExt, TryStreamExt, future, select, stream};
use js_sys::{Function, Promise, Reflect, global};
use serde::{Deserialize, Serialize};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsError, JsValue};
use wasm_bindgen_futures::{JsFuture, spawn_local};
use ws_json::Json;
use ws_tokio::{
    CloseCode, ConnectError, ConnectOptions, Connection, Error, Message, MessageKind,
    PayloadWriter, RecvHalf, Settings, Transport, connect,
};

const MIB: usize = 1 << 20;

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Order {
    item: String,
    pieces: u32,
}

/// Connects, taking large messages.
async fn open(url: &str) -> Result<Connection, ConnectError> {
    let settings = Settings::default().max_message(17 * MIB).receive_limit(64 * MIB);
    Ok(ConnectOptions::default().settings(settings).connect(url).await?.0)
}

fn text(len: usize) -> String {
    "é".repeat(len / 2) + &"a".repeat(len % 2)
}

fn bytes(len: usize) -> Vec<u8> {
    (0..len).map(|at| (at % 251) as u8).collect()
}

fn check(holds: bool, what: &str) -> Result<(), JsError> {
    if holds { Ok(()) } else { Err(JsError::new(what)) }
}

/// Text and binary of these lengths come back.
#[wasm_bindgen]
pub async fn echo(url: String, lengths: Vec<usize>) -> Result<(), JsError> {
    let mut connection = open(&url).await?;
    for len in lengths {
        for message in [Message::from(text(len)), Message::from(bytes(len))] {
            connection.send(message.clone()).await?;
            check(
                connection.recv().await? == Some(message),
                &format!("{len} bytes came back different"),
            )?;
        }
    }
    connection.close(CloseCode::NORMAL, "").await?;
    Ok(())
}

/// Messages come back in order: one task feeds them, another receives.
#[wasm_bindgen]
pub async fn halves(url: String, count: usize) -> Result<(), JsError> {
    let (mut receiving, sending) = open(&url).await?.split();
    let feeding = async {
        for n in 0..count {
            sending.feed(format!("{n} {}", text(n % 3000))).await?;
        }
        sending.flush().await
    };
    let receiving = async {
        for n in 0..count {
            let expected = format!("{n} {}", text(n % 3000));
            check(receiving.recv().await? == Some(expected.into()), &format!("message {n}"))?;
        }
        Ok::<_, JsError>(())
    };
    let (fed, received) = future::join(feeding, receiving).await;
    fed?;
    received?;
    sending.close(CloseCode::new(4001), "done").await?;
    Ok(())
}

/// `Stream` and `Sink`, put together as programs do.
#[wasm_bindgen]
pub async fn streams(url: String) -> Result<(), JsError> {
    let (mut sink, mut stream) = StreamExt::split(open(&url).await?);
    let mut numbers = stream::iter(0..100).map(|n: u32| Ok(Message::from(n.to_string())));
    let sent = sink.send_all(&mut numbers);
    let received = stream.by_ref().take(100).try_collect::<Vec<_>>();
    let (sent, received) = future::join(sent, received).await;
    sent?;
    let expected: Vec<_> = (0..100).map(|n| Message::from(n.to_string())).collect();
    check(received? == expected, "the numbers, in order")?;
    // This closes, and what comes back after that is the browser's to drop.
    stream::iter([Ok(Message::from("the last"))]).forward(&mut sink).await?;
    let ended = stream.try_collect::<Vec<_>>().await?;
    check(ended.len() <= 1, "the end")
}

/// A future that is dropped loses nothing.
#[wasm_bindgen]
pub async fn cancelled(url: String) -> Result<(), JsError> {
    let mut connection = open(&url).await?;
    for n in 0..50 {
        let looked = connection.recv().now_or_never();
        check(looked.is_none(), "nothing was sent")?;
        connection.send(n.to_string()).await?;
        let received = loop {
            let mut recv = Box::pin(connection.recv().fuse());
            select! {
                received = recv => break received?,
                () = Box::pin(tick().fuse()) => {}
            }
        };
        check(received == Some(n.to_string().into()), "the message that was waited for")?;
    }
    Ok(())
}

/// Lets the browser do what is due.
async fn tick() {
    let timeout = |resolve: Function, _| {
        let set: Function =
            Reflect::get(&global(), &"setTimeout".into()).unwrap_or_default().into();
        _ = set.call1(&JsValue::UNDEFINED, &resolve);
    };
    _ = JsFuture::from(Promise::new(&mut { timeout })).await;
}

/// Typed messages, and those that are not of the type.
#[wasm_bindgen]
pub async fn json(url: String) -> Result<String, JsError> {
    let mut json = Json(open(&url).await?);
    let order = Order { item: "tea \u{1f375}".into(), pieces: 2 };
    json.send(&order).await?;
    check(json.recv::<Order>().await?.as_ref() == Some(&order), "the order")?;

    let mut typed = json.typed::<Order, Order>();
    typed.send(Order { item: "cake".into(), pieces: 1 }).await?;
    check(typed.try_next().await?.is_some_and(|order| order.pieces == 1), "the cake")?;

    let (receiving, sending) = typed.into_inner().split();
    let (mut receiving, sending) = (Json(receiving), Json(sending));
    sending.send(&[1, 2]).await?;
    let shape = receiving.recv::<Order>().await;
    check(matches!(shape, Err(ws_json::Error::Shape(_))), "another shape")?;
    sending.0.send("no JSON").await?;
    let syntax = receiving.recv::<Order>().await;
    check(matches!(syntax, Err(ws_json::Error::Syntax(_))), "no JSON")?;
    Ok(ended(&mut receiving.0).await)
}

/// Receives to the end, and says what it was.
async fn ended(receiving: &mut RecvHalf<Transport>) -> String {
    loop {
        match receiving.recv().await {
            Ok(Some(_)) => {}
            Ok(None) => return "the end".into(),
            Err(error) => return error.to_string(),
        }
    }
}

/// Closes with this, and returns what the peer closed with.
#[wasm_bindgen]
pub async fn close(url: String, code: u16, reason: String) -> Result<Option<String>, JsError> {
    let mut connection = open(&url).await?;
    connection.send("unread").await?;
    connection.close(code.into(), reason).await?;
    let again = connection.send("late").await;
    check(matches!(again, Err(Error::Send(_))), "nothing is sent after a close")?;
    check(connection.recv().await?.is_none(), "nothing is received after a close")?;
    Ok(connection.close_frame().map(ToString::to_string))
}

/// Sends `told`, receives to the end, and returns how many messages came, how it ended, and the peer's frame.
#[wasm_bindgen]
pub async fn closed_by_peer(url: String, told: Option<String>) -> Result<Vec<String>, JsError> {
    let (mut connection, _response) = connect(&url).await?;
    if let Some(told) = told {
        connection.send(told).await?;
    }
    let mut messages = 0;
    let end = loop {
        match connection.recv().await {
            Ok(Some(_)) => messages += 1,
            Ok(None) => break "the end".to_owned(),
            Err(error) => break error.to_string(),
        }
    };
    let again =
        connection.recv().await.map_or_else(|error| error.to_string(), |_| "the end".into());
    check(again == end, "the end stays what it is")?;
    let frame = connection.close_frame().map(ToString::to_string).unwrap_or_default();
    Ok(vec![messages.to_string(), end, frame])
}

/// What connecting fails with.
#[wasm_bindgen]
pub async fn refused(
    url: String,
    subprotocols: Vec<String>,
    millis: u64,
) -> Result<String, JsError> {
    let options = ConnectOptions::default()
        .subprotocols(subprotocols)
        .handshake_timeout(Duration::from_millis(millis));
    match options.connect(&url).await {
        Ok(_) => Err(JsError::new("it was not refused")),
        Err(error) => Ok(format!("{error:?}: {error}")),
    }
}

/// What the server chose of these, as the connection and its half have it.
#[wasm_bindgen]
pub async fn subprotocol(url: String, offered: Vec<String>) -> Result<Vec<String>, JsError> {
    let options = ConnectOptions::default().subprotocols(offered);
    let (connection, response) = options.connect(&url).await?;
    check(response.status() == 101, "the status")?;
    let chosen = connection.subprotocol().map(String::from);
    let (receiving, _sending) = connection.split();
    Ok([chosen, receiving.subprotocol()].map(Option::unwrap_or_default).into())
}

/// Connects and drops: after a message, with one on the way, while connecting, and after the end.
#[wasm_bindgen]
pub async fn cycles(url: String, count: usize) -> Result<(), JsError> {
    for n in 0..count {
        match n % 4 {
            0 => {
                let mut connection = open(&url).await?;
                connection.send("a message").await?;
                connection.recv().await?;
            }
            1 => open(&url).await?.send(text(1000)).await?,
            2 => {
                let mut connecting = Box::pin(open(&url));
                check((&mut connecting).now_or_never().is_none(), "connecting takes a while")?;
            }
            _ => open(&url).await?.close(CloseCode::NORMAL, "").await?,
        }
    }
    Ok(())
}

/// Doesn't receive while the peer sends without end; then counts what waited, and returns how it ended.
#[wasm_bindgen]
pub async fn slow_reader(
    url: String,
    limit: usize,
    closed: Promise,
) -> Result<Vec<String>, JsError> {
    let settings = Settings::default().receive_limit(limit);
    let (mut connection, _) = ConnectOptions::default().settings(settings).connect(&url).await?;
    connection.send("go").await?;
    _ = JsFuture::from(closed).await;
    let (mut messages, mut length) = (0, 0);
    loop {
        match connection.recv().await {
            Ok(Some(message)) => {
                messages += 1;
                length += message.as_bytes().len();
            }
            Ok(None) => return Err(JsError::new("a normal end")),
            Err(error) => {
                return Ok(vec![messages.to_string(), length.to_string(), error.to_string()]);
            }
        }
    }
}

/// Sends to a peer that doesn't read; returns how much the browser held at most, and how it ended.
#[wasm_bindgen]
pub async fn stalled_peer(url: String, limit: usize, millis: u64) -> Result<Vec<String>, JsError> {
    let settings =
        Settings::default().queue_limit(limit).write_timeout(Duration::from_millis(millis));
    let (mut connection, _) = ConnectOptions::default().settings(settings).connect(&url).await?;
    let mut most = 0;
    for _ in 0..10_000 {
        if let Err(error) = connection.send(bytes(limit / 4)).await {
            return Ok(vec![most.to_string(), format!("{error:?}")]);
        }
        most = most.max(connection.queued());
    }
    Err(JsError::new("it took everything"))
}

/// Sends so many messages to a peer that reads slowly, and waits until they have left.
#[wasm_bindgen]
pub async fn slow_peer(url: String, count: usize) -> Result<(), JsError> {
    let settings = Settings::default().queue_limit(MIB);
    let (mut connection, _) = ConnectOptions::default().settings(settings).connect(&url).await?;
    for _ in 0..count {
        connection.feed(bytes(MIB / 4)).await?;
        check(connection.queued() <= MIB, "the limit holds")?;
    }
    connection.flush().await?;
    check(connection.queued() == 0, "the browser holds nothing")?;
    Ok(connection.close(CloseCode::NORMAL, "").await?)
}

/// Closes towards a peer that doesn't answer, and returns the error.
#[wasm_bindgen]
pub async fn unanswered_close(url: String, millis: u64) -> Result<String, JsError> {
    let settings = Settings::default().close_timeout(Duration::from_millis(millis));
    let (mut connection, _) = ConnectOptions::default().settings(settings).connect(&url).await?;
    match connection.close(CloseCode::NORMAL, "").await {
        Ok(()) => Err(JsError::new("it was answered")),
        Err(error) => Ok(format!("{error:?}")),
    }
}

/// Sends when the peer's close frame has arrived and the browser hasn't told of it; returns the error.
#[wasm_bindgen]
pub async fn late_send(url: String) -> Result<String, JsError> {
    let (mut connection, _) = connect(&url).await?;
    connection.recv().await?;
    for _ in 0..20 {
        tick().await;
    }
    let fed = connection.feed("late").await;
    check(matches!(fed, Err(Error::Send(_))), "it was not sent")?;
    match connection.ready(1).await {
        Ok(()) => Err(JsError::new("there was room")),
        Err(error) => Ok(error.to_string()),
    }
}

/// What only some use: `ready`, `set_max_message`, and text that is none.
#[wasm_bindgen]
pub async fn rarely(url: String) -> Result<(), JsError> {
    let mut connection = open(&url).await?;
    connection.ready(MIB).await?;
    let fill = |payload: &mut PayloadWriter<'_>| {
        payload.extend_from_slice(b"a\xffb");
        Ok::<_, Error>(())
    };
    connection.feed_with(MessageKind::Text, fill).await?;
    connection.feed_with(MessageKind::Binary, fill).await?;
    let text = connection.recv_with(|message| message.to_message()).await?;
    check(text == Some("a\u{fffd}b".into()), "what is no text is replaced")?;
    let binary = connection.recv_with(|message| message.to_message()).await?;
    check(binary == Some(Message::binary(&b"a\xffb"[..])), "bytes are bytes")?;
    connection.set_max_message(3);
    connection.send("four").await?;
    check(matches!(connection.recv().await, Err(Error::Protocol(_))), "the new limit")
}

/// A task that waits to receive ends when another closes, now or in order.
#[wasm_bindgen]
pub async fn two_tasks(url: String) -> Result<Vec<String>, JsError> {
    let mut ends = Vec::new();
    for now in [false, true] {
        let (mut receiving, sending) = open(&url).await?.split();
        let end = Rc::new(Cell::new(None));
        let found = end.clone();
        spawn_local(async move { found.set(Some(ended(&mut receiving).await)) });
        tick().await;
        if now {
            sending.close_now();
        } else {
            sending.close(CloseCode::NORMAL, "").await?;
        }
        tick().await;
        ends.push(end.take().unwrap_or_default());
    }
    Ok(ends)
}
