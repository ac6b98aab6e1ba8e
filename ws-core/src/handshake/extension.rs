//! `Sec-WebSocket-Extensions`: lists of extensions with parameters (RFC 6455, 9.1). One extension is known.

use http::header::SEC_WEBSOCKET_EXTENSIONS;
use http::{HeaderMap, HeaderValue};

use super::headers::is_token;
use crate::deflate::options::CompressionOptions;
use crate::deflate::params::{AgreedCompression, NAME, Params};

/// Returns a server's answer to a request's offers of permessage-deflate: to the first one that these options allow,
/// since clients list offers in order of preference (RFC 7692, 5.1). The answer's header is the [`AgreedCompression`]
/// as a `HeaderValue`; for `None` there is no header.
///
/// An offer with an unknown, repeated or invalid parameter is skipped, and so are other extensions.
#[cfg_attr(
    not(feature = "deflate"),
    expect(unreachable_pub, reason = "without the feature nobody can ask for it")
)]
pub fn negotiate(headers: &HeaderMap, options: &CompressionOptions) -> Option<AgreedCompression> {
    let offers = elements(headers).into_iter().filter(|element| is_deflate(element));
    offers.filter_map(|offer| params(&offer)).find_map(|offer| options.answer(&offer))
}

/// Returns the elements of the list, across repeated headers, without empty ones.
pub(super) fn elements(headers: &HeaderMap) -> Vec<String> {
    let values = headers.get_all(SEC_WEBSOCKET_EXTENSIONS).into_iter();
    let elements = values.flat_map(|value| {
        let value = String::from_utf8_lossy(value.as_bytes());
        split(&value, ',').map(String::from).collect::<Vec<_>>()
    });
    elements.filter(|element| !element.is_empty()).collect()
}

/// Whether an element is permessage-deflate.
pub(super) fn is_deflate(element: &str) -> bool {
    split(element, ';').next().is_some_and(|name| name.eq_ignore_ascii_case(NAME))
}

/// Returns the parameters of an element for permessage-deflate; `None` if one is invalid.
pub(super) fn params(element: &str) -> Option<Params> {
    let params: Option<Vec<_>> = split(element, ';').skip(1).map(param).collect();
    Params::parse(params?.iter().map(|(name, value)| (*name, value.as_deref())))
}

fn param(text: &str) -> Option<(&str, Option<String>)> {
    match text.split_once('=') {
        None => Some((text, None)),
        Some((name, value)) => Some((name.trim_ascii(), Some(unquoted(value.trim_ascii())?))),
    }
}

/// A value, which is a token even inside quotes.
fn unquoted(value: &str) -> Option<String> {
    let Some(quoted) = value.strip_prefix('"') else { return Some(value.into()) };
    let mut chars = quoted.strip_suffix('"')?.chars();
    let mut token = String::new();
    while let Some(c) = chars.next() {
        token.push(if c == '\\' { chars.next()? } else { c });
    }
    is_token(&token).then_some(token)
}

/// Splits at separators and trims. Inside quotes (RFC 9110, 5.6.4) they don't separate.
fn split(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let (mut quoted, mut escaped) = (false, false);
    let parts = text.split(move |c: char| {
        quoted ^= c == '"' && !escaped;
        escaped = quoted && c == '\\' && !escaped;
        c == separator && !quoted
    });
    parts.map(str::trim_ascii)
}

