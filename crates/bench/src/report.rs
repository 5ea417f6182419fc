//! What was measured: each round's figures, and the median of each figure over the rounds.
//!
//! A median is taken of every figure by itself: a row of medians need not be a round that was.

mod demands;
mod flooded;

pub use crate::flood::Answers;
pub use crate::histogram::Latency;
pub use demands::{Bound, Demand, What};
pub use flooded::{FloodFigures, FloodReport, GoodFigures};

use crate::plan::{Case, Plan, Server, Size};
use serde::Serialize;

/// The figures of one measurement, or the medians of several.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Figures {
    /// Messages that were accepted in a second, from the first request to the last answer.
    pub messages_per_second: f64,
    /// Deliveries that arrived in a second, from the first request to the last arrival.
    pub deliveries_per_second: f64,
    /// The same as a part of the relay's in the same round, with as many clients.
    pub of_relay: Option<f64>,
    /// From when a request was to be sent until it was answered.
    pub accept_ms: Option<Latency>,
    /// What the server said that its commits took.
    pub commit_ms: Option<Latency>,
    /// From when a request was to be sent until its message arrived; not known if the receiver's
    /// clock is another.
    pub end_to_end_ms: Option<Latency>,
    /// CPU time of the server's or the relay's processes for each delivery, in microseconds; of a
    /// cluster, of its nodes and its PostgreSQL together.
    pub cpu_us: Option<f64>,
    /// The nodes' part of it.
    pub nodes_cpu_us: Option<f64>,
    /// The PostgreSQL's part of it.
    pub database_cpu_us: Option<f64>,
    /// Deliveries that arrived in a second, as a multiple of what they were with the fewest nodes
    /// in the same round.
    pub rate_of_fewest_nodes: Option<f64>,
    /// The same of CPU time for each delivery.
    pub cpu_of_fewest_nodes: Option<f64>,
    /// The same as a multiple of what it was with an empty store in the same round.
    pub of_empty: Option<f64>,
    /// CPU time for each delivery that is more than that of what the option is compared with, in
    /// the same round, in microseconds.
    pub more_than_base_us: Option<f64>,
    /// New connections at the receiver.
    pub connections: Option<f64>,
    /// The end to end's 99th percentile as a multiple of what it was without company.
    pub of_alone: Option<f64>,
    /// How long lists took meanwhile, in milliseconds.
    pub list_ms: Option<Latency>,
    /// How long searches took meanwhile that found nothing, in milliseconds.
    pub search_ms: Option<Latency>,
    /// How long a start took after the server was killed, until it listened, in milliseconds.
    pub start_after_kill_ms: Option<f64>,
    /// The same after the server had ended as it was asked to.
    pub start_after_end_ms: Option<f64>,
    /// CPU time for each delivery of load client and receiver together.
    pub harness_cpu_us: Option<f64>,
    /// The most memory that the server's or the relay's processes held, in MiB: without that of a
    /// PostgreSQL, whose processes share theirs.
    pub peak_mib: Option<f64>,
    /// Deliveries that did not arrive.
    pub lost: u64,
    /// Deliveries that arrived again.
    pub repeated: u64,
}

/// A case with its figures.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Measured {
    /// What was measured.
    #[serde(flatten)]
    pub case: Case,
    /// Of all rounds; what was lost and repeated is added up.
    pub median: Figures,
    /// Of each round.
    pub rounds: Vec<Figures>,
}

/// Everything.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// How much was sent in each measurement.
    pub size: Size,
    /// The server that was measured beside the bench's own.
    pub other: Option<String>,
    /// What came of each case.
    pub cases: Vec<Measured>,
    /// What came of good requests beside a flood.
    pub flood: Option<FloodReport>,
    /// What the gateway must hold to, where that was measured.
    pub demands: Vec<Demand>,
    /// Good requests that were refused.
    pub refused: u64,
    /// Deliveries that did not arrive, in all.
    pub lost: u64,
    /// Deliveries that arrived again, in all.
    pub repeated: u64,
}

impl Report {
    pub(crate) fn new(
        plan: &Plan,
        measured: Vec<(Case, Vec<Figures>)>,
        flood: Option<FloodReport>,
    ) -> Self {
        let of_case = |(case, rounds): (Case, Vec<Figures>)| Measured {
            case,
            median: Figures::median(&rounds),
            rounds,
        };
        let cases: Vec<_> = measured.into_iter().map(of_case).collect();
        let sum = |count: fn(&Figures) -> u64| -> u64 {
            cases.iter().map(|case| count(&case.median)).sum()
        };
        let of_flood = |count: fn(&GoodFigures) -> u64| {
            let figures = flood.as_ref().map(|flood| &flood.median);
            figures.map_or(0, |figures| count(&figures.quiet) + count(&figures.flooded))
        };
        Self {
            size: plan.size,
            other: match &plan.server {
                Server::Both { given, .. } => Some(given.url.clone()),
                Server::Own { .. } | Server::Given(_) => None,
            },
            refused: of_flood(|good| good.refused),
            lost: sum(|figures| figures.lost) + of_flood(|good| good.lost),
            repeated: sum(|figures| figures.repeated) + of_flood(|good| good.repeated),
            demands: flood
                .as_ref()
                .map_or(Vec::new(), |flood| demands::of(&cases, flood)),
            flood,
            cases,
        }
    }
}

