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
    let (_, table) = document.split_once(heading).expect(heading);
    let mut lines = table.lines().skip_while(|line| !line.starts_with('|'));
    let header = cells(lines.next().expect("a header"));
    let place = header.iter().position(|cell| cell == column).expect(column);
    let mut rows = lines.take_while(|line| line.starts_with('|')).map(cells);
    rows.find(|cells| cells[0] == row).expect(row).swap_remove(place)
}
