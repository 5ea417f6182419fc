//! The first steps of an attempt: is there still something to send, and somebody to send it to? If
//! so, the request; if not, why.
//!
//! What was changed before the request is made holds for it: a change that is acknowledged while
//! this looks is seen, because it looks again.

use crate::attempt_time::AttemptTime;
use crate::challenge::Asked;
use crate::compose::{To, bare, enclosed, opened, thin, whole};
use crate::encrypt::{Keyed, NoKey, Sealing, fetch};
use crate::engine::Engine;
use crate::health_book::Seen;
use crate::ready::{NotReady, ReadyEndpoint, Unsound};
use crate::roster::{InHand, Moment};
use crate::seal::{Manner, seal};
use crate::verdict::Happened;
use bytes::Bytes;
use model::Timestamp;
use model::challenge::{is_challenge, of_payload};
use model::delivery::EndReason;
use model::id::{ApplicationId, EndpointId};
use model::name::Name;
use model::policy::{Demand, Demands, Policy};
use model::protection::{Held, PayloadMode};
use model::redaction::TypeRedaction;
use std::sync::Arc;
use store::StoreError;
use store::rows::{ApplicationRef, EndpointRow, Payload, RegistryRow};
use transport::{KeySets, Outgoing, WantedKey};
use vault::KeyRing;
use webhook::jwe::Recipient;

/// An attempt before its request is sent.
pub(crate) struct Prepared {
    /// The application; `None` if it is gone.
    pub(crate) application: Option<ApplicationId>,
    /// The endpoint; `None` if it is gone.
    pub(crate) endpoint: Option<EndpointId>,
    /// What the attempt saw of it.
    pub(crate) seen: Seen,
    /// What the excerpt is sealed with; `None` if nothing can be sealed.
    pub(crate) ring: Option<KeyRing>,
    /// The request, or why there is none.
    pub(crate) request: Result<Box<Request>, Happened>,
    /// Where the message is a challenge: the URL that it is for.
    pub(crate) challenged: Option<String>,
}

