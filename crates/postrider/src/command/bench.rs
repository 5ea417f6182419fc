//! `postrider bench`: what a server costs. The room `bench` measures; here is what is shown of it,
//! and what it can't start itself, since it knows no other room.

mod cluster;
mod detection;
mod disk;
mod flooded;
mod pages;
mod table;

use super::say;
use crate::cli::{BenchArgs, BenchPart};
use crate::failure::Failure;
use anyhow::anyhow;
use bench::{BenchError, Stage, Step};
use indicatif::{ProgressBar, ProgressStyle};
use std::io::{IsTerminal as _, read_to_string, stderr, stdin};
use tokio::runtime::{Builder, Runtime};

/// What holds a token so that nobody else sees it.
const TOKEN_VARIABLE: &str = "POSTRIDER_TOKEN";

/// Measures and prints; [`Failure::No`] if something was lost, or a good request refused.
pub(crate) fn run(args: BenchArgs) -> Result<(), Failure> {
    if let Some(part) = args.part {
        return run_part(part, &args);
    }
    if args.only_receive {
        return one_thread()?
            .block_on(bench::receiver::receive(args.listen))
            .map_err(failure);
    }
    if args.detection {
        return detection::run(&args);
    }
    if let Some(contradiction) = args.contradiction() {
        return Err(Failure::Misuse(anyhow!(contradiction)));
    }
    let program = std::env::current_exe().map_err(Failure::could_not)?;
    let below = args.data_dir.clone();
    let below = below.unwrap_or_else(|| disk::directory(!args.cluster.is_empty()));
    let plan = args.plan(program, below.clone(), token(&args)?);
    if !plan.nodes.is_empty() {
        cluster::check(&plan, &below)?;
    }
    if args.pages {
        return pages::run(&args, &plan);
    }
    let bar = progress();
    let watch = |stage: &Stage| show(&bar, stage);
    let report = one_thread()?.block_on(bench::run(&plan, &watch));
    bar.finish_and_clear();
    let report = report.map_err(failure)?;
    if args.json {
        say(serde_json::to_string(&report).map_err(Failure::could_not)?)?;
    } else {
        say(table::of(&report))?;
    }
    match report.lost + report.refused {
        0 => Ok(()),
        _ => Err(Failure::No),
    }
}

/// The token of a server that is there: from the environment, standard input, or a flag.
fn token(args: &BenchArgs) -> Result<Option<String>, Failure> {
    #[expect(
        clippy::disallowed_methods,
        reason = "a secret that is not in the flags"
    )]
    let from_environment = || std::env::var(TOKEN_VARIABLE).ok();
    let token = match (&args.server, args.token.as_deref()) {
        (None, _) => return Ok(None),
        (Some(_), None) => from_environment(),
        (Some(_), Some("-")) => Some(read_to_string(stdin()).map_err(Failure::could_not)?),
        (Some(_), Some(token)) => {
            eprintln!(
                "postrider: warning: every user of this machine can read the token in --token: \
                 give it as {TOKEN_VARIABLE}, or - and on standard input"
            );
            Some(token.to_owned())
        }
    };
    let missing = || Failure::Misuse(anyhow!("--server needs a token: give {TOKEN_VARIABLE}"));
    let token = token.ok_or_else(missing)?;
    Ok(Some(token.trim().to_owned()))
}

/// Runs as one of the processes that a bench starts.
fn run_part(part: BenchPart, args: &BenchArgs) -> Result<(), Failure> {
    let runtime = match part {
        BenchPart::Node => return Err(cluster::node(&args.command)),
        BenchPart::Fill => return cluster::fill(args),
        BenchPart::Load
        | BenchPart::Receiver
        | BenchPart::Hanging
        | BenchPart::Flood
        | BenchPart::Database => one_thread()?,
        // As the server has it.
        BenchPart::Relay => Builder::new_multi_thread()
            .enable_all()
            .build()
            .map_err(Failure::could_not)?,
    };
    let ended = match part {
        BenchPart::Node | BenchPart::Fill => unreachable!("they are done above"),
        BenchPart::Database => return cluster::database(args, &runtime),
        BenchPart::Load => runtime.block_on(bench::load::part()),
        BenchPart::Flood => runtime.block_on(bench::flood::part()),
        BenchPart::Receiver => {
            runtime.block_on(bench::receiver::part(args.certificates.as_deref()))
        }
        BenchPart::Hanging => runtime.block_on(bench::hang::part(args.endpoints)),
        BenchPart::Relay => {
            let receiver = args.receiver.as_deref().unwrap_or_default();
            runtime.block_on(bench::relay::part(receiver, args.endpoints))
        }
    };
    // Whatever still reads standard input must not keep the process from ending.
    runtime.shutdown_background();
    ended.map_err(failure)
}

fn one_thread() -> Result<Runtime, Failure> {
    let runtime = Builder::new_current_thread().enable_all().build();
    runtime.map_err(Failure::could_not)
}

fn failure(error: BenchError) -> Failure {
    match error {
        BenchError::Url { .. }
        | BenchError::TooMany { .. }
        | BenchError::TooFewClients { .. }
        | BenchError::StoredElsewhere
        | BenchError::OptionsElsewhere
        | BenchError::NotOfTheGateway { .. }
        | BenchError::NothingToFlood => Failure::Misuse(error.into()),
        error => Failure::could_not(error),
    }
}

fn progress() -> ProgressBar {
    if !stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} deliveries  {msg}");
    let style = style.expect("the template is well-formed");
    ProgressBar::new(0).with_style(style)
}

fn show(bar: &ProgressBar, stage: &Stage) {
    bar.set_length(stage.expected);
    bar.set_position(stage.arrived);
    bar.set_message(match stage.step {
        Step::Pages { stored } => format!("pages, with {stored} messages stored"),
        Step::Filling { stored } => format!("filling a store with {stored} messages"),
        Step::Flooding { rate, on: false } => format!("gateway, {rate} good requests a second"),
        Step::Flooding { rate, on: true } => format!("gateway, {rate} a second beside a flood"),
        Step::Measuring(case) => format!("{}, {} clients", table::name(&case), case.clients),
    });
}
