//! Draws the charts of the README and of `docs/BENCHMARKS.md` anew from that document's tables, for light and for dark pages.

use std::fs;
use std::io;
use std::path::Path;

use ws_benches::chart::charts;

fn main() -> io::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let document = fs::read_to_string(root.join("docs/BENCHMARKS.md"))?;
    for chart in charts(&document) {
        fs::write(root.join(chart.path), chart.svg)?;
    }
    Ok(())
}
