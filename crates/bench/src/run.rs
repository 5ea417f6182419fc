//! The rounds: every case once in each, so that what changes on the machine meanwhile meets all of
//! them alike.

use crate::company::Company;
use crate::measure::{Bench, CONNECTIONS, Good};
use crate::plan::{Case, Plan, Way};
use crate::report::{Figures, FloodFigures, FloodReport, Report};
use crate::{BenchError, EndpointOption};
use std::time::Duration;

/// Good requests beside a flood are a part of what the gateway takes: one of so many.
const OF_CAPACITY: f64 = 4.0;

/// How far a measurement is.
#[derive(Debug, Clone, Copy)]
pub struct Stage {
    /// What is done.
    pub step: Step,
    /// Deliveries that have arrived.
    pub arrived: u64,
    /// Deliveries in all.
    pub expected: u64,
}

/// What a bench does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Filling a store with a history.
    Filling {
        /// Messages.
        stored: u64,
    },
    /// Asking for pages.
    Pages {
        /// Messages.
        stored: u64,
    },
    /// Measuring a case, or warming up for it.
    Measuring(Case),
    /// Measuring good requests at a rate, or warming up for them.
    Flooding {
        /// Requests in a second.
        rate: u64,
        /// Whether the flood is on.
        on: bool,
    },
}

/// Is told how far it is.
pub(crate) type Watch<'a> = &'a (dyn Fn(&Stage) + 'a);

/// Measures everything.
///
/// # Errors
/// A part can't be started or ends, or the server refuses something.
pub async fn run(plan: &Plan, watch: &dyn Fn(&Stage)) -> Result<Report, BenchError> {
    plan.check()?;
    let mut bench = Bench::open(plan, watch).await?;
    let cases = plan.cases();
    let mut measured: Vec<_> = cases.iter().map(|case| (*case, Vec::new())).collect();
    let outcome = everything(plan, &mut bench, &mut measured).await;
    let closed = bench.close().await;
    let flood = outcome?;
    closed?;
    Ok(Report::new(plan, measured, flood))
}

async fn everything(
    plan: &Plan,
    bench: &mut Bench<'_>,
    measured: &mut [(Case, Vec<Figures>)],
) -> Result<Option<FloodReport>, BenchError> {
    all(plan.rounds, bench, measured).await?;
    let Some(good) = plan.flood.and_then(|time| good(time, measured)) else {
        return Ok(None);
    };
    let mut rounds = Vec::with_capacity(plan.rounds);
    for _ in 0..plan.rounds {
        rounds.push(bench.flooded(good).await?);
    }
    Ok(Some(FloodReport {
        rate: good.rate,
        seconds: good.time.as_secs(),
        clients: good.clients,
        connections: CONNECTIONS,
        median: FloodFigures::median(&rounds),
        rounds,
    }))
}

/// Good requests for so long, by what the gateway was seen to take, from the fewest clients.
fn good(time: Duration, measured: &[(Case, Vec<Figures>)]) -> Option<Good> {
    let gateway = || measured.iter().filter(|(case, _)| case.way == Way::Gateway);
    let rates = gateway().map(|(_, rounds)| Figures::median(rounds).messages_per_second);
    let capacity = rates.reduce(f64::max)?;
    Some(Good {
        rate: ((capacity / OF_CAPACITY) as u64).max(1),
        time,
        clients: gateway().map(|(case, _)| case.clients).min()?,
    })
}

async fn all(
    rounds: usize,
    bench: &mut Bench<'_>,
    measured: &mut [(Case, Vec<Figures>)],
) -> Result<(), BenchError> {
    for (case, _) in &*measured {
        if case.stored > 0 {
            bench.fill(case).await?;
        }
        if case.option.is_some() {
            bench.introduce(case).await?;
        }
    }
    for number in 0..rounds {
        round(number, bench, measured).await?;
    }
    Ok(())
}

/// Measures each case once, and compares each with those of the same round that it is to be
/// compared with. Each second round goes backwards, so that what changes steadily meanwhile is in
/// the last one's favour as often as in the first one's.
async fn round(
    number: usize,
    bench: &mut Bench<'_>,
    measured: &mut [(Case, Vec<Figures>)],
) -> Result<(), BenchError> {
    let mut round = Vec::new();
    let mut cases: Vec<_> = measured.iter().map(|(case, _)| *case).collect();
    if number % 2 == 1 {
        cases.reverse();
    }
    for case in cases {
        round.push((case, bench.measure(&case).await?));
    }
    for (case, rounds) in measured {
        let figures = of(&round, case).cloned();
        rounds.extend(figures.map(|figures| compared(case, figures, &round)));
    }
    Ok(())
}

type Round = [(Case, Figures)];

fn of<'a>(round: &'a Round, case: &Case) -> Option<&'a Figures> {
    let found = round.iter().find(|(other, _)| other == case);
    found.map(|(_, figures)| figures)
}

