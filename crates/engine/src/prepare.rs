//! The first steps of an attempt: is there still something to send, and somebody to send it to? If
//! so, the request; if not, why.
//!
//! What was changed before the request is made holds for it: a change that is acknowledged while
//! this looks is seen, because it looks again.

use crate::attempt_time::AttemptTime;
use crate::encrypt::{Keyed, NoKey, Sealing, encrypted, fetch};
use crate::engine::Engine;
use crate::health_book::Seen;
use crate::ready::{NotReady, ReadyEndpoint, Unsound};
use crate::redact::redacted;
use crate::roster::{InHand, Moment};
use crate::seal::{Letter, Manner, seal};
use crate::verdict::Happened;
use bytes::Bytes;
use http::HeaderValue;
use model::Timestamp;
use model::delivery::EndReason;
use model::id::EndpointId;
use model::message::PayloadForm;
use model::policy::{Policy, Unmet};
use model::protection::Held;
use model::redaction::TypeRedaction;
use std::sync::Arc;
use store::StoreError;
use store::rows::{ApplicationRef, EndpointRow, Payload, RegistryRow};
use transport::{Outgoing, WantedKey};
use vault::{KeyRing, Place};
use webhook::jwe::{Context, MEDIA_TYPE, Recipient};

/// What payloads are where nothing else is said.
const JSON: &str = "application/json";

/// An attempt before its request is sent.
pub(crate) struct Prepared {
    /// The endpoint; `None` if it is gone.
    pub(crate) endpoint: Option<EndpointId>,
    /// What the attempt saw of it.
    pub(crate) seen: Seen,
    /// What the excerpt is sealed with; `None` if nothing can be sealed.
    pub(crate) ring: Option<KeyRing>,
    /// The request, or why there is none.
    pub(crate) request: Result<Box<Request>, Happened>,
}

/// What is sent, and to whom.
pub(crate) struct Request {
    pub(crate) outgoing: Outgoing,
    pub(crate) endpoint: Arc<ReadyEndpoint>,
}

/// Why an attempt was not prepared: nothing was done, and the delivery is to be let go of.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotPrepared {
    /// The application could not be read.
    #[error(transparent)]
    Unread(#[from] StoreError),
    /// An outcome could not be recorded now.
    #[error("the store can't write at the moment")]
    Unwritable,
    /// Somebody else may hold the delivery by now.
    #[error("the lease has ended under which the delivery was held")]
    LeaseEnded,
    /// The endpoint has just gone, and background work ends its deliveries.
    #[error("the endpoint has just gone")]
    JustGone,
    /// The delivery was cancelled, and background work ends it.
    #[error("the delivery was cancelled")]
    Cancelled,
    /// Somebody has ended the delivery while it was in memory.
    #[error("the delivery was ended while it was in memory")]
    EndedMeanwhile,
}

/// Prepares an attempt that begins at `at`, within the time that it has.
pub(crate) async fn prepare(
    engine: &Engine,
    in_hand: &InHand,
    (at, time): (Moment, AttemptTime),
) -> Result<Prepared, NotPrepared> {
    let application = ApplicationRef::Key(in_hand.lane().application);
    let mut key = None;
    loop {
        let changes = engine.changes();
        let row = engine.parts.registry.find(&application).await?;
        if let Some(row) = row.as_deref().filter(|row| has_grown(in_hand, row))
            && !engine
                .parts
                .store
                .is_open(&in_hand.claimed.delivery)
                .await?
        {
            tracing::debug!(revision = row.application.revision, "a delivery was ended");
            return Err(NotPrepared::EndedMeanwhile);
        }
        if row.as_deref().is_some_and(|row| is_cancelled(in_hand, row)) {
            return Err(NotPrepared::Cancelled);
        }
        let event_type = &in_hand.claimed.message.message.event_type;
        let redaction = engine.parts.registry.redaction(event_type).await?;
        let policy = engine.parts.registry.policy().await?;
        let known = Known {
            row: row.as_deref(),
            redaction: redaction.as_deref(),
            policy: &policy,
            key: key.as_ref(),
        };
        let prepared = match by_row(engine, in_hand, known, at) {
            Ok(prepared) => prepared,
            Err(KeyWanted { revision, wanted }) => {
                // Time passes meanwhile: all is looked at again.
                let recipient = fetch(&engine.key_sets, &wanted, time).await;
                key = Some(Keyed {
                    revision,
                    recipient,
                });
                continue;
            }
        };
        if engine.changes() != changes {
            continue;
        }
        if !engine.is_writable() {
            return Err(NotPrepared::Unwritable);
        }
        if in_hand.claimed.hold.has_ended() {
            return Err(NotPrepared::LeaseEnded);
        }
        return match prepared.request {
            Err(Happened::Ended(reason)) if is_ended_elsewhere(in_hand, reason) => {
                Err(NotPrepared::JustGone)
            }
            _ => Ok(prepared),
        };
    }
}

