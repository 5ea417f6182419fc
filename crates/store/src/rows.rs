//! What a store gives back: the domain's nouns with what belongs to them in the store.

use crate::Sealed;
use model::Timestamp;
use model::application::Application;
use model::attempt::{Attempt, AttemptResult};
use model::chain_seen::SeenCertificate;
use model::delivery::Delivery;
use model::endpoint::Endpoint;
use model::id::{ApplicationId, ApplicationKey, DeliveryKey, EndpointId, EndpointKey};
use model::message::Message;
use model::name::Name;
use model::phases::Phases;
use model::policy::{Demand, Demands};
use model::proof::Proof;
use std::num::NonZeroU32;

/// How a path names an application: by id, or by its user's own name for it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ApplicationRef {
    /// By its public id: key and tail must both be right.
    Id(ApplicationId),
    /// By its uid.
    Uid(Name),
    /// By its key alone: for those who have it from the store.
    Key(ApplicationKey),
}

/// An application with what the store keeps beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApplicationRow {
    /// The application.
    pub application: Application,
    /// Its data keys, sealed by the master key; the last one seals, all of them open.
    pub data_keys: Vec<Sealed>,
    /// Grows with every change of the application or of one of its endpoints. A fan-out names the
    /// one it used.
    pub revision: u64,
}

/// What of an endpoint only its keys open, each sealed for table `endpoint` and its own column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedParts {
    /// [`model::endpoint::SigningSecrets`]: column `secrets`.
    pub secrets: Sealed,
    /// [`model::endpoint::CustomHeaders`]: column `headers`; `None` when there are none.
    pub headers: Option<Sealed>,
    /// [`model::protection::Protection`]: column `protection`; `None` when nothing is set.
    pub protection: Option<Sealed>,
}

/// An endpoint with what the store keeps beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndpointRow {
    /// The endpoint.
    pub endpoint: Endpoint,
    /// What of it is sealed.
    pub sealed: SealedParts,
    /// 1 at first, and grows with every change of this endpoint: a change names the one that it was
    /// made from.
    pub revision: u32,
    /// Since when deliveries to it have been failing without a success in between.
    pub failing_since: Option<Timestamp>,
    /// Deleted: only seen beside attempts that went to it.
    pub deleted: bool,
    /// Deliveries opened up to this one were cancelled: background work ends those that are still
    /// open, and no attempt of them starts.
    pub cancelled_up_to: DeliveryKey,
    /// What is known of a URL that it has or had: see [`Self::proof`].
    pub kept_proof: Option<Box<Proof>>,
}

impl EndpointRow {
    /// What is known of whether its receiver wants what it is to get, at the URL that it has now.
    pub fn proof(&self) -> Option<&Proof> {
        let kept = self.kept_proof.as_deref();
        kept.filter(|proof| proof.url == self.endpoint.url)
    }

    /// Whether its receiver has said so.
    pub fn is_proved(&self) -> bool {
        self.proof().is_some_and(Proof::is_proved)
    }

    /// What it has, by that, of all that the operator can demand.
    pub fn meets(&self) -> Demands {
        let proved = self.is_proved().then_some(Demand::Verification);
        proved.into_iter().collect()
    }

    /// The most requests in a minute that its receiver allows, if it said so.
    pub fn per_minute(&self) -> Option<NonZeroU32> {
        self.proof()?.per_minute()
    }
}

/// An application and all its live endpoints, by ascending key.
#[derive(Debug, Clone)]
pub struct RegistryRow {
    /// The application.
    pub application: ApplicationRow,
    /// Its endpoints.
    pub endpoints: Vec<EndpointRow>,
}

impl RegistryRow {
    /// Whether a rate limit holds for one of its endpoints: its own, its receiver's, or the
    /// application's.
    pub fn is_limited(&self, row: &EndpointRow) -> bool {
        self.application.application.rate_limit.is_some()
            || row.endpoint.rate_limit.is_some()
            || row.per_minute().is_some()
    }
}

/// A message with its payload where that was asked for and is still there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageRow {
    /// The message.
    pub message: Message,
    /// Sealed: table `message`, column `payload`.
    pub payload: Payload,
}

/// Whether there is a payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Payload {
    /// It was not asked for.
    NotRead,
    /// Expired or expunged.
    Gone,
    /// Here it is, sealed.
    Sealed(Sealed),
}

impl Payload {
    /// How much of it was read.
    pub fn bytes(&self) -> usize {
        match self {
            Self::NotRead | Self::Gone => 0,
            Self::Sealed(sealed) => sealed.len(),
        }
    }
}

/// An attempt with the excerpt of its response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptRow {
    /// The attempt.
    pub attempt: Attempt,
    /// Of the message.
    pub event_type: Name,
    /// Of the message.
    pub channels: std::collections::BTreeSet<Name>,
    /// What the receiver answered, sealed (table `attempt`, column `excerpt`); `None` where it
    /// answered nothing, or when it was not asked for. Empty, which nothing sealed is: it was
    /// expunged.
    pub excerpt: Option<Sealed>,
    /// The message, when it was asked for.
    pub message: Option<MessageRow>,
    /// What was observed of its request; `None` in lists.
    pub observed: Option<Box<ObservedRow>>,
}

