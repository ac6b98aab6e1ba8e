//! Connections that come back: when, how often, and when no more.

use std::collections::VecDeque;
use std::io;
use std::time::Duration;

use futures_util::StreamExt;
use tokio::io::DuplexStream;
use tokio::time::Instant;
use ws_tokio::http::{Response, StatusCode};
use ws_tokio::{
    AcceptOptions, CloseCode, ConnectError, ConnectOptions, Connection, Reconnect, Step, pipe_with,
};

type AnyStream = Result<(Connection<DuplexStream>, Response<()>), ConnectError>;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// What a dial comes to.
#[derive(Clone, Copy)]
enum Comes {
    /// A connection that the server closes with this code.
    Closed(u16),
    /// A connection that is cut.
    Cut,
    Io,
    Timeout,
    Refused(u16),
}

/// Dials that come to these, one after the other, and then to nothing any more.
fn dials(
    list: &[Comes],
) -> impl FnMut() -> std::pin::Pin<Box<dyn Future<Output = AnyStream>>> + use<> {
    let mut list: VecDeque<_> = list.iter().copied().collect();
    move || {
        let next = list.pop_front().expect("no further dial");
        Box::pin(dial(next))
    }
}

async fn dial(comes: Comes) -> AnyStream {
    match comes {
        Comes::Io => Err(ConnectError::Io(io::ErrorKind::ConnectionRefused.into())),
        Comes::Timeout => Err(ConnectError::Timeout(Step::Dial)),
        Comes::Refused(status) => {
            let mut response = Response::default();
            *response.status_mut() = StatusCode::from_u16(status).expect("fine");
            Err(ConnectError::Refused(Box::new(response)))
        }
        Comes::Closed(_) | Comes::Cut => {
            let connected =
                pipe_with(&ConnectOptions::default(), &AcceptOptions::default(), 4096).await;
            let (client, mut server) = connected.expect("fine");
            tokio::spawn(async move {
                if let Comes::Closed(code) = comes {
                    _ = server.close(CloseCode::new(code), "").await;
                }
            });
            Ok((client, Response::default()))
        }
    }
}

/// Receives to the end, and tells how it came.
async fn use_up<D, F>(connections: &mut Reconnect<D, F>, mut connection: Connection<DuplexStream>)
where
    D: FnMut() -> F,
    F: Future<Output = AnyStream>,
{
    while let Ok(Some(_)) = connection.recv().await {}
    connections.ended(connection.close_frame());
}