/// Whether something changed in the application since the delivery was known to be open.
fn has_grown(in_hand: &InHand, row: &RegistryRow) -> bool {
    row.application.revision != in_hand.revision
}

/// Whether the delivery is one of those that were cancelled.
fn is_cancelled(in_hand: &InHand, row: &RegistryRow) -> bool {
    let delivery = &in_hand.claimed.delivery;
    let endpoint = row.endpoint(delivery.endpoint);
    endpoint.is_some_and(|endpoint| delivery.key <= endpoint.cancelled_up_to)
}

/// Whether background work has begun to end the delivery: to end it here too would show it twice.
fn is_ended_elsewhere(in_hand: &InHand, reason: EndReason) -> bool {
    let gone = matches!(
        reason,
        EndReason::EndpointDeleted | EndReason::EndpointDisabled
    );
    gone && !in_hand.left_over
}

/// Whether an endpoint is there and not disabled. Where that can't be read, it is taken to be: the
/// next attempt looks again.
pub(crate) async fn is_live(engine: &Engine, in_hand: &Seen) -> bool {
    let application = ApplicationRef::Key(in_hand.application);
    match engine.parts.registry.find(&application).await {
        Ok(row) => {
            let row = row.as_ref().and_then(|row| row.endpoint(in_hand.endpoint));
            row.is_some_and(|row| !row.endpoint.disabled)
        }
        Err(_) => true,
    }
}

/// What is configured, as far as an attempt goes by it.
#[derive(Clone, Copy)]
struct Known<'k> {
    /// The application; `None` if it is gone.
    row: Option<&'k RegistryRow>,
    /// What the event type takes from payloads.
    redaction: Option<&'k TypeRedaction>,
    /// What is demanded of endpoints.
    policy: &'k Policy,
    /// The key that was fetched for this attempt, if one was.
    key: Option<&'k Keyed>,
}

/// A key has to be fetched first.
struct KeyWanted {
    /// The revision of the endpoint that wants it.
    revision: u32,
    wanted: WantedKey,
}

fn by_row(
    engine: &Engine,
    in_hand: &InHand,
    known: Known<'_>,
    at: Moment,
) -> Result<Prepared, KeyWanted> {
    let lane = in_hand.lane();
    let mut prepared = Prepared {
        endpoint: None,
        seen: Seen {
            application: lane.application,
            endpoint: lane.endpoint,
            revision: 0,
            failing_since: None,
            at: at.mono,
        },
        ring: None,
        request: Err(Happened::Ended(EndReason::EndpointDeleted)),
    };
    let found = known
        .row
        .and_then(|row| Some((row, row.endpoint(lane.endpoint)?)));
    let Some((row, endpoint)) = found else {
        return Ok(prepared);
    };
    prepared.endpoint = Some(endpoint.endpoint.id);
    prepared.seen.revision = endpoint.revision;
    prepared.seen.failing_since = endpoint.failing_since;
    if let Some(reason) = end_reason(in_hand, endpoint, at.wall) {
        prepared.request = Err(Happened::Ended(reason));
        return Ok(prepared);
    }
    match engine.ready.get(&row.application, endpoint) {
        Ok((ready, ring)) => {
            let lacks = lacks(in_hand, &ready, known.policy);
            let recipient = match lacks {
                Some(lacks) => Err(Happened::Held(Held::Unmet(lacks))),
                None => recipient(&ready, endpoint.revision, known.key)?,
            };
            prepared.request = recipient.and_then(|recipient| {
                let to = To {
                    endpoint: &ready,
                    ring: &ring,
                    recipient,
                    redaction: known.redaction,
                };
                request(engine, in_hand, to, at.wall).map(Box::new)
            });
            prepared.ring = Some(ring);
        }
        Err(not_ready) => {
            prepared.request = Err(not_ready.into());
            prepared.ring = engine.ready.ring(&row.application).ok();
        }
    }
    Ok(prepared)
}

