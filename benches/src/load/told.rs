//! What became of the messages that nodes were told, as one line between processes.

use std::time::Duration;

use super::engine::Traffic;

/// What became of the messages.
#[derive(Clone, Debug)]
pub struct Told {
    /// How many were said.
    pub messages: u64,
    /// Wall-clock time, until all members had them.
    pub time: Duration,
    /// What went through the engine, if there is one.
    pub traffic: Traffic,
    /// Each node's part.
    pub nodes: Vec<Part>,
}

/// What became of the messages at one node.
#[derive(Clone, Copy, Debug)]
pub struct Part {
    /// CPU time of its threads.
    pub cpu: Duration,
    /// How long a message took to half of the members, from when it was said.
    pub p50: Duration,
    /// The same of 99 in 100.
    pub p99: Duration,
    /// How often members' sockets were read for that: fewer than deliveries, where several were written together.
    pub reads: u64,
}

impl Told {
    /// One line that [`parse`](Self::parse) reads.
    #[must_use]
    pub fn to_line(&self) -> String {
        let Traffic { bytes_in, bytes_out, messages_in, messages_out } = self.traffic;
        let mut numbers = vec![self.messages, nanos(self.time)];
        numbers.extend([bytes_in, bytes_out, messages_in, messages_out]);
        for Part { cpu, p50, p99, reads } in &self.nodes {
            numbers.extend([nanos(*cpu), nanos(*p50), nanos(*p99), *reads]);
        }
        numbers.iter().map(u64::to_string).collect::<Vec<_>>().join(" ")
    }

    /// Reads [`to_line`](Self::to_line).
    #[must_use]
    pub fn parse(line: &str) -> Option<Self> {
        let numbers: Result<Vec<u64>, _> = line.split_whitespace().map(str::parse).collect();
        let [messages, time, bytes_in, bytes_out, messages_in, messages_out, nodes @ ..] =
            &*numbers.ok()?
        else {
            return None;
        };
        let (nodes, []) = nodes.as_chunks() else { return None };
        let part = |[cpu, p50, p99, reads]: &[u64; 4]| {
            let [cpu, p50, p99] = [cpu, p50, p99].map(|nanos| Duration::from_nanos(*nanos));
            Part { cpu, p50, p99, reads: *reads }
        };
        Some(Self {
            messages: *messages,
            time: Duration::from_nanos(*time),
            traffic: Traffic {
                bytes_in: *bytes_in,
                bytes_out: *bytes_out,
                messages_in: *messages_in,
                messages_out: *messages_out,
            },
            nodes: nodes.iter().map(part).collect(),
        })
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::Told;

    #[test]
    fn a_line_is_read_as_it_was_written() {
        let line = "1 2 3 4 5 6 7 8 9 10 11 12 13 14";
        let told = Told::parse(line).expect("a line");
        assert_eq!((told.nodes.len(), told.to_line().as_str()), (2, line));
        assert!(Told::parse("1 2 3").is_none());
    }
}
