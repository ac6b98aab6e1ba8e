//! Which web pages may connect.

use ws_tokio::AcceptOptions;
use ws_tokio::handshake::origin::OriginPolicy;

use super::handshake_server::{adding, answered};

/// Whether a page of these origins may connect to `server.example.com`; the answer is a 403 where not.
async fn allowed(policy: OriginPolicy, origins: &[&str]) -> bool {
    let lines = origins.iter().map(|origin| format!("Origin: {origin}")).collect::<Vec<_>>();
    let request = if origins.is_empty() { adding("X: y") } else { adding(&lines.join("\r\n")) };
    let (answer, accepted) = answered(&AcceptOptions::default().origins(policy), request).await;
    let status = if accepted.is_ok() { "HTTP/1.1 101 " } else { "HTTP/1.1 403 " };
    assert!(answer.starts_with(status), "{answer}");
    accepted.is_ok()
}

fn patterns(patterns: &[&str]) -> OriginPolicy {
    OriginPolicy::patterns(patterns.iter().copied())
}

#[tokio::test]
async fn no_origin_and_the_requests_own_host_are_allowed() {
    for origins in [&[][..], &["https://server.example.com"], &["http://SERVER.example.com:80"]] {
        assert!(allowed(OriginPolicy::SameHost, origins).await, "{origins:?}");
    }
}

#[tokio::test]
async fn a_foreign_origin_is_a_403_whose_body_names_origin_and_host() {
    let request = adding("Origin: https://evil.example");
    let (answer, _) = answered(&AcceptOptions::default(), request).await;
    assert!(answer.starts_with("HTTP/1.1 403 Forbidden\r\n"), "{answer}");
    let body = answer.split_once("\r\n\r\n").unwrap().1;
    assert!(body.contains("https://evil.example") && body.contains("server.example.com"), "{body}");
}

#[tokio::test]
async fn foreign_null_and_repeated_origins_are_refused() {
    let own = "https://server.example.com";
    for origins in [
        &["https://evil.example"][..],
        &["https://server.example.com.evil.example"],
        &["https://server.example.com:8443"],
        &["null"],
        &[""],
        &[own, own],
    ] {
        assert!(!allowed(OriginPolicy::SameHost, origins).await, "{origins:?}");
    }
}

#[tokio::test]
async fn patterns_allow_what_they_match_in_any_case() {
    for (pattern, origin) in [
        ("other.example", "https://OTHER.example"),
        ("*.other.example", "https://a.b.other.example"),
        ("other.example:80?0", "http://other.example:8080"),
        ("https://*.example", "https://other.example"),
        ("null", "null"),
        ("file://", "file://"),
        ("app://.", "app://."),
        ("chrome-extension://knldjmfmopnpolahp", "chrome-extension://knldjmfmopnpolahp"),
        ("capacitor://localhost", "capacitor://localhost"),
    ] {
        assert!(allowed(patterns(&["x", pattern]), &[origin]).await, "{pattern} {origin}");
    }
}

#[tokio::test]
async fn patterns_allow_nothing_else() {
    for (pattern, origin) in [
        ("other.example", "https://other.example:8443"),
        ("*.other.example", "https://other.example"),
        ("https://*.example", "http://other.example"),
        ("*", "null"),
        ("*://*", "file://"),
        ("app://.", "app://"),
    ] {
        assert!(!allowed(patterns(&[pattern]), &[origin]).await, "{pattern} {origin}");
    }
}

#[tokio::test]
async fn repeated_origins_are_allowed_where_all_are_listed() {
    let listed = patterns(&["a.example", "b.example"]);
    assert!(allowed(listed.clone(), &["https://a.example", "https://b.example"]).await);
    assert!(!allowed(listed, &["https://a.example", "https://c.example"]).await);
}

#[tokio::test]
async fn any_origin_is_a_choice_of_its_own() {
    for origin in ["https://evil.example", "null"] {
        assert!(allowed(OriginPolicy::Any, &[origin]).await, "{origin}");
    }
}
