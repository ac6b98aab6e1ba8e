//! The search for a head's end. It remembers how far it looked, so it is linear however the head is cut.

use super::error::Malformed;

/// Finds the empty line that ends a head, and holds every line to CR LF.
#[derive(Clone, Debug, Default)]
pub(super) struct HeadSearch {
    seen: usize,
    state: State,
}

/// What the last byte was a part of.
#[derive(Clone, Copy, Debug, Default)]
enum State {
    #[default]
    Line,
    LineCr,
    NewLine,
    EmptyLineCr,
}

impl HeadSearch {
    /// The head's length, once all of it is in `head`, which holds at least what it held in the
    /// call before.
    pub(super) fn end(&mut self, head: &[u8]) -> Result<Option<usize>, Malformed> {
        loop {
            if let State::Line = self.state {
                self.seen += line_text(head.get(self.seen..).unwrap_or_default());
            }
            let Some(byte) = head.get(self.seen) else { return Ok(None) };
            self.state = match (self.state, byte) {
                (State::EmptyLineCr, b'\n') => return Ok(Some(self.seen + 1)),
                (State::LineCr, b'\n') => State::NewLine,
                (State::LineCr | State::EmptyLineCr, _) | (_, b'\n') => {
                    return Err(Malformed::LineEnd);
                }
                (State::Line, b'\r') => State::LineCr,
                (State::NewLine, b'\r') => State::EmptyLineCr,
                (State::Line | State::NewLine, _) => State::Line,
            };
            self.seen += 1;
        }
    }

    /// How many bytes have been looked at, each once.
    #[cfg(test)]
    pub(super) fn seen(&self) -> usize {
        self.seen
    }
}

/// How many bytes at the front end no line: nearly all of a head.
fn line_text(head: &[u8]) -> usize {
    head.iter().position(|byte| matches!(byte, b'\r' | b'\n')).unwrap_or(head.len())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn end(head: &[u8]) -> Result<Option<usize>, Malformed> {
        HeadSearch::default().end(head)
    }

    #[test]
    fn head_ends_behind_its_first_empty_line() {
        assert_eq!(end(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n\x81\x80\r\n\r\n"), Ok(Some(27)));
        assert_eq!(end(b"GET / HTTP/1.1\r\nHost: a\r\n\r"), Ok(None));
        assert_eq!(end(b""), Ok(None));
    }

    #[test]
    fn line_ends_other_than_cr_lf_are_refused() {
        for head in ["GET / HTTP/1.1\n", "a\r\n\n", "a\rb", "a\r\r\n", "a\r\n\rb", "\n"] {
            assert_eq!(end(head.as_bytes()), Err(Malformed::LineEnd), "{head:?}");
        }
    }

    #[test]
    fn head_is_never_searched_again_from_its_start() {
        let mut search = HeadSearch::default();
        let head = b"GET / HTTP/1.1\r\n\r\n";
        for cut in 0..head.len() {
            assert_eq!(search.end(&head[..cut]), Ok(None));
            assert_eq!(search.seen(), cut);
        }
        assert_eq!(search.end(head), Ok(Some(head.len())));
    }

    proptest! {
        #[test]
        fn the_end_is_the_first_empty_line_of_the_naive_oracle(head in "[a\r\n]{0,12}") {
            let empty_line = head.find("\r\n\r\n").map(|at| at + 4);
            let part = &head[..empty_line.unwrap_or(head.len())];
            let rest = part.replace("\r\n", "x");
            // A CR at the very end may yet get its LF.
            let rest = rest.strip_suffix('\r').unwrap_or(&rest);
            let bare = rest.contains(['\r', '\n']);
            let expected = if bare { Err(Malformed::LineEnd) } else { Ok(empty_line) };
            prop_assert_eq!(end(head.as_bytes()), expected);
        }
    }
}
