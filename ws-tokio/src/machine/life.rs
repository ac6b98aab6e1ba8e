//! What `tracing` and `metrics` are told of a connection as a whole: how long it was open, who closed it, what passed. Without
//! these features it is nothing.

#[cfg(not(any(feature = "tracing", feature = "metrics")))]
pub(crate) use absent::Life;
#[cfg(any(feature = "tracing", feature = "metrics"))]
pub(crate) use present::Life;

#[cfg(any(feature = "tracing", feature = "metrics"))]
mod present {
    use tokio::time::Instant;
    use ws_core::Role;

    use crate::events::{ABNORMAL, Ended, Event, Side};
    use crate::machine::counters::Traffic;
    use crate::settings::Counting;

    /// A connection's life, from when it is open.
    #[derive(Debug)]
    pub(crate) struct Life(Box<Told>);

    #[derive(Debug)]
    struct Told {
        #[cfg(feature = "metrics")]
        role: Role,
        since: Instant,
        /// Whether the connection counts its traffic for the caller.
        counting: Counting,
        /// Who closed it first.
        by: Option<Side>,
        has_ended: bool,
        #[cfg(feature = "metrics")]
        tally: crate::metrics::Tally,
    }

    #[cfg(feature = "metrics")]
    fn amount(traffic: &Traffic) -> crate::metrics::Amount {
        crate::metrics::Amount { messages: traffic.counts.messages, bytes: traffic.wire_bytes }
    }

    impl Life {
        pub(crate) fn new(role: Role, counting: Counting) -> Self {
            #[cfg(feature = "metrics")]
            crate::metrics::opened(role);
            #[cfg(not(feature = "metrics"))]
            let _ = role;
            Self(Box::new(Told {
                #[cfg(feature = "metrics")]
                role,
                since: Instant::now(),
                counting,
                by: None,
                has_ended: false,
                #[cfg(feature = "metrics")]
                tally: crate::metrics::Tally::default(),
            }))
        }

        /// Returns whether the caller sees the counters.
        pub(crate) fn shows_counters(&self) -> bool {
            matches!(self.0.counting, Counting::On)
        }

        /// Records who closes the connection. The first one counts.
        pub(crate) fn closed_by(&mut self, side: Side) {
            self.0.by.get_or_insert(side);
        }

        /// Records the traffic so far. Returns what is to be told of it, now and then.
        #[cfg(feature = "metrics")]
        pub(crate) fn passed(
            &mut self,
            received: &Traffic,
            sent: Option<Traffic>,
        ) -> Option<crate::metrics::Passed> {
            self.0.tally.passed(
                self.0.role,
                amount(received),
                sent.as_ref().map(amount).unwrap_or_default(),
            )
        }

        /// Records that writing has to wait for the peer.
        #[cfg(feature = "metrics")]
        pub(crate) fn stalled(&mut self) {
            self.0.tally.stalled();
        }

        #[cfg(not(feature = "metrics"))]
        pub(crate) fn stalled(&mut self) {}

        /// Records the end, and returns what is to be told of it.
        pub(crate) fn ended(&mut self, code: u16, sent: Option<Traffic>) -> Ended {
            self.0.has_ended = true;
            #[cfg(not(feature = "metrics"))]
            let _ = sent;
            Ended {
                #[cfg(feature = "metrics")]
                role: self.0.role,
                code,
                #[cfg(feature = "tracing")]
                by: self.0.by,
                after: self.0.since.elapsed(),
                #[cfg(feature = "metrics")]
                passed: self
                    .0
                    .tally
                    .rest(self.0.role, sent.as_ref().map(amount).unwrap_or_default()),
            }
        }

        /// Tells of a connection that is dropped before it has ended.
        pub(crate) fn dropped(&mut self, sent: Option<Traffic>) {
            if !self.0.has_ended {
                Event::Dropped(self.ended(ABNORMAL, sent)).tell();
            }
        }
    }
}

#[cfg(not(any(feature = "tracing", feature = "metrics")))]
mod absent {
    use ws_core::Role;

    use crate::events::{Ended, Side};
    use crate::machine::counters::Traffic;
    use crate::settings::Counting;

    #[derive(Debug)]
    pub(crate) struct Life;

    impl Life {
        pub(crate) const fn new(_: Role, _: Counting) -> Self {
            Self
        }

        pub(crate) const fn shows_counters(&self) -> bool {
            true
        }

        pub(crate) const fn closed_by(&mut self, _: Side) {}

        pub(crate) const fn stalled(&mut self) {}

        pub(crate) const fn ended(&mut self, _: u16, _: Option<Traffic>) -> Ended {
            Ended {}
        }

        pub(crate) const fn dropped(&mut self, _: Option<Traffic>) {}
    }
}
