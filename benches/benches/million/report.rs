//! Figures by name, from the process that has the connections to the one that prints the table.

use std::time::Duration;

/// Figures in the order in which they came.
#[derive(Debug, Default)]
pub(crate) struct Report(Vec<(String, f64)>);

impl Report {
    pub(crate) fn add(&mut self, name: &str, figure: f64) {
        self.0.push((name.to_owned(), figure));
    }

    /// A line for each, which [`parse`](Self::parse) reads.
    pub(crate) fn to_lines(&self) -> String {
        self.0.iter().map(|(name, figure)| format!("{figure} {name}\n")).collect()
    }

    pub(crate) fn parse(lines: &str) -> Option<Self> {
        let line = |line: &str| {
            let (figure, name) = line.split_once(' ')?;
            Some((name.to_owned(), figure.parse().ok()?))
        };
        lines.lines().map(line).collect::<Option<_>>().map(Self)
    }

    fn get(&self, name: &str) -> Option<f64> {
        self.0.iter().find(|(other, _)| other == name).map(|(_, figure)| *figure)
    }
}

/// A table of several reports, each in a column.
pub(crate) fn table(columns: &[(&str, Report)]) -> String {
    let mut names: Vec<&str> = Vec::new();
    for (name, _) in columns.iter().flat_map(|(_, report)| &report.0) {
        if !names.contains(&&**name) {
            names.push(name);
        }
    }
    let heads: Vec<_> = columns.iter().map(|(head, _)| *head).collect();
    let rule = "---|".repeat(heads.len());
    let mut text = format!("| | {} |\n|---|{rule}\n", heads.join(" | "));
    for name in names {
        let cells =
            columns.iter().map(|(_, report)| report.get(name).map_or_else(String::new, short));
        text.push_str(&format!("| {name} | {} |\n", cells.collect::<Vec<_>>().join(" | ")));
    }
    text
}

/// Three digits that matter.
fn short(figure: f64) -> String {
    match figure.abs() {
        0.0 => "0".to_owned(),
        small if small < 10.0 => format!("{figure:.2}"),
        middling if middling < 100.0 => format!("{figure:.1}"),
        _ => format!("{figure:.0}"),
    }
}

pub(crate) const fn seconds(time: Duration) -> f64 {
    time.as_secs_f64()
}

pub(crate) fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

pub(crate) fn mib(bytes: f64) -> f64 {
    bytes / 1_048_576.0
}
