//! Hubs of several nodes over real engines: what a model of them says while all is well, and what is left of it while the engine is killed,
//! paused, cut off, or throws a node out.
#![cfg(any(feature = "nats", feature = "redis"))]

mod engine;
mod model;
#[cfg(feature = "nats")]
#[path = "../engines/nats_server.rs"]
mod nats_server;
mod outages;
#[cfg(feature = "redis")]
#[path = "../engines/redis_server.rs"]
#[expect(dead_code, reason = "these tests need no more than a plain server")]
mod redis_server;
mod relay;

/// Tests with each engine.
macro_rules! with_each_engine {
    ($($test:ident),* $(,)?) => {
        #[cfg(feature = "nats")]
        mod nats {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                if let Some(server) = crate::nats_server::Engine::start() {
                    super::$test(server).await;
                }
            })*
        }

        #[cfg(feature = "redis")]
        mod redis {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                if let Some(server) = crate::redis_server::Engine::start() {
                    super::$test(server).await;
                }
            })*
        }
    };
}
use with_each_engine;
