//! Asks a receiver whether it wants what its endpoint is to get: first by the handshake of
//! CloudEvents' web hooks (HTTP 1.1 Web Hooks for Event Delivery, section 4), an `OPTIONS` that
//! says who asks; where that isn't allowed, by a signed message with a challenge to give back.
//!
//! It is one attempt of a delivery like any other, and what came of it is kept with the endpoint
//! before the attempt is recorded. When one is sent is `app`'s to decide.

use crate::attempt::{About, send_request, text_of};
use crate::attempt_time::AttemptTime;
use crate::engine::Engine;
use crate::prepare::Request;
use crate::ready::ReadyEndpoint;
use crate::verdict::Happened;
use http::{HeaderName, HeaderValue};
use model::Timestamp;
use model::challenge::is_echoed;
use model::proof::{Outcome, Proof, Told};
use std::num::{NonZeroU16, NonZeroU32};
use store::change::{Change, ChangeError, ChangeRequest, KeptProof};
use store::rows::ApplicationRef;
use store::{Lanes, StoreError};
use transport::{Answer, Outgoing, Purpose, Stage};

const REQUEST_ORIGIN: HeaderName = HeaderName::from_static("webhook-request-origin");
const REQUEST_RATE: HeaderName = HeaderName::from_static("webhook-request-rate");

/// A challenge must be given back within so many bytes.
pub(crate) const ANSWER_BYTES_MAX: usize = 64 << 10;
/// What of an attempt's time the handshake has: a part of this many. The message has the rest.
const HANDSHAKE_SHARE: u32 = 3;
/// How often what is known is read again, because it has changed under the writer.
const ROUNDS_MAX: usize = 8;

/// Why a challenge failed that was answered with a status of success.
pub(crate) const NOT_ECHOED: &str = "the answer does not give the challenge back: answer with the \
     member `challenge` of the request's JSON, as text or as a JSON object with that member";

/// What a challenge asks.
pub(crate) struct Asked {
    /// The text to be given back; `None` where the payload has none.
    pub(crate) text: Option<String>,
    /// The endpoint's own limit, in attempts per second.
    pub(crate) rate_limit: Option<NonZeroU16>,
}

/// Asks; what happened last, and the rate that a handshake allowed.
pub(crate) async fn ask(
    engine: &Engine,
    request: Request,
    asked: Asked,
    (now, time): (Timestamp, AttemptTime),
) -> (Happened, Option<Outcome>) {
    let Request {
        mut outgoing,
        endpoint,
        ..
    } = request;
    let handshake = handshake(engine, (&outgoing, &endpoint), &asked);
    let part = AttemptTime::begin(time.left() / HANDSHAKE_SHARE);
    let happened = send_request(engine, (Box::new(handshake), &endpoint), (now, part)).await;
    if let Happened::Answered(answer) = &happened
        && let Some(per_minute) = allowed(answer, &engine.config.origin)
    {
        return (kept(engine, happened), Some(Outcome::Proved { per_minute }));
    }
    if is_out_of_reach(&happened) {
        return (happened, None);
    }
    outgoing.limits.response_bytes_max = ANSWER_BYTES_MAX;
    let happened = send_request(engine, (outgoing, &endpoint), (now, time)).await;
    let happened = match happened {
        Happened::Answered(answer) if (200..300).contains(&answer.status) => {
            let text = asked.text.as_deref().filter(|_| !answer.truncated);
            if text.is_some_and(|text| is_echoed(text, &answer.body)) {
                let proved = Outcome::Proved { per_minute: None };
                return (kept(engine, Happened::Answered(answer)), Some(proved));
            }
            Happened::NotEchoed(answer)
        }
        happened => happened,
    };
    (kept(engine, happened), None)
}

/// The request that asks without a message.
fn handshake(
    engine: &Engine,
    (message, endpoint): (&Outgoing, &ReadyEndpoint),
    asked: &Asked,
) -> Outgoing {
    let mut headers = endpoint.headers.clone();
    if let Ok(origin) = HeaderValue::from_str(&engine.config.origin) {
        headers.insert(REQUEST_ORIGIN, origin);
    }
    if let Some(limit) = asked.rate_limit {
        let per_minute = u32::from(limit.get()) * 60;
        headers.insert(REQUEST_RATE, per_minute.into());
    }
    let target = message.target.clone();
    let mut handshake = Outgoing::new(Purpose::Challenge, target, headers, message.limits);
    handshake.spelling = message.spelling.clone();
    handshake
}

/// Whether an answer allows what was asked for: then, how many requests in a minute.
fn allowed(answer: &Answer, origin: &str) -> Option<Option<NonZeroU32>> {
    let said = answer.allowed.as_deref()?;
    let whom = said.origin.trim();
    let is_ours = whom == "*" || whom.eq_ignore_ascii_case(origin);
    if !is_ours || !(200..300).contains(&answer.status) {
        return None;
    }
    match said.rate.as_deref().map(str::trim) {
        None | Some("*") => Some(None),
        // What is no number allows nothing that could be kept to.
        Some(rate) => rate.parse().ok().map(Some),
    }
}

