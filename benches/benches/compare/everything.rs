//! One table of everything: this project beside the best peer of each kind of work. Each group of its lines is kept in a file
//! of its own, so that the groups may be measured one at a time: `everything:GROUP`; the table has all that were.

mod groups;
mod line;

use std::fs;
use std::path::Path;

use crate::effort::Effort;
use crate::machine;
use crate::plot::Failure;
use crate::rig::ROOT;
use groups::GROUPS;
use line::Line;

/// Measures the group of this name, or all, and writes the table of all that were measured.
pub(crate) fn measure(wanted: &str, effort: &Effort) -> Result<(), Failure> {
    let folder = Path::new(ROOT).join("target/compare/everything");
    fs::create_dir_all(&folder)?;
    let known = wanted.is_empty() || GROUPS.iter().any(|group| group.name == wanted);
    assert!(known, "groups: {:?}", GROUPS.map(|group| group.name));
    for group in GROUPS {
        if wanted.is_empty() || group.name == wanted {
            let lines: String = (group.measure)(effort)?.iter().map(Line::to_row).collect();
            println!("{lines}");
            fs::write(folder.join(group.name), lines)?;
        }
    }
    let of_group = |group: groups::Group| fs::read_to_string(folder.join(group.name));
    let lines: String = GROUPS.into_iter().filter_map(|group| of_group(group).ok()).collect();
    let (machine, peers, rounds) = (machine::line(), machine::peers(), effort.rounds);
    let table = format!(
        "### Everything\n\n{machine}. {peers}. Rounds: {rounds}.\n\n{}\n{}\n{lines}",
        line::HEADER,
        line::RULE
    );
    println!("{table}");
    fs::write(folder.with_extension("md"), table)?;
    Ok(())
}
