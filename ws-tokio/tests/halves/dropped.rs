//! Each operation of the halves dropped after n polls, n = 0, 1, 2, ..., over a transport that moves a few bytes at a
//! time: nothing is lost, sent twice, misread, or ended by anybody but its writer.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use ws_tokio::{
    CloseCode, EncodeError, Error, MessageKind, MessageRef, Outbox, RecvHalf, Role, SendHalf,
    Settings,
};

use crate::support::memory::over;
use crate::support::parse::{Frame, frames};
use crate::support::patience::Patience;
use crate::support::scripted::{Script, Scripted, Writes};
use crate::support::wire::{ROLES, close, close_payload, frame, peer_of};

type Receiving = RecvHalf<Scripted>;
type Sending = SendHalf<Scripted>;

/// Runs `law` in both roles, with a drop after each number of polls, until none is left to drop after.
async fn after_every_poll(law: impl AsyncFn(Role, Receiving, Sending, &mut Patience)) {
    for us in ROLES {
        for (portion, writes) in
            [(1, Writes::Plain), (3, Writes::Vectored), (50, Writes::Plain), (50, Writes::Vectored)]
        {
            for polls in 0.. {
                let script = Script { portion, writes };
                let stream = Scripted::new(script, &conversation(us));
                let settings = Settings::default().queue_limit(40).high_water(20);
                let (receiving, sending) = over(stream, us, settings).split();
                let mut patience = Patience::Polls(polls);
                law(us, receiving, sending, &mut patience).await;
                if !patience.ran_out() {
                    break;
                }
            }
        }
    }
}

/// What the peer sends: a message, one in fragments with a ping inside, an empty one, a close.
fn conversation(us: Role) -> Vec<u8> {
    let peer = peer_of(us);
    [
        frame(peer, 0x81, b"one"),
        frame(peer, 0x02, b"a longer "),
        frame(peer, 0x89, b"p"),
        frame(peer, 0x00, b""),
        frame(peer, 0x80, b"message"),
        frame(peer, 0x82, b""),
        close(peer, 1000, "bye"),
    ]
    .concat()
}

/// The payloads of its messages.
const MESSAGES: [&[u8]; 3] = [b"one", b"a longer message", b""];

/// What was written, all in all.
fn written(us: Role, receiving: Receiving, sending: Sending) -> Vec<Frame> {
    frames(us, receiving.reunite(sending).expect("its only halves").get_ref().written())
}

