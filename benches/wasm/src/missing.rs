//! What a browser can't do: each function here is one error of the compiler, and a test counts them. So `docs/BROWSER.md` is true.

use ws_tokio::{CloseCode, ConnectOptions, Connection, Settings};

fn header(options: ConnectOptions) {
    options.header(todo!(), todo!());
}

fn host(options: ConnectOptions) {
    options.host(todo!());
}

fn compression(options: ConnectOptions) {
    options.compression(todo!());
}

fn redirects(options: ConnectOptions) {
    options.redirects(1);
}

fn connect_over(options: ConnectOptions) {
    options.connect_over(todo!(), "ws://localhost");
}

fn ping(mut connection: Connection) {
    connection.ping();
}

fn on_ping(mut connection: Connection) {
    connection.on_ping(todo!());
}

fn run(mut connection: Connection) {
    connection.run(todo!());
}

fn reader(mut connection: Connection) {
    connection.reader();
}

fn writer(mut connection: Connection) {
    connection.writer(todo!());
}

fn send_prepared(mut connection: Connection) {
    connection.send_prepared(todo!());
}

fn outbox(mut connection: Connection) {
    connection.outbox();
}

fn peer_addr(connection: Connection) {
    connection.peer_addr();
}

fn counters(connection: Connection) {
    connection.counters();
}

fn get_ref(connection: Connection) {
    connection.get_ref();
}

fn heartbeat(settings: Settings) {
    settings.heartbeat(todo!(), todo!());
}

fn idle_timeout(settings: Settings) {
    settings.idle_timeout(todo!());
}
