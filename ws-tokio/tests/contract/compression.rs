//! permessage-deflate over real handshakes: what is agreed, what goes over the wire, and what comes back.

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use ws_tokio::handshake::client::AnswerError;
use ws_tokio::handshake::key::Key;
use ws_tokio::{
    AcceptOptions, Compression, CompressionOptions, ConnectError, ConnectOptions, Connection,
    Error, MessageKind, PreparedMessage, Role, Settings,
};

use crate::handshake_server::{adding, answered};
use crate::support::parse::frames;
use crate::support::wire::frame;

const URL: &str = "ws://server.example.com/chat";

/// Both ends of a connection that agreed on what these options come to: client, server.
async fn pair(
    client: impl Into<CompressionOptions>,
    server: impl Into<CompressionOptions>,
) -> (Connection<DuplexStream>, Connection<DuplexStream>) {
    let (ours, theirs) = duplex(1 << 20);
    let accept = AcceptOptions::default().compression(server);
    let connect = ConnectOptions::default().compression(client);
    let (accepted, connected) =
        tokio::join!(accept.accept(ours), connect.connect_over(theirs, URL));
    (connected.expect("an answer").0, accepted.expect("a handshake"))
}

/// A server's connection that agreed on these options, and its client's raw end.
async fn server(
    options: impl Into<CompressionOptions>,
) -> (Connection<DuplexStream>, DuplexStream) {
    let (mut client, ours) = duplex(1 << 20);
    let request = adding("Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits");
    client.write_all(request.as_bytes()).await.expect("an open pipe");
    let connection =
        AcceptOptions::default().compression(options).accept(ours).await.expect("a handshake");
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(client.read_u8().await.expect("an open pipe"));
    }
    (connection, client)
}

fn chat(n: u32) -> String {
    format!("{{\"number\":{n},\"text\":\"{}\"}}", "the quick brown fox ".repeat(50))
}

#[tokio::test]
async fn messages_of_every_size_come_back_with_both_takeovers() {
    for compression in [Compression::NoContextTakeover, Compression::ContextTakeover] {
        let options = CompressionOptions::new(compression).threshold(0);
        let (mut client, mut server) = pair(options, options).await;
        assert_eq!(client.compression(), server.compression());
        assert!(client.compression().is_some());
        for len in [0, 1, 125, 126, 511, 512, 16_384, 65_536, 300_000] {
            let text: String = chat(len).chars().cycle().take(len as usize).collect();
            client.feed(text.as_str()).await.unwrap();
            let (sent, received) = tokio::join!(client.flush(), server.recv());
            sent.unwrap();
            let message = received.unwrap().unwrap();
            assert_eq!(message.as_text(), Some(&*text));
            let (sent, received) = tokio::join!(server.send(message), client.recv());
            sent.unwrap();
            assert_eq!(received.unwrap().unwrap().as_text(), Some(&*text));
        }
    }
}

#[tokio::test]
async fn nothing_is_agreed_unless_both_ends_want_it() {
    for (client, server) in [
        (Compression::Off, Compression::ContextTakeover),
        (Compression::ContextTakeover, Compression::Off),
    ] {
        let (client, server) = pair(client, server).await;
        assert_eq!((client.compression(), server.compression()), (None, None));
    }
}

#[tokio::test]
async fn no_takeover_of_one_end_is_agreed_for_both() {
    use Compression::{ContextTakeover, NoContextTakeover};
    for (client, server) in
        [(NoContextTakeover, ContextTakeover), (ContextTakeover, NoContextTakeover)]
    {
        let (client, _) = pair(client, server).await;
        let agreed = client.compression().unwrap();
        assert!(agreed.server_no_context_takeover() && agreed.client_no_context_takeover());
    }
}

#[tokio::test]
async fn the_answer_tells_what_was_agreed() {
    let offer = adding("Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=10");
    let options = AcceptOptions::default().compression(Compression::NoContextTakeover);
    let (answer, accepted) = answered(&options, offer).await;
    accepted.unwrap();
    let header = "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; \
        client_no_context_takeover; server_max_window_bits=10\r\n";
    assert!(answer.contains(header), "{answer}");
}

#[tokio::test]
async fn a_client_refuses_compression_that_it_did_not_ask_for() {
    let (mut server, ours) = duplex(1 << 16);
    let answer = async {
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            request.push(server.read_u8().await.unwrap());
        }
        let text = String::from_utf8(request).unwrap();
        let key = text.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Key: ")).unwrap();
        let accept = Key::parse(key.as_bytes()).unwrap().accept();
        let head = format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: {}\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n",
            accept.to_str().unwrap()
        );
        server.write_all(head.as_bytes()).await.unwrap();
    };
    let connect = ConnectOptions::default();
    let (connected, ()) = tokio::join!(connect.connect_over(ours, URL), answer);
    assert!(matches!(
        connected,
        Err(ConnectError::Answer(AnswerError::ExtensionNotAskedFor(chosen))) if chosen == "permessage-deflate"
    ));
}