impl Figures {
    pub(crate) fn median(rounds: &[Self]) -> Self {
        let of = |figure: &dyn Fn(&Self) -> Option<f64>| median(rounds.iter().filter_map(figure));
        let sum = |count: fn(&Self) -> u64| rounds.iter().map(count).sum();
        let latency =
            |which: fn(&Self) -> Option<Latency>| median_latency(rounds.iter().filter_map(which));
        Self {
            messages_per_second: of(&|f| Some(f.messages_per_second)).unwrap_or_default(),
            deliveries_per_second: of(&|f| Some(f.deliveries_per_second)).unwrap_or_default(),
            of_relay: of(&|f| f.of_relay),
            accept_ms: latency(|f| f.accept_ms),
            commit_ms: latency(|f| f.commit_ms),
            end_to_end_ms: latency(|f| f.end_to_end_ms),
            cpu_us: of(&|f| f.cpu_us),
            nodes_cpu_us: of(&|f| f.nodes_cpu_us),
            database_cpu_us: of(&|f| f.database_cpu_us),
            rate_of_fewest_nodes: of(&|f| f.rate_of_fewest_nodes),
            cpu_of_fewest_nodes: of(&|f| f.cpu_of_fewest_nodes),
            of_empty: of(&|f| f.of_empty),
            more_than_base_us: of(&|f| f.more_than_base_us),
            connections: of(&|f| f.connections),
            of_alone: of(&|f| f.of_alone),
            list_ms: latency(|f| f.list_ms),
            search_ms: latency(|f| f.search_ms),
            start_after_kill_ms: of(&|f| f.start_after_kill_ms),
            start_after_end_ms: of(&|f| f.start_after_end_ms),
            harness_cpu_us: of(&|f| f.harness_cpu_us),
            peak_mib: of(&|f| f.peak_mib),
            lost: sum(|f| f.lost),
            repeated: sum(|f| f.repeated),
        }
    }
}

/// Of each of what is told of latencies.
fn median_latency(latencies: impl Iterator<Item = Latency> + Clone) -> Option<Latency> {
    let of = |value: fn(Latency) -> f64| median(latencies.clone().map(value));
    Some(Latency {
        p50: of(|latency| latency.p50)?,
        p99: of(|latency| latency.p99)?,
        p999: of(|latency| latency.p999)?,
        max: of(|latency| latency.max)?,
    })
}

/// The middle one; of an even number, the mean of the two in the middle.
fn median(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<_> = values.collect();
    values.sort_by(f64::total_cmp);
    let upper = values.get(values.len() / 2)?;
    let lower = values[(values.len() - 1) / 2];
    Some(f64::midpoint(lower, *upper))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round(value: f64, relay: Option<f64>) -> Figures {
        let latency = Latency {
            p50: value,
            p99: value * 2.0,
            p999: value * 3.0,
            max: value * 4.0,
        };
        Figures {
            messages_per_second: value,
            deliveries_per_second: 100.0 - value,
            of_relay: relay,
            accept_ms: Some(latency),
            end_to_end_ms: Some(latency),
            cpu_us: Some(value),
            peak_mib: Some(value),
            lost: 1,
            repeated: 2,
            ..Figures::default()
        }
    }

    #[test]
    fn the_middle_one_is_the_median_and_the_mean_of_two_in_the_middle() {
        for (values, expected) in [
            (&[][..], None),
            (&[4.0], Some(4.0)),
            (&[9.0, 1.0], Some(5.0)),
            (&[9.0, 1.0, 2.0], Some(2.0)),
        ] {
            assert_eq!(median(values.iter().copied()), expected, "{values:?}");
        }
    }

    #[test]
    fn each_figure_has_its_own_median_and_losses_add_up() {
        let rounds = [
            round(3.0, Some(0.5)),
            round(1.0, None),
            round(2.0, Some(0.7)),
        ];
        let expected = Figures {
            of_relay: Some(0.6),
            lost: 3,
            repeated: 6,
            ..round(2.0, None)
        };
        assert_eq!(Figures::median(&rounds), expected);
    }
}
