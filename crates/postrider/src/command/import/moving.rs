//! How every import of this kind goes: what should be there is held against what is there, the plan
//! is shown, and carried out where `--yes` says so. Nothing is kept between two runs: one that was
//! broken off is gone on with by running it again, since what is there is found by its uid.

use super::super::{drive, say, say_json};
use super::carry_out::carry_out;
use super::plan::plan;
use super::report::Report;
use super::side::Side;
use super::state::State;
use crate::client::{Client, Credentials, Patience, ServerUrl};
use crate::failure::Failure;
use anyhow::anyhow;
use indicatif::{ProgressBar, ProgressStyle};
use std::io::{IsTerminal as _, stderr};
use std::sync::Arc;

/// How it is done.
#[derive(Clone, Copy)]
pub(super) struct How {
    /// Whether anything is changed.
    pub(super) yes: bool,
    pub(super) json: bool,
    /// How many requests to each server may be open.
    pub(super) at_once: u8,
}

impl How {
    /// A server to read from, or to write to.
    pub(super) fn side(
        self,
        name: &'static str,
        server: ServerUrl,
        token: &Credentials,
    ) -> Result<Arc<Side>, Failure> {
        Ok(Arc::new(Side {
            name,
            client: Client::new(server, token, Patience::LONG)?,
            at_once: self.at_once.into(),
        }))
    }

    /// Reads what should be there, then makes it so.
    pub(super) fn run(
        self,
        target: &Arc<Side>,
        wanted: impl AsyncFnOnce(&ProgressBar) -> Result<State, Failure>,
    ) -> Result<(), Failure> {
        let bar = bar();
        let ended = drive(async {
            target.greet().await?;
            let wanted = Arc::new(wanted(&bar).await?);
            let found = target.target(&wanted, &bar).await?;
            let mut plan = plan(&wanted, &found);
            let ended = match self.yes {
                true => carry_out(&mut plan, target, &bar).await,
                false => Ok(()),
            };
            bar.finish_and_clear();
            let report = Report {
                plan: &plan,
                applied: self.yes,
            };
            match self.json {
                true => say_json(&report.json())?,
                false => say(report.text())?,
            }
            match ended {
                Err(failure) => Err(goes_on(failure)),
                Ok(()) if self.yes && !report.is_complete() => Err(Failure::No),
                Ok(()) => Ok(()),
            }
        });
        bar.finish_and_clear();
        ended?
    }
}

/// The same, with what to do about it.
fn goes_on(failure: Failure) -> Failure {
    let advice = |error: anyhow::Error| {
        anyhow!("{error:#}\nIt is not finished: run the same command again, and it goes on")
    };
    match failure {
        no @ (Failure::No | Failure::Unconfirmed) => no,
        Failure::Refused(error) => Failure::Refused(advice(error)),
        Failure::Misuse(error) => Failure::Misuse(advice(error)),
        Failure::CouldNot(error) => Failure::CouldNot(advice(error)),
    }
}

fn bar() -> ProgressBar {
    if !stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} {msg}");
    ProgressBar::new(0).with_style(style.expect("the template is well-formed"))
}
