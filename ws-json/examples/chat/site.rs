//! The router: one page in four files, its icon, and its WebSocket.

use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use axum::{Extension, Router};
use ws_tokio::handshake::origin::OriginPolicy;
use ws_tokio::{AcceptOptions, Compression, Settings, Tracker, Upgrade};

use crate::member::{self, MAX_JOIN};
use crate::rooms::{Bounds, Rooms};

const PAGE: File = File("text/html; charset=utf-8", include_str!("page.html"));
const STYLE: File = File("text/css; charset=utf-8", include_str!("page.css"));
const SCRIPT: File = File("text/javascript; charset=utf-8", include_str!("page.js"));
const LOG: File = File("text/javascript; charset=utf-8", include_str!("log.js"));
const ICON: File = File("image/svg+xml", include_str!("icon.svg"));

/// The page needs nothing from elsewhere, and nobody may frame it. `'self'` includes its WebSocket.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// A client that is silent this long is pinged, and is gone if it doesn't answer for as long again.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// A file of the page, with its type.
#[derive(Clone, Copy)]
struct File(&'static str, &'static str);

/// What the WebSockets share.
#[derive(Clone)]
struct Chat {
    rooms: Rooms,
    tracker: Tracker,
}

/// Returns the whole server, without its port.
pub(crate) fn router(bounds: Bounds, origins: Vec<String>, tracker: &Tracker) -> Router {
    // Without context takeover, so that members share what was compressed once.
    let options = AcceptOptions::default()
        .settings(Settings::default().max_message(MAX_JOIN).heartbeat(HEARTBEAT, HEARTBEAT))
        .compression(Compression::NoContextTakeover)
        .origins(OriginPolicy::Patterns(origins))
        .tracker(tracker);
    let chat = Chat { rooms: Rooms::new(bounds), tracker: tracker.clone() };
    Router::new()
        .route("/", file(PAGE))
        .route("/page.css", file(STYLE))
        .route("/page.js", file(SCRIPT))
        .route("/log.js", file(LOG))
        .route("/icon.svg", file(ICON))
        .route("/ws", any(ws).layer(Extension(options)))
        .with_state(chat)
}

fn file(file: File) -> axum::routing::MethodRouter<Chat> {
    get(async move || file)
}

async fn ws(State(Chat { rooms, tracker }): State<Chat>, upgrade: Upgrade) -> Response {
    upgrade.accept(|connection| member::serve(connection, rooms, tracker))
}

impl IntoResponse for File {
    fn into_response(self) -> Response {
        let Self(kind, text) = self;
        let headers: [(HeaderName, HeaderValue); 5] = [
            (header::CONTENT_TYPE, HeaderValue::from_static(kind)),
            (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
            (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
            (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
            (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        ];
        (headers, text).into_response()
    }
}
