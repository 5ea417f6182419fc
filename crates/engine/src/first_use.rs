//! Takes an endpoint's pin from its receiver's first verified connection, before anything is sent.
//!
//! The pin is part of the endpoint's row, and is written only if the row is still as it was when
//! the receiver was looked at. So of several nodes, and of several attempts, one takes it; the
//! others begin again, and find it.

use crate::attempt_time::AttemptTime;
use crate::engine::Engine;
use crate::prepare::{NotPrepared, Prepared, prepare};
use crate::ready::{Unsound, open_protection, seal_protection};
use crate::roster::{InHand, Moment};
use crate::verdict::Happened;
use model::Pin;
use model::audit::{Actor, AuditAction, AuditDraft};
use model::security::Subject;
use store::Lanes;
use store::change::{Change, ChangeError, ChangeRequest};
use store::rows::ApplicationRef;
use transport::SendError;

/// By whose rule a pin is taken, as the audit log names it.
const RULE: &str = "first_use";

/// Prepares an attempt; where its endpoint's pin is still to be taken, that
/// first.
pub(crate) async fn prepare_pinned(
    engine: &Engine,
    in_hand: &InHand,
    when: (Moment, AttemptTime),
) -> Result<Prepared, NotPrepared> {
    loop {
        let mut prepared = prepare(engine, in_hand, when).await?;
        let looked = match &prepared.request {
            // In boxes, since it is seldom done, and every attempt would be as large.
            Ok(request) if request.endpoint.connecting.awaits_first_use() => {
                Box::pin(look(engine, &prepared, when)).await
            }
            _ => return Ok(prepared),
        };
        let taken = match looked {
            Ok(pin) => Box::pin(take(engine, &prepared, pin)).await?,
            Err(error) => Err(Happened::NoAnswer(error)),
        };
        if let Err(happened) = taken {
            prepared.request = Err(happened);
            return Ok(prepared);
        }
    }
}

/// The pin of the receiver's own certificate, verified in all else.
async fn look(
    engine: &Engine,
    prepared: &Prepared,
    (at, time): (Moment, AttemptTime),
) -> Result<Pin, SendError> {
    let request = prepared.request.as_ref();
    let request = request.expect("only endpoints that can be sent to are looked at");
    let profiles = request.endpoint.connecting.profiles_at(at.wall);
    let profile = profiles.into_iter().next().flatten();
    let limit = engine.config.limits.connect_timeout.min(time.left());
    let target = &request.outgoing.target;
    let peeked = engine.parts.transport.peek(target, profile, limit).await?;
    match (peeked.refused, peeked.certificates.first()) {
        (None, Some(own)) => Ok(own.pin),
        (Some(refused), _) => Err(refused),
        (None, None) => Err(SendError::new(
            transport::Stage::Tls,
            "the receiver's certificate can't be read",
        )),
    }
}

/// Writes the pin, unless somebody else was faster; either way, all is to be looked at again.
async fn take(
    engine: &Engine,
    prepared: &Prepared,
    pin: Pin,
) -> Result<Result<(), Happened>, NotPrepared> {
    let seen = &prepared.seen;
    let application = ApplicationRef::Key(seen.application);
    let row = engine.parts.registry.find(&application).await?;
    let endpoint = row.as_ref().and_then(|row| row.endpoint(seen.endpoint));
    let endpoint = endpoint.filter(|endpoint| endpoint.revision == seen.revision);
    let (Some(endpoint), Some(ring)) = (endpoint, &prepared.ring) else {
        return Ok(Ok(()));
    };
    let mut protection = match open_protection(endpoint, ring) {
        Ok(protection) => protection,
        Err(unsound) => return Ok(Err(Happened::Unsound(unsound))),
    };
    let Some(pinning) = &mut protection.pins else {
        return Ok(Err(Happened::Unsound(Unsound::Missing("pins"))));
    };
    pinning.pins = vec![pin];
    let mut sealed = endpoint.sealed.clone();
    sealed.protection = Some(seal_protection(endpoint, ring, &protection));
    let change = Change::ReplaceEndpoint {
        endpoint: endpoint.endpoint.clone(),
        sealed,
        revision: endpoint.revision,
    };
    let entry = AuditDraft::new(
        engine.parts.clock.now(),
        Actor::system(RULE),
        AuditAction::EndpointPinTaken,
        Subject::endpoint(endpoint.endpoint.id),
    );
    let request = ChangeRequest {
        change,
        idempotency: None,
        audit: Some(entry.concerning(seen.application).saying(pin.to_string())),
    };
    let changed = engine.parts.store.change(request).await;
    // Also after a failure: what is in memory is old then, or may be.
    engine.changed(seen.application);
    match changed {
        Ok(_) => tracing::info!(endpoint = ?seen.endpoint, %pin, "a receiver's pin was taken"),
        Err(ChangeError::Store(error)) => return Err(error.into()),
        Err(error) => tracing::debug!(%error, "another one takes the receiver's pin"),
    }
    Ok(Ok(()))
}
