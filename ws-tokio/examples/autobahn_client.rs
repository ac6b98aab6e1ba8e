//! Runs all cases of an Autobahn fuzzing server: `autobahn_client ws://127.0.0.1:9001 AGENT [--http2]`
//!
//! With `--http2` and the feature `http2`, it speaks that, for a proxy between it and the suite.

use std::error::Error;
use std::time::Duration;

use ws_tokio::{Compression, ConnectError, ConnectOptions, Connection, Settings, Transport};
#[cfg(feature = "http2")]
use ws_tokio::{Http2Options, Http2Session};

/// The suite, and how to get there.
struct Suite {
    url: String,
    options: ConnectOptions,
    #[cfg(feature = "http2")]
    session: Option<Http2Session>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let (Some(url), Some(agent)) = (args.next(), args.next()) else {
        return Err("usage: autobahn_client URL AGENT [--http2]".into());
    };
    let suite = Suite::new(url, args.next().as_deref() == Some("--http2"))?;
    let cases = suite.case_count().await?;
    for case in 1..=cases {
        let mut connection = suite.open(&format!("/runCase?case={case}&agent={agent}")).await?;
        // Most cases end in an error on purpose; the server judges them.
        _ = connection.run(|message, outbox| outbox.send(message)).await;
    }
    let mut reports = suite.open(&format!("/updateReports?agent={agent}")).await?;
    reports.recv().await?;
    println!("{cases} cases run");
    Ok(())
}

impl Suite {
    fn new(url: String, over_http2: bool) -> Result<Self, Box<dyn Error>> {
        let settings =
            Settings::default().max_message(64 << 20).close_timeout(Duration::from_secs(10));
        // The suite agrees where a case is about compression.
        let options = ConnectOptions::default().compression(Compression::ContextTakeover);
        let options = options.settings(settings);
        #[cfg(not(feature = "http2"))]
        if over_http2 {
            return Err("HTTP/2 needs the feature `http2`".into());
        }
        Ok(Self {
            #[cfg(feature = "http2")]
            session: over_http2
                .then(|| Http2Session::new(&*url, &options, Http2Options::default()))
                .transpose()?,
            url,
            options,
        })
    }

    async fn case_count(&self) -> Result<u32, Box<dyn Error>> {
        let mut connection = self.open("/getCaseCount").await?;
        let count = connection.recv().await?.ok_or("no case count")?;
        Ok(count.as_text().ok_or("a case count that is no text")?.parse()?)
    }

    async fn open(&self, path: &str) -> Result<Connection<Transport>, ConnectError> {
        #[cfg(feature = "http2")]
        if let Some(session) = &self.session {
            return Ok(session.open(path, &self.options).await?.0);
        }
        Ok(self.options.connect(format!("{}{path}", self.url)).await?.0)
    }
}
