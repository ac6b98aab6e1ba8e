//! A client for lines: `cargo run -p ws-tokio --example echo_client URL [OPTION...]`
//!
//! Sends each line of standard input as a text message and prints the answers. At the end of input it closes with
//! 1000. It fails, and says why, where the server closed with anything but 1000 or 1001.
//!
//! | option | what | feature |
//! |---|---|---|
//! | `--compress`, `--compress=takeover` | offers compression, without or with context takeover | |
//! | `--header 'NAME: VALUE'` | adds a header to the request; may be repeated | |
//! | `--proxy URL` | connects through a proxy: `http://`, `https://` or `socks5://` | `proxy` |
//! | `--proxy-from-env` | connects through the proxy that the environment names | `proxy` |
//! | `--root FILE` | trusts one more root, in PEM | `rustls` |
//! | `--http2` | speaks HTTP/2: over `wss` if the server does, over `ws` at once | `http2` |
//! | `--insecure` | DANGEROUS: trusts any server, so that anybody on the way can read and change everything | `rustls` |
//!
//! `wss` URLs need a provider and roots: `--features ring,webpki-roots`.

#[cfg(feature = "rustls")]
#[path = "support/insecure.rs"]
mod insecure;

use std::error::Error;
use std::process::ExitCode;

use tokio::io::{AsyncBufReadExt, BufReader, stdin};
use ws_tokio::http::header::{HeaderName, HeaderValue};
use ws_tokio::{CloseCode, Compression, ConnectOptions, Connection, Message, Transport};

const USAGE: &str = "usage: echo_client URL [--compress[=takeover]] [--header 'NAME: VALUE']... \
    [--proxy URL | --proxy-from-env] [--root FILE] [--insecure] [--http2]";

type Failure = Box<dyn Error>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let Some(url) = args.next().filter(|url| !url.starts_with('-')) else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    let options = match Options::parse(args) {
        Ok(options) => options,
        Err(error) => {
            eprintln!("{error}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    let talked = talk(&url, &options).await;
    if let Err(error) = &talked {
        eprintln!("{url}: {error}");
    }
    // Not by returning: the thread that waits for standard input would be waited for.
    std::process::exit(i32::from(talked.is_err()))
}

struct Options {
    connect: ConnectOptions,
    http2: bool,
}

impl Options {
    fn parse(args: impl Iterator<Item = String>) -> Result<Self, Failure> {
        let (http2, others): (Vec<_>, Vec<_>) = args.partition(|arg| arg == "--http2");
        Ok(Self { connect: connect_options(others.into_iter())?, http2: !http2.is_empty() })
    }

    async fn connect(&self, url: &str) -> Result<Connection<Transport>, Failure> {
        let Self { connect, http2 } = self;
        if !http2 {
            return Ok(connect.connect(url).await?.0);
        }
        #[cfg(feature = "http2")]
        return over_http2(url, connect).await;
        #[cfg(not(feature = "http2"))]
        return Err("HTTP/2 needs the feature `http2`".into());
    }
}

#[cfg(feature = "http2")]
async fn over_http2(url: &str, options: &ConnectOptions) -> Result<Connection<Transport>, Failure> {
    use ws_tokio::{Http2Options, Http2Session};

    if url.starts_with("wss:") {
        return Ok(options.clone().prefer_http2(Http2Options::default()).connect(url).await?.0);
    }
    let target = ws_tokio::handshake::client::Target::parse(url)?;
    let session = Http2Session::new(url, options, Http2Options::default())?;
    Ok(session.open(target.path().as_str(), options).await?.0)
}

fn connect_options(mut args: impl Iterator<Item = String>) -> Result<ConnectOptions, Failure> {
    let mut options = ConnectOptions::default();
    while let Some(flag) = args.next() {
        let mut value = || args.next().ok_or_else(|| format!("{flag} needs a value"));
        options = match flag.as_str() {
            "--compress" => options.compression(Compression::NoContextTakeover),
            "--compress=takeover" => options.compression(Compression::ContextTakeover),
            "--header" => {
                let header = value()?;
                let (name, value) = header.split_once(':').ok_or("a header is NAME: VALUE")?;
                options.header(
                    name.trim().parse::<HeaderName>()?,
                    HeaderValue::from_str(value.trim())?,
                )
            }
            #[cfg(feature = "proxy")]
            "--proxy" => options.proxy(value()?.parse()?),
            #[cfg(feature = "proxy")]
            "--proxy-from-env" => options.proxy_from_env(),
            #[cfg(feature = "rustls")]
            "--root" => {
                use ws_tokio::rustls::pki_types::CertificateDer;
                use ws_tokio::rustls::pki_types::pem::PemObject;

                options.add_tls_root(CertificateDer::from_pem_file(value()?)?)
            }
            #[cfg(feature = "rustls")]
            "--insecure" => options.tls(insecure::config()?),
            _ => return Err(format!("{flag} is unknown, or its feature is off").into()),
        };
    }
    Ok(options)
}

async fn talk(url: &str, options: &Options) -> Result<(), Failure> {
    let mut connection = options.connect(url).await?;
    let mut lines = BufReader::new(stdin()).lines();
    loop {
        tokio::select! {
            line = lines.next_line() => match line? {
                Some(line) => connection.send(line).await?,
                None => return Ok(connection.close(CloseCode::NORMAL, "").await?),
            },
            received = connection.recv() => match received? {
                Some(Message::Text(text)) => println!("{text}"),
                Some(Message::Binary(bytes)) => println!("{} bytes", bytes.len()),
                None => return Ok(()),
            },
        }
    }
}
