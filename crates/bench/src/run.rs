//! The rounds: every case once in each, so that what changes on the machine meanwhile meets all of
//! them alike.

use crate::BenchError;
use crate::measure::Bench;
use crate::plan::{Case, Plan, Way};
use crate::report::{Figures, Report};

/// How far a measurement is.
#[derive(Debug, Clone, Copy)]
pub struct Stage {
    /// What is measured.
    pub case: Case,
    /// Deliveries that have arrived.
    pub arrived: u64,
    /// Deliveries in all.
    pub expected: u64,
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
    let outcome = rounds(plan.rounds, &mut bench, &mut measured).await;
    let closed = bench.close().await;
    outcome.and(closed)?;
    Ok(Report::new(plan.size, measured))
}

async fn rounds(
    count: usize,
    bench: &mut Bench<'_>,
    measured: &mut [(Case, Vec<Figures>)],
) -> Result<(), BenchError> {
    for _ in 0..count {
        let mut relays = Vec::new();
        for (case, rounds) in &mut *measured {
            let mut figures = bench.measure(case).await?;
            if case.way == Way::Relay {
                relays.push((case.clients, figures.deliveries_per_second));
            }
            let relay = relays.iter().find(|(clients, _)| *clients == case.clients);
            figures.of_relay = relay.map(|(_, relay)| figures.deliveries_per_second / relay);
            rounds.push(figures);
        }
    }
    Ok(())
}
