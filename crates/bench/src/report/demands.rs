//! What the gateway must hold to, and whether it did: judged by the medians.

use super::{FloodReport, Measured};
use crate::plan::Way;
use serde::Serialize;

/// Messages a second, as a part of the relay's deliveries: at the least, with the most clients that
/// were measured. Fewer wait for their commits, which is what the disk takes, not the gateway.
const OF_RELAY_LEAST: f64 = 0.35;
/// An answer's 99th percentile in a flood, as a multiple of what it is without: less than this.
const P99_OF_QUIET_BELOW: f64 = 5.0;
/// Memory in MiB that a flood may take: a bound, whatever its length.
const MORE_MIB_MOST: f64 = 64.0;

/// A demand.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Demand {
    /// What it is about.
    pub what: What,
    /// With so many clients.
    pub clients: usize,
    /// What was measured.
    pub figure: f64,
    /// What is demanded.
    pub bound: Bound,
    /// Whether it is so.
    pub held: bool,
}

/// What is demanded of the gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum What {
    /// Deliveries a second, as a part of the relay's in the same round.
    OfRelay,
    /// Deliveries lost.
    Lost,
    /// Good requests refused beside a flood, and without it.
    GoodRefused,
    /// Deliveries of good requests lost beside a flood, and without it.
    GoodLost,
    /// The 99th percentile of good requests' answers beside a flood, as a multiple of what it is
    /// without.
    AcceptP99OfQuiet,
    /// MiB that the server's peak of memory grew by in a flood.
    MoreMib,
}

/// How a figure is bound.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Bound {
    /// Not less.
    Least(f64),
    /// Not more.
    Most(f64),
    /// Less.
    Below(f64),
}

impl Bound {
    fn holds(self, figure: f64) -> bool {
        match self {
            Self::Least(bound) => figure >= bound,
            Self::Most(bound) => figure <= bound,
            Self::Below(bound) => figure < bound,
        }
    }
}

/// Whatever is demanded of what was measured.
pub(crate) fn of(cases: &[Measured], flood: &FloodReport) -> Vec<Demand> {
    let gateway = cases.iter().filter(|case| case.case.way == Way::Gateway);
    let most = gateway.clone().map(|case| case.case.clients).max();
    let mut demands = Vec::new();
    for case in gateway {
        let clients = case.case.clients;
        let of_relay = case.median.of_relay.filter(|_| Some(clients) == most);
        let figures = [
            (What::OfRelay, of_relay),
            (What::Lost, Some(case.median.lost as f64)),
        ];
        demands.extend(figures.map(|figure| demand(clients, figure)));
    }
    let figures = &flood.median;
    let both = |count: fn(&super::GoodFigures) -> u64| {
        Some((count(&figures.quiet) + count(&figures.flooded)) as f64)
    };
    let figures = [
        (What::GoodRefused, both(|good| good.refused)),
        (What::GoodLost, both(|good| good.lost)),
        (What::AcceptP99OfQuiet, figures.accept_p99_of_quiet),
        (What::MoreMib, figures.more_mib()),
    ];
    demands.extend(figures.map(|figure| demand(flood.clients, figure)));
    demands.into_iter().flatten().collect()
}

/// What was not measured is not judged.
fn demand(clients: usize, (what, figure): (What, Option<f64>)) -> Option<Demand> {
    let bound = match what {
        What::OfRelay => Bound::Least(OF_RELAY_LEAST),
        What::Lost | What::GoodRefused | What::GoodLost => Bound::Most(0.0),
        What::AcceptP99OfQuiet => Bound::Below(P99_OF_QUIET_BELOW),
        What::MoreMib => Bound::Most(MORE_MIB_MOST),
    };
    let figure = figure?;
    Some(Demand {
        what,
        clients,
        figure,
        bound,
        held: bound.holds(figure),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Case;
    use crate::report::{Figures, FloodFigures, GoodFigures};

    fn judged(of_relay: Option<f64>, ratio: f64, refused: u64) -> Vec<(What, bool)> {
        let case = Measured {
            case: Case::plain(Way::Gateway, 64),
            median: Figures {
                of_relay,
                ..Figures::default()
            },
            rounds: Vec::new(),
        };
        let relay = Measured {
            case: Case::plain(Way::Relay, 64),
            ..case.clone()
        };
        let fewer = Measured {
            case: Case::plain(Way::Gateway, 8),
            ..case.clone()
        };
        let flood = FloodReport {
            rate: 1,
            seconds: 1,
            clients: 64,
            connections: 64,
            median: FloodFigures {
                flooded: GoodFigures {
                    refused,
                    ..GoodFigures::default()
                },
                accept_p99_of_quiet: Some(ratio),
                ..FloodFigures::default()
            },
            rounds: Vec::new(),
        };
        let demands = of(&[relay, fewer, case], &flood);
        let judged = demands.iter().map(|demand| (demand.what, demand.held));
        judged.collect()
    }

    #[test]
    fn what_was_measured_is_judged_the_rate_with_the_most_clients_alone() {
        let held = judged(Some(0.35), 4.99, 0);
        let expected = [
            What::Lost,
            What::OfRelay,
            What::Lost,
            What::GoodRefused,
            What::GoodLost,
            What::AcceptP99OfQuiet,
        ];
        assert_eq!(held, expected.map(|what| (what, true)));
        let missed = judged(None, 5.0, 1);
        let expected = [
            (What::Lost, true),
            (What::Lost, true),
            (What::GoodRefused, false),
            (What::GoodLost, true),
            (What::AcceptP99OfQuiet, false),
        ];
        assert_eq!(missed, expected);
    }
}