/// A case's figures with what they are of the relay's, the fewest nodes', an empty store's, without
/// company, and more than without its option. What goes past the relay is no part of what the relay
/// does.
fn compared(case: &Case, figures: Figures, round: &Round) -> Figures {
    let is_relay =
        |(other, _): &&(Case, Figures)| other.way == Way::Relay && other.clients == case.clients;
    let relay = round.iter().find(is_relay).filter(|_| case.way != Way::Raw);
    let alike = round.iter().filter(|(other, _)| {
        let as_many = Case {
            nodes: case.nodes,
            ..*other
        };
        other.nodes.is_some() && other.nodes < case.nodes && as_many == *case
    });
    let fewest = alike.min_by_key(|(other, _)| other.nodes);
    let fewest = fewest.map(|(_, figures)| figures);
    let is_empty = Case { stored: 0, ..*case };
    let empty = of(round, &is_empty).filter(|_| case.stored > 0);
    let is_alone = Case {
        company: Company::Nobody,
        ..*case
    };
    let alone = of(round, &is_alone).filter(|_| case.company != Company::Nobody);
    let is_base = Case {
        option: case.option.and_then(EndpointOption::base),
        ..*case
    };
    let base = of(round, &is_base).filter(|_| is_base.option.is_some());
    let rate = |figures: &Figures| figures.deliveries_per_second;
    let p99 = |figures: &Figures| figures.end_to_end_ms.map(|latency| latency.p99);
    Figures {
        of_relay: relay.map(|(_, relay)| rate(&figures) / rate(relay)),
        rate_of_fewest_nodes: fewest.map(|fewest| rate(&figures) / rate(fewest)),
        cpu_of_fewest_nodes: fewest.and_then(|fewest| Some(figures.cpu_us? / fewest.cpu_us?)),
        of_empty: empty.and_then(|empty| Some(figures.cpu_us? / empty.cpu_us?)),
        of_alone: alone.and_then(|alone| Some(p99(&figures)? / p99(alone)?)),
        more_than_base_us: base.and_then(|base| Some(figures.cpu_us? - base.cpu_us?)),
        ..figures
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(value: f64) -> Figures {
        Figures {
            deliveries_per_second: value,
            cpu_us: Some(value),
            ..Figures::default()
        }
    }

    #[test]
    fn what_is_compared_may_be_measured_in_any_order() {
        let case = |way, stored, company| Case {
            stored,
            company,
            ..Case::plain(way, 1)
        };
        let full = case(Way::Postrider, 9, Company::Nobody);
        let round = [
            (full, figures(3.0)),
            (Case { stored: 0, ..full }, figures(2.0)),
            (case(Way::Relay, 0, Company::Nobody), figures(6.0)),
        ];
        let compared = compared(&full, figures(3.0), &round);
        assert_eq!(compared.of_empty, Some(1.5));
        assert_eq!(compared.of_relay, Some(0.5));
        assert_eq!(compared.of_alone, None);
    }

    #[test]
    fn good_requests_are_a_quarter_of_the_most_that_the_gateway_took_from_the_fewest_clients() {
        let rate = |value: f64| Figures {
            messages_per_second: value,
            ..Figures::default()
        };
        let measured = [
            (Case::plain(Way::Relay, 8), vec![rate(99_999.0)]),
            (Case::plain(Way::Gateway, 256), vec![rate(4_003.0)]),
            (Case::plain(Way::Gateway, 64), vec![rate(3_000.0)]),
        ];
        let of = |measured| good(Duration::from_secs(7), measured);
        let good = of(&measured).unwrap();
        assert_eq!((good.rate, good.clients), (1_000, 64));
        assert!(of(&measured[..1]).is_none());
    }

    #[test]
    fn an_option_is_compared_with_its_base_and_plain_with_nothing() {
        let case = |option| Case {
            option: Some(option),
            ..Case::plain(Way::Postrider, 1)
        };
        let round = [
            (case(EndpointOption::Plain), figures(2.0)),
            (case(EndpointOption::Tls), figures(5.0)),
            (case(EndpointOption::Pins), figures(4.5)),
        ];
        let more = |index: usize| {
            let (case, figures) = &round[index];
            compared(case, figures.clone(), &round).more_than_base_us
        };
        assert_eq!([0, 1, 2].map(more), [None, Some(3.0), Some(-0.5)]);
    }

    #[test]
    fn more_nodes_are_compared_with_the_fewest_on_a_store_that_is_as_full() {
        let case = |nodes, stored| Case {
            nodes: Some(nodes),
            stored,
            ..Case::plain(Way::Postrider, 1)
        };
        let round = [
            (case(4, 0), figures(5.0)),
            (case(2, 0), figures(4.0)),
            (case(4, 9), figures(6.0)),
            (case(2, 9), figures(3.0)),
        ];
        let compared = |nodes, stored| {
            let case = case(nodes, stored);
            let figures = of(&round, &case).cloned();
            let compared = compared(&case, figures.unwrap(), &round);
            let fewest = (compared.rate_of_fewest_nodes, compared.cpu_of_fewest_nodes);
            (fewest, compared.of_empty)
        };
        assert_eq!(compared(4, 0), ((Some(1.25), Some(1.25)), None));
        assert_eq!(compared(4, 9), ((Some(2.0), Some(2.0)), Some(1.2)));
        assert_eq!(compared(2, 9), ((None, None), Some(0.75)));
    }
}
