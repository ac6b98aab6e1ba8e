//! What the benchmarks and the tests of the workspace share: payloads, peers, the check that they all compute the same,
//! and the sources.

pub mod masking;
pub mod sources;
