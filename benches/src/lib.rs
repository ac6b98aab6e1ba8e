//! What the benchmarks and the tests of the workspace share: payloads, peers, the checks that they all compute the same, load
//! from outside, and the sources.

pub mod chart;
pub mod ends;
pub mod load;
pub mod masking;
pub mod packages;
pub mod servers;
pub mod sources;
pub mod tables;

/// The examples of the README, as tests.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
pub mod readme {}

/// The examples of `docs/BROWSER.md`, as tests; those for pages are left out here.
#[cfg(doctest)]
#[doc = include_str!("../../docs/BROWSER.md")]
pub mod browser {}

/// The examples of `docs/DEPLOYING.md`, as tests.
#[cfg(doctest)]
#[doc = include_str!("../../docs/DEPLOYING.md")]
pub mod deploying {}

/// The examples of `docs/NODES.md`, as tests.
#[cfg(doctest)]
#[doc = include_str!("../../docs/NODES.md")]
pub mod nodes {}
