//! `docs/COMING-FROM.md` names our API and its tests and shows examples: this looks for each name, and runs the examples.

use std::collections::HashSet;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use ws_benches::sources::rust_files;
use ws_tokio::{CloseCode, ConnectOptions, Connection, Message};

const DOCUMENT: &str = include_str!("../../docs/COMING-FROM.md");

const CRATES: [&str; 4] = ["ws_mask", "ws_core", "ws_tokio", "ws_json"];

/// One of these is in every example of ours.
const OURS: [&str; 3] = ["ws_tokio::", "from_upgraded(", "judge("];

/// What a row says of ours where there is none.
const NOT_THERE: &str = "not there yet";

/// What stands between backticks in our column and is not ours.
const FOREIGN: &str = "* ? Extension Host None Result Sink Stream TCP_NODELAY TimedOut Upgrader WebSocket axum \
     disable_nagle http hyper metrics stream tracing ws wss";

#[test]
fn everything_of_ours_that_the_document_names_exists() {
    let sources = Sources::read();
    let there = |row: &Row| !row.ours.starts_with(NOT_THERE);
    let names = rows().filter(there).flat_map(|row| our_names(row.ours));
    let missing: Vec<_> = names.filter(|name| !sources.declare(name)).collect();
    assert!(missing.is_empty(), "these do not exist: {missing:#?}");
}

#[test]
fn nothing_that_the_document_says_is_missing_exists() {
    let sources = Sources::read();
    let missing = rows().filter(|row| row.ours.starts_with(NOT_THERE));
    let names = missing.flat_map(|row| our_names(row.ours));
    let there: Vec<_> = names.filter(|name| sources.declare(name)).collect();
    assert!(there.is_empty(), "these are there: {there:#?}");
}

#[test]
fn every_test_that_the_document_names_exists() {
    let sources = Sources::read();
    for row in rows() {
        let Some(tests) = row.tests else { continue };
        let missing: Vec<_> = spans(tests).filter(|test| !sources.test(test)).collect();
        assert!(missing.is_empty(), "these do not exist: {missing:#?}");
        let owed = !row.ours.starts_with(NOT_THERE);
        assert_eq!(spans(tests).next().is_some(), owed, "a test where ours is there: {}", row.ours);
    }
}

#[test]
fn every_example_of_ours_is_one_that_runs_below() {
    let blocks = DOCUMENT.split("```rust\n").skip(1).filter_map(|rest| rest.split("```").next());
    let is_ours = |block: &&str| OURS.iter().any(|it| block.contains(it));
    let ours: Vec<_> = blocks.filter(is_ours).collect();
    assert_eq!(ours.len(), 10, "one for each library, a test of a route, and four for servers");
    let code = unindented(&include_str!("coming_from.rs").replace("pub(super) ", ""));
    for block in ours {
        assert!(code.contains(&unindented(block)), "not below:\n{block}");
    }
}

/// A row of a table: theirs, which is not looked at, ours, and our tests.
struct Row {
    ours: &'static str,
    tests: Option<&'static str>,
}

/// All rows but the heads of tables.
fn rows() -> impl Iterator<Item = Row> {
    DOCUMENT.lines().filter_map(|line| {
        let mut cells = line.strip_prefix('|')?.strip_suffix('|')?.split('|').map(str::trim);
        let (theirs, ours) = (cells.next()?, cells.next()?);
        let is_head = theirs == "theirs" || theirs.starts_with("--");
        (!is_head).then(|| Row { ours, tests: cells.next() })
    })
}

