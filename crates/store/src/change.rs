//! Changes of what is configured, and of single deliveries: each is one transaction, with the
//! idempotency key of its request.
//!
//! `app` reads, decides, and writes the whole new row back, naming the revision that it read; if
//! that is not the current one, the change is refused with [`ChangeError::Stale`] and `app` begins
//! again. So no rule of the domain lives in a store.

use crate::access::{AccessChange, AccessChanged};
use crate::audit::AuditChange;
use crate::idempotency::{IdempotencyKey, Made, Prior};
use crate::rows::{ApplicationRow, EndpointRow, SealedParts};
use crate::security::SecurityWrite;
use crate::work::Work;
use crate::{Hold, Sealed, StoreError};
use model::Timestamp;
use model::application::Application;
use model::audit::AuditDraft;
use model::delivery::{Delivery, Trigger};
use model::endpoint::Endpoint;
use model::event_type::EventType;
use model::id::{
    ApplicationKey, AttemptId, DeliveryKey, EndpointKey, MessageKey, SecurityEventId, Tail, TaskId,
};
use model::name::Name;
use model::proof::Proof;
use model::redaction::Rule;
use model::retry::RetrySchedule;
use std::collections::BTreeSet;

/// A change. Keys and times of creation and of the last save are given by the store: those in the
/// rows given here are not looked at, but for an existing row's key.
#[derive(Debug, Clone)]
pub enum Change {
    /// Makes an application; its id's tail and data keys are given. Refused with
    /// [`ChangeError::Stale`] where another master key seals than sealed its data key
    /// ([`crate::master_keys`]); so are the next two.
    CreateApplication {
        /// The application, without its key.
        application: Application,
        /// Its first data key.
        data_key: Sealed,
    },
    /// Writes an application anew.
    ReplaceApplication {
        /// The application.
        application: Application,
        /// Its data keys.
        data_keys: Vec<Sealed>,
        /// The revision that this was made from.
        revision: u64,
    },
    /// Writes an application's data keys anew. Its revision grows; when it was last saved stays as
    /// it is, since nobody saved anything.
    ReplaceDataKeys {
        /// The application.
        application: ApplicationKey,
        /// Its data keys.
        data_keys: Vec<Sealed>,
        /// The revision that this was made from.
        revision: u64,
    },
    /// Deletes an application: its uid is free again, its endpoints go with it, open deliveries
    /// are ended by background work. Its data keys are destroyed, as far as the database lets that
    /// be done.
    DeleteApplication(ApplicationKey),
    /// Makes an endpoint in a live application; its id's tail is given.
    CreateEndpoint {
        /// The endpoint, without its key.
        endpoint: Endpoint,
        /// What of it is sealed.
        sealed: SealedParts,
        /// The most live endpoints that its application may have.
        endpoints_max: usize,
    },
    /// Writes an endpoint anew. If it becomes disabled, its open deliveries are ended by background
    /// work that starts in the same commit; if it becomes enabled, since when it has been failing
    /// is forgotten.
    ReplaceEndpoint {
        /// The endpoint.
        endpoint: Endpoint,
        /// What of it is sealed.
        sealed: SealedParts,
        /// The revision that this was made from.
        revision: u32,
    },
    /// Deletes an endpoint: its uid is free again, its open deliveries are ended by background
    /// work.
    DeleteEndpoint(ApplicationKey, EndpointKey),
    /// Keeps what a live endpoint's receiver was last verified by; else refused with
    /// [`ChangeError::Missing`]. Nothing of what is configured changes by it.
    KeepChain {
        /// The endpoint.
        endpoint: EndpointKey,
        /// The certificates, as [`model::chain_seen::SeenChain::to_stored`] writes them.
        chain: Vec<u8>,
    },
    /// Keeps what is known of whether a live endpoint's receiver wants what it is to get; refused
    /// with [`ChangeError::Missing`] if there is no such endpoint, and with [`ChangeError::Stale`]
    /// if its URL is another one, or something else is known of it than `before`. The application's
    /// revision grows, the endpoint's does not: nothing of what is configured changes by it.
    KeepProof(KeptProof),
    /// Makes or writes anew the event type of this name.
    PutEventType {
        /// The event type.
        event_type: EventType,
        /// What must be there before.
        expect: Expect,
    },
    /// Writes many event types, and what the whole installation is set to: all of it or nothing.
    PutEnvironment(EnvironmentChange),
    /// Removes the row of an event type, with its own retry schedule.
    ExpungeEventType(Name),
    /// Gives an event type, also an archived one, a retry schedule of its own, or takes it away;
    /// refused with [`ChangeError::Missing`] if there is no such event type.
    PutRetrySchedule(OwnSchedule),
    /// Gives an event type, also an archived one, redaction rules, which stay when it is written
    /// anew; refused with [`ChangeError::Missing`] if there is no such event type.
    PutRedaction(OwnRedaction),
    /// Opens a delivery of a message that is there with its payload, to one live endpoint of the
    /// same application, due at once; else refused with [`ChangeError::Missing`].
    OpenDelivery {
        /// The application of both.
        application: ApplicationKey,
        /// What.
        message: MessageKey,
        /// Where to.
        endpoint: EndpointKey,
        /// Why.
        trigger: Trigger,
        /// Whether its lane has a place for it: then its [`Hold`] comes back.
        owned: bool,
    },
    /// Ends what is open to a live endpoint of what was opened up to a delivery, or before this
    /// change, by background work that starts in the same commit, each with an attempt that says
    /// [`model::delivery::EndReason::Cancelled`]. The endpoint's row says up to which: see
    /// [`EndpointRow::cancelled_up_to`].
    CancelDeliveries {
        /// The application.
        application: ApplicationKey,
        /// The endpoint.
        endpoint: EndpointKey,
        /// The last one; `None`: the last one that was opened before this change.
        up_to: Option<DeliveryKey>,
    },
    /// Removes the payloads of an application's messages for good, and ends what is open of them,
    /// each with an attempt that says [`model::delivery::EndReason::Expunged`]; also what somebody
    /// holds, whose outcome is recorded as stale. If anything was open, the application's revision
    /// grows, so that whoever holds some of it in memory looks again. What is gone already is
    /// passed over.
    ExpungePayloads {
        /// The application.
        application: ApplicationKey,
        /// The messages.
        messages: Vec<MessageKey>,
    },
    /// Removes what was answered to an attempt for good. That it was removed stays: see
    /// [`crate::rows::AttemptRow::excerpt`].
    ExpungeExcerpt {
        /// The application.
        application: ApplicationKey,
        /// The message.
        message: MessageKey,
        /// The attempt.
        attempt: AttemptId,
    },
    /// Starts background work.
    StartWork {
        /// The random part of its id, and the row's name in the additional data of its arguments.
        tail: Tail,
        /// The application that it belongs to, which must be live; `None`: to all of them.
        application: Option<ApplicationKey>,
        /// What it does.
        work: Work,
    },
    /// Changes who may come in.
    Access(AccessChange),
    /// Keeps security events, each row at most once. They wait for other writes to go with, and for
    /// as long as nothing can be written.
    KeepSecurityEvents(Vec<SecurityWrite>),
    /// Writes a setting anew.
    SwapSetting {
        /// Its name.
        name: &'static str,
        /// What must be there before, and what is there then.
        values: SettingsChange,
    },
    /// Tells the other nodes which master keys this one has: the texts of their ids. A store that
    /// no other node works on need not keep it. It holds until this node's lease ends.
    TellMasterKeys(Vec<String>),
    /// Chains entries of the audit log, takes old ones away, or takes in what commands left.
    Audit(AuditChange),
    /// Changes nothing: for what is only to be in the audit log, such as that a secret was read.
    Note,
}

