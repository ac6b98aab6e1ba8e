//! One of the echo servers on one thread: `peer_server NAME [off|alone:LEVEL|takeover:LEVEL]`; says where it listens.

use std::io;

use tokio::net::TcpListener;
use ws_benches::servers::{Deflate, SERVERS, find};

fn main() -> io::Result<()> {
    let mut args = std::env::args().skip(1);
    let server = args.next().and_then(|name| find(&name));
    let deflate = args.next().map_or(Some(Deflate::OFF), |text| Deflate::parse(&text));
    let (Some(server), Some(deflate)) = (server, deflate) else {
        let names: Vec<_> = SERVERS.iter().map(|server| server.name).collect();
        panic!("usage: peer_server NAME [off|alone:LEVEL|takeover:LEVEL], NAME one of {names:?}");
    };
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        println!("{}", listener.local_addr()?);
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            (server.tcp)(stream, deflate);
        }
    })
}