/// Whether a second request would get no further.
fn is_out_of_reach(happened: &Happened) -> bool {
    match happened {
        Happened::NoAnswer(error) => matches!(
            error.stage(),
            Stage::Guard | Stage::Resolve | Stage::Connect | Stage::Tls
        ),
        Happened::NoToken(_) => true,
        _ => false,
    }
}

/// With as much of the answer as is kept of any.
fn kept(engine: &Engine, mut happened: Happened) -> Happened {
    if let Happened::Answered(answer) | Happened::NotEchoed(answer) = &mut happened {
        let most = engine.config.limits.response_bytes_max;
        answer.truncated |= answer.body.len() > most;
        answer.body.truncate(most);
    }
    happened
}

/// Keeps what came of a challenge with its endpoint, unless the URL is another one by now.
pub(crate) async fn keep(
    engine: &Engine,
    about: &About,
    happened: &Happened,
    at: Timestamp,
) -> Result<(), StoreError> {
    let Some(challenged) = &about.challenged else {
        return Ok(());
    };
    let outcome = match (&challenged.outcome, happened) {
        (Some(outcome), _) => outcome.clone(),
        (None, Happened::Ended(_)) => return Ok(()),
        (None, happened) => Outcome::Failed {
            reason: reason(happened),
        },
    };
    let told = Told { at, outcome };
    for _ in 0..ROUNDS_MAX {
        match keep_once(engine, about, (&challenged.url, &told)).await {
            Err(ChangeError::Stale) => {}
            Err(ChangeError::Store(error)) => return Err(error),
            Ok(()) | Err(_) => break,
        }
    }
    Ok(())
}

async fn keep_once(
    engine: &Engine,
    about: &About,
    (url, told): (&str, &Told),
) -> Result<(), ChangeError> {
    let seen = &about.seen;
    let application = ApplicationRef::Key(seen.application);
    let row = engine.parts.registry.find(&application).await?;
    let endpoint = row.as_ref().and_then(|row| row.endpoint(seen.endpoint));
    let Some(endpoint) = endpoint.filter(|row| row.endpoint.url == url) else {
        return Ok(());
    };
    let before = endpoint.proof().cloned();
    let proof = before.unwrap_or_else(|| Proof {
        url: url.to_owned(),
        asked_at: told.at,
        told: None,
    });
    let change = Change::KeepProof(KeptProof {
        application: seen.application,
        endpoint: seen.endpoint,
        before: endpoint.kept_proof.as_deref().cloned(),
        proof: proof.after(told.clone()),
    });
    let request = ChangeRequest {
        change,
        idempotency: None,
        // What a receiver answered is no change of anybody's: that it was asked is an entry.
        audit: None,
    };
    let changed = engine.parts.store.change(request).await;
    // Also after a failure: what is in memory is old then, or may be.
    engine.changed(seen.application);
    changed.map(drop)
}

/// Why a challenge failed, for the endpoint's owner.
fn reason(happened: &Happened) -> String {
    match happened {
        Happened::Answered(answer) => format!(
            "the challenge was answered with the status {}: answer 200 and give the challenge \
             back, or allow the handshake",
            answer.status
        ),
        other => {
            let text = text_of(other).unwrap_or_default();
            String::from_utf8_lossy(&text).into_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use std::time::Duration;
    use transport::Allowed;

    fn answer(status: u16, origin: Option<&str>, rate: Option<&str>) -> Answer {
        Answer {
            status,
            retry_after: None,
            allowed: origin.map(|origin| {
                Box::new(Allowed {
                    origin: origin.to_owned(),
                    rate: rate.map(str::to_owned),
                })
            }),
            body: Bytes::new(),
            truncated: false,
            headers_after: Duration::ZERO,
            date: None,
            handshake: None,
            observed: Box::default(),
        }
    }

    #[test]
    fn a_handshake_is_allowed_for_our_origin_and_up_to_a_rate() {
        let rate = |number| Some(NonZeroU32::new(number));
        let cases = [
            (200, Some("hooks.example"), None, Some(None)),
            (204, Some("HOOKS.example"), Some("*"), Some(None)),
            (200, Some("*"), Some("120"), rate(120)),
            (200, Some(" * "), Some(" 1 "), rate(1)),
            (200, Some("other.example"), None, None),
            (200, Some("hooks.example, other.example"), None, None),
            (200, Some(""), None, None),
            (200, None, Some("120"), None),
            (200, Some("*"), Some("0"), None),
            (200, Some("*"), Some("-5"), None),
            (200, Some("*"), Some("many"), None),
            (302, Some("*"), None, None),
            (405, Some("*"), None, None),
        ];
        for (status, origin, asked, expected) in cases {
            let found = allowed(&answer(status, origin, asked), "hooks.example");
            assert_eq!(found, expected, "{status} {origin:?} {asked:?}");
        }
    }
}
