//! A request that is accepted, until the server hands its connection over.

use http::HeaderMap;
use hyper::upgrade::OnUpgrade;
use ws_core::handshake::server::Accepted;

#[cfg(feature = "axum")]
use super::proof::Proof;
use crate::connection::Negotiated;
use crate::machine::Ticket;
use crate::opening::Deadline;
use crate::settings::Settings;

/// What becomes a connection once the server has sent the response.
#[derive(Debug)]
pub(super) struct Judged {
    pub(super) on_upgrade: OnUpgrade,
    pub(super) accepted: Accepted,
    pub(super) headers: HeaderMap,
    pub(super) deadline: Deadline,
    pub(super) negotiated: Negotiated,
    pub(super) settings: Settings,
    pub(super) ticket: Option<Ticket>,
    /// Whether the response that accepts was sent, if that is known.
    #[cfg(feature = "axum")]
    pub(super) proof: Option<Proof>,
}
