//! Reading the tables of the documents.

/// The cells of a table's line.
#[must_use]
pub fn cells(line: &str) -> Vec<String> {
    line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect()
}

/// A cell of the first table behind a heading.
///
/// # Panics
/// If the heading, the column or the row is missing.
#[must_use]
pub fn cell(document: &str, heading: &str, row: &str, column: &str) -> String {
    let mut rows = table(document, heading);
    let header = rows.next().expect("a header");
    let place = header.iter().position(|cell| cell == column).expect(column);
    rows.find(|cells| cells[0] == row).expect(row).swap_remove(place)
}

/// The rows of the first table behind a heading, without its header.
///
/// # Panics
/// If the heading is missing.
#[must_use]
pub fn rows(document: &str, heading: &str) -> Vec<Vec<String>> {
    table(document, heading).skip(2).collect()
}

/// The lines of the first table behind a heading.
fn table<'a>(document: &'a str, heading: &str) -> impl Iterator<Item = Vec<String>> + use<'a> {
    let (_, table) = document.split_once(heading).expect("the heading is there");
    let lines = table.lines().skip_while(|line| !line.starts_with('|'));
    lines.take_while(|line| line.starts_with('|')).map(cells)
}
