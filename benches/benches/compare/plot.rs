//! A table as bars: a panel for each group of figures that can be compared.

use std::error::Error;
use std::path::Path;

use plotters::backend::SVGBackend;
use plotters::drawing::IntoDrawingArea;
use plotters::element::{Rectangle, Text};
use plotters::style::{BLACK, Color, IntoFont, RGBColor, TextStyle, WHITE};

/// A title, and bars: their names, and cells that begin with a figure.
pub(crate) type Panel<'a> = (&'a str, Vec<(&'a str, &'a str)>);

/// Why a table or its plot could not be written.
pub(crate) type Failure = Box<dyn Error>;

/// Sizes in pixels.
const WIDTH: u32 = 1000;
const LINE: i32 = 20;
const NAMES: i32 = 220;
const LONGEST: f64 = 560.0;

const OURS: RGBColor = RGBColor(200, 80, 20);
const THEIRS: RGBColor = RGBColor(120, 150, 190);

/// Draws the panels below each other, each to a scale of its own.
pub(crate) fn bars(path: &Path, title: &str, panels: &[Panel<'_>]) -> Result<(), Failure> {
    let lines: usize = 2 + panels.iter().map(|(_, bars)| bars.len() + 2).sum::<usize>();
    let area = SVGBackend::new(path, (WIDTH, lines as u32 * LINE as u32)).into_drawing_area();
    area.fill(&WHITE)?;
    let style = |size: i32| TextStyle::from(("sans-serif", size).into_font()).color(&BLACK);
    area.draw(&Text::new(title, (10, 10), style(17)))?;
    let mut y = 2 * LINE;
    for (title, bars) in panels {
        area.draw(&Text::new(*title, (10, y), style(15)))?;
        let most = bars.iter().map(|(_, cell)| figure(cell)).fold(f64::MIN_POSITIVE, f64::max);
        for (name, cell) in bars {
            y += LINE;
            let end = NAMES + (LONGEST * figure(cell) / most) as i32;
            let color = if name.starts_with("ws-") { OURS } else { THEIRS };
            let bar = Rectangle::new([(NAMES, y), (end, y + LINE - 5)], color.filled());
            area.draw(&Text::new(*name, (20, y), style(13)))?;
            area.draw(&bar)?;
            area.draw(&Text::new(*cell, (end + 6, y), style(13)))?;
        }
        y += 2 * LINE;
    }
    Ok(area.present()?)
}

/// The number that a cell begins with.
fn figure(cell: &str) -> f64 {
    let end = cell.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(cell.len());
    cell[..end].parse().unwrap_or(0.0)
}
