//! The figures of one row of the table of nodes: medians of its rounds.

use std::time::Duration;

use ws_benches::load::told::{Part, Told};

use crate::rig::median;

pub(crate) const COLUMNS: [&str; 8] = [
    "messages per second",
    "us to the node's own members, p50 / p99",
    "us to the other node's members, p50 / p99",
    "ns of CPU per delivery, its own node (x nodes apart)",
    "ns of CPU per delivery, the other node (x nodes apart)",
    "messages per read, own / other node's members",
    "bytes to the engine per message (messages)",
    "bytes from the engine per message (messages)",
];

/// A row's rounds.
pub(crate) struct Figures<'a> {
    pub(crate) told: &'a [Told],
    /// The same rounds of the row that its CPU time is compared with.
    pub(crate) apart: &'a [Told],
    pub(crate) members: usize,
}

impl Figures<'_> {
    /// One for each of [`COLUMNS`].
    pub(crate) fn cells(&self) -> Vec<String> {
        vec![
            format!("{:.0}", self.median(|told| told.messages as f64 / told.time.as_secs_f64())),
            self.of_node(0, Self::time),
            self.of_node(1, Self::time),
            self.of_node(0, Self::cpu),
            self.of_node(1, Self::cpu),
            format!("{} / {}", self.of_node(0, Self::per_read), self.of_node(1, Self::per_read)),
            self.traffic(|told| told.traffic.bytes_in, |told| told.traffic.messages_in),
            self.traffic(|told| told.traffic.bytes_out, |told| told.traffic.messages_out),
        ]
    }

    /// A cell of this node, if there is one.
    fn of_node(&self, node: usize, cell: fn(&Self, usize) -> String) -> String {
        let is_there = self.told.iter().all(|told| node < told.nodes.len());
        if is_there { cell(self, node) } else { NOTHING.to_owned() }
    }

    fn time(&self, node: usize) -> String {
        let micros = |time: fn(&Part) -> Duration| {
            self.median(|told| time(&told.nodes[node]).as_secs_f64() * 1e6)
        };
        format!("{:.0} / {:.0}", micros(|part| part.p50), micros(|part| part.p99))
    }

    fn cpu(&self, node: usize) -> String {
        let each = |told: &Told| told.nodes[node].cpu.as_nanos() as f64 / self.deliveries(told);
        let pairs = self.told.iter().zip(self.apart);
        let ratio = median(pairs.map(|(told, apart)| each(told) / each(apart)));
        format!("{:.0} ({ratio:.2} x)", self.median(each))
    }

    fn per_read(&self, node: usize) -> String {
        let per_read = |told: &Told| self.deliveries(told) / told.nodes[node].reads as f64;
        format!("{:.1}", self.median(per_read))
    }

    fn traffic(&self, bytes: fn(&Told) -> u64, messages: fn(&Told) -> u64) -> String {
        let each =
            |count: fn(&Told) -> u64| self.median(|told| count(told) as f64 / told.messages as f64);
        match (each(bytes), each(messages)) {
            (0.0, _) => NOTHING.to_owned(),
            (bytes, 0.0) => format!("{bytes:.1}"),
            (bytes, messages) => format!("{bytes:.1} ({messages:.2})"),
        }
    }

    /// On each node.
    const fn deliveries(&self, told: &Told) -> f64 {
        (told.messages * self.members as u64) as f64
    }

    fn median(&self, figure: impl Fn(&Told) -> f64) -> f64 {
        median(self.told.iter().map(figure))
    }
}

const NOTHING: &str = "-";
