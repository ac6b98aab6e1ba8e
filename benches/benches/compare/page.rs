//! Tables in Markdown, on standard output and in a file, and a plot of each.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::plot::{self, Failure};
use crate::rig::ROOT;

/// Standard output, and `target/compare/NAME.md` with plots beside it.
pub(crate) struct Page {
    file: File,
    path: PathBuf,
    tables: usize,
}

/// A line of a table: what it is of, and its cells.
pub(crate) type Row = (String, Vec<String>);

/// What stands side by side in a plot.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Compared {
    Rows,
    Columns,
}

impl Page {
    /// Empties the file.
    pub(crate) fn create(name: &str) -> Result<Self, Failure> {
        let folder = Path::new(ROOT).join("target/compare");
        fs::create_dir_all(&folder)?;
        let path = folder.join(name);
        Ok(Self { file: File::create(path.with_extension("md"))?, path, tables: 0 })
    }

    /// Adds a table below what is there.
    pub(crate) fn table(
        &mut self,
        title: &str,
        columns: &[&str],
        rows: &[Row],
        compared: Compared,
    ) -> Result<(), Failure> {
        let rule = "---|".repeat(columns.len());
        let mut text = format!("### {title}\n\n| | {} |\n|---|{rule}\n", columns.join(" | "));
        for (name, cells) in rows {
            text.push_str(&format!("| {name} | {} |\n", cells.join(" | ")));
        }
        println!("{text}");
        writeln!(self.file, "{text}")?;
        self.tables += 1;
        let plot = format!("{}-{}.svg", self.path.display(), self.tables);
        plot::bars(Path::new(&plot), title, &panels(columns, rows, compared))
    }
}

/// Rows with the cells of these columns.
pub(crate) fn rows<'a>(
    names: impl IntoIterator<Item = &'a str>,
    columns: &[Vec<String>],
) -> Vec<Row> {
    let cells = |row: usize| columns.iter().map(|column| column[row].clone()).collect();
    names.into_iter().enumerate().map(|(row, name)| (name.to_owned(), cells(row))).collect()
}

/// One panel for each column of rows, or for each row of columns.
fn panels<'a>(columns: &[&'a str], rows: &'a [Row], compared: Compared) -> Vec<plot::Panel<'a>> {
    match compared {
        Compared::Rows => {
            let bar = |column: usize| move |(name, cells): &'a Row| (&**name, &*cells[column]);
            let panel = |(at, &title)| (title, rows.iter().map(bar(at)).collect());
            columns.iter().enumerate().map(panel).collect()
        }
        Compared::Columns => {
            let bars = |cells: &'a [String]| {
                columns.iter().copied().zip(cells.iter().map(String::as_str)).collect()
            };
            rows.iter().map(|(title, cells)| (&**title, bars(cells))).collect()
        }
    }
}
