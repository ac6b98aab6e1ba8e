//! One head after another from a buffer that fills up.

use http::{Request, Response};

use super::error::HeadError;
use super::limits::HeadLimits;
use super::parse;
use super::search::HeadSearch;
use super::start_line::StartLine;

/// Reads heads from the front of a caller's buffer: looks at each byte once, parses each head once.
///
/// Call it with everything that has arrived and not been used yet; `None` asks for more bytes.
/// After a head, take the number of bytes that it had off the buffer: what follows is the caller's
/// (a client's first frames often come along). The same reader then reads the next head. An error
/// stays: the connection can't be read further.
///
/// ```
/// # use ws_core::handshake::http1::{HeadLimits, HeadReader};
/// let mut reader = HeadReader::new(HeadLimits::default());
/// assert!(reader.request(b"GET / HT")?.is_none());
/// let wire = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n\x81\x80....";
/// let (request, used) = reader.request(wire)?.expect("a whole head");
/// assert_eq!(request.headers()["host"], "a");
/// assert_eq!(&wire[used..], b"\x81\x80....");
/// # Ok::<(), ws_core::handshake::http1::HeadError>(())
/// ```
#[derive(Clone, Debug)]
pub struct HeadReader {
    limits: HeadLimits,
    start_line: StartLine,
    search: HeadSearch,
}

impl HeadReader {
    /// A reader at the start of a head.
    pub fn new(limits: HeadLimits) -> Self {
        Self { limits, start_line: StartLine::default(), search: HeadSearch::default() }
    }

    /// Reads a request's head, and says how many bytes it has.
    ///
    /// HTTP/1.0 is read too: the judge answers it.
    ///
    /// # Errors
    ///
    /// The head is over a limit or malformed, or can't be one: the server's `Refusal` has the answer to each. What can't be
    /// a head is an error as soon as it shows: by a byte that no method has, or by a first line without the shape
    /// `METHOD target HTTP/`.
    pub fn request(&mut self, buffer: &[u8]) -> Result<Option<(Request<()>, usize)>, HeadError> {
        self.read(buffer, StartLine::request, parse::request)
    }

    /// Reads a response's head, and says how many bytes it has.
    ///
    /// # Errors
    ///
    /// The head is over a limit or malformed, or can't be one, which is an error as soon as it doesn't begin with `HTTP/1.`.
    pub fn response(&mut self, buffer: &[u8]) -> Result<Option<(Response<()>, usize)>, HeadError> {
        self.read(buffer, StartLine::response, parse::response)
    }

    fn read<T>(
        &mut self,
        buffer: &[u8],
        look: Look,
        parse: Parse<T>,
    ) -> Result<Option<(T, usize)>, HeadError> {
        let limit = self.limits.bytes;
        let within = &buffer[..buffer.len().min(limit)];
        look(&mut self.start_line, within)?;
        let Some(used) = self.search.end(within)? else {
            return if within.len() == limit {
                Err(HeadError::TooLong { limit })
            } else {
                Ok(None)
            };
        };
        let head = parse(&within[..used], self.limits.headers)?;
        (self.start_line, self.search) = Default::default();
        Ok(Some((head, used)))
    }
}

type Look = fn(&mut StartLine, &[u8]) -> Result<(), HeadError>;

