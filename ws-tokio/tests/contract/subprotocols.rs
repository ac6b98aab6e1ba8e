//! A subprotocol chosen for one request: what is offered can be seen, and only that can be chosen.

use ws_tokio::http::{HeaderMap, HeaderValue, header};
use ws_tokio::{AcceptError, AcceptOptions};

use super::handshake_server::{REQUEST, adding};
use super::incoming::{answer, read};

const OFFER: &str = "Sec-WebSocket-Protocol: Chat, bearer.TOKEN\r\nSec-WebSocket-Protocol: v2";

fn naming(subprotocols: &[&'static str]) -> HeaderMap {
    let header = |it: &&'static str| (header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(it));
    subprotocols.iter().map(header).collect()
}

#[tokio::test]
async fn the_offered_subprotocols_can_be_seen_and_one_chosen_without_echoing_a_token() {
    let (mut incoming, client) = read(&AcceptOptions::default(), &adding(OFFER)).await;
    let offered: Vec<_> = incoming.offered_subprotocols().collect();
    assert_eq!(offered, ["Chat", "bearer.TOKEN", "v2"]);
    assert_eq!(incoming.subprotocol(), None);
    incoming.choose_subprotocol("chat").unwrap();
    assert_eq!(incoming.subprotocol(), Some("Chat"));
    let accept = async {
        let connection = incoming.accept().await.expect("a connection");
        assert_eq!(connection.subprotocol(), Some("Chat"));
    };
    let answer = answer(client, accept).await;
    assert!(answer.contains("\r\nSec-WebSocket-Protocol: Chat\r\n"), "{answer}");
    assert!(!answer.contains("TOKEN"), "{answer}");
}

#[tokio::test]
async fn a_choice_goes_before_that_of_the_options() {
    let options = AcceptOptions::default().subprotocols(["v2", "chat"]);
    for (chosen, named) in [(Some("CHAT"), Some("Chat")), (None, None)] {
        let (mut incoming, client) = read(&options, &adding(OFFER)).await;
        assert_eq!(incoming.subprotocol(), Some("v2"));
        match chosen {
            Some(name) => incoming.choose_subprotocol(name).unwrap(),
            None => incoming.choose_no_subprotocol(),
        }
        let accept = async {
            let connection = incoming.accept().await.expect("a connection");
            assert_eq!(connection.subprotocol(), named);
        };
        let answer = answer(client, accept).await;
        assert_eq!(answer.contains("Sec-WebSocket-Protocol"), named.is_some(), "{answer}");
    }
}

#[tokio::test]
async fn one_that_was_not_offered_cannot_be_chosen_and_the_request_can_still_be_answered() {
    for request in [adding(OFFER), REQUEST.into()] {
        let (mut incoming, client) = read(&AcceptOptions::default(), &request).await;
        let error = incoming.choose_subprotocol("other").unwrap_err();
        assert_eq!(error.to_string(), "the client did not offer the subprotocol \"other\"");
        let accept = async { drop(incoming.accept().await.expect("a connection")) };
        assert!(answer(client, accept).await.starts_with("HTTP/1.1 101 "));
    }
}

#[tokio::test]
async fn a_header_for_the_answer_chooses_as_well() {
    let options = AcceptOptions::default().subprotocols(["v2"]);
    for (header, named) in [("chat", Some("Chat")), ("V2", Some("v2")), ("", None)] {
        let (incoming, client) = read(&options, &adding(OFFER)).await;
        let accept = async {
            let connection = incoming.accept_with(&naming(&[header])).await.expect("a connection");
            assert_eq!(connection.subprotocol(), named);
        };
        let answer = answer(client, accept).await;
        let lines = answer.matches("Sec-WebSocket-Protocol: ").count();
        assert_eq!(lines, usize::from(named.is_some()), "{answer}");
    }
}

#[tokio::test]
async fn a_header_for_the_answer_that_was_not_offered_is_an_error_and_a_500() {
    for headers in [&["other"][..], &["chat, v2"], &["chat", "v2"]] {
        let (incoming, client) = read(&AcceptOptions::default(), &adding(OFFER)).await;
        let accept = async {
            let error = incoming.accept_with(&naming(headers)).await.expect_err("a 500");
            assert!(matches!(error, AcceptError::Subprotocol(_)), "{error}");
        };
        let answer = answer(client, accept).await;
        assert!(answer.starts_with("HTTP/1.1 500 "), "{answer}");
        assert!(answer.contains("did not offer"), "{answer}");
    }
}
