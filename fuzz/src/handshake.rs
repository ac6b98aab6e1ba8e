//! No head panics, in either role; how it was cut never shows; every refusal is a whole response.

use http::{Request, Response};
use ws_core::handshake::client::{Answer, Offer, RefusalBody, Target};
use ws_core::handshake::http1::{HeadError, HeadLimits, HeadReader, write_response};
use ws_core::handshake::key::Key;
use ws_core::handshake::origin::OriginPolicy;
use ws_core::handshake::server::{Policy, Refusal, Upgrade};

use super::first::take;

/// Any bytes as a request, as an answer, as a URL and as the body of a refusal.
pub fn handshake(mut data: &[u8]) {
    let cut = usize::from(take(&mut data)).max(1);
    let request = read(data, data.len().max(1), HeadReader::request);
    assert_eq!(
        heads(&read(data, cut, HeadReader::request)),
        heads(&request),
        "how a head was cut must not matter"
    );
    judge_request(request);

    let response = read(data, data.len().max(1), HeadReader::response);
    assert_eq!(heads(&read(data, cut, HeadReader::response)), heads(&response));
    if let Ok(Some((response, used))) = response {
        judge_response(response, &data[used..], cut);
    }
    if let Ok(url) = std::str::from_utf8(data) {
        // Whatever URL is taken, its request is one that a server can read.
        if let Ok(target) = Target::parse(url) {
            let key = Key::from_random([7; 16]);
            let mut wire = Vec::new();
            ws_core::handshake::http1::write_request(
                &Offer::new().request(&target, &key),
                &mut wire,
            );
            let read = HeadReader::new(HeadLimits::default().bytes(usize::MAX)).request(&wire);
            assert_eq!(read.expect("well-formed").expect("whole").1, wire.len());
        }
    }
}

type Head<T> = Result<Option<(T, usize)>, HeadError>;

/// Feeds `data` in portions of `cut` bytes until the head is whole.
fn read<T>(data: &[u8], cut: usize, parse: impl Fn(&mut HeadReader, &[u8]) -> Head<T>) -> Head<T> {
    let mut reader = HeadReader::new(HeadLimits::default());
    for end in (cut..data.len()).step_by(cut) {
        match parse(&mut reader, &data[..end]) {
            Ok(None) => {}
            verdict => return verdict,
        }
    }
    parse(&mut reader, data)
}

/// What can be compared of a verdict: of a peer that speaks another protocol, less may have come when that showed.
fn heads<T: std::fmt::Debug>(head: &Head<T>) -> String {
    match head {
        Err(HeadError::NotHttp(_)) => "not HTTP".into(),
        head => format!("{head:?}"),
    }
}

fn judge_request(head: Head<Request<()>>) {
    let policy = Policy::new()
        .subprotocols(["chat"])
        .origins(OriginPolicy::patterns(["*.example.com", "https://*"]));
    let judged = match head {
        Ok(None) => return,
        Ok(Some((request, _))) => policy.judge(&request, Upgrade::Http1).map(drop),
        Err(error) => Err(Refusal::from(error)),
    };
    if let Err(refusal) = judged {
        let mut wire = Vec::new();
        write_response(&refusal.response(Upgrade::Http1), &mut wire);
        let (response, used) = HeadReader::new(HeadLimits::default().bytes(usize::MAX))
            .response(&wire)
            .expect("a refusal is well-formed")
            .expect("a refusal is whole");
        assert_eq!(response.status(), refusal.status());
        let length = response.headers()["content-length"].to_str().expect("a number");
        assert_eq!(length, (wire.len() - used).to_string());
    }
}

fn judge_response(response: Response<()>, body: &[u8], cut: usize) {
    let target = Target::parse("ws://user:secret@example.com/path").expect("a URL");
    _ = target.redirect(&response);
    let offer = Offer::new().subprotocols(["chat"]).expect("a token");
    if let Ok(Answer::Refused(response)) = offer.judge(response, &Key::from_random([7; 16])) {
        let collect = |cut: usize| {
            let mut collector = RefusalBody::new(&response);
            body.chunks(cut).for_each(|portion| _ = collector.push(portion));
            collector.into_bytes()
        };
        let whole = collect(body.len().max(1));
        assert!(whole.len() <= RefusalBody::LIMIT);
        assert_eq!(collect(cut), whole, "how a body was cut must not matter");
    }
}
