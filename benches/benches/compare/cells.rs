//! Rounds made into the cells of a table.

use ws_benches::load::Took;

use crate::rig::median;

/// CPU per answer, and its ratio to the first server's.
pub(crate) fn cpu_and_ratios(took: &[Vec<Took>]) -> Vec<String> {
    let cell = |rounds: &Vec<Took>| {
        let cpu = median(rounds.iter().map(Took::cpu_per_answer));
        format!("{cpu:.0} ({:.2} x)", ratio(rounds, &took[0]))
    };
    took.iter().map(cell).collect()
}

/// Of the CPU per answer, round by round.
pub(crate) fn ratio(rounds: &[Took], first: &[Took]) -> f64 {
    let pairs = rounds.iter().zip(first);
    median(pairs.map(|(one, first)| one.cpu_per_answer() / first.cpu_per_answer()))
}

pub(crate) fn rates(took: &[Vec<Took>]) -> Vec<String> {
    let cell = |rounds: &Vec<Took>| {
        let rate = median(rounds.iter().map(Took::per_second));
        format!("{:.1}", rate / 1000.0)
    };
    took.iter().map(cell).collect()
}

/// CPU per answer of `size` bytes, its ratio to the first server's, and what of the answer was on the wire.
pub(crate) fn cpu_and_share(took: &[Vec<Took>], size: usize) -> Vec<String> {
    let cell = |rounds: &Vec<Took>| {
        let cpu = median(rounds.iter().map(Took::cpu_per_answer)) / 1000.0;
        let sent = median(rounds.iter().map(|took| took.sent as f64 / took.answers as f64));
        let percent = 100.0 * sent / size as f64;
        format!("{cpu:.1} ({:.2} x, {percent:.1} %)", ratio(rounds, &took[0]))
    };
    took.iter().map(cell).collect()
}
