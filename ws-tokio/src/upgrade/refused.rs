//! Why a request doesn't become a connection, as a response.

use std::error;
use std::fmt;

use bytes::Bytes;
use http::{Response, StatusCode};
use ws_core::handshake::server::{Refusal, Upgrade};

/// A request that is no WebSocket handshake, or one that the options don't allow. Converts into the response that says why.
///
/// With the feature `axum`, it is a rejection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    pub(super) refusal: Refusal,
    pub(super) over: Upgrade,
}

impl Refused {
    /// Returns the reason.
    #[must_use]
    pub const fn refusal(&self) -> &Refusal {
        &self.refusal
    }

    /// Returns the response's status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.refusal.status()
    }

    /// Returns the response, whose body says why.
    #[must_use]
    pub fn response<B: From<Bytes>>(&self) -> Response<B> {
        self.refusal.response(self.over).map(B::from)
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.refusal.fmt(f)
    }
}

impl error::Error for Refused {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        Some(&self.refusal)
    }
}
