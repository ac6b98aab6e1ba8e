//! Errors on their way to the caller: a transport's, which can be reported more than once, and any in a box.

use std::error;
use std::fmt;
use std::io;
use std::sync::Arc;

use crate::error::Error;

/// An [`io::Error`] that can be cloned.
#[derive(Clone, Debug)]
pub(crate) struct Failure(Arc<io::Error>);

impl Failure {
    /// Returns whether the stream ended or was reset, under any error kind.
    pub(crate) fn is_cut(&self) -> bool {
        matches!(
            self.0.kind(),
            io::ErrorKind::UnexpectedEof
                | io::ErrorKind::ConnectionReset
                | io::ErrorKind::ConnectionAborted
                | io::ErrorKind::BrokenPipe
        )
    }

    /// Returns a copy of the error: an OS error with its code, any other with the same kind, text and source.
    pub(crate) fn error(&self) -> io::Error {
        match self.0.raw_os_error() {
            Some(code) => io::Error::from_raw_os_error(code),
            None if self.0.get_ref().is_none() => self.0.kind().into(),
            None => io::Error::new(self.0.kind(), self.clone()),
        }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self(Arc::new(error))
    }
}

impl From<io::ErrorKind> for Failure {
    fn from(kind: io::ErrorKind) -> Self {
        io::Error::from(kind).into()
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl error::Error for Failure {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        self.0.get_ref().map(|inner| inner as _)
    }
}

/// Boxes an error, for a result that is a register where nothing failed. A `Result<(), Error>` is as large as the largest error,
/// and the compiler copies all of it, by way of memory: for a small message that takes longer than queueing it.
#[cold]
#[inline(never)]
pub(crate) fn boxed(error: impl Into<Error>) -> Box<Error> {
    Box::new(error.into())
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;

    use super::*;

    #[test]
    fn an_error_is_said_again_with_its_kind_its_text_and_its_source() {
        let inner = io::Error::other("bad record mac");
        let failure = Failure::from(io::Error::new(io::ErrorKind::UnexpectedEof, inner));
        for _ in 0..2 {
            let error = failure.error();
            assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
            assert_eq!(error.to_string(), "bad record mac");
            assert_eq!(error.source().expect("the inner error").to_string(), "bad record mac");
        }
        assert!(failure.is_cut());
    }

    #[test]
    fn an_error_of_the_system_keeps_its_number() {
        let failure = Failure::from(io::Error::from_raw_os_error(104));
        assert_eq!(failure.error().raw_os_error(), Some(104));
    }

    #[test]
    fn a_failure_that_is_no_cut_is_said_as_it_was() {
        let failure = Failure::from(io::ErrorKind::WriteZero);
        assert!(!failure.is_cut());
        let error = failure.error();
        assert!(error.kind() == io::ErrorKind::WriteZero && error.get_ref().is_none());
    }
}