impl Change {
    /// About how many bytes it holds in memory, for bounding what waits.
    pub fn bytes(&self) -> usize {
        const SMALL: usize = 4_096;
        let size = |event_type: &EventType| {
            let schemas = event_type.schemas.as_ref().map_or(0, String::len);
            event_type.description.len() + schemas
        };
        let large = match self {
            Change::CreateEndpoint {
                endpoint, sealed, ..
            }
            | Change::ReplaceEndpoint {
                endpoint, sealed, ..
            } => {
                let types = endpoint.event_types.iter().flatten();
                let types: usize = types.map(|name| name.as_str().len()).sum();
                let parts = [&sealed.headers, &sealed.protection];
                let parts: usize = parts.into_iter().flatten().map(|part| part.len()).sum();
                endpoint.url.len() + endpoint.description.len() + types + parts
            }
            Change::PutEventType { event_type, .. } => size(event_type),
            Change::PutEnvironment(change) => {
                let types = change.event_types.iter();
                let types: usize = types.map(|(event_type, _)| SMALL + size(event_type)).sum();
                let settings = change.settings.as_ref();
                types + settings.map_or(0, |settings| settings.after.len())
            }
            Change::KeepChain { chain, .. } => chain.len(),
            Change::KeepProof(kept) => 2 * kept.proof.url.len(),
            Change::Access(AccessChange::ExpireTokens(floors)) => 128 * floors.len(),
            Change::StartWork { work, .. } => work.bytes(),
            Change::KeepSecurityEvents(writes) => {
                let each = |one: &SecurityWrite| {
                    let sample = one.event.sample.as_ref().map_or(0, |sample| sample.len());
                    256 + one.event.subject.id.len() + one.event.description.len() + sample
                };
                writes.iter().map(each).sum()
            }
            Change::Audit(AuditChange::Seal(seal)) => 64 * seal.entries.len(),
            _ => 0,
        };
        SMALL + large
    }
}

