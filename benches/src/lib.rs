//! What the benchmarks share: payloads, peers, and the check that they all compute the same.

pub mod masking;