/// What stands between backticks.
fn spans(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

fn our_names(cell: &str) -> impl Iterator<Item = &str> {
    let foreign = |name: &str| FOREIGN.split(' ').any(|it| it == name);
    let others = |name: &str| name.starts_with("tokio::") || name.starts_with("futures::");
    spans(cell).filter(move |name| !foreign(name) && !others(name))
}

/// The code of the crates.
struct Sources {
    /// Each file's path and text.
    files: Vec<(PathBuf, String)>,
    /// Public items by their names, and members as `Owner::name`.
    declared: HashSet<String>,
}

impl Sources {
    fn read() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let folders = CRATES.iter().flat_map(|name| {
            ["src", "tests"].map(|folder| root.join(name.replace('_', "-")).join(folder))
        });
        let files = folders.filter(|folder| folder.is_dir()).flat_map(|folder| rust_files(&folder));
        let files: Vec<_> =
            files.map(|file| (file.clone(), fs::read_to_string(file).expect("a file"))).collect();
        let declared = files.iter().flat_map(|(_, code)| declarations(code));
        let declared = declared.chain(expansions(&files)).collect();
        Self { files, declared }
    }

    /// Whether a path such as `Connection::recv` or `ws_core::Encoder` is public. Its first segment stands in the
    /// `lib.rs` of its crate, which is `ws_tokio` where none is named.
    fn declare(&self, path: &str) -> bool {
        let named =
            CRATES.iter().find_map(|of| Some((*of, path.strip_prefix(of)?.strip_prefix("::")?)));
        let (of, path) = named.unwrap_or(("ws_tokio", path));
        let (parents, name) = path.rsplit_once("::").unwrap_or(("", path));
        let (_, owner) = parents.rsplit_once("::").unwrap_or(("", parents));
        let is_member = owner.starts_with(char::is_uppercase);
        let name = if is_member { format!("{owner}::{name}") } else { name.to_owned() };
        self.exports(of, words(path).next().unwrap_or("")) && self.declared.contains(&name)
    }

    fn exports(&self, of: &str, name: &str) -> bool {
        let lib = format!("{}/src/lib.rs", of.replace('_', "-"));
        self.any(|file, code| file.ends_with(&lib) && words(code).any(|word| word == name))
    }

    /// Whether there is a test of this `file::name`, the file by the end of its path.
    fn test(&self, test: &str) -> bool {
        let Some((file, name)) = test.split_once("::") else { return false };
        self.any(|path, code| path.ends_with(file) && code.contains(&format!("fn {name}(")))
    }

    fn any(&self, holds: impl Fn(&Path, &str) -> bool) -> bool {
        self.files.iter().any(|(file, code)| holds(file, code))
    }
}

/// What a file declares for everybody. rustfmt indents members by four, and every word of the line before them that is
/// not indented counts as their owner.
fn declarations(code: &str) -> Vec<String> {
    let mut head = "";
    let mut all = Vec::new();
    for line in code.lines() {
        if line.starts_with("impl") || line.starts_with("pub ") {
            head = line;
        }
        all.extend(declared(line).map(String::from));
        let member = line.strip_prefix("    ").and_then(declared);
        all.extend(
            member.into_iter().flat_map(|name| words(head).map(move |of| format!("{of}::{name}"))),
        );
    }
    all
}

/// What the crates' macros declare as members, of every word that stands in a use of them.
fn expansions(files: &[(PathBuf, String)]) -> Vec<String> {
    let mut all = Vec::new();
    for (_, code) in files {
        let Some((_, defined)) = code.split_once("\nmacro_rules! ") else { continue };
        let members: Vec<_> =
            defined.lines().filter_map(|line| declared(line.trim_start())).collect();
        let used = format!("{}!(", words(defined).next().unwrap_or(""));
        let lines = files.iter().flat_map(|(_, code)| code.lines());
        for owner in lines.filter(|line| line.starts_with(&used)).flat_map(words) {
            all.extend(members.iter().map(|name| format!("{owner}::{name}")));
        }
    }
    all
}

/// What a line declares: an item, a field or a variant.
fn declared(line: &str) -> Option<&str> {
    const KEYWORDS: [&str; 9] =
        ["pub", "async", "const", "fn", "struct", "enum", "trait", "mod", "type"];
    let public = line.starts_with("pub ") || line.starts_with(char::is_uppercase);
    words(line).find(|word| !KEYWORDS.contains(word)).filter(|_| public)
}

fn words(code: &str) -> impl Iterator<Item = &str> {
    code.split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|word| !word.is_empty())
}

fn unindented(code: &str) -> String {
    code.lines().map(|line| format!("{}\n", line.trim_start())).collect()
}

