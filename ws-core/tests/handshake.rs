//! What went wrong in other libraries' handshakes, each as the rule that holds here, through the
//! public interface and on the bytes of the wire.

use std::error::Error;

use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri, Version,
};
use proptest::prelude::*;
use ws_core::handshake::client::{
    Answer, AnswerError, BodyState, Credentials, Offer, RedirectError, RefusalBody, Security,
    Target,
};
use ws_core::handshake::http1::{
    HeadError, HeadLimits, HeadReader, write_request, write_response, write_response_head,
};
use ws_core::handshake::key::Key;
use ws_core::handshake::origin::OriginPolicy;
use ws_core::handshake::server::{Accepted, Policy, Refusal, Upgrade};

const REQUEST: &str = "GET /chat HTTP/1.1\r\nHost: server\r\nConnection: Upgrade\r\n\
    Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

const ANSWER: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\
    Connection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

/// What a server makes of these bytes, and how many it leaves.
fn serve(wire: &[u8]) -> Result<(Accepted, usize), Refusal> {
    let mut reader = HeadReader::new(HeadLimits::default());
    let (request, used) = reader.request(wire)?.expect("a whole head");
    Ok((Policy::new().judge(&request, Upgrade::Http1)?, wire.len() - used))
}

fn refusal_on_the_wire(request: &str) -> String {
    let refusal = serve(request.as_bytes()).expect_err(request);
    let mut wire = Vec::new();
    write_response(&refusal.response(Upgrade::Http1), &mut wire);
    String::from_utf8(wire).expect("ASCII")
}

/// What a client makes of these bytes.
fn judge(wire: &str) -> Result<Answer, AnswerError> {
    let mut reader = HeadReader::new(HeadLimits::default());
    let (response, _) = reader.response(wire.as_bytes()).expect("well-formed").expect("whole");
    Offer::new().judge(response, &Key::from_random(*b"the sample nonce"))
}

fn redirected_to(location: &str) -> Response<()> {
    Response::builder().status(302).header("location", location).body(()).expect("a response")
}

fn value(value: &'static str) -> HeaderValue {
    HeaderValue::from_static(value)
}

#[test]
fn accepted_handshake_is_answered_to_the_byte() {
    let (accepted, _) = serve(REQUEST.as_bytes()).expect("a handshake");
    let mut wire = Vec::new();
    write_response_head(&accepted.response(&HeaderMap::new()), &mut wire);
    assert_eq!(String::from_utf8(wire).expect("ASCII"), ANSWER);
}

#[test]
fn refusal_is_a_whole_response_to_the_byte() {
    assert_eq!(
        refusal_on_the_wire(&REQUEST.replace("GET", "PUT")),
        "HTTP/1.1 405 Method Not Allowed\r\nAllow: GET\r\nContent-Length: 42\r\n\
         Content-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n\
         a WebSocket handshake is a GET, not a PUT\n"
    );
}

#[test]
fn every_426_has_upgrade() {
    let lacking = [
        REQUEST.replace("HTTP/1.1", "HTTP/1.0"),
        REQUEST.replace("Connection: Upgrade", "Connection: close"),
        REQUEST.replace("Upgrade: websocket", "X: y"),
        REQUEST.replace("Version: 13", "Version: 8"),
    ];
    for request in lacking {
        let wire = refusal_on_the_wire(&request);
        assert!(wire.starts_with("HTTP/1.1 426 Upgrade Required\r\n"), "{wire}");
        for line in ["\r\nUpgrade: websocket\r\n", "\r\nConnection: Upgrade\r\n"] {
            assert!(wire.contains(line), "{wire}");
        }
    }
}

#[test]
fn early_frames_behind_the_request_are_never_lost() {
    let wire = [REQUEST.as_bytes(), b"\x81\x82abcd\x09\x0b"].concat();
    assert_eq!(serve(&wire).expect("a handshake").1, 8);
}

#[test]
fn head_that_comes_byte_by_byte_is_read_like_one_that_comes_whole() {
    let mut reader = HeadReader::new(HeadLimits::default());
    for end in 0..REQUEST.len() {
        assert!(reader.request(&REQUEST.as_bytes()[..end]).expect("well-formed").is_none());
    }
    let (request, used) = reader.request(REQUEST.as_bytes()).expect("well-formed").expect("whole");
    assert_eq!((request.uri().path(), used), ("/chat", REQUEST.len()));
}