/// What `receive` gives until the end are the messages, and the peer got what it was owed.
async fn receives(receive: impl AsyncFn(&mut Receiving, &mut Patience) -> Option<Vec<u8>>) {
    after_every_poll(async |us, mut receiving, sending, patience| {
        let mut received = Vec::new();
        while let Some(payload) = receive(&mut receiving, patience).await {
            received.push(payload);
        }
        assert_eq!(received, MESSAGES);
        let answers = [(0x8a, b"p".to_vec()), (0x88, close_payload(1000, ""))];
        assert_eq!(written(us, receiving, sending), answers);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_halfs_recv_that_is_dropped_loses_nothing() {
    receives(async |half, patience| {
        loop {
            if let Some(received) = patience.with(half.recv()).await {
                return received.unwrap().map(|message| message.into_bytes().to_vec());
            }
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_halfs_recv_into_that_is_dropped_loses_nothing() {
    receives(async |half, patience| {
        let mut buffer = Vec::new();
        loop {
            if let Some(received) = patience.with(half.recv_into(&mut buffer)).await {
                return received.unwrap().map(|_| buffer);
            }
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_halfs_run_that_is_dropped_loses_nothing() {
    receives(async |half, patience| {
        let first = |message: MessageRef<'_>, _: &mut Outbox<'_>| {
            std::ops::ControlFlow::Break(message.as_bytes().to_vec())
        };
        loop {
            if let Some(ran) = patience.with(half.run(first)).await {
                return ran.unwrap();
            }
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn reader_and_its_reads_that_are_dropped_lose_nothing() {
    receives(async |half, patience| {
        let mut reader = loop {
            match patience.with(half.reader()).await {
                None => {}
                Some(reader) => break reader.unwrap()?,
            }
        };
        let (mut read, mut buffer) = (Vec::new(), [0; 2]);
        loop {
            match patience.with(reader.read(&mut buffer)).await.map(Result::unwrap) {
                None => {}
                Some(0) => return Some(read),
                Some(len) => read.extend_from_slice(&buffer[..len]),
            }
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_is_dropped_drops_its_message_and_no_other() {
    after_every_poll(async |_, mut receiving, _sending, patience| {
        let opens_and_reads = async {
            let mut reader = receiving.reader().await.unwrap().unwrap();
            let mut read = Vec::new();
            reader.read_to_end(&mut read).await.unwrap();
            read
        };
        let whole = patience.with(opens_and_reads).await;
        let mut received = Vec::new();
        while let Some(message) = receiving.recv().await.unwrap() {
            received.push(message.into_bytes());
        }
        let dropped = MESSAGES.len() - received.len();
        assert!(dropped <= 1);
        assert_eq!(received, MESSAGES[dropped..]);
        assert!(whole.is_none_or(|read| dropped == 1 && read == MESSAGES[0]));
    })
    .await;
}

/// What `send` sends is there once, if it came to its end, else at most once, between what was sent before and after.
async fn sends(send: impl AsyncFn(&Sending) -> Result<(), Error>) {
    after_every_poll(async |us, receiving, sending, patience| {
        sending.feed("a message before it").await.expect("an open connection");
        let sent = patience.with(send(&sending)).await;
        sending.send("after").await.expect("an open connection");
        let written: Vec<_> =
            written(us, receiving, sending).into_iter().map(|(_, payload)| payload).collect();
        let without = [&b"a message before it"[..], b"after"];
        let with = [&b"a message before it"[..], b"the message itself", b"after"];
        assert!(written == with || sent.is_none() && written == without, "{written:?}");
    })
    .await;
}

#[tokio::test]
async fn a_halfs_send_that_is_dropped_sent_its_message_whole_or_not_at_all() {
    sends(async |half| half.send("the message itself").await).await;
}

#[tokio::test]
async fn a_halfs_feed_that_is_dropped_queued_its_message_whole_or_not_at_all() {
    sends(async |half| half.feed("the message itself").await).await;
}

#[tokio::test]
async fn a_halfs_ready_and_flush_that_are_dropped_leave_everything_queued() {
    sends(async |half| {
        half.ready(18).await?;
        half.feed("the message itself").await?;
        half.flush().await
    })
    .await;
}

/// Writes a message of ten bytes in two parts with a flush between them.
async fn write(half: &Sending) -> Result<(), Error> {
    let mut writer = half.writer(MessageKind::Binary).await?;
    writer.write_all(b"first").await?;
    writer.flush().await?;
    writer.write_all(b" last").await?;
    writer.finish().await
}

#[tokio::test]
async fn a_writer_that_is_dropped_has_sent_a_part_without_an_end_or_all_or_nothing() {
    after_every_poll(async |us, receiving, sending, patience| {
        let wrote = patience.with(write(&sending)).await;
        let after = sending.send("after").await;
        sending.flush().await.unwrap();
        let written = written(us, receiving, sending);
        let first = (0x02, b"first".to_vec());
        let last = (0x80, b" last".to_vec());
        match after {
            Ok(()) => {
                let (end, message) = written.split_last().unwrap();
                assert_eq!(*end, (0x81, b"after".to_vec()));
                assert!(message == [first, last] || message.is_empty() && wrote.is_none());
            }
            Err(Error::Send(EncodeError::MessageUnderWay)) => {
                assert!(wrote.is_none());
                assert_eq!(written, [first]);
            }
            Err(error) => panic!("{error}"),
        }
    })
    .await;
}

/// Closes, and receives meanwhile where there is a half that can.
async fn close_and_receive(
    receiving: Option<&mut Receiving>,
    sending: &Sending,
) -> Result<(), Error> {
    let receives = async {
        if let Some(half) = receiving {
            while half.recv().await.expect("a normal end").is_some() {}
        }
    };
    tokio::join!(sending.close(CloseCode::new(4000), ""), receives).0
}

#[tokio::test(start_paused = true)]
async fn a_halfs_close_that_is_dropped_and_called_again_sends_one_close_frame() {
    after_every_poll(async |us, mut receiving, sending, patience| {
        sending.feed("queued").await.unwrap();
        let closed = patience.with(close_and_receive(Some(&mut receiving), &sending)).await;
        if let Some(closed) = closed {
            closed.unwrap();
        }
        close_and_receive(Some(&mut receiving), &sending).await.unwrap();
        let written = written(us, receiving, sending);
        assert_eq!(written.iter().filter(|it| it.0 == 0x88).count(), 1);
        assert_eq!(written[0], (0x81, b"queued".to_vec()));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_close_that_drains_what_nobody_receives_can_be_dropped_and_called_again() {
    after_every_poll(async |_, receiving, sending, patience| {
        drop(receiving);
        let closed = patience.with(close_and_receive(None, &sending)).await;
        if let Some(closed) = closed {
            closed.unwrap();
        }
        close_and_receive(None, &sending).await.unwrap();
    })
    .await;
}
