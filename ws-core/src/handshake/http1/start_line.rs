//! Checking whether the first bytes can begin an HTTP/1 head, so that other protocols are noticed at once.

use super::error::{HeadError, Malformed};
use super::not_http::{HTTP2_PREFACE, NotHttp};
use crate::handshake::headers::is_token_byte;

/// Looks at a head's first line as it comes, at each byte once.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct StartLine {
    seen: usize,
    part: Part,
}

/// Where the next byte is.
#[derive(Clone, Copy, Debug, Default)]
enum Part {
    /// At the head's start, or in the empty line that may come before it (RFC 9112, 2.2).
    #[default]
    Before,
    /// In the method, or in the version of a response.
    First,
    Rest,
    Over,
}

impl StartLine {
    /// Holds a request to `METHOD SP target SP HTTP/`, which it must have when its first line ends.
    ///
    /// `head` holds at least what it held in the call before.
    pub(super) fn request(&mut self, head: &[u8]) -> Result<(), HeadError> {
        let Some(begin) = self.begin(head) else { return Ok(()) };
        if let Part::First = self.part {
            self.seen += count(&head[self.seen..], is_token_byte);
            match head.get(self.seen) {
                None => return Ok(()),
                Some(b' ') if self.seen > begin => self.part = Part::Rest,
                Some(_) => return Err(NotHttp::new(&head[begin..]).into()),
            }
        }
        self.seen += count(&head[self.seen..], |byte| !matches!(byte, b'\r' | b'\n'));
        if self.seen == head.len() {
            return Ok(());
        }
        self.part = Part::Over;
        let line = &head[begin..self.seen];
        if has_shape(line) && !line.starts_with(HTTP2_PREFACE) {
            Ok(())
        } else {
            Err(NotHttp::new(&head[begin..]).into())
        }
    }

    /// Holds a response to `HTTP/1.`.
    ///
    /// `head` holds at least what it held in the call before.
    pub(super) fn response(&mut self, head: &[u8]) -> Result<(), HeadError> {
        let Some(begin) = self.begin(head) else { return Ok(()) };
        let common = head[begin..].iter().zip(VERSION).take_while(|(got, want)| got == want);
        let common = common.count();
        if common == VERSION.len() {
            self.part = Part::Over;
        }
        match head.get(begin + common) {
            Some(_) if common < NAME.len() => Err(NotHttp::new(&head[begin..]).into()),
            Some(_) if common < VERSION.len() => Err(Malformed::Version.into()),
            Some(_) | None => Ok(()),
        }
    }

    /// Where the line begins, once that is known; `None` also where nothing is left to look at.
    fn begin(&mut self, head: &[u8]) -> Option<usize> {
        if let Part::Over = self.part {
            return None;
        }
        let begin = match head {
            // No line, or a bare CR or LF: the search for line ends says so.
            [] | [b'\n', ..] | [b'\r'] => return None,
            [b'\r', b'\n', rest @ ..] if !matches!(rest, [] | [b'\r' | b'\n', ..]) => 2,
            [b'\r', ..] => return None,
            _ => 0,
        };
        if let Part::Before = self.part {
            *self = Self { seen: begin, part: Part::First };
        }
        Some(begin)
    }
}

fn count(bytes: &[u8], wanted: impl Fn(u8) -> bool) -> usize {
    bytes.iter().position(|byte| !wanted(*byte)).unwrap_or(bytes.len())
}

/// Whether something stands between a method and ` HTTP/`. What else may be wrong with it is for the parser to say.
fn has_shape(line: &[u8]) -> bool {
    let target = count(line, |byte| byte != b' ') + 1;
    let version = line.windows(BEFORE_VERSION.len()).rposition(|bytes| bytes == BEFORE_VERSION);
    version.is_some_and(|at| at > target)
}

/// How an HTTP/1 response begins (RFC 9112, 4), and how much of it any version of HTTP would have.
const VERSION: &[u8] = b"HTTP/1.";
const NAME: &[u8] = b"HTTP/";

const BEFORE_VERSION: &[u8] = b" HTTP/";

#[cfg(test)]
mod tests {
    use super::super::not_http::LooksLike;
    use super::*;

    type Look = fn(&mut StartLine, &[u8]) -> Result<(), HeadError>;

    /// What is said about bytes that come one by one, and after how many of them.
    fn byte_by_byte(look: Look, wire: &[u8]) -> (usize, Result<(), HeadError>) {
        let mut line = StartLine::default();
        let looks = (0..=wire.len()).map(|end| (end, look(&mut line, &wire[..end])));
        looks.into_iter().find(|(_, said)| said.is_err()).unwrap_or((wire.len(), Ok(())))
    }