#[test]
fn every_example_runs() {
    run(async {
        beside(accepting(coder::echo), |url| async move { coder::client(&url).await }).await;
        let hi = Some(Message::text("hi"));
        let echoed = beside(gorilla::serve, |url| async move { gorilla::client(&url).await }).await;
        assert_eq!(echoed, hi);
        let client = |url: String| async move { tungstenite::client(&url).await };
        assert_eq!(beside(accepting(tungstenite::echo), client).await, hi);
        let client = |url: String| async move {
            let address = url.trim_start_matches("ws://");
            fastwebsockets::client(TcpStream::connect(address).await?).await
        };
        assert_eq!(beside(accepting(fastwebsockets::echo), client).await, hi);
        assert_eq!(axum::echoed().await.expect("a client that succeeds"), hi);
        beside(warp::serve, behind::client).await;
        beside(actix::serve, behind::client).await;
        beside(poem::serve, behind::client).await;
    });
}

fn run(future: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(future);
}

type Failure = Box<dyn Error + Send + Sync>;

/// What the client comes to beside a server, which may serve for ever.
async fn beside<T, S, C>(
    serve: impl FnOnce(TcpListener) -> S,
    client: impl FnOnce(String) -> C,
) -> T
where
    S: Future<Output = ()> + Send + 'static,
    C: Future<Output = Result<T, Failure>>,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let server = tokio::spawn(serve(listener));
    let result = client(format!("ws://{address}")).await;
    server.abort();
    result.expect("a client that succeeds")
}

/// A server of one connection.
fn accepting<F>(
    echo: impl FnOnce(TcpStream) -> F + Send + 'static,
) -> impl FnOnce(TcpListener) -> Pin<Box<dyn Future<Output = ()> + Send>>
where
    F: Future<Output = Result<(), Failure>> + Send,
{
    |listener| {
        Box::pin(async move {
            let (stream, _) = listener.accept().await.expect("a connection");
            echo(stream).await.expect("a server that succeeds");
        })
    }
}

mod coder {
    use super::{CloseCode, Duration, Failure, TcpStream, timeout};

    pub(super) async fn echo(stream: TcpStream) -> Result<(), Failure> {
        let mut connection = ws_tokio::accept(stream).await?;
        while let Some(message) = connection.recv().await? {
            connection.send(message).await?;
        }
        Ok(())
    }

    pub(super) async fn client(url: &str) -> Result<(), Failure> {
        timeout(Duration::from_secs(60), async {
            let (mut connection, _response) = ws_tokio::connect(url).await?;
            connection.send("hi").await?;
            connection.close(CloseCode::NORMAL, "").await?;
            Ok(())
        })
        .await?
    }
}

mod gorilla {
    use super::{
        CloseCode, Connection, Duration, Failure, Message, TcpListener, TcpStream, timeout,
    };

    pub(super) async fn serve(listener: TcpListener) {
        let echo = |mut connection: Connection<TcpStream>| async move {
            while let Ok(Some(message)) = connection.recv().await {
                if connection.send(message).await.is_err() {
                    return;
                }
            }
        };
        ws_tokio::Server::new(listener).serve(echo).await;
    }

    pub(super) async fn client(url: &str) -> Result<Option<Message>, Failure> {
        let (mut connection, _response) = ws_tokio::connect(url).await?;
        connection.send("hi").await?;
        let message = timeout(Duration::from_secs(10), connection.recv()).await??;
        connection.close(CloseCode::NORMAL, "bye").await?;
        Ok(message)
    }
}

mod tungstenite {
    use super::{CloseCode, Failure, Message, TcpStream};

    pub(super) async fn echo(stream: TcpStream) -> Result<(), Failure> {
        let (mut receiving, sending) = ws_tokio::accept(stream).await?.split();
        while let Some(message) = receiving.recv().await? {
            sending.send(message).await?;
        }
        Ok(())
    }

    pub(super) async fn client(url: &str) -> Result<Option<Message>, Failure> {
        let (mut connection, _response) = ws_tokio::connect(url).await?;
        connection.send("hi").await?;
        let message = connection.recv().await?;
        connection.close(CloseCode::NORMAL, "").await?;
        Ok(message)
    }
}

mod fastwebsockets {
    use super::{CloseCode, ConnectOptions, Failure, Message, TcpStream};

    pub(super) async fn echo(stream: TcpStream) -> Result<(), Failure> {
        let mut connection = ws_tokio::accept(stream).await?;
        connection.run(|message, outbox| outbox.send(message)).await?;
        Ok(())
    }

