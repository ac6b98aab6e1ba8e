//! TLS with each provider alone, with both and with none, with roots and without: a program that is built so, by itself, connects,
//! or says what it lacks.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use ws_tokio::rustls::ServerConfig;
use ws_tokio::rustls::crypto::ring;
use ws_tokio::{Server, ServerTls};

/// What a program says, which has these features, of a server whose root it is told or not.
struct Case {
    features: &'static str,
    told_the_root: bool,
    /// In place of an echo.
    says: Option<&'static str>,
}

const fn echoes(features: &'static str) -> Case {
    Case { features, told_the_root: true, says: None }
}

const fn fails(features: &'static str, told_the_root: bool, says: &'static str) -> Case {
    Case { features, told_the_root, says: Some(says) }
}

const CASES: [Case; 9] = [
    echoes("deflate,ring"),
    echoes("deflate,ring,webpki-roots"),
    echoes("deflate,aws-lc-rs,webpki-roots"),
    echoes("deflate,ring,platform-verifier"),
    fails("deflate,ring,webpki-roots", false, "invalid peer certificate"),
    fails("deflate,ring", false, "TLS has no roots to verify servers by"),
    fails("deflate,webpki-roots", true, "TLS has no provider of cryptography"),
    fails("deflate,ring,aws-lc-rs,webpki-roots", true, "TLS has two providers of cryptography"),
    fails("deflate", false, "the URL asks for TLS, and the feature `rustls` is off"),
];

#[tokio::test(flavor = "multi_thread")]
async fn each_choice_of_features_connects_or_says_what_it_lacks() {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("providers");
    fs::create_dir_all(&folder).unwrap();
    let (tls, root) = certified();
    let file = folder.join("root.pem");
    fs::write(&file, root).unwrap();
    let server = Server::bind("127.0.0.1:0").await.unwrap();
    let url = format!("wss://localhost:{}/", server.local_addr().unwrap().port());
    tokio::spawn(server.tls(tls).serve(|mut connection| async move {
        _ = connection.run(|message, outbox| outbox.send(message)).await;
    }));
    for Case { features, told_the_root, says } in CASES {
        let client = build(&folder, features);
        let mut command = Command::new(client);
        command.arg(&url);
        if told_the_root {
            command.arg("--root").arg(&file);
        }
        let (status, out, error) = tokio::task::block_in_place(|| run(&mut command));
        match says {
            None => assert_eq!((status, &*out), (true, "hello\n"), "{features}: {error}"),
            Some(says) => {
                assert!(!status && error.contains(says), "{features}: {out}{error}");
                assert!(!error.contains("panicked"), "{features}: {error}");
            }
        }
    }
}

/// TLS of a server for localhost, and its certificate, which is its root, in PEM.
fn certified() -> (ServerTls, String) {
    let signed = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("fine");
    let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let builder =
        builder.with_safe_default_protocol_versions().expect("fine").with_no_client_auth();
    let chain = vec![signed.cert.der().clone()];
    let config = builder.with_single_cert(chain, signed.signing_key.into()).expect("fine");
    (ServerTls::new(config), signed.cert.pem())
}

/// Builds the client's example with these features and no others.
fn build(folder: &Path, features: &str) -> PathBuf {
    let output = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--package", "ws-tokio", "--example", "echo_client"])
        .args(["--no-default-features", "--features", features])
        .env("CARGO_TARGET_DIR", folder)
        .output()
        .expect("fine");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    folder.join("debug/examples/echo_client").with_extension(std::env::consts::EXE_EXTENSION)
}

/// Says hello; whether it ended well, and what it said.
fn run(command: &mut Command) -> (bool, String, String) {
    let pipes = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = pipes.spawn().expect("fine");
    let mut stdin = child.stdin.take().expect("fine");
    // One that failed at once doesn't listen.
    _ = stdin.write_all(b"hello\n");
    // It closes at the end of input, which must not come before the answer.
    let mut line = String::new();
    let mut stdout = std::io::BufReader::new(child.stdout.take().expect("fine"));
    std::io::BufRead::read_line(&mut stdout, &mut line).expect("fine");
    drop(stdin);
    let output = child.wait_with_output().expect("fine");
    (output.status.success(), line, String::from_utf8_lossy(&output.stderr).into_owned())
}