/// What was observed of an attempt's request, besides what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ObservedRow {
    /// How its time was spent.
    pub phases: Phases,
    /// The response's headers, sealed (table `attempt`, column `head`), where they were kept and
    /// not expunged.
    pub head: Option<Sealed>,
    /// What the connection showed of the receiver, its own certificate first; none without TLS.
    pub certificates: Vec<SeenCertificate>,
}

impl AttemptRow {
    /// How much was read of what was sent and answered.
    pub fn content_bytes(&self) -> usize {
        let message = self.message.as_ref();
        self.excerpt.as_ref().map_or(0, |excerpt| excerpt.len())
            + message.map_or(0, |message| message.payload.bytes())
    }
}

/// Where a message stands with one endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Standing {
    /// An attempt succeeded, whatever came after it.
    Delivered,
    /// Open, no attempt made yet.
    Pending,
    /// Open, and the last attempt failed.
    Retrying,
    /// Closed without success.
    Failed,
    /// Ended without an attempt having had the last word.
    Cancelled,
}

impl Standing {
    /// Of a message with an endpoint: whether a delivery is open, how the last attempt ended, and
    /// whether any succeeded. `None`: it was never meant for it.
    pub fn of(open: bool, last: Option<AttemptResult>, succeeded: bool) -> Option<Self> {
        let failed = last == Some(AttemptResult::Failure);
        match (open, last) {
            (false, None) => None,
            _ if succeeded => Some(Self::Delivered),
            (true, _) if failed => Some(Self::Retrying),
            (true, _) => Some(Self::Pending),
            (false, _) if failed => Some(Self::Failed),
            (false, _) => Some(Self::Cancelled),
        }
    }
}

/// A message as one endpoint sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndpointMessageRow {
    /// The message.
    pub message: MessageRow,
    /// How it stands.
    pub standing: Standing,
    /// When the next attempt is due.
    pub next_attempt: Option<Timestamp>,
}

/// An endpoint as one message sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageEndpointRow {
    /// The endpoint, which may be deleted by now.
    pub endpoint: EndpointRow,
    /// How it stands.
    pub standing: Standing,
    /// When the next attempt is due.
    pub next_attempt: Option<Timestamp>,
}

/// A claim that has read so many bytes of payloads brings no more, so that claims of large messages
/// fit into memory. It always brings the first one, whatever its size.
pub const CLAIM_BYTES_MAX: usize = 2 * 1024 * 1024;

/// An open delivery with all that an attempt needs of the store.
#[derive(Debug)]
pub struct Claimed {
    /// The delivery.
    pub delivery: Delivery,
    /// The message.
    pub message: MessageRow,
    /// Keeps others off it.
    pub hold: crate::Hold,
}

/// A lane's earliest open delivery that nobody holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LaneDue {
    /// The endpoint.
    pub endpoint: EndpointKey,
    /// Its application.
    pub application: ApplicationKey,
    /// When.
    pub due: Timestamp,
}

/// Attempts to an endpoint within the times asked for, counted by how they ended, and its open
/// deliveries at this moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Statistics {
    /// Attempts that succeeded.
    pub success: u64,
    /// Attempts that failed.
    pub failure: u64,
    /// Deliveries that ended without an attempt having had the last word.
    pub cancelled: u64,
    /// Open deliveries without an attempt.
    pub pending: u64,
    /// Open deliveries that will be retried.
    pub retrying: u64,
}

impl Statistics {
    /// Counts attempts whose result has this number; 2 and more are reasons why none was made.
    pub fn add(&mut self, result: u8, attempts: u64) {
        let counter = match result {
            0 => &mut self.success,
            1 => &mut self.failure,
            _ => &mut self.cancelled,
        };
        *counter += attempts;
    }
}

/// How a path names an endpoint within its application.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum EndpointRef {
    /// By its public id.
    Id(EndpointId),
    /// By its uid.
    Uid(Name),
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::delivery::EndReason;

    #[test]
    fn a_message_stands_as_its_delivery_and_its_attempts_say() {
        let success = Some(AttemptResult::Success);
        let failure = Some(AttemptResult::Failure);
        let cancelled = Some(AttemptResult::Cancelled(EndReason::PayloadGone));
        for (open, last, succeeded, expected) in [
            (false, None, false, None),
            (true, None, false, Some(Standing::Pending)),
            (true, failure, false, Some(Standing::Retrying)),
            (true, cancelled, false, Some(Standing::Pending)),
            (false, failure, false, Some(Standing::Failed)),
            (false, cancelled, false, Some(Standing::Cancelled)),
            (false, success, true, Some(Standing::Delivered)),
            (true, failure, true, Some(Standing::Delivered)),
            (false, cancelled, true, Some(Standing::Delivered)),
        ] {
            let found = Standing::of(open, last, succeeded);
            assert_eq!(found, expected, "{open} {last:?} {succeeded}");
        }
    }
}