#[tokio::test]
async fn a_streamed_message_deflates_as_it_is_written_and_inflates_as_it_is_read() {
    for compression in [Compression::NoContextTakeover, Compression::ContextTakeover] {
        let (mut client, mut server) = pair(compression, compression).await;
        let text = chat(7).repeat(300);
        let write = async {
            let mut writer = client.writer(MessageKind::Text).unwrap();
            for part in text.as_bytes().chunks(10_000) {
                writer.write_all(part).await.unwrap();
                writer.flush().await.unwrap();
            }
            writer.finish().await.unwrap();
        };
        let read = async {
            let mut read = String::new();
            let mut reader = server.reader().await.unwrap().unwrap();
            reader.read_to_string(&mut read).await.unwrap();
            read
        };
        let ((), read) = tokio::join!(write, read);
        assert!(read == text);
        client.send("after").await.unwrap();
        assert_eq!(server.recv().await.unwrap(), Some("after".into()));
    }
}

#[tokio::test]
async fn a_prepared_message_goes_deflated_to_those_without_takeover_and_plain_to_others() {
    let news = PreparedMessage::new(chat(1));
    for (compression, first) in [
        (Compression::NoContextTakeover, 0xc1),
        (Compression::ContextTakeover, 0x81),
        (Compression::Off, 0x81),
    ] {
        let (mut connection, mut client) = server(compression).await;
        connection.send_prepared(&news).await.unwrap();
        connection.close_now();
        let mut wire = Vec::new();
        client.read_to_end(&mut wire).await.unwrap();
        assert_eq!(frames(Role::Server, &wire)[0].0, first);
    }
}

#[tokio::test]
async fn a_message_can_opt_out_and_the_threshold_can_change() {
    let (mut connection, mut client) = server(Compression::ContextTakeover).await;
    connection.send(chat(1)).await.unwrap();
    connection.send_prepared(&PreparedMessage::plain(chat(1))).await.unwrap();
    connection.set_compression_threshold(usize::MAX);
    connection.send(chat(1)).await.unwrap();
    connection.set_compression_threshold(0);
    connection.set_compression_level(9);
    let (receiving, sending) = connection.split();
    sending.send("short").await.unwrap();
    sending.send_prepared(&PreparedMessage::new("plain, for the context is kept")).await.unwrap();
    drop((receiving, sending));
    let mut wire = Vec::new();
    client.read_to_end(&mut wire).await.unwrap();
    let firsts: Vec<u8> = frames(Role::Server, &wire).iter().map(|frame| frame.0).collect();
    assert_eq!(firsts, [0xc1, 0x81, 0x81, 0xc1, 0x81]);
}

#[tokio::test]
async fn the_level_can_change_on_a_connection_and_on_its_halves() {
    let (mut connection, mut client) = server(Compression::ContextTakeover).await;
    connection.set_compression_level(0);
    connection.send(chat(1)).await.unwrap();
    connection.set_compression_level(9);
    connection.send(chat(2)).await.unwrap();
    let (receiving, sending) = connection.split();
    sending.set_compression_level(0);
    sending.send(chat(3)).await.unwrap();
    drop((receiving, sending));
    let mut wire = Vec::new();
    client.read_to_end(&mut wire).await.unwrap();
    let lens: Vec<usize> = frames(Role::Server, &wire).iter().map(|frame| frame.1.len()).collect();
    let plain = chat(1).len();
    assert!(lens[0] > plain && lens[1] < plain / 5 && lens[2] > plain, "{lens:?} of {plain}");
}

#[tokio::test]
async fn a_handler_answers_compressed_messages_with_compressed_ones() {
    let (mut client, mut server) =
        pair(Compression::ContextTakeover, Compression::ContextTakeover).await;
    let run = async {
        server.run(|message, outbox| outbox.send(message)).await.unwrap();
    };
    let talk = async {
        for n in 0..50 {
            client.send(chat(n)).await.unwrap();
            assert_eq!(client.recv().await.unwrap(), Some(chat(n).into()));
        }
        client.close(ws_tokio::CloseCode::NORMAL, "").await.unwrap();
    };
    tokio::join!(run, talk);
}

#[tokio::test]
async fn deflated_data_that_does_not_inflate_closes_1007() {
    let (mut connection, mut client) = server(Compression::NoContextTakeover).await;
    client.write_all(&frame(Role::Client, 0xc2, b"\xff\xff\xff")).await.unwrap();
    client.shutdown().await.unwrap();
    assert!(matches!(connection.recv().await, Err(Error::Protocol(_))));
    let mut wire = Vec::new();
    client.read_to_end(&mut wire).await.unwrap();
    assert_eq!(wire, b"\x88\x02\x03\xef");
}

#[tokio::test]
async fn a_bomb_closes_1009() {
    let (ours, theirs) = duplex(1 << 20);
    let settings = Settings::default().max_message(1 << 16);
    let options = AcceptOptions::default().compression(Compression::NoContextTakeover);
    let connect = ConnectOptions::default().compression(Compression::NoContextTakeover);
    let options = options.settings(settings);
    let (server, client) = tokio::join!(options.accept(ours), connect.connect_over(theirs, URL));
    let (mut server, mut client) = (server.unwrap(), client.unwrap().0);
    client.send(vec![0; 10 << 20]).await.unwrap();
    let (received, told) = tokio::join!(server.recv(), client.recv());
    assert!(matches!(received, Err(Error::Protocol(_))));
    assert_eq!(told.unwrap_err().close_code().unwrap().get(), 1009);
}
