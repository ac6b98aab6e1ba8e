//! Tables in Markdown, on standard output and in a file.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

/// Standard output, and `target/compare/NAME.md`.
pub struct Page(File);

/// A line of a table: what it is of, and its cells.
pub type Row = (String, Vec<String>);

impl Page {
    /// Empties the file.
    ///
    /// # Errors
    ///
    /// If it can't be written.
    pub fn create(name: &str) -> io::Result<Self> {
        let folder = Path::new("target/compare");
        fs::create_dir_all(folder)?;
        File::create(folder.join(name).with_extension("md")).map(Self)
    }

    /// Adds a table below what is there.
    ///
    /// # Errors
    ///
    /// If the file can't be written.
    pub fn table(&mut self, title: &str, columns: &[&str], rows: &[Row]) -> io::Result<()> {
        let rule = "---|".repeat(columns.len());
        let mut text = format!("### {title}\n\n| | {} |\n|---|{rule}\n", columns.join(" | "));
        for (name, cells) in rows {
            text.push_str(&format!("| {name} | {} |\n", cells.join(" | ")));
        }
        println!("{text}");
        writeln!(self.0, "{text}")
    }
}

/// Rows with the cells of these columns.
#[must_use]
pub fn rows<'a>(names: impl IntoIterator<Item = &'a str>, columns: &[Vec<String>]) -> Vec<Row> {
    let cells = |row: usize| columns.iter().map(|column| column[row].clone()).collect();
    names.into_iter().enumerate().map(|(row, name)| (name.to_owned(), cells(row))).collect()
}