#[test]
fn head_without_an_end_is_capped() {
    let mut reader = HeadReader::new(HeadLimits::default());
    let error = reader.request(&[b'x'; 16 * 1024]).expect_err("no end within the limit");
    assert_eq!(error, HeadError::TooLong { limit: 16 * 1024 });
    assert_eq!(Refusal::from(error).status(), 431);
    let headers = "a: b\r\n".repeat(129);
    let error = serve(format!("GET / HTTP/1.1\r\n{headers}\r\n").as_bytes()).expect_err("too many");
    assert_eq!(error.status(), 431);
}

#[test]
fn path_that_the_uri_type_refuses_is_a_400_and_never_a_panic() {
    for path in ["chat", "%", "?", "http://[", "http://a:b:c/", "/\u{7f}", "/#\u{1}", "/\"\0"] {
        let refusal = serve(REQUEST.replace("/chat", path).as_bytes()).expect_err(path);
        assert_eq!(refusal.status(), 400, "{path:?}");
    }
}

#[test]
fn lines_that_end_in_anything_but_cr_lf_are_a_400() {
    for request in [REQUEST.replace("\r\n", "\n"), REQUEST.replace("server\r\n", "server\r")] {
        assert_eq!(serve(request.as_bytes()).expect_err("a bare CR or LF").status(), 400);
    }
}

#[test]
fn accept_is_always_checked_and_may_have_any_length() {
    assert!(matches!(judge(ANSWER), Ok(Answer::Accepted(_))));
    for accept in ["", "x", "s3pPLMBiTxaQ9kYGzzhZRbK+xOp=", &"s3pPLMBi".repeat(1500)] {
        let error = judge(&ANSWER.replace("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", accept));
        assert_eq!(error.expect_err("a wrong accept"), AnswerError::AcceptWrong);
    }
}

#[test]
fn subprotocol_that_was_not_asked_for_is_refused() {
    let answer = ANSWER.replace("\r\n\r\n", "\r\nSec-WebSocket-Protocol: chat\r\n\r\n");
    let error = judge(&answer).expect_err("unasked");
    assert_eq!(error, AnswerError::SubprotocolNotAskedFor("chat".into()));
}

#[test]
fn extension_that_was_not_asked_for_is_refused() {
    let answer = ANSWER.replace("\r\n\r\n", "\r\nSec-WebSocket-Extensions: x-a\r\n\r\n");
    let error = judge(&answer).expect_err("unasked");
    assert_eq!(error, AnswerError::ExtensionNotAskedFor("x-a".into()));
}

#[test]
fn no_header_value_carries_cr_or_lf() {
    for text in ["a\r\nInjected: b", "a\nb", "a\rb", "a\0b"] {
        assert!(HeaderValue::from_str(text).is_err() && HeaderName::try_from(text).is_err());
        assert!(Offer::new().subprotocols([text]).is_err());
    }
    for url in [
        "ws://user:a%0d%0aInjected:%20b@host/%0d%0aInjected:%20b",
        "ws://user:a\r\nInjected: b@host/",
        "ws://host/a\r\nInjected: b",
        "ws://host/\na\r?b\0",
    ] {
        // As browsers do, the `url` crate leaves line ends out; `http::Uri` takes none.
        let Ok(target) = Target::parse(url) else { continue };
        let mut wire = Vec::new();
        write_request(&Offer::new().request(&target, &Key::from_random([0; 16])), &mut wire);
        let wire = String::from_utf8(wire).expect("ASCII");
        assert!(!wire.contains("\nInjected") && !wire.contains('\0'), "{wire}");
        assert!(!wire.replace("\r\n", "").contains(['\r', '\n']), "{wire}");
    }
}

#[test]
fn credentials_are_never_sent_on_to_another_host() {
    let target = Target::parse("ws://user:secret@first/").expect("a URL");
    let headers = [("authorization", "secret"), ("cookie", "secret"), ("x-own", "kept")]
        .map(|(name, text)| (HeaderName::from_static(name), value(text)));
    let offer = Offer::new().headers(HeaderMap::from_iter(headers)).expect("none reserved");
    let redirect = target.redirect(&redirected_to("ws://second/")).expect("a URL").expect("302");
    assert_eq!(redirect.credentials, Credentials::Drop);
    let offer = offer.without_credentials();
    let request = offer.request(&redirect.target, &Key::from_random([0; 16]));
    assert!(request.headers().values().all(|value| value != "secret"));
    assert!(!request.headers().contains_key("authorization"));
    assert_eq!(request.headers()["host"], "second");
    assert_eq!(request.headers()["x-own"], "kept");
}

