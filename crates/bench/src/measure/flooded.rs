//! Good requests to the gateway at a steady rate, first alone, then beside a flood of badly signed
//! ones from another address: what the flood does to them, and what it costs.
//!
//! Both are measured on one server, one after the other, so that what differs is the flood. Its
//! limits are those that a server has if it is told nothing else.

use super::{Bench, Pass};
use crate::BenchError;
use crate::flood;
use crate::load::Job;
use crate::options::shared_secret;
use crate::plan::{Case, Way};
use crate::report::{FloodFigures, GoodFigures, Latency};
use crate::run::Step;
use crate::target::Target;
use crate::usage::Usage;
use crate::worker::{Flooder, LoadClient};
use std::time::Duration;
use tokio::time::Instant;

/// Connections of a flood.
pub(crate) const CONNECTIONS: usize = 64;

/// Good requests.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Good {
    /// In a second.
    pub(crate) rate: u64,
    /// How long.
    pub(crate) time: Duration,
    /// Clients.
    pub(crate) clients: usize,
}

impl Bench<'_> {
    /// Measures once, on a server of its own.
    pub(crate) async fn flooded(&mut self, good: Good) -> Result<FloodFigures, BenchError> {
        let case = Case::plain(Way::Gateway, good.clients);
        let target = self.target(&case).await?;
        let mut load = LoadClient::start(&self.plan.program)?;
        let mut job = Job {
            rate: Some(good.rate),
            counts_refusals: true,
            messages: good.rate,
            ..self.job(&case, &target)
        };
        let step = |on| Step::Flooding {
            rate: good.rate,
            on,
        };
        self.pass(step(false), &mut load, &mut job).await?;
        job.messages = good.rate * good.time.as_secs();
        let usage = || Usage::of(&target.processes);
        let at_first = usage();
        let quiet = self.pass(step(false), &mut load, &mut job).await?;
        let before = usage();
        let began = Instant::now();
        let flooder = Flooder::start(&self.plan.program, &self.flood(&target)?).await?;
        let flooded = self.pass(step(true), &mut load, &mut job).await?;
        let answers = flooder.end().await?;
        let took = began.elapsed();
        let after = usage();
        load.stop().await;
        target.stop().await;
        let requests = answers.requests() as f64;
        let quiet = good_figures(&quiet, before);
        let flooded = good_figures(&flooded, after);
        let cpu = cpu_between(before, after).zip(cpu_between(at_first, before));
        let cpu = cpu.map(|(with, without)| with.saturating_sub(without));
        Ok(FloodFigures {
            accept_p99_of_quiet: p99_of(flooded.accept_ms, quiet.accept_ms),
            end_to_end_p99_of_quiet: p99_of(flooded.end_to_end_ms, quiet.end_to_end_ms),
            quiet,
            flooded,
            requests_per_second: requests / took.as_secs_f64(),
            cpu_us: cpu.map(|cpu| cpu.as_secs_f64() * 1e6 / requests.max(1.0)),
            answers,
        })
    }

    /// A flood of the first source, with a key that is not its own.
    fn flood(&self, target: &Target) -> Result<flood::Job, BenchError> {
        Ok(flood::Job {
            place: target.places[0].clone(),
            path: target.paths[0].clone(),
            secret: shared_secret()?,
            payload_bytes: self.plan.size.payload_bytes,
            connections: CONNECTIONS,
        })
    }
}

fn good_figures(pass: &Pass, after: Option<Usage>) -> GoodFigures {
    GoodFigures {
        accept_ms: pass.sent.accept,
        end_to_end_ms: pass.arrivals.latency,
        peak_mib: after.map(|usage| usage.peak_kib as f64 / 1_024.0),
        refused: pass.sent.refused,
        lost: pass.lost(),
        repeated: pass.arrivals.repeated,
    }
}

fn cpu_between(before: Option<Usage>, after: Option<Usage>) -> Option<Duration> {
    Some(after?.cpu.saturating_sub(before?.cpu))
}

fn p99_of(one: Option<Latency>, other: Option<Latency>) -> Option<f64> {
    Some(one?.p99 / other?.p99)
}