/// What the endpoint lacks that is demanded for this message, if anything.
fn lacks(in_hand: &InHand, endpoint: &ReadyEndpoint, policy: &Policy) -> Option<Unmet> {
    let event_type = &in_hand.claimed.message.message.event_type;
    policy.unmet(endpoint.meets, |name| name == event_type)
}

/// Whom the payload is encrypted to, if to anybody.
fn recipient<'r>(
    endpoint: &'r ReadyEndpoint,
    revision: u32,
    key: Option<&'r Keyed>,
) -> Result<Result<Option<&'r Recipient>, Happened>, KeyWanted> {
    let wanted = match &endpoint.sealing {
        Sealing::Off => return Ok(Ok(None)),
        Sealing::To(recipient) => return Ok(Ok(Some(recipient))),
        Sealing::Wanted(wanted) => wanted,
    };
    match key.filter(|key| key.revision == revision) {
        Some(key) => Ok(match &key.recipient {
            Ok(recipient) => Ok(Some(recipient)),
            Err(no_key) => Err(Happened::NoKey(no_key.clone())),
        }),
        None => Err(KeyWanted {
            revision,
            wanted: wanted.clone(),
        }),
    }
}

/// Why the delivery ends without a request, if it does.
fn end_reason(in_hand: &InHand, endpoint: &EndpointRow, at: Timestamp) -> Option<EndReason> {
    let message = &in_hand.claimed.message;
    if endpoint.endpoint.disabled {
        Some(EndReason::EndpointDisabled)
    } else if message.payload == Payload::Gone || message.message.expires_at <= at {
        Some(EndReason::PayloadGone)
    } else {
        None
    }
}

/// Whom a request is for, and what it is made with.
struct To<'t> {
    endpoint: &'t Arc<ReadyEndpoint>,
    ring: &'t KeyRing,
    recipient: Option<&'t Recipient>,
    redaction: Option<&'t TypeRedaction>,
}

/// The request. What is signed is what goes on the wire: an encrypted payload, where it is.
fn request(
    engine: &Engine,
    in_hand: &InHand,
    to: To<'_>,
    at: Timestamp,
) -> Result<Request, Happened> {
    let message = &in_hand.claimed.message.message;
    let mut content_type = match &message.form {
        PayloadForm::Raw {
            content_type: Some(content_type),
        } => content_type,
        _ => JSON,
    };
    let payload = payload(in_hand, to.ring).map_err(Happened::Unsound)?;
    let mut payload = redacted(payload, to.redaction, (to.endpoint, to.ring))?;
    if let Some(recipient) = to.recipient {
        let context = Context {
            id: &message.id.to_string(),
            timestamp: at.seconds(),
            event_type: message.event_type.as_str(),
            content_type,
        };
        payload = encrypted(recipient, context, &payload, &*engine.parts.entropy)?;
        content_type = MEDIA_TYPE;
    }
    let letter = Letter {
        message: message.id,
        content_type: HeaderValue::from_str(content_type)
            .unwrap_or(const { HeaderValue::from_static(JSON) }),
        payload,
        hops: message.hops.next(),
    };
    let manner = Manner {
        family: engine.config.header_family,
        limits: engine.config.limits,
    };
    Ok(Request {
        outgoing: seal(to.endpoint, letter, at, manner),
        endpoint: to.endpoint.clone(),
    })
}

/// The payload from memory, or opened.
fn payload(in_hand: &InHand, ring: &KeyRing) -> Result<Bytes, Unsound> {
    if let Some(payload) = &in_hand.payload {
        return Ok(payload.clone());
    }
    let Payload::Sealed(sealed) = &in_hand.claimed.message.payload else {
        return Err(Unsound::Missing("payload"));
    };
    let place = Place {
        table: "message",
        row: &in_hand.claimed.message.message.id.tail(),
        column: "payload",
    };
    match ring.open(place, sealed) {
        Ok(opened) => Ok(opened.into()),
        Err(source) => Err(Unsound::Sealed {
            what: "payload",
            source,
        }),
    }
}

impl From<NotReady> for Happened {
    fn from(not_ready: NotReady) -> Self {
        match not_ready {
            NotReady::Unsound(unsound) => Happened::Unsound(unsound),
            NotReady::Refused(refusal) => Happened::NoAnswer(refusal.into()),
            NotReady::Held(held) => Happened::Held(held),
            NotReady::NoKey(no_key) => Happened::NoKey(no_key),
            NotReady::NoToken(error) => Happened::NoToken(error),
        }
    }
}

impl From<NoKey> for Happened {
    fn from(no_key: NoKey) -> Self {
        Self::NoKey(no_key)
    }
}
