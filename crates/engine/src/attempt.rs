//! The life of one attempt: first try, retry, resend and replay alike. Read this page to know what
//! happens to a delivery.

use crate::attempt_time::AttemptTime;
use crate::authenticate::Means;
use crate::challenge::{NOT_ECHOED, ask, keep};
use crate::connecting::may_refuse_identity;
use crate::decide::{Decision, Rules, Situation, decide};
use crate::engine::Engine;
use crate::first_use::prepare_pinned;
use crate::health_book::{Noted, Seen};
use crate::observe::Happening;
use crate::observed::{observed, seal};
use crate::peers::look_at_peer;
use crate::prepare::{NotPrepared, Prepared, Request, is_live};
use crate::ready::{ReadyEndpoint, Unsound};
use crate::report::report;
use crate::roster::{Ended, InHand, Moment};
use crate::tell::{ToTell, tell_disabled};
use crate::traced::{step, tell_step};
use crate::verdict::{Happened, Verdict, classify, effect_on_lane};
use model::Timestamp;
use model::attempt::AttemptResult;
use model::delivery::Trigger;
use model::entropy::{fraction, random};
use model::id::{ApplicationKey, Tail};
use model::name::Name;
use model::proof::Outcome;
use model::retry::RetrySchedule;
use model::witness::Witnessed;
use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;
use store::record::{self, NewAttempt, Then};
use store::rows::Claimed;
use store::{Sealed, StoreError};
use transport::Outgoing;

/// A lane is left alone for so long when something failed that may work again soon.
const SHORT_REST: Duration = Duration::from_secs(1);
/// A lane is left alone for so long when an outcome could not be recorded, since it would be sent
/// again, and when its endpoint has just gone.
const LONG_REST: Duration = Duration::from_secs(30);

/// Makes one attempt, and records what came of it.
///
/// Where it returns early, or panics, the delivery is let go of as it was, and found again.
pub(crate) async fn run_attempt(engine: &Engine, mut in_hand: InHand) -> Ended {
    let begun = engine.moment();
    in_hand.step = step(engine, &in_hand);
    let time = AttemptTime::begin(engine.config.limits.total_timeout);
    let prepared = match prepare_pinned(engine, &in_hand, (begun, time)).await {
        Ok(prepared) => prepared,
        Err(why) => return unprepared(engine, in_hand, &why),
    };
    in_hand.drop_payload();
    let (about, happened) = send(engine, prepared, (begun.wall, time)).await;
    let ended = engine.moment();
    if let Err(error) = keep(engine, &about, &happened, ended.wall).await {
        return unprepared(engine, in_hand, &error.into());
    }
    let verdict = classify(&happened, ended.wall);
    report(engine, &about, &happened, ended.wall);
    look_at_peer(engine, &about, &happened, (begun, ended)).await;
    let noted = judge(engine, &in_hand, (about.seen, verdict), ended).await;
    let attempt = Attempt {
        begun,
        ended,
        about,
        happened,
    };
    record(engine, in_hand, &attempt, noted).await
}

/// What the steps after sending need of those before it.
pub(crate) struct About {
    pub(crate) application: Option<model::id::ApplicationId>,
    pub(crate) endpoint: Option<model::id::EndpointId>,
    pub(crate) seen: Seen,
    /// What the request was made with, if one was.
    pub(crate) ready: Option<Arc<ReadyEndpoint>>,
    pub(crate) ring: Option<vault::KeyRing>,
    /// What was challenged, if something was.
    pub(crate) challenged: Option<Challenged>,
}

/// A URL that was challenged.
pub(crate) struct Challenged {
    pub(crate) url: String,
    /// That it has proved itself; `None` if it has not.
    pub(crate) outcome: Option<Outcome>,
}

/// An attempt that was made.
pub(crate) struct Attempt {
    pub(crate) begun: Moment,
    pub(crate) ended: Moment,
    pub(crate) about: About,
    pub(crate) happened: Happened,
}

async fn send(
    engine: &Engine,
    prepared: Prepared,
    when: (Timestamp, AttemptTime),
) -> (About, Happened) {
    let Prepared {
        application,
        endpoint,
        seen,
        ring,
        request,
        challenged,
    } = prepared;
    let mut about = About {
        application,
        endpoint,
        seen,
        ready: None,
        ring,
        challenged: challenged.map(|url| Challenged { url, outcome: None }),
    };
    let mut request = match request {
        Err(happened) => return (about, happened),
        Ok(request) => request,
    };
    about.ready = Some(request.endpoint.clone());
    let happened = match (request.asked.take(), &mut about.challenged) {
        (Some(asked), Some(challenged)) => {
            // In a box, since it is seldom done, and every attempt would be as large.
            let (happened, outcome) = Box::pin(ask(engine, *request, asked, when)).await;
            challenged.outcome = outcome;
            happened
        }
        _ => {
            let Request {
                outgoing, endpoint, ..
            } = *request;
            send_request(engine, (outgoing, &endpoint), when).await
        }
    };
    (about, happened)
}

