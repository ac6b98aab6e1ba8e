//! What the benchmarks and the tests of the workspace share: payloads, peers, the checks that they all compute the same, load
//! from outside, and the sources.

pub mod load;
pub mod masking;
pub mod servers;
pub mod sources;
