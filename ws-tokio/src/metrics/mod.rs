//! What the `metrics` facade is told, by the names that the crate's front page lists.

pub(crate) mod hub;

use std::time::Duration;

use http::StatusCode;
use metrics::{counter, gauge, histogram};
use ws_core::Role;

/// Traffic is told after so many messages or bytes of a connection, and at its end: each time, the recorder is called a few times.
const OFTEN: (u64, u64) = (256, 1 << 20);

/// A metric with a label for the role. Its key is constant, so that it costs no allocation.
macro_rules! by_role {
    ($metric:ident, $role:expr, $name:literal $(, $label:literal => $value:literal)?) => {
        match $role {
            Role::Client => $metric!($name, "role" => "client" $(, $label => $value)?),
            Role::Server => $metric!($name, "role" => "server" $(, $label => $value)?),
        }
    };
}

/// What passed over a connection, and what was told of it.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    received: Amount,
    told: [Amount; 2],
    stalls: u32,
}

/// What passed in one direction.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Amount {
    pub(crate) messages: u64,
    pub(crate) bytes: u64,
}

/// What is to be told of the traffic of a connection.
#[derive(Debug)]
pub(crate) struct Passed {
    role: Role,
    received: Amount,
    sent: Amount,
    stalls: u32,
}

/// What is to be told once no lock is held.
#[derive(Debug, Default)]
pub(crate) struct Due(Option<Passed>);

impl Due {
    pub(crate) fn push(&mut self, passed: Passed) {
        self.0 = Some(match self.0.take() {
            Some(before) => before.and(passed),
            None => passed,
        });
    }

    pub(crate) fn tell(self) {
        self.0.into_iter().for_each(Passed::tell);
    }
}

impl Tally {
    pub(crate) fn stalled(&mut self) {
        self.stalls += 1;
    }

    /// Records the traffic so far, and returns what is to be told of it, if it is much.
    pub(crate) fn passed(&mut self, role: Role, received: Amount, sent: Amount) -> Option<Passed> {
        self.received = received;
        let much =
            self.received.since(self.told[0]).is_much() || sent.since(self.told[1]).is_much();
        much.then(|| self.rest(role, sent))
    }

    /// Returns what was not told yet.
    pub(crate) fn rest(&mut self, role: Role, sent: Amount) -> Passed {
        let [received_before, sent_before] = self.told;
        self.told = [self.received, sent];
        Passed {
            role,
            received: self.received.since(received_before),
            sent: sent.since(sent_before),
            stalls: std::mem::take(&mut self.stalls),
        }
    }
}

impl Amount {
    fn since(self, before: Self) -> Self {
        Self { messages: self.messages - before.messages, bytes: self.bytes - before.bytes }
    }

    const fn and(self, more: Self) -> Self {
        Self { messages: self.messages + more.messages, bytes: self.bytes + more.bytes }
    }

    fn is_much(self) -> bool {
        self.messages >= OFTEN.0 || self.bytes >= OFTEN.1
    }
}

impl Passed {
    const fn and(self, more: Self) -> Self {
        let Self { role, received, sent, stalls } = self;
        let (received, sent) = (received.and(more.received), sent.and(more.sent));
        Self { role, received, sent, stalls: stalls + more.stalls }
    }

    pub(crate) fn tell(self) {
        let Self { role, received, sent, stalls } = self;
        if received.messages > 0 {
            by_role!(counter, role, "ws_messages_total", "direction" => "received")
                .increment(received.messages);
        }
        if sent.messages > 0 {
            by_role!(counter, role, "ws_messages_total", "direction" => "sent")
                .increment(sent.messages);
        }
        if received.bytes > 0 {
            by_role!(counter, role, "ws_bytes_total", "direction" => "received")
                .increment(received.bytes);
        }
        if sent.bytes > 0 {
            by_role!(counter, role, "ws_bytes_total", "direction" => "sent").increment(sent.bytes);
        }
        if stalls > 0 {
            by_role!(counter, role, "ws_queue_stalls_total").increment(stalls.into());
        }
    }
}

pub(crate) fn opened(role: Role) {
    by_role!(counter, role, "ws_connections_opened_total").increment(1);
    by_role!(gauge, role, "ws_connections_active").increment(1);
}

pub(crate) fn closed(role: Role, code: u16, after: Duration) {
    by_role!(gauge, role, "ws_connections_active").decrement(1);
    counter!("ws_connections_closed_total", "role" => name(role), "code" => code.to_string())
        .increment(1);
    by_role!(histogram, role, "ws_connection_duration_seconds").record(after);
}

pub(crate) fn refused(status: StatusCode) {
    counter!("ws_handshakes_refused_total", "status" => status.as_str().to_owned()).increment(1);
}

const fn name(role: Role) -> &'static str {
    match role {
        Role::Client => "client",
        Role::Server => "server",
    }
}