/// What is sent, and to whom.
pub(crate) struct Request {
    /// In a box, since each step on its way would hold it anew.
    pub(crate) outgoing: Box<Outgoing>,
    pub(crate) endpoint: Arc<ReadyEndpoint>,
    /// What it asks, where it is a challenge.
    pub(crate) asked: Option<Asked>,
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
            Err(wanted) => {
                // Time passes meanwhile: all is looked at again.
                key = Some(wanted.fetch(&engine.key_sets, time).await);
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
pub(crate) struct Known<'k> {
    /// The application; `None` if it is gone.
    pub(crate) row: Option<&'k RegistryRow>,
    /// What the event type takes from payloads.
    pub(crate) redaction: Option<&'k TypeRedaction>,
    /// What is demanded of endpoints.
    pub(crate) policy: &'k Policy,
    /// The key that was fetched for this attempt, if one was.
    pub(crate) key: Option<&'k Keyed>,
}

/// A key has to be fetched first.
pub(crate) struct KeyWanted {
    /// The revision of the endpoint that wants it.
    pub(crate) revision: u32,
    pub(crate) wanted: WantedKey,
}

impl KeyWanted {
    /// Gets it, for as long as an attempt can wait. Time passes meanwhile: whoever asks looks at
    /// all else again.
    pub(crate) async fn fetch(self, key_sets: &KeySets, time: AttemptTime) -> Keyed {
        Keyed {
            revision: self.revision,
            recipient: fetch(key_sets, &self.wanted, time).await,
        }
    }
}

fn by_row(
    engine: &Engine,
    in_hand: &InHand,
    known: Known<'_>,
    at: Moment,
) -> Result<Prepared, KeyWanted> {
    let lane = in_hand.lane();
    let mut prepared = Prepared {
        application: known.row.map(|row| row.application.application.id),
        endpoint: None,
        seen: Seen {
            application: lane.application,
            endpoint: lane.endpoint,
            revision: 0,
            failing_since: None,
            at: at.mono,
        },
        ring: None,
        challenged: None,
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
    if is_challenge(&in_hand.claimed.message.message.event_type) {
        prepared.challenged = Some(endpoint.endpoint.url.clone());
    }
    if let Some(reason) = end_reason(in_hand, endpoint, at.wall) {
        prepared.request = Err(Happened::Ended(reason));
        return Ok(prepared);
    }
    match engine.ready.get(&row.application, endpoint) {
        Ok((ready, ring)) => {
            let event_type = &in_hand.claimed.message.message.event_type;
            let recipient = recipient(&ready, endpoint, event_type, known)?;
            prepared.request = recipient.and_then(|recipient| {
                let to = To {
                    endpoint: &ready,
                    ring: &ring,
                    recipient,
                    redaction: known.redaction,
                };
                request(engine, in_hand, (to, endpoint), at.wall).map(Box::new)
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

/// Whom the payload is encrypted to, if to anybody. An endpoint that lacks what is demanded for
/// messages of this type gets none.
pub(crate) fn recipient<'r>(
    endpoint: &'r ReadyEndpoint,
    row: &EndpointRow,
    event_type: &Name,
    known: Known<'r>,
) -> Result<Result<Option<&'r Recipient>, Happened>, KeyWanted> {
    let is_it = |name: &Name| name == event_type;
    let has = endpoint.meets.union(row.meets()).union(spared(event_type));
    if let Some(lacks) = known.policy.unmet(has, is_it) {
        return Ok(Err(Happened::Held(Held::Unmet(lacks))));
    }
    let wanted = match &endpoint.sealing {
        Sealing::Off => return Ok(Ok(None)),
        Sealing::To(recipient) => return Ok(Ok(Some(recipient))),
        Sealing::Wanted(wanted) => wanted,
    };
    match known.key.filter(|key| key.revision == row.revision) {
        Some(key) => Ok(match &key.recipient {
            Ok(recipient) => Ok(Some(recipient)),
            Err(no_key) => Err(Happened::NoKey(no_key.clone())),
        }),
        None => Err(KeyWanted {
            revision: row.revision,
            wanted: wanted.clone(),
        }),
    }
}

/// What an endpoint need not have for messages of a type: what is to prove it can't wait for the
/// proof.
fn spared(event_type: &Name) -> Demands {
    let verification = is_challenge(event_type).then_some(Demand::Verification);
    verification.into_iter().collect()
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

/// The request. What is signed is what goes on the wire: an encrypted payload, where it is.
fn request(
    engine: &Engine,
    in_hand: &InHand,
    (to, row): (To<'_>, &EndpointRow),
    at: Timestamp,
) -> Result<Request, Happened> {
    let message = &in_hand.claimed.message.message;
    let payload = payload(in_hand, to.ring).map_err(Happened::Unsound)?;
    let asked = is_challenge(&message.event_type).then(|| Asked {
        text: of_payload(&payload).map(str::to_owned),
        rate_limit: row.endpoint.rate_limit,
    });
    let mut contents = match asked {
        Some(_) => bare(payload),
        None => whole(message, payload, to)?,
    };
    // Made of the payload all the same, since what can't be had must not be promised.
    if asked.is_none() && to.endpoint.payload == PayloadMode::Thin {
        let public_url = engine.config.public_url.as_deref();
        contents = thin(message, (in_hand.lane(), to.ring), public_url, at)?;
    }
    let means = (at, &*engine.parts.entropy);
    let mut letter = enclosed(contents, message, to.recipient, means)?;
    letter.trace = in_hand.step;
    let manner = Manner {
        family: engine.config.header_family,
        limits: engine.config.limits,
    };
    Ok(Request {
        outgoing: Box::new(seal(to.endpoint, letter, at, manner)),
        endpoint: to.endpoint.clone(),
        asked,
    })
}

/// The payload from memory, or opened.
fn payload(in_hand: &InHand, ring: &KeyRing) -> Result<Bytes, Unsound> {
    match &in_hand.payload {
        Some(payload) => Ok(payload.clone()),
        None => opened(&in_hand.claimed.message, ring),
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
