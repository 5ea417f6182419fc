//! What was observed of an attempt's request, made ready to be kept. Receivers' words are sealed;
//! times and certificates are not theirs alone to know.

use crate::attempt::Attempt;
use crate::engine::Engine;
use crate::verdict::Happened;
use model::answer_head::AnswerHead;
use model::id::Tail;
use store::Sealed;
use store::record::Observed;
use vault::Place;

/// What is kept of how the request went; nothing where none was made.
pub(crate) fn observed(engine: &Engine, attempt: &Attempt, tail: &Tail) -> Observed {
    let observed = match &attempt.happened {
        Happened::Answered(answer) | Happened::NotEchoed(answer) => &answer.observed,
        Happened::NoAnswer(error) => error.observed(),
        // What went wrong with a token's request, say, is not how the delivery's went.
        _ => return Observed::default(),
    };
    let head = observed.head.as_ref().map(AnswerHead::to_stored);
    Observed {
        phases: observed.phases,
        head: head.and_then(|head| seal(engine, attempt, (tail, "head"), &head)),
        chain: observed.chain.clone(),
    }
}

/// Seals what a receiver said for a column of the attempt with this tail; where the operator turned
/// encryption off, it stays readable.
pub(crate) fn seal(
    engine: &Engine,
    attempt: &Attempt,
    (row, column): (&Tail, &'static str),
    said: &[u8],
) -> Option<Sealed> {
    let ring = attempt.about.ring.as_ref()?;
    let place = Place {
        table: "attempt",
        row,
        column,
    };
    let sealed = match engine.config.encrypt_payloads {
        true => ring.seal(place, said),
        false => ring.seal_readable(place, said),
    };
    Some(sealed.into())
}