#[test]
fn wss_is_never_spoken_in_plain_text() {
    for url in ["wss://a", "WSS://a", "https://a:80", "hTTps://a"] {
        let target = Target::parse(url).expect(url);
        assert_eq!(target.security(), Security::Tls, "{url}");
        let downgraded = target.redirect(&redirected_to("ws://a/"));
        assert!(matches!(downgraded, Err(RedirectError::Downgrade)));
    }
}

#[test]
fn refusal_is_reported_with_status_headers_and_body() {
    let head = "HTTP/1.1 403 Forbidden\r\nX-Why: you\r\nContent-Length: 2\r\n\r\n";
    let Ok(Answer::Refused(response)) = judge(head) else { panic!("not refused") };
    assert_eq!((response.status().as_u16(), &response.headers()["x-why"]), (403, &value("you")));
    let mut body = RefusalBody::new(&response);
    assert_eq!(body.push(b"no"), BodyState::Done);
    assert_eq!(body.into_bytes(), b"no");
}

#[test]
fn body_of_a_refusal_is_kept_up_to_its_limit_however_it_arrives() {
    let head = "HTTP/1.1 403 Forbidden\r\nContent-Length: 5000\r\n\r\n";
    let Ok(Answer::Refused(response)) = judge(head) else { panic!("not refused") };
    let mut body = RefusalBody::new(&response);
    assert_eq!(body.push(&[b'x'; 600]), BodyState::More);
    assert_eq!(body.push(&[b'y'; 600]), BodyState::Done);
    let kept = body.into_bytes();
    assert_eq!((kept.len(), kept[599], kept[600]), (RefusalBody::LIMIT, b'x', b'y'));
}

#[test]
fn answer_is_at_hand_with_what_was_agreed() {
    let Ok(Answer::Accepted(accepted)) = judge(ANSWER) else { panic!("not accepted") };
    assert_eq!(accepted.response().headers()["upgrade"], "websocket");
    assert_eq!(accepted.subprotocol(), None);
    assert_eq!(accepted.into_response().status(), 101);
}

#[cfg(feature = "deflate")]
#[test]
fn compression_that_both_ends_want_is_agreed_on() {
    use ws_core::deflate::Compression;

    let offer = Offer::new().compression(Compression::NoContextTakeover);
    let target = Target::parse("ws://server/").expect("a URL");
    let key = Key::from_random(*b"the sample nonce");
    let request = offer.request(&target, &key);
    let policy = Policy::new().compression(Compression::NoContextTakeover);
    let accepted = policy.judge(&request, Upgrade::Http1).expect("a handshake");
    assert!(accepted.compression().is_some());
    let answer = accepted.response(&HeaderMap::new());
    let Ok(Answer::Accepted(agreed)) = offer.judge(answer, &key) else { panic!("not accepted") };
    assert_eq!(agreed.compression(), accepted.compression());
}

#[test]
fn policy_of_any_origin_takes_every_page() {
    let foreign = REQUEST.replace("\r\n\r\n", "\r\nOrigin: https://elsewhere\r\n\r\n");
    assert!(matches!(serve(foreign.as_bytes()), Err(Refusal::Origin { .. })));
    let mut reader = HeadReader::new(HeadLimits::default());
    let (request, _) = reader.request(foreign.as_bytes()).expect("well-formed").expect("whole");
    let policy = Policy::new().origins(OriginPolicy::Any);
    assert!(policy.judge(&request, Upgrade::Http1).is_ok());
}

#[test]
fn subprotocol_of_the_servers_choice_is_the_agreed_one() {
    let wire = REQUEST.replace("\r\n\r\n", "\r\nSec-WebSocket-Protocol: Chat, v2\r\n\r\n");
    let mut reader = HeadReader::new(HeadLimits::default());
    let (request, _) = reader.request(wire.as_bytes()).expect("well-formed").expect("whole");
    let accepted = Policy::new().subprotocols(["chat"]).judge(&request, Upgrade::Http1);
    assert_eq!(accepted.expect("a handshake").subprotocol(), Some("Chat"));
}

