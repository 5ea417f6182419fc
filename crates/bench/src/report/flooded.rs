//! What a flood did to good requests: each round's figures, and the median of each over the rounds.

use super::{median, median_latency};
use crate::flood::Answers;
use crate::histogram::Latency;
use serde::Serialize;

/// Good requests beside a flood, and without it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FloodReport {
    /// Good requests in a second.
    pub rate: u64,
    /// How long they came, without the flood and with it.
    pub seconds: u64,
    /// Clients that sent them.
    pub clients: usize,
    /// Connections of the flood at a time.
    pub connections: usize,
    /// Of all rounds; what was counted is added up.
    pub median: FloodFigures,
    /// Of each round.
    pub rounds: Vec<FloodFigures>,
}

/// The figures of one round, or the medians of several.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FloodFigures {
    /// Good requests without the flood.
    pub quiet: GoodFigures,
    /// Good requests beside it.
    pub flooded: GoodFigures,
    /// The 99th percentile of what an answer took beside the flood, as a multiple of what it was
    /// without.
    pub accept_p99_of_quiet: Option<f64>,
    /// The same from when a request was to be sent until its message arrived.
    pub end_to_end_p99_of_quiet: Option<f64>,
    /// Requests of the flood in a second.
    pub requests_per_second: f64,
    /// How they were answered.
    pub answers: Answers,
    /// CPU time of the server for each, in microseconds: what it used beside the flood, less what
    /// it used without.
    pub cpu_us: Option<f64>,
}

/// What became of good requests.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct GoodFigures {
    /// From when a request was to be sent until it was answered.
    pub accept_ms: Option<Latency>,
    /// From when a request was to be sent until its message arrived.
    pub end_to_end_ms: Option<Latency>,
    /// The most memory that the server had held until then, in MiB.
    pub peak_mib: Option<f64>,
    /// Requests that were refused.
    pub refused: u64,
    /// Deliveries of what was accepted that did not arrive.
    pub lost: u64,
    /// Deliveries that arrived again.
    pub repeated: u64,
}

impl FloodFigures {
    /// How much more memory the server held at its peak in the flood, in MiB.
    pub fn more_mib(&self) -> Option<f64> {
        Some(self.flooded.peak_mib? - self.quiet.peak_mib?)
    }

    pub(crate) fn median(rounds: &[Self]) -> Self {
        let of = |figure: fn(&Self) -> Option<f64>| median(rounds.iter().filter_map(figure));
        let good = |side: fn(&Self) -> &GoodFigures| {
            let rounds: Vec<_> = rounds.iter().map(side).collect();
            GoodFigures::median(&rounds)
        };
        Self {
            quiet: good(|f| &f.quiet),
            flooded: good(|f| &f.flooded),
            accept_p99_of_quiet: of(|f| f.accept_p99_of_quiet),
            end_to_end_p99_of_quiet: of(|f| f.end_to_end_p99_of_quiet),
            requests_per_second: of(|f| Some(f.requests_per_second)).unwrap_or_default(),
            answers: rounds.iter().fold(Answers::default(), |mut sum, round| {
                sum.add(&round.answers);
                sum
            }),
            cpu_us: of(|f| f.cpu_us),
        }
    }
}

impl GoodFigures {
    fn median(rounds: &[&Self]) -> Self {
        let sum = |count: fn(&Self) -> u64| rounds.iter().map(|round| count(round)).sum();
        let latency = |which: fn(&Self) -> Option<Latency>| {
            median_latency(rounds.iter().filter_map(|round| which(round)))
        };
        Self {
            accept_ms: latency(|f| f.accept_ms),
            end_to_end_ms: latency(|f| f.end_to_end_ms),
            peak_mib: median(rounds.iter().filter_map(|round| round.peak_mib)),
            refused: sum(|f| f.refused),
            lost: sum(|f| f.lost),
            repeated: sum(|f| f.repeated),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round(ratio: f64, refused: u64) -> FloodFigures {
        FloodFigures {
            flooded: GoodFigures {
                refused,
                ..GoodFigures::default()
            },
            accept_p99_of_quiet: Some(ratio),
            answers: Answers {
                statuses: [(401, 60), (429, 10 * refused)].into(),
                unanswered: 1,
                connections: 64,
            },
            ..FloodFigures::default()
        }
    }

    #[test]
    fn ratios_have_their_median_and_what_was_counted_adds_up() {
        let median = FloodFigures::median(&[round(3.0, 1), round(9.0, 0), round(2.0, 2)]);
        assert_eq!(median.accept_p99_of_quiet, Some(3.0));
        assert_eq!((median.flooded.refused, median.quiet.refused), (3, 0));
        let expected = Answers {
            statuses: [(401, 180), (429, 30)].into(),
            unanswered: 3,
            connections: 192,
        };
        assert_eq!(median.answers, expected);
        assert_eq!(median.answers.requests(), 213);
    }
}
