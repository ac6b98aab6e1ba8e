//! The start of a refusal's body, for the error that reports it.

use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use http::{Response, StatusCode};

use crate::handshake::headers::tokens;

/// Collects up to 1 KiB of a response's body, chunked or not.
///
/// Best effort: bytes of a broken chunk are kept, and the fault is ignored.
///
/// ```
/// # use ws_core::handshake::client::{BodyState, RefusalBody};
/// let response = http::Response::builder().header("Transfer-Encoding", "chunked").body(())?;
/// let mut body = RefusalBody::new(&response);
/// assert_eq!(body.push(b"5\r\ngo aw"), BodyState::More);
/// assert_eq!(body.push(b"\r\n2\r\nay\r\n0\r\n\r\n"), BodyState::Done);
/// assert_eq!(body.into_bytes(), b"go away");
/// # Ok::<(), http::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct RefusalBody {
    bytes: Vec<u8>,
    state: State,
}

/// Whether a body needs more bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyState {
    /// Push what arrives next. The end of the stream is also the end of the body.
    More,
    /// The body has ended, or its kept part is full.
    Done,
}

impl RefusalBody {
    /// Most bytes that are kept: 1 KiB.
    pub const LIMIT: usize = 1024;

    /// Makes an empty body, delimited as the response's head says (RFC 9112, 6.3).
    pub fn new(response: &Response<()>) -> Self {
        Self { bytes: Vec::new(), state: State::of(response) }
    }

    /// Takes bytes that arrived after the head, in pieces of any size. Bytes after the body's end are ignored.
    pub fn push(&mut self, input: &[u8]) -> BodyState {
        let mut input = input;
        while let Some((first, rest)) = input.split_first() {
            match self.state.run() {
                Run::Data(run) => input = self.take(input, run),
                Run::Framing => {
                    self.state = self.state.after(*first);
                    input = rest;
                }
                Run::None => break,
            }
        }
        match self.state.run() {
            Run::None => BodyState::Done,
            Run::Data(_) | Run::Framing => BodyState::More,
        }
    }

    /// Returns the kept bytes.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// Keeps the front of the input, up to the run's end or the limit, and returns the rest.
    fn take<'a>(&mut self, input: &'a [u8], run: u64) -> &'a [u8] {
        let room = Self::LIMIT - self.bytes.len();
        let run = usize::try_from(run).unwrap_or(usize::MAX).min(input.len()).min(room);
        let (data, rest) = input.split_at(run);
        self.bytes.extend_from_slice(data);
        self.state = if self.bytes.len() == Self::LIMIT {
            State::Done
        } else {
            self.state.without(run as u64)
        };
        rest
    }
}

#[derive(Clone, Copy, Debug)]
enum State {
    /// Ends with the stream.
    UntilEnd,
    /// `Content-Length` of it is left.
    Length {
        left: u64,
    },
    /// The hexadecimal digits of a chunk's size.
    ChunkSize {
        size: u64,
    },
    /// An extension, or what ends the size's line.
    ChunkSizeEnd {
        size: u64,
    },
    Chunk {
        left: u64,
    },
    /// The CR LF behind a chunk's data.
    ChunkEnd,
    Done,
}

/// What the next bytes are.
enum Run {
    Data(u64),
    Framing,
    None,
}

impl State {
    fn of(response: &Response<()>) -> Self {
        let headers = response.headers();
        if matches!(response.status(), StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED) {
            return Self::Done;
        }
        if let Some(coding) = tokens(headers, &TRANSFER_ENCODING).last() {
            let chunked = coding.eq_ignore_ascii_case("chunked");
            return if chunked { Self::ChunkSize { size: 0 } } else { Self::UntilEnd };
        }
        let length = headers
            .get(CONTENT_LENGTH)
            .and_then(|length| length.to_str().ok()?.trim().parse().ok());
        length.map_or(Self::UntilEnd, |left| Self::Length { left })
    }

    fn run(self) -> Run {
        match self {
            Self::UntilEnd => Run::Data(u64::MAX),
            Self::Length { left: 0 } | Self::Done => Run::None,
            Self::Length { left } | Self::Chunk { left } => Run::Data(left),
            Self::ChunkSize { .. } | Self::ChunkSizeEnd { .. } | Self::ChunkEnd => Run::Framing,
        }
    }

    /// After one byte of framing.
    fn after(self, byte: u8) -> Self {
        match (self, byte) {
            (Self::ChunkSize { size: 0 } | Self::ChunkSizeEnd { size: 0 }, b'\n') => Self::Done,
            (Self::ChunkSize { size } | Self::ChunkSizeEnd { size }, b'\n') => {
                Self::Chunk { left: size }
            }
            (Self::ChunkSize { size }, _) => match char::from(byte).to_digit(16) {
                // A size that overflows is far beyond the limit: its exact value can't matter.
                Some(digit) => {
                    Self::ChunkSize { size: size.saturating_mul(16).saturating_add(digit.into()) }
                }
                None => Self::ChunkSizeEnd { size },
            },
            (Self::ChunkEnd, b'\r') => Self::ChunkEnd,
            (Self::ChunkEnd, b'\n') => Self::ChunkSize { size: 0 },
            (Self::ChunkEnd, _) => Self::Done,
            (
                Self::ChunkSizeEnd { .. }
                | Self::UntilEnd
                | Self::Length { .. }
                | Self::Chunk { .. }
                | Self::Done,
                _,
            ) => self,
        }
    }

