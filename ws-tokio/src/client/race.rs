//! All addresses of a name, raced (RFC 8305): a dead one costs a quarter of a second, not the deadline.

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// How long an attempt is alone before the next one begins beside it (RFC 8305, 5).
const DELAY: Duration = Duration::from_millis(250);

/// Connects to the address that is quickest. The first error is returned if none can be connected to.
pub(super) async fn race<T, F: Future<Output = io::Result<T>>>(
    addresses: Vec<SocketAddr>,
    connect: impl Fn(SocketAddr) -> F,
) -> io::Result<T> {
    let mut waiting = alternating(addresses);
    let mut attempts: Vec<Pin<Box<F>>> = Vec::new();
    let mut first_error = None;
    let mut next = Box::pin(sleep_until(Instant::now()));
    poll_fn(|cx| {
        loop {
            let mut failed = false;
            let mut index = 0;
            while let Some(attempt) = attempts.get_mut(index) {
                match attempt.as_mut().poll(cx) {
                    Poll::Ready(Ok(connected)) => return Poll::Ready(Ok(connected)),
                    Poll::Ready(Err(error)) => {
                        drop(attempts.swap_remove(index));
                        first_error.get_or_insert(error);
                        failed = true;
                    }
                    Poll::Pending => index += 1,
                }
            }
            if waiting.is_empty() && attempts.is_empty() {
                let none = || io::Error::new(io::ErrorKind::NotFound, "the host has no address");
                return Poll::Ready(Err(first_error.take().unwrap_or_else(none)));
            }
            let due = failed || attempts.is_empty() || next.as_mut().poll(cx).is_ready();
            match waiting.pop_front() {
                Some(address) if due => {
                    attempts.push(Box::pin(connect(address)));
                    next.as_mut().reset(Instant::now() + DELAY);
                }
                Some(address) => {
                    waiting.push_front(address);
                    return Poll::Pending;
                }
                None => return Poll::Pending,
            }
        }
    })
    .await
}

/// In the resolver's order of preference, but families alternate (RFC 8305, 4).
fn alternating(addresses: Vec<SocketAddr>) -> VecDeque<SocketAddr> {
    let first = addresses.first().is_some_and(SocketAddr::is_ipv6);
    let (same, other): (Vec<_>, Vec<_>) =
        addresses.into_iter().partition(|address| address.is_ipv6() == first);
    let (mut same, mut other) = (same.into_iter(), other.into_iter());
    let mut mixed = VecDeque::new();
    loop {
        let pair = [same.next(), other.next()];
        if pair == [None, None] {
            return mixed;
        }
        mixed.extend(pair.into_iter().flatten());
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;
    use std::sync::Mutex;

    use tokio::time::sleep;

    use super::*;

    fn addresses(hosts: &[&str]) -> Vec<SocketAddr> {
        hosts.iter().map(|host| format!("{host}:80").parse().expect("an address")).collect()
    }

    fn host(address: SocketAddr) -> String {
        address.ip().to_string()
    }

    #[test]
    fn families_alternate_and_the_resolvers_first_comes_first() {
        let mixed = alternating(addresses(&["[::1]", "[::2]", "[::3]", "1.1.1.1", "2.2.2.2"]));
        let hosts: Vec<_> = mixed.into_iter().map(host).collect();
        assert_eq!(hosts, ["::1", "1.1.1.1", "::2", "2.2.2.2", "::3"]);
        let mixed = alternating(addresses(&["1.1.1.1", "[::1]"]));
        assert_eq!(mixed.into_iter().map(host).collect::<Vec<_>>(), ["1.1.1.1", "::1"]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_dead_address_costs_a_quarter_of_a_second() {
        let since = Instant::now();
        let connected = race(addresses(&["1.1.1.1", "2.2.2.2"]), |address| async move {
            if host(address) == "1.1.1.1" { pending().await } else { Ok(host(address)) }
        });
        assert_eq!(connected.await.expect("the other"), "2.2.2.2");
        assert_eq!(since.elapsed(), DELAY);
    }

    #[tokio::test(start_paused = true)]
    async fn an_address_that_refuses_costs_no_time_and_a_slow_one_may_still_win() {
        let since = Instant::now();
        let slow = Duration::from_millis(300);
        let begun = Mutex::new(Vec::new());
        let connected = race(addresses(&["1.1.1.1", "2.2.2.2", "3.3.3.3"]), |address| {
            begun.lock().expect("no panic").push((host(address), since.elapsed()));
            async move {
                match &*host(address) {
                    "1.1.1.1" => return Err(io::ErrorKind::ConnectionRefused.into()),
                    "2.2.2.2" => sleep(slow).await,
                    _ => pending().await,
                }
                Ok(host(address))
            }
        });
        assert_eq!(connected.await.expect("the second"), "2.2.2.2");
        assert_eq!(since.elapsed(), slow);
        let begun = begun.into_inner().expect("no panic");
        assert_eq!(
            begun.iter().map(|(_, at)| *at).collect::<Vec<_>>(),
            [Duration::ZERO, Duration::ZERO, DELAY]
        );
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_error_is_told_where_none_can_be_connected_to() {
        let failed = race(addresses(&["1.1.1.1", "[::1]"]), |address| async move {
            let refused = address.is_ipv4();
            Err::<(), _>(
                if refused {
                    io::ErrorKind::ConnectionRefused
                } else {
                    io::ErrorKind::HostUnreachable
                }
                .into(),
            )
        });
        assert_eq!(failed.await.expect_err("none").kind(), io::ErrorKind::ConnectionRefused);
        let none = race(Vec::new(), |_| pending::<io::Result<()>>());
        assert_eq!(none.await.expect_err("none").kind(), io::ErrorKind::NotFound);
    }
}
