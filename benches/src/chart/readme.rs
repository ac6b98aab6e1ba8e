//! The README's chart: one shape of echo, and the memory of connections that wait.

use std::fmt::Write;

use super::theme::Theme;
use crate::tables::cell;

/// A table of the document, one column of it, and how the chart shows that.
struct Panel {
    heading: &'static str,
    column: &'static str,
    title: &'static str,
    unit: &'static str,
    /// Where bars end that would make all others too short to compare.
    most: f64,
}

const PANELS: [Panel; 2] = [
    Panel {
        heading: "### Echo over TCP: ns of server CPU per message",
        column: "1 KiB, 16 conn., 16 in flight",
        title: "Server CPU per echoed message of 1 KiB, 16 connections with 16 messages in flight each",
        unit: "ns",
        most: 1000.0,
    },
    Panel {
        heading: "### Idle: KiB resident per connection",
        column: "KiB",
        title: "Resident memory of an idle connection",
        unit: "KiB",
        most: 20.0,
    },
];

/// Each library by its best way, by the row's name.
const ROWS: [(&str, &str); 7] = [
    ("ws-tokio run", "ws-tokio, run"),
    ("ws-tokio recv+feed", "ws-tokio, recv and feed"),
    ("sockudo-ws", "sockudo-ws"),
    ("yawc", "yawc"),
    ("tokio-tungstenite", "tokio-tungstenite"),
    ("tokio-websockets", "tokio-websockets"),
    ("fastwebsockets", "fastwebsockets"),
];

/// Sizes in pixels.
const WIDTH: usize = 840;
const NAMES: usize = 180;
const LONGEST: f64 = 540.0;
const LINE: usize = 24;
const BAR: usize = 15;

/// Draws the chart of a document.
///
/// # Panics
/// If a table, a column or a row is missing.
pub(super) fn svg(document: &str, theme: Theme) -> String {
    let [ink, quiet, ours, theirs] = theme.colors();
    let height = 8 + PANELS.len() * (ROWS.len() * LINE + 52);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" \
         height=\"{height}\" font-family=\"system-ui, sans-serif\" font-size=\"13\">\n"
    );
    let mut line = |text: String| writeln!(svg, "{text}").expect("a string takes all");
    line("<title>ws-tokio beside its peers: server CPU per message, memory of an idle connection</title>".into());
    let mut y = 24;
    for panel in PANELS {
        line(format!(
            "<text x=\"8\" y=\"{y}\" fill=\"{ink}\" font-weight=\"600\">{}</text>",
            panel.title
        ));
        for (row, name) in ROWS {
            y += LINE;
            let value = value(document, &panel, row);
            let length = LONGEST * value.min(panel.most) / panel.most;
            let color = if row.starts_with("ws-") { ours } else { theirs };
            let (top, end) = (y - BAR + 3, NAMES as f64 + length);
            line(format!("<text x=\"20\" y=\"{y}\" fill=\"{ink}\">{name}</text>"));
            line(format!(
                "<rect x=\"{NAMES}\" y=\"{top}\" width=\"{length:.1}\" height=\"{BAR}\" rx=\"2\" fill=\"{color}\"/>"
            ));
            let broken = if value > panel.most { "\u{226b} " } else { "" };
            line(format!(
                "<text x=\"{:.1}\" y=\"{y}\" fill=\"{quiet}\">{broken}{value} {}</text>",
                end + 6.0,
                panel.unit
            ));
        }
        y += 52;
    }
    svg + "</svg>\n"
}

/// The figure that a cell of the panel's table begins with.
fn value(document: &str, panel: &Panel, row: &str) -> f64 {
    let cell = cell(document, panel.heading, row, panel.column);
    let figure = cell.split(' ').next().unwrap_or_default();
    figure.parse().unwrap_or_else(|_| panic!("{row}: no figure in {cell}"))
}
