//! The router: one page in four files, its icon, and its WebSocket; and on demand the page in Rust, at `/wasm/`.

use std::path::Path;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{MethodRouter, any, get};
use axum::{Extension, Router};
use ws_tokio::handshake::origin::OriginPolicy;
use ws_tokio::{AcceptOptions, Compression, Settings, Tracker, Upgrade};

use crate::member::{self, MAX_JOIN};
use crate::rooms::Rooms;

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";

/// The page in Rust: where its files are served, their names in its folder, and their types.
const WASM: [(&str, &str, &str); 4] = [
    ("/wasm/", "index.html", HTML),
    ("/wasm/start.js", "start.js", SCRIPT),
    ("/wasm/chat_wasm.js", "chat_wasm.js", SCRIPT),
    ("/wasm/chat_wasm_bg.wasm", "chat_wasm_bg.wasm", "application/wasm"),
];
const WASM_BUILD: &str = "ws-json/examples/chat_wasm/build";

/// A client that is silent this long is pinged, and is gone if it doesn't answer for as long again.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// A file of a page.
#[derive(Clone)]
struct File {
    kind: &'static str,
    policy: HeaderValue,
    content: Bytes,
}

/// What the WebSockets share.
#[derive(Clone)]
struct Chat {
    rooms: Rooms,
    tracker: Tracker,
}

/// Returns the whole server, without its port.
pub(crate) fn router(rooms: Rooms, origins: Vec<String>, tracker: &Tracker) -> Router {
    // Without context takeover, so that members share what was compressed once.
    let options = AcceptOptions::default()
        .settings(Settings::default().max_message(MAX_JOIN).heartbeat(HEARTBEAT, HEARTBEAT))
        .compression(Compression::NoContextTakeover)
        .origins(OriginPolicy::Patterns(origins))
        .tracker(tracker);
    let chat = Chat { rooms, tracker: tracker.clone() };
    Router::new()
        .route("/", file(HTML, include_str!("page.html")))
        .route("/page.css", file(CSS, include_str!("page.css")))
        .route("/page.js", file(SCRIPT, include_str!("page.js")))
        .route("/log.js", file(SCRIPT, include_str!("log.js")))
        .route("/icon.svg", file(SVG, include_str!("icon.svg")))
        .route("/ws", any(ws).layer(Extension(options)))
        .with_state(chat)
}

/// Returns what serves the page in Rust, whose files are in this folder; they are read now.
pub(crate) fn wasm(folder: &Path) -> Result<Router, String> {
    let mut router = Router::new().route("/wasm", get(async || Redirect::permanent("wasm/")));
    for (path, name, kind) in WASM {
        let file = folder.join(name);
        let content = std::fs::read(&file)
            .map_err(|error| format!("{}: {error}; {WASM_BUILD} makes it", file.display()))?;
        // Without that word, a page may compile no WebAssembly.
        let policy = policy("'self' 'wasm-unsafe-eval'");
        router = router.route(path, serve(File { kind, policy, content: content.into() }));
    }
    Ok(router)
}

fn file(kind: &'static str, text: &'static str) -> MethodRouter<Chat> {
    serve(File { kind, policy: policy("'self'"), content: Bytes::from_static(text.as_bytes()) })
}

fn serve<S: Clone + Send + Sync + 'static>(file: File) -> MethodRouter<S> {
    get(async move || file)
}

/// A page needs nothing from elsewhere, and nobody may frame it. `'self'` includes its WebSocket.
fn policy(scripts: &str) -> HeaderValue {
    let policy = format!(
        "default-src 'none'; script-src {scripts}; style-src 'self'; img-src 'self'; connect-src 'self'; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    );
    HeaderValue::try_from(policy).expect("letters and signs")
}

async fn ws(State(Chat { rooms, tracker }): State<Chat>, upgrade: Upgrade) -> Response {
    upgrade.accept(|connection| member::serve(connection, rooms, tracker))
}

impl IntoResponse for File {
    fn into_response(self) -> Response {
        let headers: [(HeaderName, HeaderValue); 5] = [
            (header::CONTENT_TYPE, HeaderValue::from_static(self.kind)),
            (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
            (header::CONTENT_SECURITY_POLICY, self.policy),
            (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
            (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        ];
        (headers, self.content).into_response()
    }
}