    pub(super) async fn client(stream: TcpStream) -> Result<Option<Message>, Failure> {
        let options = ConnectOptions::default();
        let (mut connection, _response) = options.connect_over(stream, "ws://localhost/").await?;
        connection.send("hi").await?;
        let message = connection.recv().await?;
        connection.close(CloseCode::NORMAL, "").await?;
        Ok(message)
    }
}

mod axum {
    use ::axum::extract::State;
    use ::axum::response::Response;
    use ::axum::routing::any;
    use ::axum::{Extension, Router};
    use tokio::sync::broadcast::Sender;
    use ws_tokio::{AcceptOptions, Connection, Message, Tracker, Upgrade};

    use super::Failure;

    async fn ws(upgrade: Upgrade, State(news): State<Sender<String>>) -> Response {
        upgrade.accept(async move |mut connection: Connection| {
            let mut heard = news.subscribe();
            loop {
                tokio::select! {
                    message = connection.recv() => match message? {
                        Some(message) => connection.send(message).await?,
                        None => return Ok::<_, ws_tokio::Error>(()),
                    },
                    Ok(text) = heard.recv() => connection.send(text).await?,
                }
            }
        })
    }

    fn router(news: Sender<String>, tracker: &Tracker) -> Router {
        let options = AcceptOptions::default().subprotocols(["chat"]).tracker(tracker);
        Router::new().route("/ws", any(ws)).with_state(news).layer(Extension(options))
    }

    async fn client(router: Router) -> Result<Option<Message>, Failure> {
        let options = ws_tokio::ConnectOptions::default();
        let (mut connection, _response) =
            options.connect_router(router, "ws://localhost/ws").await?;
        connection.send("hi").await?;
        Ok(connection.recv().await?)
    }

    pub(super) async fn echoed() -> Result<Option<Message>, Failure> {
        client(router(Sender::new(1), &Tracker::new())).await
    }
}

mod behind {
    use bytes::BytesMut;
    use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
    use ws_tokio::{Connection, Negotiated, Role, Settings};

    use super::{Failure, TcpStream, tungstenite};

    /// Serves what the server hands over once it has sent the 101.
    pub(super) async fn echo(stream: impl AsyncRead + AsyncWrite + Unpin) -> Result<(), Failure> {
        let (nothing, agreed) = (BytesMut::new(), Negotiated::default());
        let settings = Settings::default();
        let mut connection =
            Connection::from_upgraded(stream, Role::Server, nothing, agreed, settings);
        Ok(connection.run(|message, outbox| outbox.send(message)).await?)
    }

    /// A client is echoed to; others are told what they lack, and are closed.
    pub(super) async fn client(url: String) -> Result<(), Failure> {
        assert_eq!(tungstenite::client(&url).await?, Some("hi".into()));
        let upgrade = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n";
        let key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
        let origin = "Origin: https://elsewhere.example\r\n";
        for (headers, status) in [
            (String::new(), "426"),
            (upgrade.to_owned(), "400"),
            (format!("{upgrade}{key}{origin}"), "403"),
        ] {
            let answer = answer(url.trim_start_matches("ws://"), &headers).await?;
            let line = format!("HTTP/1.1 {status} ");
            assert!(answer.starts_with(&line), "{status} for {headers:?}: {answer}");
        }
        Ok(())
    }

    /// All that the server says to a request before it closes the connection.
    async fn answer(address: &str, headers: &str) -> Result<String, Failure> {
        let mut stream = TcpStream::connect(address).await?;
        let head = format!("GET / HTTP/1.1\r\nHost: {address}\r\n{headers}\r\n");
        stream.write_all(head.as_bytes()).await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        Ok(answer)
    }
}

mod warp {
    use std::convert::Infallible;

    use bytes::Bytes;
    use hyper::upgrade::OnUpgrade;
    use hyper_util::rt::TokioIo;
    use warp::Filter;
    use ws_core::handshake::server::{Policy, Refusal, Upgrade};
    use ws_tokio::http::{HeaderMap, Request, Response};

    use super::TcpListener;
    use super::behind::echo;

