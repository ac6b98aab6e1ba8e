//! A line of the table: a way of ours, the best peer, and their ratio round by round.

use ws_benches::load::Took;

use crate::rig::median;

pub(crate) const HEADER: &str =
    "| | ws-tokio | best peer | ratio to it (quartiles) | ratio to the floor |";
pub(crate) const RULE: &str = "|---|---|---|---|---|";

/// Something that was measured.
pub(crate) struct Measured {
    pub(crate) name: &'static str,
    pub(crate) is: Is,
    /// Of each round.
    pub(crate) figures: Vec<f64>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Is {
    Floor,
    Ours,
    Peer,
}

pub(crate) struct Line {
    what: String,
    unit: Unit,
    ours: f64,
    best: (&'static str, f64),
    ratio: [f64; 3],
    to_floor: Option<f64>,
}

#[derive(Clone, Copy)]
pub(crate) enum Unit {
    /// Nanoseconds of CPU for each message.
    Nanos,
    /// Resident KiB.
    Kib,
}

/// What `what` took: a line for each way of ours.
pub(crate) fn lines(what: &str, unit: Unit, all: &[Measured]) -> Vec<Line> {
    let peers = all.iter().filter(|measured| measured.is == Is::Peer);
    let best = peers.min_by(|one, other| one.median().total_cmp(&other.median()));
    let Some(best) = best else { return vec![] };
    let floor = all.iter().find(|measured| measured.is == Is::Floor);
    let line = |ours: &Measured| Line {
        what: format!("{what}: {}", ours.name),
        unit,
        ours: ours.median(),
        best: (best.name, best.median()),
        ratio: quartiles(ours.ratios(best)),
        to_floor: floor.map(|floor| median(ours.ratios(floor).into_iter())),
    };
    all.iter().filter(|measured| measured.is == Is::Ours).map(line).collect()
}

impl Measured {
    /// The CPU time of each answer.
    pub(crate) fn of_cpu(name: &'static str, rounds: &[Took]) -> Self {
        let figures = rounds.iter().map(Took::cpu_per_answer).collect();
        Self { name, is: Is::called(name), figures }
    }

    fn median(&self) -> f64 {
        median(self.figures.iter().copied())
    }

    fn ratios(&self, other: &Self) -> Vec<f64> {
        self.figures.iter().zip(&other.figures).map(|(own, other)| own / other).collect()
    }
}

impl Is {
    pub(crate) fn called(name: &str) -> Self {
        if name.contains("ws-tokio") {
            Self::Ours
        } else if name.contains("bare") || name == "floor" {
            Self::Floor
        } else {
            Self::Peer
        }
    }
}

impl Line {
    /// Of a table in Markdown.
    pub(crate) fn to_row(&self) -> String {
        let Self { what, unit, ours, best: (peer, best), ratio: [low, middle, high], to_floor } =
            self;
        let floor = to_floor.map_or_else(|| "-".to_owned(), |ratio| format!("{ratio:.2} x"));
        format!(
            "| {what} | {} | {}, {peer} | {middle:.2} x ({low:.2} to {high:.2}) | {floor} |\n",
            unit.of(*ours),
            unit.of(*best)
        )
    }
}

impl Unit {
    fn of(self, figure: f64) -> String {
        match self {
            Self::Nanos => format!("{figure:.0} ns"),
            Self::Kib => format!("{figure:.2} KiB"),
        }
    }
}

/// Of few values, the least and the most.
fn quartiles(mut values: Vec<f64>) -> [f64; 3] {
    values.sort_by(f64::total_cmp);
    let (quarter, last) = ((values.len() - 1) / 4, values.len() - 1);
    [values[quarter], values[values.len() / 2], values[last - quarter]]
}
