//! What passes through the seam, made up for a claim: small, valid, and no two the same. A claim
//! sets what it is about.

use crate::accept::{Accept, Accepted, NewDelivery, NewMessage};
use crate::change::{Change, Changed};
use crate::idempotency::{IdempotencyKey, KEY_LIFE};
use crate::lanes::LetGo;
use crate::record::{HealthChange, NewAttempt, Observed, Outcome, Then};
use crate::rows::{Claimed, EndpointRow, MessageRow, Payload, SealedParts};
use crate::{Hold, Lane, Sealed};
use model::Timestamp;
use model::application::{Application, Metadata};
use model::attempt::AttemptResult;
use model::delivery::{Delivery, Trigger};
use model::endpoint::Endpoint;
use model::event_type::EventType;
use model::hops::Hops;
use model::id::{ApplicationKey, DeliveryKey, EndpointKey, Id, Key, MessageId, MessageKey, Tail};
use model::message::{Message, PayloadForm};
use model::name::Name;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

pub(super) const SECOND: Duration = Duration::from_secs(1);
pub(super) const HOUR: Duration = Duration::from_secs(3_600);
pub(super) const DAY: Duration = Duration::from_secs(86_400);

/// The revision of an endpoint that was not changed since it was made.
pub(super) const FIRST_REVISION: u32 = 1;

/// More endpoints than a claim makes.
pub(super) const ENDPOINTS_MAX: usize = 10_000;

pub(super) fn name(text: &str) -> Name {
    text.parse().expect("claims use valid words")
}

pub(super) fn names<const N: usize>(texts: [&str; N]) -> BTreeSet<Name> {
    texts.into_iter().map(name).collect()
}

pub(super) fn sealed(text: &str) -> Sealed {
    Sealed::copy_from_slice(text.as_bytes())
}

/// An application, without key and times: the store gives those.
pub fn application(tail: Tail) -> Application {
    Application {
        id: Id::new(Key::MIN, tail),
        uid: None,
        name: "A shop".to_owned(),
        rate_limit: None,
        metadata: Metadata::new(),
        created_at: Timestamp::default(),
        updated_at: Timestamp::default(),
    }
}

pub(super) fn create_application(application: Application) -> Change {
    Change::CreateApplication {
        application,
        data_key: sealed("a data key"),
    }
}

/// An endpoint that wants everything, without key and times: the store gives those.
pub fn endpoint(application: ApplicationKey, tail: Tail) -> Endpoint {
    Endpoint {
        id: Id::new(Key::MIN, tail),
        application,
        uid: None,
        url: "https://receiver.example/hooks".to_owned(),
        description: String::new(),
        disabled: false,
        event_types: None,
        channels: None,
        rate_limit: None,
        metadata: Metadata::new(),
        version: 1,
        created_at: Timestamp::default(),
        updated_at: Timestamp::default(),
    }
}

pub(super) fn sealed_parts() -> SealedParts {
    SealedParts {
        secrets: sealed("secrets"),
        headers: None,
        protection: None,
    }
}

pub(super) fn create_endpoint(endpoint: Endpoint) -> Change {
    Change::CreateEndpoint {
        endpoint,
        sealed: sealed_parts(),
        endpoints_max: ENDPOINTS_MAX,
    }
}

/// Writes a row back that was read before.
pub(super) fn replace_endpoint(row: EndpointRow) -> Change {
    Change::ReplaceEndpoint {
        endpoint: row.endpoint,
        sealed: row.sealed,
        revision: row.revision,
    }
}

pub(super) fn endpoint_in(changed: Changed) -> EndpointRow {
    match changed {
        Changed::Endpoint(row) => row,
        other => panic!("wrote an endpoint, was told of {other:?}"),
    }
}

pub(super) fn event_type(text: &str) -> EventType {
    EventType {
        name: name(text),
        description: "Something happened".to_owned(),
        archived: false,
        deprecated: false,
        schemas: None,
        sensitive: Vec::new(),
        feature_flags: Vec::new(),
        group_name: None,
        created_at: Timestamp::default(),
        updated_at: Timestamp::default(),
    }
}

pub(super) fn open_delivery(lane: Lane, message: MessageKey, trigger: Trigger) -> Change {
    Change::OpenDelivery {
        application: lane.application,
        message,
        endpoint: lane.endpoint,
        trigger,
        owned: false,
    }
}

