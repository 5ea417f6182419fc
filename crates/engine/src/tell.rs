//! What of an outcome the operator is told by operational webhooks: a delivery in trouble, given
//! up, or out of trouble; an endpoint that was disabled. Only what is on disk is told, and by the
//! node whose outcome counted.

use crate::attempt::About;
use crate::engine::Engine;
use model::Timestamp;
use model::attempt::AttemptResult;
use model::delivery::Trigger;
use model::id::{ApplicationKey, AttemptId, EndpointId, MessageId};
use model::name::Name;
use model::operational::{AttemptNamed, EndpointNamed, Happened, OperationalEvent, is_told};
use std::sync::Arc;
use store::record::{Outcome, Then};
use store::rows::{ApplicationRef, RegistryRow};

/// The attempt that is told of when it fails and others will follow.
const FAILING_AT: u16 = 4;
/// The first attempt that is told of when it succeeds.
const RECOVERED_FROM: u16 = 5;

/// What is told of an attempt.
type Kind = fn(AttemptNamed) -> Happened;

/// What an outcome is to be told as, once it is on disk.
pub(crate) struct ToTell {
    kind: Kind,
    application: ApplicationKey,
    endpoint: EndpointId,
    message: MessageId,
    event_id: Option<Name>,
    status: u16,
}

impl ToTell {
    /// `None` for an outcome that nobody is told of.
    pub(crate) fn of(about: &About, outcome: &Outcome, event_id: Option<Name>) -> Option<Self> {
        let attempt = &outcome.attempt;
        let ended = (attempt.result, outcome.then);
        Some(Self {
            kind: kind(outcome.delivery.trigger, attempt.number, ended)?,
            application: outcome.delivery.application,
            // Without one nothing was sent.
            endpoint: about.endpoint?,
            message: outcome.message,
            event_id,
            status: attempt.status_code,
        })
    }

    /// Tells it.
    pub(crate) async fn tell(self, engine: &Engine, attempt: AttemptId) {
        let Some(row) = to_be_told_of(engine, self.application).await else {
            return;
        };
        let named = AttemptNamed {
            application: row.application.application.id,
            application_uid: row.application.application.uid.clone(),
            endpoint: self.endpoint,
            message: self.message,
            event_id: self.event_id,
            attempt,
            status: self.status,
        };
        report(engine, (self.kind)(named));
    }
}

/// Tells that an endpoint was disabled by what it answered, or did not answer, at this time.
pub(crate) async fn tell_disabled(engine: &Engine, about: &About, at: Timestamp) {
    let Some(endpoint) = about.endpoint else {
        return;
    };
    let Some(row) = to_be_told_of(engine, about.seen.application).await else {
        return;
    };
    let found = row.endpoint(endpoint.key());
    let named = EndpointNamed {
        application: row.application.application.id,
        application_uid: row.application.application.uid.clone(),
        endpoint,
        endpoint_uid: found.and_then(|row| row.endpoint.uid.clone()),
    };
    let since = found.and_then(|row| row.failing_since).unwrap_or(at);
    report(engine, Happened::EndpointDisabled(named, Some(since)));
}

/// What an attempt is told as, if as anything. Pure.
fn kind(trigger: Trigger, number: u16, (result, then): (AttemptResult, Then)) -> Option<Kind> {
    if !trigger.retries() {
        return None;
    }
    match (result, then) {
        (AttemptResult::Success, _) if number >= RECOVERED_FROM => Some(Happened::AttemptRecovered),
        (AttemptResult::Failure, Then::Close) => Some(Happened::AttemptExhausted),
        (AttemptResult::Failure, Then::Reschedule(_)) if number == FAILING_AT => {
            Some(Happened::AttemptFailing)
        }
        _ => None,
    }
}

/// An application, unless it is the one whose endpoints are told: of those nobody is.
async fn to_be_told_of(engine: &Engine, key: ApplicationKey) -> Option<Arc<RegistryRow>> {
    let found = engine.parts.registry.find(&ApplicationRef::Key(key)).await;
    let row = found.unwrap_or_else(|error| {
        tracing::warn!(%error, "what happened to an endpoint is not told: its application can't be read");
        None
    })?;
    (!is_told(row.application.application.uid.as_ref())).then_some(row)
}

/// Tells something.
pub(crate) fn report(engine: &Engine, what: Happened) {
    let at = engine.parts.clock.now();
    let event = OperationalEvent { at, what };
    engine.parts.operational.report(event);
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::delivery::EndReason;
    use model::id::{ApplicationId, AttemptKey, EndpointKey, MessageKey};

    fn name_of(
        trigger: Trigger,
        number: u16,
        ended: (AttemptResult, Then),
    ) -> Option<&'static str> {
        let named = AttemptNamed {
            application: ApplicationId::new(ApplicationKey::MIN, [0; 12]),
            application_uid: None,
            endpoint: EndpointId::new(EndpointKey::MIN, [0; 12]),
            message: MessageId::new(MessageKey::MIN, [0; 12]),
            event_id: None,
            attempt: AttemptId::new(AttemptKey::MIN, [0; 12]),
            status: 0,
        };
        kind(trigger, number, ended).map(|kind| kind(named).name())
    }

    #[test]
    fn of_a_schedule_its_fourth_failure_its_end_and_a_late_success_are_told() {
        let again = Then::Reschedule(Timestamp::MIN);
        let (success, failure) = (AttemptResult::Success, AttemptResult::Failure);
        let told = |number, result, then| name_of(Trigger::Scheduled, number, (result, then));
        for number in 1..12 {
            let failing = (number == 4).then_some("message.attempt.failing");
            assert_eq!(told(number, failure, again), failing, "{number}");
            let exhausted = Some("message.attempt.exhausted");
            assert_eq!(told(number, failure, Then::Close), exhausted, "{number}");
            let recovered = (number >= 5).then_some("message.attempt.recovered");
            assert_eq!(told(number, success, Then::Close), recovered, "{number}");
        }
        let cancelled = AttemptResult::Cancelled(EndReason::PayloadGone);
        assert_eq!(told(4, cancelled, Then::Close), None);
    }

    #[test]
    fn what_people_asked_for_once_is_not_told() {
        for trigger in [Trigger::Manual, Trigger::Replay] {
            for result in [AttemptResult::Success, AttemptResult::Failure] {
                assert_eq!(name_of(trigger, 8, (result, Then::Close)), None);
            }
        }
    }
}