type Parse<T> = fn(&[u8], usize) -> Result<T, HeadError>;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::error::Malformed;
    use super::*;

    fn read(buffer: &[u8]) -> Result<Option<(String, usize)>, HeadError> {
        read_cut(buffer, &[])
    }

    fn read_cut(buffer: &[u8], cuts: &[usize]) -> Result<Option<(String, usize)>, HeadError> {
        let mut reader = HeadReader::new(HeadLimits::default());
        for cut in cuts {
            if let Some((head, used)) = reader.request(&buffer[..*cut])? {
                return Ok(Some((format!("{head:?}"), used)));
            }
        }
        Ok(reader.request(buffer)?.map(|(head, used)| (format!("{head:?}"), used)))
    }

    fn head_of(len: usize) -> Vec<u8> {
        let empty = "GET / HTTP/1.1\r\na: \r\n\r\n".len();
        format!("GET / HTTP/1.1\r\na: {}\r\n\r\n", "x".repeat(len - empty)).into_bytes()
    }

    #[test]
    fn head_of_16_kib_is_read_and_one_byte_more_is_not() {
        assert_eq!(
            read(&head_of(16 * 1024)).map(|it| it.map(|(_, used)| used)),
            Ok(Some(16 * 1024))
        );
        assert_eq!(read(&head_of(16 * 1024 + 1)), Err(HeadError::TooLong { limit: 16 * 1024 }));
    }

    #[test]
    fn head_that_can_no_longer_end_within_the_limit_is_refused_at_once() {
        assert_eq!(read(&[b'a'; 16 * 1024 - 1]), Ok(None));
        assert_eq!(read(&[b'a'; 16 * 1024]), Err(HeadError::TooLong { limit: 16 * 1024 }));
    }

    #[test]
    fn limits_are_the_callers() {
        let limits = HeadLimits::default().bytes(20).headers(0);
        assert!(matches!(
            HeadReader::new(limits).request(b"GET / HTTP/1.1\r\n\r\n"),
            Ok(Some((_, 18)))
        ));
        let limits = HeadLimits::default().headers(0);
        let error = HeadReader::new(limits)
            .request(b"GET / HTTP/1.1\r\na: b\r\n\r\n")
            .expect_err("one header too many");
        assert_eq!(error, HeadError::TooManyHeaders { limit: 0 });
    }

    #[test]
    fn next_head_is_read_after_the_first_was_taken_off() {
        let wire = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 101 Switching Protocols\r\na: b\r\n\r\n";
        let mut reader = HeadReader::new(HeadLimits::default());
        let (first, used) = reader.response(wire).expect("well-formed").expect("whole");
        let (second, rest) = reader.response(&wire[used..]).expect("well-formed").expect("whole");
        assert_eq!(
            (first.status().as_u16(), second.status().as_u16(), used + rest),
            (100, 101, wire.len())
        );
    }

    #[test]
    fn peer_that_speaks_another_protocol_is_an_error_before_its_head_could_end() {
        let mut reader = HeadReader::new(HeadLimits::default());
        let hello = reader.request(b"\x16\x03\x01").expect_err("a ClientHello");
        assert_eq!(hello.to_string(), r#"not HTTP/1 but TLS: "\x16\x03\x01""#);
        let mut reader = HeadReader::new(HeadLimits::default());
        let banner = reader.response(b"220 mail").expect_err("a banner");
        assert_eq!(banner.to_string(), r#"not HTTP/1 but text: "220 mail""#);
    }

    #[test]
    fn error_stays() {
        let mut reader = HeadReader::new(HeadLimits::default());
        for head in [&b"GET / HTTP/1.1\n"[..], b"GET / HTTP/1.1\nHost: a\r\n\r\n"] {
            assert_eq!(
                reader.request(head).expect_err("a bare LF"),
                HeadError::Malformed(Malformed::LineEnd)
            );
        }
    }

    /// What can be compared: of a peer that speaks another protocol, less may have come when that showed.
    fn outcome(read: Result<Option<(String, usize)>, HeadError>) -> String {
        match read {
            Err(HeadError::NotHttp(_)) => "not HTTP".into(),
            read => format!("{read:?}"),
        }
    }

    proptest! {
        #[test]
        fn how_a_head_was_cut_never_matters(
            start in "(GET /[a-z ]{0,3} HTTP/1.[01]\r\n|[\r\n]{0,3}[A-Z(]{0,3}[ /\u{1}]{0,3}(HTTP/1)?\r?\n?)",
            rest in "([a-zA-Z]{0,3}: ?[a-z\u{80}-\u{ff}]{0,3}[\r\n]{1,3}){0,4}(\r\n)?.{0,4}",
            mut cuts: Vec<proptest::sample::Index>,
        ) {
            let head = start + &rest;
            let mut cuts: Vec<_> = cuts.drain(..).map(|cut| cut.index(head.len() + 1)).collect();
            cuts.sort_unstable();
            prop_assert_eq!(outcome(read_cut(head.as_bytes(), &cuts)), outcome(read(head.as_bytes())));
        }

        #[test]
        fn no_bytes_panic(
            bytes: Vec<u8>,
            lines in "[ -~\u{80}-\u{90}]{0,40}\r\n([ -~\u{80}-\u{90}]{0,20}\r\n){0,3}\r\n",
        ) {
            for bytes in [&bytes, lines.as_bytes()] {
                let _ = HeadReader::new(HeadLimits::default()).request(bytes);
                let _ = HeadReader::new(HeadLimits::default()).response(bytes);
            }
        }
    }
}