    fn ws() -> impl Filter<Extract = (Response<Bytes>,), Error = Infallible> + Copy {
        let head = warp::method().and(warp::header::headers_cloned());
        head.and(warp::ext::optional()).map(|method, headers, upgrade| {
            let mut head = Request::new(());
            (*head.method_mut(), *head.headers_mut()) = (method, headers);
            judged(&head, upgrade).unwrap_or_else(|refusal| refusal.response(Upgrade::Http1))
        })
    }

    fn judged(head: &Request<()>, upgrade: Option<OnUpgrade>) -> Result<Response<Bytes>, Refusal> {
        let accepted = Policy::new().judge(head, Upgrade::Http1)?;
        let upgrade = upgrade.ok_or(Refusal::NoUpgrade)?;
        tokio::spawn(async { echo(TokioIo::new(upgrade.await?)).await });
        Ok(accepted.response(&HeaderMap::new()).map(|()| Bytes::new()))
    }

    pub(super) async fn serve(listener: TcpListener) {
        warp::serve(ws()).incoming(listener).run().await;
    }
}

mod actix {
    use std::io;

    use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder, HttpServer, rt, web};
    use futures_util::TryStreamExt;
    use tokio::io::{join, simplex};
    use tokio_util::io::{ReaderStream, StreamReader};
    use ws_core::handshake::server::{Policy, Upgrade};
    use ws_tokio::http::{HeaderMap, Request, Response};

    use super::TcpListener;
    use super::behind::echo;

    async fn ws(request: HttpRequest, payload: web::Payload) -> HttpResponse {
        let mut head = Request::builder().method(request.method().as_str());
        for (name, value) in request.headers() {
            head = head.header(name.as_str(), value.as_bytes());
        }
        let head = head.body(()).expect("actix-web has read it");
        match Policy::new().judge(&head, Upgrade::Http1) {
            Ok(accepted) => {
                let (sent, sending) = simplex(64 * 1024);
                let received = StreamReader::new(payload.map_err(io::Error::other));
                rt::spawn(echo(join(received, sending)));
                let mut response = started(&accepted.response(&HeaderMap::new()));
                response.upgrade("websocket").streaming(ReaderStream::new(sent))
            }
            Err(refusal) => {
                let response = refusal.response(Upgrade::Http1);
                started(&response).force_close().body(response.into_body())
            }
        }
    }

    fn started<B>(response: &Response<B>) -> HttpResponseBuilder {
        let status = response.status().as_u16().try_into().expect("http 0.2 has it, too");
        let mut builder = HttpResponse::build(status);
        for (name, value) in response.headers() {
            builder.append_header((name.as_str(), value.as_bytes()));
        }
        builder
    }

    pub(super) async fn serve(listener: TcpListener) {
        let app = || actix_web::App::new().default_service(web::to(ws));
        let listener = listener.into_std().expect("a listener");
        let server = HttpServer::new(app).workers(1).disable_signals().listen(listener);
        server.expect("a server").run().await.expect("a server that succeeds");
    }
}

mod poem {
    use bytes::Bytes;
    use poem::listener::TcpAcceptor;
    use ws_core::handshake::server::{Policy, Refusal, Upgrade};
    use ws_tokio::http::{HeaderMap, Request, Response};

    use super::TcpListener;
    use super::behind::echo;

    fn ws(request: poem::Request) -> poem::Response {
        let answer = judged(request).unwrap_or_else(|refusal| refusal.response(Upgrade::Http1));
        let (head, body) = answer.into_parts();
        let mut response = poem::Response::builder().status(head.status).body(body);
        *response.headers_mut() = head.headers;
        response
    }

    fn judged(request: poem::Request) -> Result<Response<Bytes>, Refusal> {
        let upgrade = request.take_upgrade();
        let accepted = Policy::new().judge(&Request::from(request), Upgrade::Http1)?;
        let upgrade = upgrade.map_err(|_| Refusal::NoUpgrade)?;
        tokio::spawn(async { echo(upgrade.await?).await });
        Ok(accepted.response(&HeaderMap::new()).map(|()| Bytes::new()))
    }

    pub(super) async fn serve(listener: TcpListener) {
        let acceptor = TcpAcceptor::from_tokio(listener).expect("an acceptor");
        let server = poem::Server::new_with_acceptor(acceptor);
        server.run(poem::endpoint::make_sync(ws)).await.expect("a server that succeeds");
    }
}
