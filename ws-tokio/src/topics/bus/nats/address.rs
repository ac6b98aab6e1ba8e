//! Addresses of servers, with the credentials in them, which async-nats itself ignores.

use std::io;

use async_nats::{ConnectOptions, ServerAddr};
use percent_encoding::percent_decode_str;

/// Parses addresses that are separated by commas.
pub(super) fn parse(servers: &str) -> io::Result<Vec<ServerAddr>> {
    servers.split(',').map(|server| check(server.trim().parse()?)).collect()
}

/// Refuses what async-nats would only find when it connects, again and again.
fn check(server: ServerAddr) -> io::Result<ServerAddr> {
    let problem = match server.scheme() {
        _ if server.host().is_empty() => "an address of NATS without a host",
        "nats" | "tls" => return Ok(server),
        _ => "NATS over WebSocket is not supported: use nats:// or tls://",
    };
    Err(io::Error::new(io::ErrorKind::InvalidInput, problem))
}

/// Adds the first credentials in the addresses to the options. A user without a password is a token.
pub(super) fn credentials(servers: &[ServerAddr], options: ConnectOptions) -> ConnectOptions {
    let Some(server) = servers.iter().find(|server| server.has_user_pass()) else { return options };
    let user = decoded(server.username().unwrap_or_default());
    match server.password() {
        Some(password) => options.user_and_password(user, decoded(password)),
        None => options.token(user),
    }
}

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}