/// Sends a request with the client certificates that are valid at `now`, one after the other, until
/// one is not refused; where there is none, once.
pub(crate) async fn send_request(
    engine: &Engine,
    (mut outgoing, endpoint): (Box<Outgoing>, &ReadyEndpoint),
    (now, time): (Timestamp, AttemptTime),
) -> Happened {
    let means = Means {
        transport: &*engine.parts.transport,
        entropy: &*engine.parts.entropy,
        tokens: &engine.tokens,
        now,
        time,
    };
    let profiles = endpoint.connecting.profiles_at(now);
    let (last, before) = profiles.split_last().expect("the current one never ends");
    for profile in before {
        outgoing.profile = profile.cloned();
        let happened = endpoint.authentication.send(outgoing.clone(), means).await;
        if !may_refuse_identity(&happened) || time.left().is_zero() {
            return happened;
        }
    }
    outgoing.profile = last.cloned();
    endpoint.authentication.send(outgoing, means).await
}

/// Decides what becomes of delivery and endpoint, by what is known now: an endpoint that went while
/// the attempt was under way gets no other.
async fn judge<'a>(
    engine: &'a Engine,
    in_hand: &InHand,
    (seen, verdict): (Seen, Verdict),
    ended: Moment,
) -> Noted<'a> {
    let delivery = &in_hand.claimed.delivery;
    let may_retry = matches!(verdict, Verdict::Retry(_) | Verdict::RetryBlameless);
    let endpoint_live = may_retry && delivery.trigger.retries() && is_live(engine, &seen).await;
    let situation = Situation {
        trigger: delivery.trigger,
        number: delivery.attempts.saturating_add(1),
        began: in_hand.claimed.message.message.first_due(),
        endpoint_live,
        failing_since: None,
        now: ended.wall,
        draw: if endpoint_live {
            fraction(&*engine.parts.entropy)
        } else {
            0.5
        },
    };
    let own = match endpoint_live {
        true => own_schedule(engine, &in_hand.claimed.message.message.event_type).await,
        false => None,
    };
    let rules = Rules {
        schedule: own.as_ref().unwrap_or(&engine.config.retry_schedule),
        disable_after: engine.config.disable_after,
    };
    engine.health.judge(seen, |failing_since| {
        decide(
            verdict,
            &Situation {
                failing_since,
                ..situation
            },
            rules,
        )
    })
}

/// The schedule that the event type has of its own now, if it has one. Asked for only after a
/// failure, and mostly known. What can't be read at all is waited for, as the record of this
/// outcome would be: by another schedule, the delivery could be given up.
async fn own_schedule(engine: &Engine, event_type: &Name) -> Option<RetrySchedule> {
    loop {
        match engine.parts.registry.retry_schedule(event_type).await {
            Ok(own) => return own,
            Err(error) => tracing::warn!(%error, "retry schedules can't be read"),
        }
        tokio::time::sleep(SHORT_REST).await;
        engine.until_writable().await;
    }
}

/// Makes the outcome durable. Only then is the slot free again, so that no more can be repeated
/// after a crash than is in flight.
async fn record(engine: &Engine, in_hand: InHand, attempt: &Attempt, noted: Noted<'_>) -> Ended {
    let Noted {
        decision,
        forget,
        on_its_way,
    } = noted;
    let lane = in_hand.lane();
    let key = in_hand.claimed.delivery.key;
    let mut ended = Ended {
        how: effect_on_lane(&attempt.happened),
        took: attempt.ended.mono.saturating_sub(attempt.begun.mono),
        due: None,
        rest: None,
    };
    let event_id = in_hand.claimed.message.message.event_id.clone();
    let since_due = since_due(&in_hand, attempt.ended.wall);
    let (at, after) = (in_hand.step, in_hand.claimed.message.message.trace);
    let outcome = outcome(engine, in_hand, attempt, decision);
    tell_step(engine, (at, after), attempt, &outcome);
    let to_tell = ToTell::of(&attempt.about, &outcome, event_id);
    match engine.parts.store.record(outcome).await {
        Ok(recorded) => {
            if let Some(change) = on_its_way {
                change.recorded(engine.parts.clock.monotonic());
            }
            if let (Then::Reschedule(due), false) = (decision.then, recorded.stale) {
                ended.due = Some(due);
            }
            if let Some(to_tell) = to_tell.filter(|_| !recorded.stale) {
                to_tell.tell(engine, recorded.attempt).await;
            }
            let ending = (decision, &recorded);
            engine.meter.recorded(ending, ended.took, since_due);
            if recorded.disabled {
                engine.endpoint_disabled(&attempt.about, attempt.ended.wall);
                tell_disabled(engine, &attempt.about, attempt.ended.wall).await;
            }
            let result = decision.result;
            witness(engine, lane.application, result, attempt.ended.wall);
            engine
                .observer
                .tell(Happening::Recorded(lane.endpoint, key, result));
        }
        Err(error) => {
            tracing::error!(%error, endpoint = ?lane.endpoint, "an outcome can't be recorded");
            engine.observer.tell(Happening::LetGo(lane.endpoint, key));
            ended.rest = Some(LONG_REST);
        }
    }
    if let Some(application) = forget {
        engine.parts.registry.forget(application);
    }
    ended
}