#[tokio::test(start_paused = true)]
async fn the_first_attempt_is_at_once_and_pauses_grow_to_their_limit() {
    let mut connections = Reconnect::new(dials(&[Comes::Io; 12])).max_attempts(12);
    let since = Instant::now();
    let error = connections.connect().await.unwrap().unwrap_err();
    assert!(matches!(error, ConnectError::Io(_)));
    assert_eq!(connections.attempts(), 12);
    // 1, 2, 4, 8, 16 s, and then 30 s six times: each at least half of it.
    let most = Duration::from_secs(1 + 2 + 4 + 8 + 16 + 6 * 30);
    let took = since.elapsed();
    assert!(took >= most / 2 && took <= most + Duration::from_millis(20), "{took:?}");
    assert!(connections.connect().await.is_none(), "that was final");
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_was_lost_comes_back_after_a_pause_and_the_count_starts_anew() {
    let list = [Comes::Cut, Comes::Io, Comes::Timeout, Comes::Refused(503), Comes::Closed(1001)];
    let mut connections = Reconnect::new(dials(&list));
    let since = Instant::now();
    let connection = connections.connect().await.unwrap().unwrap();
    assert!(since.elapsed() < Duration::from_millis(10));
    use_up(&mut connections, connection).await;
    let connection = connections.connect().await.unwrap().unwrap();
    let took = since.elapsed();
    assert!(took >= Duration::from_secs(15) / 2 && took < Duration::from_secs(16), "{took:?}");
    assert_eq!((connections.attempts(), connection.role()), (0, ws_tokio::Role::Client));
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_lasted_starts_the_pauses_anew_and_one_that_did_not_goes_on() {
    let list = [Comes::Io, Comes::Io, Comes::Io, Comes::Io, Comes::Cut, Comes::Cut, Comes::Cut];
    let mut connections = Reconnect::new(dials(&list));
    let connection = connections.connect().await.unwrap().unwrap();
    use_up(&mut connections, connection).await;
    let since = Instant::now();
    let connection = connections.connect().await.unwrap().unwrap();
    assert!(since.elapsed() >= Duration::from_secs(8), "the fifth pause");
    tokio::time::sleep(Duration::from_secs(30)).await;
    use_up(&mut connections, connection).await;
    let since = Instant::now();
    connections.connect().await.unwrap().unwrap();
    assert!(since.elapsed() <= Duration::from_millis(1010), "the first pause");
}

#[tokio::test(start_paused = true)]
async fn a_policy_violation_and_an_answer_that_forbids_are_final() {
    let mut connections = Reconnect::new(dials(&[Comes::Closed(1008)]));
    let connection = connections.connect().await.unwrap().unwrap();
    use_up(&mut connections, connection).await;
    assert!(connections.connect().await.is_none());
    for (status, is_final) in [
        (400, true),
        (401, true),
        (403, true),
        (404, true),
        (408, false),
        (429, false),
        (500, false),
    ] {
        let mut connections = Reconnect::new(dials(&[Comes::Refused(status), Comes::Cut]));
        let next = connections.connect().await.unwrap();
        assert_eq!(next.is_err(), is_final, "{status}");
        assert_eq!(connections.attempts(), u32::from(is_final));
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_final_is_the_callers_choice() {
    let mut connections = Reconnect::new(dials(&[Comes::Closed(1008), Comes::Closed(4000)]))
        .final_codes(|code| code.get() == 4000);
    for is_final in [false, true] {
        let connection = connections.connect().await.unwrap().unwrap();
        use_up(&mut connections, connection).await;
        assert!(format!("{connections:?}").starts_with("Reconnect"));
        if is_final {
            assert!(connections.connect().await.is_none());
        }
    }
    let mut connections =
        Reconnect::new(dials(&[Comes::Refused(404), Comes::Cut])).fatal_errors(|_| false);
    connections.connect().await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_pause_that_is_given_up_goes_on_with_the_next_call() {
    let mut connections = Reconnect::new(dials(&[Comes::Io, Comes::Cut]))
        .pauses(Duration::from_secs(10), Duration::from_secs(10));
    let since = Instant::now();
    for _ in 0..20 {
        let soon = tokio::time::timeout(Duration::from_secs(1), connections.connect()).await;
        if let Ok(next) = soon {
            next.unwrap().unwrap();
            break;
        }
    }
    let took = since.elapsed();
    assert!(took >= Duration::from_secs(5) && took <= Duration::from_secs(11), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn it_is_a_stream_of_connections() {
    let list = [Comes::Cut, Comes::Cut, Comes::Refused(403)];
    let connections: Vec<_> = Reconnect::new(dials(&list)).collect().await;
    let fine: Vec<_> = connections.iter().map(Result::is_ok).collect();
    assert_eq!(fine, [true, true, false]);
}

#[tokio::test(start_paused = true)]
async fn any_pause_is_fine() {
    for (first, longest) in
        [(Duration::ZERO, Duration::ZERO), (DAY, Duration::from_secs(1)), (Duration::ZERO, DAY)]
    {
        let connections = Reconnect::new(dials(&[Comes::Io, Comes::Cut]));
        connections.pauses(first, longest).connect().await.unwrap().unwrap();
    }
    let mut never = Reconnect::new(dials(&[Comes::Io])).pauses(Duration::MAX, Duration::MAX);
    assert!(tokio::time::timeout(365 * DAY, never.connect()).await.is_err());
}
