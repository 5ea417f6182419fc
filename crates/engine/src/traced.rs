//! An attempt as a step of the trace that its message is a part of: it is named before the request
//! is made, which tells the receiver of it, and told of when it is over. Others record it.

use crate::attempt::Attempt;
use crate::engine::Engine;
use crate::roster::InHand;
use model::attempt::AttemptResult;
use model::entropy::random;
use model::trace::{Step, Taken, TraceParent};
use store::record::Outcome;

/// The step that an attempt is, where its message is a part of a trace.
pub(crate) fn step(engine: &Engine, in_hand: &InHand) -> Option<TraceParent> {
    let trace = in_hand.claimed.message.message.trace?;
    Some(trace.from_here(random(&*engine.parts.entropy)))
}

/// What came of a request, before it is recorded, to whoever records traces.
pub(crate) fn tell_step(
    engine: &Engine,
    (at, after): (Option<TraceParent>, Option<TraceParent>),
    attempt: &Attempt,
    outcome: &Outcome,
) {
    let Some(at) = at.filter(|at| at.is_sampled()) else {
        return;
    };
    let failed = match outcome.attempt.result {
        AttemptResult::Success => false,
        AttemptResult::Failure => true,
        AttemptResult::Cancelled(_) => return,
    };
    engine.parts.events.step(Step {
        at,
        after,
        what: Taken::Attempt {
            endpoint: attempt.about.endpoint,
            number: outcome.attempt.number,
            status_code: outcome.attempt.status_code,
            failed,
        },
        began: attempt.begun.wall,
        ended: attempt.ended.wall,
        application: attempt.about.application,
        message: outcome.message,
    });
}
