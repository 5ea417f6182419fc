//! Carries a plan out: event types first, then each application with its endpoints, then what is
//! archived. What the target refuses is noted, and the rest goes on; where the target can't answer
//! any more, it stops.

use super::plan::{Action, ApplicationSteps, Plan, Step};
use super::side::{Side, each};
use crate::client::ClientError;
use crate::failure::Failure;
use indicatif::ProgressBar;
use std::sync::{Arc, Mutex, PoisonError};

/// What became of a step.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Outcome {
    /// Nothing yet.
    Open,
    /// It is as it should be.
    Done,
    /// The target does not want it, for this reason.
    Refused(String),
}

/// What all that is carried out at the same time shares.
struct Work {
    target: Arc<Side>,
    bar: ProgressBar,
    /// Why no more is asked.
    stopped: Mutex<Option<Failure>>,
}

/// Carries it out, as far as it goes; an error says why it went no further. The plan says of each
/// step what became of it.
pub(super) async fn carry_out(
    plan: &mut Plan,
    target: &Arc<Side>,
    bar: &ProgressBar,
) -> Result<(), Failure> {
    let work = Arc::new(Work {
        target: target.clone(),
        bar: bar.clone(),
        stopped: Mutex::default(),
    });
    bar.reset();
    bar.set_length(plan.work());
    bar.set_message("event types");
    plan.event_types = work.steps(std::mem::take(&mut plan.event_types)).await?;
    bar.set_message("applications and endpoints");
    let applications = std::mem::take(&mut plan.applications);
    let at_once = target.at_once;
    let done = each(applications, at_once, |one| work.clone().application(one));
    plan.applications = done.await?;
    plan.archived = work.steps(std::mem::take(&mut plan.archived)).await?;
    match work.lock().take() {
        Some(failure) => Err(failure),
        None => Ok(()),
    }
}

impl Work {
    async fn steps(self: &Arc<Self>, steps: Vec<Step>) -> Result<Vec<Step>, Failure> {
        let at_once = self.target.at_once;
        each(steps, at_once, |step| {
            let work = self.clone();
            async move { work.step(step).await }
        })
        .await
    }

    async fn application(self: Arc<Self>, steps: ApplicationSteps) -> ApplicationSteps {
        let application = self.step(steps.application).await;
        let is_missing = application.action == Action::Create
            && matches!(application.outcome, Outcome::Refused(_));
        let mut endpoints = Vec::with_capacity(steps.endpoints.len());
        for mut endpoint in steps.endpoints {
            if is_missing {
                endpoint.outcome = Outcome::Refused("its application is not there".to_owned());
                endpoints.push(endpoint);
            } else {
                endpoints.push(self.step(endpoint).await);
            }
        }
        ApplicationSteps {
            application,
            endpoints,
        }
    }

    async fn step(&self, mut step: Step) -> Step {
        if step.requests.is_empty() || self.lock().is_some() {
            return step;
        }
        step.outcome = Outcome::Done;
        for request in &step.requests {
            match self.target.client.call(request).await {
                Ok(_) => {}
                Err(error) if request.was_done(error.status()) => {}
                Err(error) if is_about_this_one(&error) => {
                    step.outcome = Outcome::Refused(error.to_string());
                    break;
                }
                Err(error) => {
                    step.outcome = Outcome::Open;
                    self.lock().get_or_insert(self.target.failure(error));
                    break;
                }
            }
        }
        self.bar.inc(1);
        step
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Failure>> {
        self.stopped.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether others may go better: neither the token nor the server is the reason.
fn is_about_this_one(error: &ClientError) -> bool {
    match (error, error.status()) {
        (ClientError::Unusable(_), _) => true,
        (_, Some(status)) => (400..500).contains(&status) && ![401, 403, 429].contains(&status),
        (_, None) => false,
    }
}