/// How long a message has been due; `None` for what was sent again.
fn since_due(in_hand: &InHand, now: Timestamp) -> Option<Duration> {
    let Claimed {
        delivery, message, ..
    } = &in_hand.claimed;
    let scheduled = delivery.trigger == Trigger::Scheduled;
    scheduled.then(|| now.since(message.message.first_due()))
}

/// What came of a request, for whoever knows what is usual.
fn witness(engine: &Engine, application: ApplicationKey, result: AttemptResult, at: Timestamp) {
    let failed = match result {
        AttemptResult::Success => false,
        AttemptResult::Failure => true,
        AttemptResult::Cancelled(_) => return,
    };
    let what = Witnessed::Attempted {
        application,
        failed,
    };
    engine.parts.events.witness(what, at);
}

fn outcome(
    engine: &Engine,
    in_hand: InHand,
    attempt: &Attempt,
    decision: Decision,
) -> record::Outcome {
    let claimed = in_hand.claimed;
    let tail = random(&*engine.parts.entropy);
    let (status_code, duration) = match &attempt.happened {
        Happened::Answered(answer) | Happened::NotEchoed(answer) => {
            (answer.status, answer.headers_after)
        }
        _ => (0, attempt.ended.mono.saturating_sub(attempt.begun.mono)),
    };
    record::Outcome {
        message: claimed.message.message.id,
        event_type: claimed.message.message.event_type,
        attempt: NewAttempt {
            tail,
            number: claimed.delivery.attempts.saturating_add(1),
            started_at: attempt.begun.wall,
            duration,
            status_code,
            result: decision.result,
            endpoint_revision: attempt.about.seen.revision,
            excerpt: excerpt(engine, attempt, &tail),
            observed: observed(engine, attempt, &tail),
        },
        delivery: claimed.delivery,
        then: decision.then,
        health: decision.health,
        hold: claimed.hold,
    }
}

/// What was answered, or why nothing was, sealed.
fn excerpt(engine: &Engine, attempt: &Attempt, tail: &Tail) -> Option<Sealed> {
    let text = text_of(&attempt.happened).filter(|text| !text.is_empty())?;
    seal(engine, attempt, (tail, "excerpt"), &text)
}

/// What a tenant reads of it: what was answered, or why nothing was.
pub(crate) fn text_of(happened: &Happened) -> Option<Cow<'_, [u8]>> {
    Some(match happened {
        Happened::Answered(answer) => Cow::Borrowed(&answer.body),
        Happened::NotEchoed(_) => Cow::Borrowed(NOT_ECHOED.as_bytes()),
        Happened::NoAnswer(error) => bytes(error.for_tenant()),
        Happened::NoToken(error) => bytes(error.for_tenant()),
        Happened::Unsound(_) => Cow::Borrowed(Unsound::FOR_TENANT.as_bytes()),
        Happened::Held(held) => Cow::Owned(format!("not sent: {held}").into_bytes()),
        Happened::Withheld(reason) => Cow::Borrowed(reason.as_bytes()),
        Happened::NoKey(no_key) => Cow::Owned(no_key.for_tenant().into_bytes()),
        Happened::Ended(_) => return None,
    })
}

fn bytes(text: Cow<'_, str>) -> Cow<'_, [u8]> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
        Cow::Owned(text) => Cow::Owned(text.into_bytes()),
    }
}

fn unprepared(engine: &Engine, in_hand: InHand, why: &NotPrepared) -> Ended {
    let (endpoint, delivery) = (in_hand.lane().endpoint, &in_hand.claimed.delivery);
    match why {
        // It will not pass by itself, and only its operator can mend it.
        NotPrepared::Unread(error @ StoreError::Corrupt { .. }) => {
            tracing::error!(%error, ?endpoint, "a delivery can't be prepared");
        }
        _ => tracing::debug!(%why, ?endpoint, "a delivery is let go of"),
    }
    engine
        .observer
        .tell(Happening::LetGo(endpoint, delivery.key));
    let rest = match why {
        NotPrepared::Unread(_) | NotPrepared::Unwritable | NotPrepared::LeaseEnded => SHORT_REST,
        NotPrepared::JustGone => LONG_REST,
        // There is nothing of it to look for.
        NotPrepared::EndedMeanwhile => return Ended::NOT_SENT,
        NotPrepared::Cancelled => {
            engine.give_back(in_hand.lane());
            return Ended::NOT_SENT;
        }
    };
    Ended {
        due: Some(delivery.due),
        rest: Some(rest),
        ..Ended::NOT_SENT
    }
}