/// What is written of the whole installation at once.
#[derive(Debug, Clone, Default)]
pub struct EnvironmentChange {
    /// Event types, each name once, by ascending name, and what must be there before of each.
    pub event_types: Vec<(EventType, Expect)>,
    /// The setting [`ENVIRONMENT`](crate::access::ENVIRONMENT).
    pub settings: Option<SettingsChange>,
    /// Redaction rules of event types that are there then, each name once; refused with
    /// [`ChangeError::Stale`] if one is not.
    pub redactions: Vec<OwnRedaction>,
    /// Retry schedules, in the same way.
    pub schedules: Vec<OwnSchedule>,
}

impl EnvironmentChange {
    /// Whether nothing is to be written.
    pub fn is_empty(&self) -> bool {
        self.event_types.is_empty()
            && self.settings.is_none()
            && self.redactions.is_empty()
            && self.schedules.is_empty()
    }

    /// The event types whose rules or schedules are written, and which are not written themselves:
    /// they have to be there.
    pub fn needed(&self) -> impl Iterator<Item = &Name> {
        let redacted = self.redactions.iter().map(|own| &own.event_type);
        let scheduled = self.schedules.iter().map(|own| &own.event_type);
        let written = |name: &&Name| !self.event_types.iter().any(|(one, _)| one.name == **name);
        redacted.chain(scheduled).filter(written)
    }

    /// Whether no more event types have redaction rules, and schedules, than may, where these have
    /// them before. None is given up for another in the same change.
    pub fn fits(&self, redacted: BTreeSet<Name>, scheduled: BTreeSet<Name>) -> bool {
        let (mut redacted, mut scheduled) = (redacted, scheduled);
        let fits_redactions = self.redactions.iter().all(|own| {
            let is_one = own.rules.is_empty() || !redacted.insert(own.event_type.clone());
            is_one || redacted.len() <= own.redactions_max
        });
        fits_redactions
            && self.schedules.iter().all(|own| {
                let is_one = own.schedule.is_none() || !scheduled.insert(own.event_type.clone());
                is_one || scheduled.len() <= own.schedules_max
            })
    }
}

/// A setting that is written anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingsChange {
    /// What must be there before; else refused with [`ChangeError::Stale`].
    pub before: Option<Vec<u8>>,
    /// What is there then.
    pub after: Vec<u8>,
}

/// What is known of whether an endpoint's receiver wants what it is to get.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptProof {
    /// The application.
    pub application: ApplicationKey,
    /// The endpoint.
    pub endpoint: EndpointKey,
    /// What must be there before.
    pub before: Option<Proof>,
    /// What is there then.
    pub proof: Proof,
}

