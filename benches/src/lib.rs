//! What the benchmarks and the tests of the workspace share: payloads, peers, the checks that they all compute the same, load
//! from outside and tables of it, and the sources.

pub mod load;
pub mod masking;
pub mod page;
pub mod rig;
pub mod servers;
pub mod sources;