/// A message to nobody, at registry revision 0.
pub(super) fn accept(application: ApplicationKey, tail: Tail, now: Timestamp) -> Accept {
    Accept {
        application,
        registry_revision: 0,
        message: NewMessage {
            tail,
            event_type: name("order.paid"),
            event_id: None,
            channels: BTreeSet::new(),
            tags: BTreeSet::new(),
            deliver_at: None,
            hops: Hops::NONE,
            trace: None,
            expires_at: now.plus(90 * DAY),
            form: PayloadForm::Json,
            payload: sealed(&format!("the payload of {tail:?}")),
        },
        deliveries: Vec::new(),
        fan_out_after: None,
        proved_only: false,
        idempotency: None,
        replay: None,
    }
}

/// Leaves all but the first `carried` deliveries to a fan-out in the background.
pub(super) fn leave_to_fan_out(draft: &mut Accept, carried: usize) {
    draft.deliveries.truncate(carried);
    let last = draft.deliveries.last().expect("it carries at least one");
    draft.fan_out_after = Some(last.endpoint);
}

/// The key of the request number `number`.
pub(super) fn idempotency_key(number: u8) -> IdempotencyKey {
    IdempotencyKey {
        fingerprint: [number; 16],
        body: [1; 16],
        life: KEY_LIFE,
        status: 202,
    }
}

/// A message that was accepted.
#[derive(Debug)]
pub(super) struct Sent {
    pub(super) id: MessageId,
    pub(super) draft: Accept,
    pub(super) deliveries: Vec<(DeliveryKey, Option<Hold>)>,
    pub(super) fan_out: bool,
}

impl Sent {
    pub(super) fn new(draft: Accept, accepted: Accepted) -> Self {
        let Accepted::New {
            id,
            deliveries,
            fan_out,
        } = accepted
        else {
            panic!("sent a new message, was told of {accepted:?}");
        };
        assert_eq!(id.tail(), draft.message.tail, "the tail is the sender's");
        Self {
            id,
            draft,
            deliveries,
            fan_out,
        }
    }

    pub(super) fn key(&self) -> MessageKey {
        self.id.key()
    }

    /// The row as it must read back, with its payload.
    pub(super) fn row(&self) -> MessageRow {
        let message = self.draft.message.clone();
        MessageRow {
            message: Message {
                id: self.id,
                application: self.draft.application,
                event_type: message.event_type,
                event_id: message.event_id,
                channels: message.channels,
                tags: message.tags,
                deliver_at: message.deliver_at,
                hops: message.hops,
                trace: message.trace,
                expires_at: message.expires_at,
                form: message.form,
            },
            payload: Payload::Sealed(message.payload),
        }
    }

    /// Its delivery number `index` as it must read back.
    pub(super) fn delivery(&self, index: usize) -> Delivery {
        let NewDelivery { endpoint, due, .. } = self.draft.deliveries[index];
        Delivery {
            key: self.deliveries[index].0,
            application: self.draft.application,
            endpoint,
            message: self.id.key(),
            trigger: Trigger::Scheduled,
            attempts: 0,
            due,
        }
    }

    /// Its owned deliveries as the sender gets them, from memory.
    pub(super) fn handed_over(mut self) -> Vec<Claimed> {
        let mut claimed = Vec::new();
        for index in 0..self.deliveries.len() {
            if let Some(hold) = self.deliveries[index].1.take() {
                claimed.push(Claimed {
                    delivery: self.delivery(index),
                    message: self.row(),
                    hold,
                });
            }
        }
        claimed
    }
}

/// How an attempt ended, and what becomes of its delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// It succeeded.
    Success,
    /// It failed, and was the last.
    GivenUp,
    /// It failed, and the next is due then.
    Retry(Timestamp),
}

pub(super) fn outcome(claimed: Claimed, ending: Ending, tail: Tail, now: Timestamp) -> Outcome {
    let success = ending == Ending::Success;
    Outcome {
        message: claimed.message.message.id,
        event_type: claimed.message.message.event_type,
        attempt: NewAttempt {
            tail,
            number: claimed.delivery.attempts + 1,
            started_at: now,
            duration: Duration::from_millis(120),
            status_code: if success { 204 } else { 500 },
            result: if success {
                AttemptResult::Success
            } else {
                AttemptResult::Failure
            },
            endpoint_revision: FIRST_REVISION,
            excerpt: None,
            observed: Observed::default(),
        },
        then: match ending {
            Ending::Success | Ending::GivenUp => Then::Close,
            Ending::Retry(due) => Then::Reschedule(due),
        },
        health: HealthChange::None,
        delivery: claimed.delivery,
        hold: claimed.hold,
    }
}

/// A hold of a delivery that nobody gave: it lets go of nothing.
pub(super) fn empty_hold(endpoint: EndpointKey, delivery: DeliveryKey) -> Hold {
    struct Nobody;
    impl LetGo for Nobody {
        fn let_go(&self, _: EndpointKey, _: DeliveryKey) {}
    }
    Hold::new(Arc::new(Nobody), endpoint, delivery)
}