/// The retry schedule that an event type is to have of its own.
#[derive(Debug, Clone)]
pub struct OwnSchedule {
    /// The event type.
    pub event_type: Name,
    /// Its schedule; `None`: that of the whole installation.
    pub schedule: Option<RetrySchedule>,
    /// The most event types that may have one; else refused with [`ChangeError::TooMany`].
    pub schedules_max: usize,
}

/// The redaction rules that an event type is to have.
#[derive(Debug, Clone)]
pub struct OwnRedaction {
    /// The event type.
    pub event_type: Name,
    /// Its rules; none: none.
    pub rules: Vec<Rule>,
    /// The most event types that may have some, or a schema that marks something as sensitive; else
    /// refused with [`ChangeError::TooMany`].
    pub redactions_max: usize,
}

/// What a put expects to find.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expect {
    /// No row, or an archived one; else the put is refused with [`ChangeError::Taken`].
    NoneLive,
    /// The row last saved then; `None`: no row at all. Else the put is refused with
    /// [`ChangeError::Stale`], also when the row is gone.
    SavedAt(Option<Timestamp>),
}

/// What a change made.
#[derive(Debug)]
pub enum Changed {
    /// The application as it is now.
    Application(ApplicationRow),
    /// The endpoint as it is now.
    Endpoint(EndpointRow),
    /// The event type as it is now.
    EventType(EventType),
    /// The event types and settings were written.
    Environment,
    /// The retry schedule was written.
    RetrySchedule,
    /// The redaction rules were written.
    Redaction,
    /// The delivery that was opened.
    Delivery(Delivery, Option<Hold>),
    /// The work that was started.
    Work(TaskId, Timestamp),
    /// What was to be kept is.
    Kept,
    /// Something was removed.
    Removed,
    /// Payloads were removed, and so many open deliveries ended with them.
    Expunged(usize),
    /// Who may come in has changed.
    Access(AccessChanged),
    /// The rows that security events are in, in their order.
    SecurityEvents(Vec<SecurityEventId>),
    /// The setting was written, or the others were told.
    Setting,
    /// The idempotency key was used before, with the same body: nothing was written.
    Repeated(Prior),
}

impl Changed {
    /// What an idempotency key remembers of it.
    pub fn made(&self) -> Made {
        let (key, tail) = match self {
            Changed::Application(row) => {
                let id = row.application.id;
                (id.key().integer(), id.tail())
            }
            Changed::Endpoint(row) => (row.endpoint.id.key().integer(), row.endpoint.id.tail()),
            Changed::Delivery(delivery, _) => (delivery.key.integer(), Tail::default()),
            Changed::Work(id, _) => (id.key().integer(), id.tail()),
            Changed::Access(AccessChanged::ApiKey(row)) => {
                (row.key.id.key().integer(), row.key.id.tail())
            }
            Changed::Access(AccessChanged::Source(row)) => {
                (row.source.id.key().integer(), row.source.id.tail())
            }
            Changed::EventType(_)
            | Changed::RetrySchedule
            | Changed::Redaction
            | Changed::Environment
            | Changed::Kept
            | Changed::Removed
            | Changed::Expunged(_)
            | Changed::Setting
            | Changed::Access(_)
            | Changed::SecurityEvents(_) => (0, Tail::default()),
            Changed::Repeated(prior) => return prior.made,
        };
        Made { key, tail }
    }
}

/// Why a change was refused. Nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// The row changed since it was read: read it again and repeat.
    #[error("the row has changed: read it again and repeat")]
    Stale,
    /// There is no such row, or no longer.
    #[error("there is no such row")]
    Missing,
    /// Another row has this uid or name.
    #[error("this uid or name is taken")]
    Taken,
    /// There are as many as there may be: endpoints of the application, API keys, retry schedules,
    /// redacted event types.
    #[error("there are as many of them as there may be")]
    TooMany,
    /// The idempotency key was used before, with another body.
    #[error("this idempotency key was used before with another body")]
    KeyReused,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A change with the idempotency key of its request.
#[derive(Debug, Clone)]
pub struct ChangeRequest {
    /// What to do.
    pub change: Change,
    /// The key that the request came with.
    pub idempotency: Option<IdempotencyKey>,
    /// The entry that the audit log gets with it, in the same commit; what is refused, or a repeat,
    /// leaves none.
    pub audit: Option<AuditDraft>,
}
