//! Draws the README's chart anew from the tables of `docs/BENCHMARKS.md`, for light and for dark pages.

use std::fs;
use std::io;
use std::path::Path;

use ws_benches::chart::{Theme, svg};

fn main() -> io::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let document = fs::read_to_string(root.join("docs/BENCHMARKS.md"))?;
    for (theme, path) in Theme::ALL {
        fs::write(root.join(path), svg(&document, theme))?;
    }
    Ok(())
}
