//! The colours of charts.

/// What the page around the chart looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Theme {
    /// Dark ink on a light page.
    Light,
    /// Light ink on a dark page.
    Dark,
}

impl Theme {
    /// What the files for it are called.
    #[must_use]
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    /// Ink, quiet ink, our bars, the others' bars.
    pub(super) const fn colors(self) -> [&'static str; 4] {
        match self {
            Self::Light => ["#1f2328", "#59636e", "#c2410c", "#8ba3c0"],
            Self::Dark => ["#e6edf3", "#9198a1", "#f97316", "#52698a"],
        }
    }
}
