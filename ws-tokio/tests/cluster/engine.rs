//! What the tests need of an engine, whichever it is.

use std::time::Duration;

use tokio::time::{Instant, sleep};
use ws_tokio::{Hub, HubOptions, Subscriber};

/// A server that carries messages between hubs.
pub(crate) trait Engine: Send + 'static {
    fn port(&self) -> u16;

    /// A hub over the server at this port.
    fn hub_at(port: u16, options: HubOptions) -> Hub;

    /// Lets it answer nothing, or again.
    fn pauses(&self, pauses: bool);

    fn dies(&mut self);

    fn comes_back(&mut self);

    fn hub(&self, options: HubOptions) -> Hub {
        Self::hub_at(self.port(), options)
    }
}

macro_rules! engine {
    ($feature:literal, $engine:ty, $bus:ident, $scheme:literal) => {
        #[cfg(feature = $feature)]
        impl Engine for $engine {
            fn port(&self) -> u16 {
                let (_, port) = self
                    .url()
                    .rsplit_once(':')
                    .map(|(a, b)| (a.to_owned(), b.to_owned()))
                    .expect("a port");
                port.parse().expect("a port")
            }

            fn hub_at(port: u16, options: HubOptions) -> Hub {
                let url = format!("{}://127.0.0.1:{port}", $scheme);
                Hub::over(ws_tokio::$bus::new(&url).expect("an address"), options)
            }

            fn pauses(&self, pauses: bool) {
                if pauses { self.pause() } else { self.resume() }
            }

            fn dies(&mut self) {
                self.kill();
            }

            fn comes_back(&mut self) {
                self.restart();
            }
        }
    };
}

engine!("nats", crate::nats_server::Engine, Nats, "nats");
engine!("redis", crate::redis_server::Engine, Redis, "redis");

/// Waits until something is so.
pub(crate) async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !is_so() {
        assert!(begin.elapsed() < Duration::from_secs(60), "not {what}");
        sleep(Duration::from_millis(2)).await;
    }
}

pub(crate) async fn connected(hub: &Hub) {
    until("connected", || hub.bus_stats().expect("a bus").is_connected).await;
}

/// Subscribes, and waits until that holds for all nodes.
pub(crate) async fn subscriber(hub: &Hub, topics: &[&str]) -> Subscriber {
    let subscriber = hub.subscriber();
    for topic in topics {
        subscriber.subscribe(topic).expect("room");
    }
    subscriber.settled().await;
    subscriber
}