    /// After how many bytes they are found to be no HTTP; what they look like when they come at once.
    fn found_out(look: Look, wire: &[u8]) -> Option<(usize, LooksLike)> {
        let Err(HeadError::NotHttp(at_once)) = look(&mut StartLine::default(), wire) else {
            assert_eq!(byte_by_byte(look, wire), (wire.len(), Ok(())), "{}", wire.escape_ascii());
            return None;
        };
        let (after, said) = byte_by_byte(look, wire);
        assert!(matches!(said, Err(HeadError::NotHttp(_))), "{said:?}");
        Some((after, at_once.looks_like()))
    }

    #[test]
    fn request_of_another_protocol_is_found_out_by_its_first_byte_or_its_first_line() {
        for (wire, after, looks_like) in [
            (&b"\x16\x03\x01\x02\x00"[..], 1, LooksLike::Tls),
            (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 15, LooksLike::Http2),
            (b"SSH-2.0-OpenSSH_9.6\r\n", 20, LooksLike::Text),
            (b"EHLO x\r\n", 7, LooksLike::Text),
            (b"GET /\r\n", 6, LooksLike::Text),
            (b"GET HTTP/1.1\r\n", 13, LooksLike::Text),
            (b"G(T / HTTP/1.1\r\n", 2, LooksLike::Text),
            (b" / HTTP/1.1\r\n", 1, LooksLike::Text),
            (b"\r\n{\"id\":1}", 3, LooksLike::Text),
            (b"\x00\x00\x12\x04\x00\x00\x00\x00\x00", 1, LooksLike::Http2),
            (b"nonsense\n", 9, LooksLike::Text),
        ] {
            let found = found_out(StartLine::request, wire);
            assert_eq!(found, Some((after, looks_like)), "{}", wire.escape_ascii());
        }
    }

    #[test]
    fn request_line_of_the_right_shape_is_left_to_the_parser() {
        for wire in [
            "GET / HTTP/1.1\r\n\x16",
            "\r\nGET / HTTP/1.1\r\n",
            "GET / HTTP/2.0\r\n",
            "GET /a b HTTP/1.1\r\n",
            "GET / HTTP/1.1 x\r\n",
            "M-SEARCH * HTTP/1.1\r\n",
            "GET /\x01 HTTP/1.1\n",
            "\r",
            "\rGET",
            "\n",
            "\r\n\r\n",
            "",
        ] {
            assert_eq!(found_out(StartLine::request, wire.as_bytes()), None, "{wire:?}");
        }
    }

    #[test]
    fn response_of_another_protocol_is_found_out_by_its_first_byte_that_differs() {
        for (wire, after, looks_like) in [
            (&b"\x15\x03\x01\x00\x02"[..], 1, LooksLike::Tls),
            (b"\x00\x00\x12\x04\x00\x00\x00\x00\x00", 1, LooksLike::Http2),
            (b"SSH-2.0-OpenSSH_9.6\r\n", 1, LooksLike::Text),
            (b"220 mail.example ESMTP\r\n", 1, LooksLike::Text),
            (b"HTML", 3, LooksLike::Text),
            (b"\r\nhttp/1.1 101\r\n", 3, LooksLike::Text),
            (b"\xff\xfd\x18", 1, LooksLike::Binary),
        ] {
            let found = found_out(StartLine::response, wire);
            assert_eq!(found, Some((after, looks_like)), "{}", wire.escape_ascii());
        }
        for wire in ["HTTP/1.1 101 x\r\n", "\r\nHTTP/1.0", "HTTP/1.x", "HTTP/1", "\r\n\r\n", ""] {
            assert_eq!(found_out(StartLine::response, wire.as_bytes()), None, "{wire:?}");
        }
    }

    #[test]
    fn response_of_another_version_is_an_error_as_soon_as_it_shows() {
        let version = Err(Malformed::Version.into());
        assert_eq!(byte_by_byte(StartLine::response, b"HTTP/2 101\r\n"), (6, version));
        assert_eq!(byte_by_byte(StartLine::response, b"HTTP/11 101\r\n"), (7, version));
    }

    #[test]
    fn line_is_never_looked_at_again_from_its_start() {
        let mut line = StartLine::default();
        let wire = b"GET /chat HTTP/1.1";
        for end in 1..=wire.len() {
            assert_eq!(line.request(&wire[..end]), Ok(()));
            assert_eq!(line.seen, end);
        }
    }
}
