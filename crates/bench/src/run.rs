//! The rounds: every case once in each, so that what changes on the machine meanwhile meets all of
//! them alike.

use crate::BenchError;
use crate::company::Company;
use crate::measure::Bench;
use crate::plan::{Case, Plan, Way};
use crate::report::{Figures, Report};

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
    /// Measuring a case, or warming up for it.
    Measuring(Case),
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
    let outcome = all(plan.rounds, &mut bench, &mut measured).await;
    let closed = bench.close().await;
    outcome.and(closed)?;
    Ok(Report::new(plan, measured))
}

async fn all(
    rounds: usize,
    bench: &mut Bench<'_>,
    measured: &mut [(Case, Vec<Figures>)],
) -> Result<(), BenchError> {
    for (case, _) in &*measured {
        if case.stored > 0 {
            bench.fill(case.stored).await?;
        }
    }
    for _ in 0..rounds {
        round(bench, measured).await?;
    }
    Ok(())
}

/// Measures each case once, and each beside those of the same round that it is a part of.
async fn round(
    bench: &mut Bench<'_>,
    measured: &mut [(Case, Vec<Figures>)],
) -> Result<(), BenchError> {
    let mut measured_now: Vec<(Case, Figures)> = Vec::new();
    for (case, rounds) in measured {
        let mut figures = bench.measure(case).await?;
        measured_now.push((*case, figures.clone()));
        let found = |is: &dyn Fn(&Case) -> bool| {
            let of_case = measured_now.iter().find(|(other, _)| is(other));
            of_case.map(|(_, figures)| figures)
        };
        let relay = found(&|other| other.way == Way::Relay && other.clients == case.clients);
        let of_relay =
            |relay: &Figures| figures.deliveries_per_second / relay.deliveries_per_second;
        let of_relay = relay.map(of_relay);
        let is_empty = Case { stored: 0, ..*case };
        let empty = found(&|other| case.stored > 0 && *other == is_empty);
        figures.of_empty = empty.and_then(|empty| Some(figures.cpu_us? / empty.cpu_us?));
        figures.of_relay = of_relay;
        let is_alone = Case {
            company: Company::Nobody,
            ..*case
        };
        let alone = found(&|other| case.company != Company::Nobody && *other == is_alone);
        let p99 = |figures: &Figures| figures.end_to_end_ms.map(|latency| latency.p99);
        figures.of_alone = alone.and_then(|alone| Some(p99(&figures)? / p99(alone)?));
        rounds.push(figures);
    }
    Ok(())
}
