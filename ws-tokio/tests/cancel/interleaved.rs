//! All operations in any order, each dropped after any number of polls: the law, over random programs.

use proptest::prelude::*;
use ws_tokio::{Connection, Error, Message, Role, Settings};

use crate::Case;
use crate::support::parse::frames;
use crate::support::patience::Patience;
use crate::support::scripted::{Script, Scripted, Writes};
use crate::support::wire::{ROLES, close, frame, peer_of};

/// One step of a program: an operation, and after how many polls it is dropped.
#[derive(Clone, Copy, Debug)]
enum Step {
    Recv(usize),
    RecvInto(usize),
    Run(usize),
    Send(usize, usize),
    Feed(usize, usize),
    Flush(usize),
    Ping,
}

/// What went through the connection, as far as its user knows.
#[derive(Debug, Default)]
struct Model {
    received: Vec<Vec<u8>>,
    sent: Vec<Vec<u8>>,
}

fn step() -> impl Strategy<Value = Step> {
    let (polls, len) =
        (0..12_usize, prop_oneof![0..20_usize, 120..130_usize, 16_380..16_390_usize]);
    prop_oneof![
        polls.clone().prop_map(Step::Recv),
        polls.clone().prop_map(Step::RecvInto),
        polls.clone().prop_map(Step::Run),
        (polls.clone(), len.clone()).prop_map(|(polls, len)| Step::Send(polls, len)),
        (polls.clone(), len).prop_map(|(polls, len)| Step::Feed(polls, len)),
        polls.prop_map(Step::Flush),
        Just(Step::Ping),
    ]
}

fn script() -> impl Strategy<Value = Script> {
    let portion = prop_oneof![1..8_usize, 100..9000_usize];
    let writes = prop_oneof![Just(Writes::Plain), Just(Writes::Vectored)];
    (portion, writes).prop_map(|(portion, writes)| Script { portion, writes })
}

impl Model {
    async fn take(&mut self, step: Step, connection: &mut Connection<Scripted>) {
        match step {
            Step::Recv(polls) => {
                let received = Patience::Polls(polls).with(connection.recv()).await;
                self.keep(received.and_then(Result::ok).flatten().map(Message::into_bytes));
            }
            Step::RecvInto(polls) => {
                let mut buffer = Vec::new();
                let received = Patience::Polls(polls).with(connection.recv_into(&mut buffer)).await;
                self.keep(received.and_then(Result::ok).flatten().map(|_| buffer));
            }
            Step::Run(polls) => {
                let received = &mut self.received;
                let run = connection.run(|message, _| received.push(message.as_bytes().to_vec()));
                _ = Patience::Polls(polls).with(run).await;
            }
            Step::Send(polls, len) => {
                let before = taken(connection);
                let (payload, mut patience) = (self.payload(len), Patience::Polls(polls));
                let sent = patience.with(connection.send(payload.clone())).await;
                self.note(payload, sent, taken(connection) > before);
            }
            Step::Feed(polls, len) => {
                let before = taken(connection);
                let (payload, mut patience) = (self.payload(len), Patience::Polls(polls));
                let fed = patience.with(connection.feed(payload.clone())).await;
                self.note(payload, fed, taken(connection) > before);
            }
            Step::Flush(polls) => _ = Patience::Polls(polls).with(connection.flush()).await,
            Step::Ping => _ = connection.ping(),
        }
    }

    fn keep(&mut self, received: Option<impl Into<Vec<u8>>>) {
        self.received.extend(received.map(Into::into));
    }

    /// A payload unlike those before it.
    fn payload(&self, len: usize) -> Vec<u8> {
        vec![self.sent.len() as u8; len]
    }

    fn note(&mut self, payload: Vec<u8>, sent: Option<Result<(), Error>>, queued: bool) {
        match sent {
            Some(Ok(())) => self.sent.push(payload),
            None if queued => self.sent.push(payload),
            None | Some(Err(_)) => assert!(!queued, "a failed send queued something"),
        }
    }
}

fn taken(connection: &Connection<Scripted>) -> usize {
    connection.get_ref().written().len() + connection.queued()
}

/// What the peer says: messages of growing lengths, one of them in fragments with a ping inside.
fn incoming(peer: Role) -> (Vec<u8>, Vec<Vec<u8>>) {
    let payloads: Vec<_> = (0..12).map(|n| vec![n; usize::from(n) * 13]).collect();
    let whole = payloads.iter().map(|payload| frame(peer, 0x82, payload));
    let fragments = [frame(peer, 0x02, b"a"), frame(peer, 0x89, b"p"), frame(peer, 0x80, b"b")];
    let wire = whole.chain(fragments).chain([close(peer, 1000, "")]).collect::<Vec<_>>().concat();
    (wire, payloads.into_iter().chain([b"ab".to_vec()]).collect())
}

async fn holds(role: Role, script: Script, program: Vec<Step>) {
    let (wire, said) = incoming(peer_of(role));
    let case = Case { role, script, patience: Patience::Endless };
    let settings = Settings::default().queue_limit(200).high_water(100);
    let (mut connection, mut model) = (case.connection(settings, &wire), Model::default());
    for step in program {
        model.take(step, &mut connection).await;
    }
    while let Some(message) = connection.recv().await.expect("a message") {
        model.keep(Some(message.into_bytes()));
    }
    assert_eq!(model.received, said);
    let written = frames(role, connection.get_ref().written());
    let of = |opcode: u8| written.iter().filter(move |it| it.0 == 0x80 | opcode).map(|it| &it.1);
    assert!(of(2).eq(&model.sent), "each message once and in order");
    assert_eq!(of(10).collect::<Vec<_>>(), [b"p"], "one pong");
    assert_eq!(written.last(), Some(&(0x88, b"\x03\xe8".to_vec())), "the answer to the close");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

    #[test]
    fn operations_dropped_anywhere_in_any_order_lose_nothing_and_repeat_nothing(
        role in proptest::sample::select(&ROLES[..]),
        script in script(),
        program in proptest::collection::vec(step(), 0..40),
    ) {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_time().start_paused(true).build().expect("a runtime");
        runtime.block_on(tokio::task::unconstrained(holds(role, script, program)));
    }
}
