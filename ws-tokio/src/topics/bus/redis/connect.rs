//! Connecting: what a client must be like, and how long it may take.

use std::time::Duration;

use redis::aio::{AsyncPushSender, MultiplexedConnection};
use redis::{AsyncConnectionConfig, Client, ProtocolVersion, RedisError};

/// How long a connection may take to be made, and a reply to come.
const PATIENCE: Duration = Duration::from_secs(5);

/// The client, with RESP3: its messages need no connection in a mode of its own.
pub(super) fn prepared(client: Client) -> Client {
    let info = client.get_connection_info().clone();
    let settings = info.redis_settings().clone().set_protocol(ProtocolVersion::RESP3);
    let tcp = info.tcp_settings().clone().set_nodelay(true);
    let info = info.set_redis_settings(settings).set_tcp_settings(tcp);
    // The conversion is the identity.
    Client::open(info).unwrap_or(client)
}

pub(super) async fn connect(
    client: &Client,
    pushes: impl AsyncPushSender,
) -> Result<MultiplexedConnection, RedisError> {
    #[cfg(feature = "rustls")]
    provider_is_known(client)?;
    let config = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(PATIENCE))
        .set_response_timeout(Some(PATIENCE))
        .set_push_sender(pushes);
    client.get_multiplexed_async_connection_with_config(&config).await
}

/// The crate `redis` would install a provider for the whole process, or panic if it can't choose.
#[cfg(feature = "rustls")]
fn provider_is_known(client: &Client) -> Result<(), RedisError> {
    use redis::{ConnectionAddr, ErrorKind};
    use tokio_rustls::rustls::crypto::CryptoProvider;

    let tls = matches!(client.get_connection_info().addr(), ConnectionAddr::TcpTls { .. });
    if tls && CryptoProvider::get_default().is_none() {
        let what = "TLS needs a default provider: call CryptoProvider::install_default";
        return Err((ErrorKind::InvalidClientConfig, what).into());
    }
    Ok(())
}
