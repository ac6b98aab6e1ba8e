//! The chart of everything: for each line of the table, how much of the best peer's figure ours is.

use std::fmt::Write;

use super::theme::Theme;
use crate::tables::rows;

/// Sizes in pixels.
const WIDTH: usize = 1010;
const BARS: f64 = 460.0;
const LONGEST: f64 = 300.0;
const LINE: usize = 21;
const BAR: f64 = 11.0;
const TOP: usize = 46;

/// The ratio at which bars end.
const MOST: f64 = 1.5;

/// Draws the chart of a document.
///
/// # Panics
/// If the table is missing.
pub(super) fn svg(document: &str, theme: Theme) -> String {
    let [ink, quiet, ours, theirs] = theme.colors();
    let lines: Vec<_> = rows(document, "### Everything").iter().map(|row| Line::of(row)).collect();
    let height = TOP + lines.len() * LINE + 16;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" \
         height=\"{height}\" font-family=\"system-ui, sans-serif\" font-size=\"12\">\n"
    );
    let mut put = |text: String| writeln!(svg, "{text}").expect("a string takes all");
    put("<title>ws-tokio beside the best peer of each kind of work</title>".into());
    put(format!(
        "<text x=\"8\" y=\"20\" fill=\"{ink}\" font-weight=\"600\" font-size=\"14\">\
         ws-tokio, as a share of what the best peer takes: CPU, or memory of idle connections</text>"
    ));
    for (number, line) in lines.iter().enumerate() {
        let y = (TOP + number * LINE) as f64;
        let base = y + 9.0;
        let [low, middle, high] = line.ratio.map(x);
        put(format!("<text x=\"8\" y=\"{base}\" fill=\"{ink}\">{}</text>", line.what));
        let width = middle - BARS;
        put(format!(
            "<rect x=\"{BARS}\" y=\"{y}\" width=\"{width:.1}\" height=\"{BAR}\" rx=\"2\" fill=\"{ours}\"/>"
        ));
        let spread = y + BAR / 2.0;
        put(format!(
            "<path d=\"M{low:.1} {spread}H{high:.1}\" stroke=\"{ink}\" stroke-width=\"1.5\"/>"
        ));
        let end = high.max(x(1.0)).max(middle) + 6.0;
        let broken = if line.ratio[1] > MOST { "\u{226b} " } else { "" };
        put(format!(
            "<text x=\"{end:.1}\" y=\"{base}\" fill=\"{quiet}\">{broken}{:.2} x {}</text>",
            line.ratio[1], line.peer
        ));
    }
    let (one, bottom) = (x(1.0), height - 12);
    put(format!(
        "<path d=\"M{one:.1} 34V{bottom}\" stroke=\"{theirs}\" stroke-width=\"1.5\" stroke-dasharray=\"4 3\"/>"
    ));
    put(format!(
        "<text x=\"{:.1}\" y=\"38\" fill=\"{quiet}\" text-anchor=\"end\">the best peer</text>",
        one - 6.0
    ));
    svg + "</svg>\n"
}

fn x(ratio: f64) -> f64 {
    BARS + LONGEST * ratio.min(MOST) / MOST
}

/// A row of the table.
struct Line {
    what: String,
    peer: String,
    /// Quartiles.
    ratio: [f64; 3],
}

impl Line {
    fn of(row: &[String]) -> Self {
        let [what, _, peer, ratio, ..] = row else { panic!("{row:?} is no row of it") };
        let peer = peer.split_once(", ").expect("a figure and a name").1.to_owned();
        let mut numbers = ratio.split([' ', '(', ')']).filter_map(|word| word.parse().ok());
        let mut next = || numbers.next().expect("three numbers");
        let (middle, low, high) = (next(), next(), next());
        // The names of servers say again what the line is about.
        let what = ["ws-tokio ", "h2: ", ", axum"]
            .iter()
            .fold(what.clone(), |what, again| what.replacen(again, "", 1));
        Self { what, peer, ratio: [low, middle, high] }
    }
}
