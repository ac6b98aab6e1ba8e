//! The chat's client in a page, in Rust: `ws-json/examples/chat_wasm/build`, then
//! `cargo run -p ws-json --example chat -- --wasm target/chat-wasm`, and open http://127.0.0.1:9001/wasm/ in a browser.
//!
//! What it says and hears is the code of the terminal's client, `chat_client`. Here is when it connects, and
//! what people see and do. On other targets than WebAssembly there is nothing in it.
#![cfg(target_family = "wasm")]

#[path = "../chat_client/client.rs"]
mod client;
#[path = "../chat/messages.rs"]
mod messages;
#[path = "../chat_client/talk.rs"]
mod talk;

mod dom;
mod page;
mod user;

use js_sys::{Date, Math};
use wasm_bindgen::prelude::wasm_bindgen;
use ws_tokio::{ConnectError, ConnectOptions, Settings};

use client::is_final;
use messages::MAX_MESSAGE;
use page::Page;
use talk::{End, Talk};

/// The longest pause between attempts to connect, in seconds; a connection that held this long starts over with short ones.
const LONGEST_PAUSE: f64 = 30.0;

/// Runs as long as the page is open.
#[wasm_bindgen(start)]
async fn start() {
    let mut page = Page::new();
    let mut why = String::new();
    loop {
        let (room, name) = page.ask(&why).await;
        let first_id = (Date::now() * 1000.0) as u64;
        why = talk(&mut page, Talk::new(room, name, first_id)).await;
    }
}

/// Talks over one connection after another. Returns why there won't be a further one, which is nothing if the user left.
async fn talk(page: &mut Page, mut talk: Talk) -> String {
    let options = ConnectOptions::default().settings(Settings::default().max_message(MAX_MESSAGE));
    let mut attempts = 0;
    loop {
        page.show("wait", "Connecting…");
        let began = Date::now();
        let why = match options.connect("../ws").await {
            Ok((connection, _)) => match talk.over(connection, page).await {
                Ok(End::Lost(Some(frame), why)) if is_final(frame.code()) => return why,
                Ok(End::Lost(_, why)) => why,
                Ok(End::Refused(why)) => return why.to_owned(),
                Ok(End::Left) | Err(_) => return String::new(),
            },
            Err(ConnectError::Failed(_)) => "The server can’t be reached.".to_owned(),
            Err(error) => format!("No connection: {error}."),
        };
        if Date::now() - began > LONGEST_PAUSE * 1000.0 {
            attempts = 0;
        }
        // They grow, and are random so that all pages of a server that restarts don't come back at once.
        let pause = LONGEST_PAUSE.min(f64::from(1 << attempts)) * (0.5 + Math::random() / 2.0);
        attempts = 5.min(attempts + 1);
        page.pause(&why, pause).await;
    }
}
