//! Serving on a port until told to go, and closing every connection then.

use std::error::Error;
use std::future::IntoFuture;
use std::time::Duration;

use axum::Router;
use axum::serve::ListenerExt;
use tokio::net::TcpListener;
use ws_tokio::Tracker;

/// How long connections may take to close.
const PATIENCE: Duration = Duration::from_secs(10);

/// Serves until Ctrl-C or SIGTERM. Says where it listens, and how many connections it closed.
pub(crate) async fn until_told_to_go(
    address: &str,
    router: Router,
    tracker: &Tracker,
) -> Result<(), Box<dyn Error + Send + Sync>> {
    let listener =
        TcpListener::bind(address).await.map_err(|error| format!("{address}: {error}"))?;
    println!("listening on http://{}", listener.local_addr()?);
    let listener = listener.tap_io(|tcp| _ = tcp.set_nodelay(true));
    let served = axum::serve(listener, router).with_graceful_shutdown(told_to_go()).into_future();
    let closed = async {
        told_to_go().await;
        tracker.shutdown(PATIENCE).await
    };
    let shutdown = tokio::select! {
        // Not joined: browsers open connections ahead and send no request on them, for which axum would wait.
        shutdown = closed => shutdown,
        Err(error) = served => return Err(error.into()),
    };
    println!("{} closed, {} cut", shutdown.closed, shutdown.cut.len());
    Ok(())
}

/// Waits for Ctrl-C, or for what service managers send.
async fn told_to_go() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminated = signal(SignalKind::terminate()).expect("a handler");
        tokio::select! {
            _ = terminated.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        }
    }
    #[cfg(not(unix))]
    let _ = tokio::signal::ctrl_c().await;
}