    /// After bytes of data.
    fn without(self, run: u64) -> Self {
        match self {
            Self::Length { left } => Self::Length { left: left - run },
            Self::Chunk { left } if left == run => Self::ChunkEnd,
            Self::Chunk { left } => Self::Chunk { left: left - run },
            Self::UntilEnd
            | Self::ChunkSize { .. }
            | Self::ChunkSizeEnd { .. }
            | Self::ChunkEnd
            | Self::Done => self,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn response(header: &str, value: &str) -> Response<()> {
        Response::builder().status(403).header(header, value).body(()).expect("a response")
    }

    fn collect(response: &Response<()>, pieces: &[&[u8]]) -> (BodyState, String) {
        let mut body = RefusalBody::new(response);
        let state = pieces.iter().fold(body.push(b""), |_, piece| body.push(piece));
        (state, String::from_utf8_lossy(&body.into_bytes()).into())
    }

    #[test]
    fn body_ends_with_its_length() {
        let two = response("content-length", "2");
        assert_eq!(collect(&two, &[b"n"]), (BodyState::More, "n".into()));
        assert_eq!(collect(&two, &[b"n", b"o!"]), (BodyState::Done, "no".into()));
        assert_eq!(collect(&response("content-length", "0"), &[]), (BodyState::Done, "".into()));
    }

    #[test]
    fn body_without_a_length_ends_with_the_stream() {
        assert_eq!(collect(&response("x", "y"), &[b"no", b"!"]), (BodyState::More, "no!".into()));
        assert_eq!(
            collect(&response("content-length", "x"), &[b"no"]),
            (BodyState::More, "no".into())
        );
        assert_eq!(
            collect(&response("transfer-encoding", "gzip"), &[b"no"]),
            (BodyState::More, "no".into())
        );
    }

    #[test]
    fn chunked_body_loses_its_framing() {
        let chunked = response("transfer-encoding", "gzip, Chunked");
        let wire = b"3;a=b\r\nnot\r\n00A \r\n you, wolf\r\n0\r\nTrailer: x\r\n\r\n";
        assert_eq!(collect(&chunked, &[wire]), (BodyState::Done, "not you, wolf".into()));
        assert_eq!(collect(&chunked, &[&wire[..9]]), (BodyState::More, "no".into()));
    }

    #[test]
    fn broken_chunk_ends_the_body() {
        let chunked = response("transfer-encoding", "chunked");
        assert_eq!(collect(&chunked, &[b"2\r\nnox\r\n2\r\nno"]), (BodyState::Done, "no".into()));
        assert_eq!(collect(&chunked, &[b"zz\r\nno"]), (BodyState::Done, "".into()));
    }

    #[test]
    fn one_kib_is_kept_however_much_is_announced() {
        let full = (BodyState::Done, "x".repeat(1024));
        for (response, prefix) in [
            (response("content-length", &u64::MAX.to_string()), ""),
            (response("x", "y"), ""),
            (response("transfer-encoding", "chunked"), "ffffffffffffffffffff\r\n"),
        ] {
            let wire = [prefix, &"x".repeat(2000)].concat();
            assert_eq!(collect(&response, &[wire.as_bytes()]), full);
        }
    }

    #[test]
    fn status_without_a_body_has_none() {
        let response = Response::builder()
            .status(304)
            .header("content-length", "2")
            .body(())
            .expect("a response");
        assert_eq!(collect(&response, &[b"no"]), (BodyState::Done, "".into()));
    }

    proptest! {
        #[test]
        fn how_a_body_was_cut_never_matters(
            body in "([0-3a-c]{1,2}(;x)?\r?\n[ -~]{0,12}\r\n){0,6}",
            cut: proptest::sample::Index,
        ) {
            let body = body.as_bytes();
            let (front, back) = body.split_at(cut.index(body.len() + 1));
            let chunked = ("transfer-encoding", "chunked");
            for (name, value) in [chunked, ("content-length", "9"), ("x", "y")] {
                let response = response(name, value);
                prop_assert_eq!(collect(&response, &[front, back]), collect(&response, &[body]));
            }
        }

        #[test]
        fn collecting_undoes_chunking(chunks in proptest::collection::vec("[ -~]{1,40}", 0..9)) {
            let chunked = response("transfer-encoding", "chunked");
            let frame = |chunk: &String| format!("{:x}\r\n{chunk}\r\n", chunk.len());
            let wire = chunks.iter().map(frame).collect::<String>() + "0\r\n\r\n";
            let collected = collect(&chunked, &[wire.as_bytes()]);
            prop_assert_eq!(collected, (BodyState::Done, chunks.concat()));
        }
    }
}