impl From<AgreedCompression> for HeaderValue {
    fn from(agreed: AgreedCompression) -> Self {
        Self::try_from(agreed.to_string()).expect("tokens are visible ASCII")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deflate::options::Compression;

    const ALONE: CompressionOptions = CompressionOptions::new(Compression::NoContextTakeover);
    const IN_CONTEXT: CompressionOptions = CompressionOptions::new(Compression::ContextTakeover);

    fn headers(values: &[&'static str]) -> HeaderMap {
        let header =
            |value: &&'static str| (SEC_WEBSOCKET_EXTENSIONS, HeaderValue::from_static(value));
        values.iter().map(header).collect()
    }

    /// A server's answer.
    fn answer(options: &CompressionOptions, offers: &'static str) -> Option<String> {
        negotiate(&headers(&[offers]), options).map(|agreed| agreed.to_string())
    }

    /// What a client makes of an answer.
    fn judged(options: &CompressionOptions, answer: &str) -> Option<AgreedCompression> {
        options.judge(&params(answer)?)
    }

    #[test]
    fn both_sides_forget_where_a_server_wants_no_takeover() {
        let both = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";
        assert_eq!(answer(&ALONE, "permessage-deflate").as_deref(), Some(both));
        assert_eq!(answer(&IN_CONTEXT, both).as_deref(), Some(both), "as the client wishes");
        assert_eq!(
            answer(&IN_CONTEXT, "permessage-deflate").as_deref(),
            Some("permessage-deflate")
        );
        assert_eq!(answer(&CompressionOptions::default(), both), None);
    }

    #[test]
    fn client_max_window_bits_is_answered_only_where_it_was_offered() {
        let small = IN_CONTEXT.client_max_window_bits(10);
        assert_eq!(answer(&small, "permessage-deflate").as_deref(), Some("permessage-deflate"));
        for (offer, answered) in [("", "10"), ("=15", "10"), ("=\"9\"", "9"), ("=8", "8")] {
            let offer = format!("permessage-deflate; client_max_window_bits{offer}");
            let offered = HeaderMap::from_iter([(
                SEC_WEBSOCKET_EXTENSIONS,
                HeaderValue::try_from(offer).expect("visible ASCII"),
            )]);
            let agreed = negotiate(&offered, &small).expect("an answer");
            let expected = format!("permessage-deflate; client_max_window_bits={answered}");
            assert_eq!(agreed.to_string(), expected);
        }
    }

    #[test]
    fn server_max_window_bits_is_answered_with_no_more_and_never_with_8() {
        let offer = "permessage-deflate; server_max_window_bits=12";
        assert_eq!(answer(&IN_CONTEXT, offer).as_deref(), Some(offer));
        let small = IN_CONTEXT.server_max_window_bits(9);
        let nine = Some("permessage-deflate; server_max_window_bits=9");
        assert_eq!(answer(&small, offer).as_deref(), nine);
        assert_eq!(answer(&small, "permessage-deflate").as_deref(), nine, "unasked");
        let eight = "permessage-deflate; server_max_window_bits=8, permessage-deflate";
        assert_eq!(answer(&IN_CONTEXT, eight).as_deref(), Some("permessage-deflate"));
    }

    #[test]
    fn an_offer_with_a_bad_parameter_is_declined_and_the_next_one_tried() {
        for bad in [
            "unknown",
            "server_no_context_takeover; server_no_context_takeover",
            "server_no_context_takeover=1",
            "server_max_window_bits",
            "server_max_window_bits=7",
            "server_max_window_bits=16",
            "server_max_window_bits=010",
            "server_max_window_bits=+10",
            "client_max_window_bits=",
            "client_max_window_bits=\"\"",
            "client_max_window_bits; client_max_window_bits=10",
            "",
        ] {
            let offer = format!(
                "foo; a=\"x, \\\" y\", permessage-deflate; {bad}, PerMessage-Deflate; Client_Max_Window_Bits"
            );
            let value = HeaderValue::try_from(offer).expect("visible ASCII");
            let offered = HeaderMap::from_iter([(SEC_WEBSOCKET_EXTENSIONS, value)]);
            let agreed = negotiate(&offered, &IN_CONTEXT).expect(bad);
            assert_eq!(agreed.to_string(), "permessage-deflate");
        }
        let none = ["x-webkit-deflate-frame", "permessage-deflate; a=\"b, permessage-deflate"];
        assert!(none.into_iter().all(|offers| answer(&IN_CONTEXT, offers).is_none()));
    }

    #[test]
    fn offers_may_stand_in_headers_of_their_own() {
        let offered = headers(&[
            "permessage-deflate; x",
            "permessage-deflate; server_max_window_bits=\"1\\1\"",
        ]);
        let agreed = negotiate(&offered, &IN_CONTEXT).expect("the second");
        assert_eq!(agreed.server_max_window_bits(), 11);
    }

    #[test]
    fn a_client_offers_what_it_wants_and_to_be_limited() {
        let offer = |options: CompressionOptions| options.offer().map(|offer| offer.to_string());
        assert_eq!(offer(CompressionOptions::default()), None);
        assert_eq!(
            offer(IN_CONTEXT).as_deref(),
            Some("permessage-deflate; client_max_window_bits")
        );
        assert_eq!(
            offer(ALONE.server_max_window_bits(9).client_max_window_bits(0)).as_deref(),
            Some(
                "permessage-deflate; server_no_context_takeover; client_no_context_takeover; \
                 server_max_window_bits=9; client_max_window_bits=9"
            )
        );
    }

    #[test]
    fn a_client_refuses_an_answer_that_it_did_not_allow() {
        let small = IN_CONTEXT.server_max_window_bits(10);
        for (options, answer) in [
            (&IN_CONTEXT, "permessage-deflate; client_max_window_bits"),
            (&IN_CONTEXT, "permessage-deflate; unknown"),
            (&IN_CONTEXT, "permessage-deflate; server_max_window_bits=16"),
            (&ALONE, "permessage-deflate; client_no_context_takeover"),
            (&small, "permessage-deflate"),
            (&small, "permessage-deflate; server_max_window_bits=11"),
            (&CompressionOptions::default(), "permessage-deflate"),
        ] {
            assert_eq!(judged(options, answer), None, "{answer}");
        }
    }

    #[test]
    fn a_client_takes_an_answer_that_asks_no_more_than_it_may() {
        let eight = judged(&IN_CONTEXT, "permessage-deflate; client_max_window_bits=8");
        assert_eq!(eight.expect("fine").client_max_window_bits(), 8);
        let small = IN_CONTEXT.client_max_window_bits(11);
        for answer in ["permessage-deflate", "permessage-deflate; client_max_window_bits=15"] {
            assert_eq!(judged(&small, answer).expect(answer).client_max_window_bits(), 11);
        }
        let forgetful = "permessage-deflate; client_no_context_takeover; server_max_window_bits=9";
        let agreed = judged(&IN_CONTEXT, forgetful).expect("fine");
        assert!(agreed.client_no_context_takeover() && !agreed.server_no_context_takeover());
        assert_eq!(agreed.server_max_window_bits(), 9);
    }
}
