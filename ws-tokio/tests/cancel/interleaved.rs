//! All operations in any order, each dropped after any number of polls: the law, over random programs and over the
//! fuzzer's corpus.

use std::fs;
use std::path::Path;

use proptest::prelude::*;

use crate::connection_ops::connection_ops;

#[test]
fn the_corpus_of_connection_ops_replays() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus/connection_ops");
    let mut replayed = 0;
    for entry in fs::read_dir(corpus).expect("a corpus") {
        connection_ops(&fs::read(entry.expect("an entry").path()).expect("a file"));
        replayed += 1;
    }
    assert!(replayed > 0, "the corpus is empty");
}

/// A transport that neither fails nor falls silent.
const HEALTHY: u8 = 0xff << 2;

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

    #[test]
    fn operations_dropped_anywhere_in_any_order_lose_nothing_and_repeat_nothing(
        flags: u8,
        ends in prop_oneof![Just(HEALTHY), any::<u8>()],
        bytes in proptest::collection::vec(any::<u8>(), 0..400),
    ) {
        connection_ops(&[&[flags, ends], &bytes[..]].concat());
    }
}
