//! The smallest page with each client: it connects, sends a text, and gives back the length of the first message that comes.

#[cfg(feature = "missing")]
mod missing;

use wasm_bindgen::prelude::wasm_bindgen;

/// The length of the answer to a greeting; 0 for whatever goes wrong.
#[wasm_bindgen]
pub async fn greet(url: String) -> usize {
    client::greet(&url).await.unwrap_or_default()
}

#[cfg(feature = "ws-tokio")]
mod client {
    pub async fn greet(url: &str) -> Option<usize> {
        let (mut connection, _response) = ws_tokio::connect(url).await.ok()?;
        connection.send("hello").await.ok()?;
        let received = connection.recv().await.ok()??;
        Some(received.as_bytes().len())
    }
}

#[cfg(feature = "gloo-net")]
mod client {
    use futures_util::{SinkExt, StreamExt};
    use gloo_net::websocket::{Message, futures::WebSocket};

    pub async fn greet(url: &str) -> Option<usize> {
        let mut socket = WebSocket::open(url).ok()?;
        socket.send(Message::Text("hello".into())).await.ok()?;
        Some(match socket.next().await?.ok()? {
            Message::Text(text) => text.len(),
            Message::Bytes(bytes) => bytes.len(),
        })
    }
}

#[cfg(feature = "ewebsock")]
mod client {
    use std::future::poll_fn;
    use std::ops::ControlFlow;
    use std::sync::{Arc, Mutex};
    use std::task::{Poll, Waker};

    use ewebsock::{Options, WsEvent, WsMessage};

    pub async fn greet(url: &str) -> Option<usize> {
        let waiting: Arc<Mutex<(Vec<WsEvent>, Option<Waker>)>> = Arc::default();
        let told = waiting.clone();
        let handler = Box::new(move |event| {
            let mut told = told.lock().unwrap();
            told.0.push(event);
            if let Some(waker) = told.1.take() {
                waker.wake();
            }
            ControlFlow::Continue(())
        });
        let mut sender = ewebsock::ws_connect(url.into(), Options::default(), handler).ok()?;
        loop {
            let event = poll_fn(|cx| {
                let mut waiting = waiting.lock().unwrap();
                if waiting.0.is_empty() {
                    waiting.1 = Some(cx.waker().clone());
                    return Poll::Pending;
                }
                Poll::Ready(waiting.0.remove(0))
            });
            match event.await {
                WsEvent::Opened => sender.send(WsMessage::Text("hello".into())),
                WsEvent::Message(WsMessage::Text(text)) => return Some(text.len()),
                WsEvent::Message(WsMessage::Binary(bytes)) => return Some(bytes.len()),
                WsEvent::Message(_) => {}
                WsEvent::Error(_) | WsEvent::Closed => return None,
            }
        }
    }
}

#[cfg(feature = "yawc")]
mod client {
    use futures_util::{SinkExt, StreamExt};
    use yawc::WebSocket;
    use yawc::frame::Frame;

    pub async fn greet(url: &str) -> Option<usize> {
        let mut socket = WebSocket::connect(url.parse().ok()?).await.ok()?;
        socket.send(Frame::text("hello")).await.ok()?;
        Some(socket.next().await?.ok()?.payload().len())
    }
}

#[cfg(feature = "ws_stream_wasm")]
mod client {
    use futures_util::{SinkExt, StreamExt};
    use ws_stream_wasm::{WsMessage, WsMeta};

    pub async fn greet(url: &str) -> Option<usize> {
        let (_meta, mut stream) = WsMeta::connect(url, None).await.ok()?;
        stream.send(WsMessage::Text("hello".into())).await.ok()?;
        Some(match stream.next().await? {
            WsMessage::Text(text) => text.len(),
            WsMessage::Binary(bytes) => bytes.len(),
        })
    }
}

#[cfg(feature = "tokio-tungstenite-wasm")]
mod client {
    use futures_util::{SinkExt, StreamExt};
    use tokio_tungstenite_wasm::{Message, connect};

    pub async fn greet(url: &str) -> Option<usize> {
        let mut socket = connect(url).await.ok()?;
        socket.send(Message::text("hello")).await.ok()?;
        Some(socket.next().await?.ok()?.into_data().len())
    }
}

/// By hand, without anything that a library is for: the floor.
#[cfg(feature = "web-sys")]
mod client {
    use std::cell::RefCell;
    use std::future::poll_fn;
    use std::rc::Rc;
    use std::task::{Poll, Waker};

    use wasm_bindgen::JsCast;
    use wasm_bindgen::closure::Closure;
    use web_sys::{MessageEvent, WebSocket};

    #[derive(Default)]
    struct State {
        length: Option<usize>,
        waker: Option<Waker>,
    }

    pub async fn greet(url: &str) -> Option<usize> {
        let socket = WebSocket::new(url).ok()?;
        let state: Rc<RefCell<State>> = Rc::default();
        let sending = socket.clone();
        let open = Closure::<dyn FnMut()>::new(move || _ = sending.send_with_str("hello"));
        let told = state.clone();
        let message = Closure::<dyn FnMut(_)>::new(move |event: MessageEvent| {
            let mut state = told.borrow_mut();
            state.length = event.data().as_string().map(|text| text.len());
            if let Some(waker) = state.waker.take() {
                waker.wake();
            }
        });
        socket.set_onopen(Some(open.as_ref().unchecked_ref()));
        socket.set_onmessage(Some(message.as_ref().unchecked_ref()));
        poll_fn(|cx| {
            let mut state = state.borrow_mut();
            state.waker = Some(cx.waker().clone());
            state.length.take().map_or(Poll::Pending, |length| Poll::Ready(Some(length)))
        })
        .await
    }
}
