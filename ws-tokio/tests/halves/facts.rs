//! What halves tell of the connection that they are of, and the limit that the receiving one sets.

use tokio::io::{AsyncWriteExt, DuplexStream};
use ws_tokio::{
    AcceptOptions, ConnectOptions, Connection, DecodeError, Error, Role, Settings, pipe, pipe_with,
};

use crate::support::memory;
use crate::support::wire::{ROLES, frame, peer_of};

/// Splits, and holds both halves to what the whole connection told.
fn tell_the_same(connection: Connection<DuplexStream>) {
    let role = connection.role();
    let subprotocol = connection.subprotocol().map(String::from);
    #[cfg(feature = "deflate")]
    let compression = connection.compression();
    let (receiving, sending) = connection.split();
    assert_eq!((receiving.role(), sending.role()), (role, role));
    assert_eq!(receiving.subprotocol(), subprotocol);
    assert_eq!(sending.subprotocol(), subprotocol);
    #[cfg(feature = "deflate")]
    assert_eq!((receiving.compression(), sending.compression()), (compression, compression));
}

#[tokio::test]
async fn halves_tell_role_and_what_was_agreed_as_the_whole_connection_does() {
    let connect = ConnectOptions::default().subprotocols(["chat"]);
    let accept = AcceptOptions::default().subprotocols(["chat"]);
    #[cfg(feature = "deflate")]
    let (connect, accept) = {
        let compression = ws_tokio::Compression::ContextTakeover;
        (connect.compression(compression), accept.compression(compression))
    };
    let (client, server) = pipe_with(&connect, &accept, 1024).await.unwrap();
    assert_eq!((client.role(), client.subprotocol()), (Role::Client, Some("chat")));
    #[cfg(feature = "deflate")]
    assert!(client.compression().is_some());
    tell_the_same(client);
    tell_the_same(server);
    let (client, server) = pipe().await;
    tell_the_same(client);
    tell_the_same(server);
}

#[tokio::test]
async fn the_limit_on_messages_can_be_set_on_the_receiving_half() {
    for us in ROLES {
        let (connection, mut peer) = memory::connection(us, Settings::default());
        let (mut receiving, _sending) = connection.split();
        let message = frame(peer_of(us), 0x82, &[7; 11]);
        peer.write_all(&message.repeat(2)).await.unwrap();
        peer.shutdown().await.unwrap();
        assert!(receiving.recv().await.unwrap().is_some());
        receiving.set_max_message(10);
        let error = receiving.recv().await.unwrap_err();
        let too_big = DecodeError::MessageTooBig { limit: 10 };
        assert!(matches!(error, Error::Protocol(error) if error == too_big));
    }
}