#[test]
fn limits_of_a_head_are_those_that_were_set() {
    let read = |limits| HeadReader::new(limits).request(REQUEST.as_bytes()).map(|_| ());
    let default = HeadLimits::default();
    let (bytes, headers) = (REQUEST.len(), 5);
    assert_eq!(read(default.bytes(bytes).headers(headers)), Ok(()));
    assert_eq!(read(default.bytes(bytes - 1)), Err(HeadError::TooLong { limit: bytes - 1 }));
    let many = HeadError::TooManyHeaders { limit: headers - 1 };
    assert_eq!(read(default.headers(headers - 1)), Err(many));
}

#[test]
fn errors_of_a_handshake_say_what_is_wrong_and_why() {
    let (Err(url), Err(answer)) =
        (Target::parse("ws://"), judge(&ANSWER.replace("websocket", "h2c")))
    else {
        panic!("no errors")
    };
    assert_eq!(answer.to_string(), "the answer's Upgrade lacks the token websocket");
    let redirect = RedirectError::Url(url);
    assert_eq!(redirect.to_string(), "the redirect's Location can't be connected to");
    assert!(redirect.source().is_some());
    assert!(RedirectError::Downgrade.source().is_none());
    assert_eq!(HeadError::TooLong { limit: 9 }.to_string(), "the head is longer than 9 bytes");
    let malformed = HeadReader::new(HeadLimits::default()).request(b"GET / HTTP/1.1\n\n");
    let said = malformed.expect_err("a bare LF").to_string();
    assert_eq!(said, "a line of the head does not end in CR LF");
    let key = Key::from_random(*b"the sample nonce");
    assert_eq!(format!("{key:?}"), "Key(\"dGhlIHNhbXBsZSBub25jZQ==\")");
}

/// Headers as a peer can send them: values keep no white space at their ends.
fn headers() -> impl Strategy<Value = HeaderMap> {
    let name = "[a-z0-9!#$%&'*+.^_`|~-]{1,12}".prop_map(|name| name.parse().expect("a token"));
    let value = "([!-~]([\t !-~é]{0,9}[!-~é])?)?".prop_map(|text| text.as_bytes().to_vec());
    let value = value.prop_map(|bytes| HeaderValue::from_bytes(&bytes).expect("no controls"));
    proptest::collection::vec((name, value), 0..6).prop_map(HeaderMap::from_iter)
}

proptest! {
    #[test]
    fn reading_a_written_request_gives_it_back(
        method in "[A-Z]{1,9}".prop_map(|it| it.parse::<Method>().expect("a token")),
        uri in "(http://[a-z]{1,4}(:[0-9]{1,4})?)?/[!$-;=@-Z_a-z|~é]{0,9}([?][a-z=&?/]{0,9})?",
        version in prop_oneof![Just(Version::HTTP_10), Just(Version::HTTP_11)],
        headers in headers(),
    ) {
        let mut request = Request::new(());
        *request.uri_mut() = uri.parse::<Uri>().expect("a URI");
        *request.method_mut() = method;
        *request.version_mut() = version;
        *request.headers_mut() = headers;
        let mut wire = Vec::new();
        write_request(&request, &mut wire);
        let read = HeadReader::new(HeadLimits::default()).request(&wire);
        let (read, used) = read.expect("well-formed").expect("whole");
        prop_assert_eq!(used, wire.len());
        prop_assert_eq!((read.method(), read.uri()), (request.method(), request.uri()));
        prop_assert_eq!(read.version(), request.version());
        prop_assert_eq!(read.headers(), request.headers());
    }

    #[test]
    fn reading_a_written_response_gives_it_back(
        status in 100..1000_u16,
        headers in headers(),
        body: Vec<u8>,
    ) {
        let mut response = Response::new(body);
        *response.status_mut() = StatusCode::from_u16(status).expect("a status");
        *response.headers_mut() = headers;
        let mut wire = Vec::new();
        write_response(&response, &mut wire);
        let read = HeadReader::new(HeadLimits::default()).response(&wire);
        let (read, used) = read.expect("well-formed").expect("whole");
        prop_assert_eq!(&wire[used..], response.body());
        prop_assert_eq!(read.status(), response.status());
        prop_assert_eq!(read.headers(), response.headers());
    }
}
