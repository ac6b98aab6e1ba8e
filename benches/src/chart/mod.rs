//! Charts drawn from the tables of `docs/BENCHMARKS.md`: so they can't say anything that those don't.

mod everything;
mod readme;
mod theme;

use theme::Theme;

/// A chart for one kind of page.
#[derive(Clone, Debug)]
pub struct Chart {
    /// From the workspace's root.
    pub path: String,
    /// The picture.
    pub svg: String,
}

/// All charts of a document.
///
/// # Panics
///
/// If a table, a column or a row is missing.
#[must_use]
pub fn charts(document: &str) -> Vec<Chart> {
    let drawn = |theme: Theme| {
        [("chart", readme::svg(document, theme)), ("everything", everything::svg(document, theme))]
            .map(|(name, svg)| Chart { path: format!("docs/{name}-{}.svg", theme.name()), svg })
    };
    [Theme::Light, Theme::Dark].into_iter().flat_map(drawn).collect()
}
