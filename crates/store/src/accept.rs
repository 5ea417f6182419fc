//! What accepting a message carries into the one transaction that makes it durable.

use crate::idempotency::{IdempotencyKey, Prior};
use crate::{Hold, Sealed, StoreError};
use model::Timestamp;
use model::hops::Hops;
use model::id::{ApplicationKey, DeliveryKey, EndpointKey, MessageId, Tail};
use model::message::PayloadForm;
use model::name::Name;
use model::trace::TraceParent;
use std::collections::BTreeSet;

/// One message to accept.
#[derive(Debug, Clone)]
pub struct Accept {
    /// To which application.
    pub application: ApplicationKey,
    /// The registry revision that the fan-out used: if it is not the application's current one,
    /// the item is refused with [`AcceptError::StaleRegistry`].
    pub registry_revision: u64,
    /// The message.
    pub message: NewMessage,
    /// Its deliveries.
    pub deliveries: Vec<NewDelivery>,
    /// Set when more endpoints matched than one transaction may carry: those with larger keys than
    /// this are opened by background work ([`crate::work::Work::FanOut`]), which starts in the
    /// same commit.
    pub fan_out_after: Option<EndpointKey>,
    /// Whether that work is to pass over endpoints that have not proved themselves.
    pub proved_only: bool,
    /// The key that the request came with.
    pub idempotency: Option<IdempotencyKey>,
    /// By what a replay of it is told, where it came in at a source.
    pub replay: Option<ReplayEntry>,
}

impl Accept {
    /// About how many bytes it holds in memory, for bounding what waits.
    pub fn bytes(&self) -> usize {
        512 + self.message.payload.len() + 64 * self.deliveries.len()
    }
}

/// What is remembered of a message that came in at a source, in its own commit, so that it comes in
/// once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReplayEntry {
    /// What is the same if it comes again, and what no other source's is.
    pub key: ReplayDigest,
    /// The sender's id of it, where that is not covered by the signature: with another one it is no
    /// honest repeat.
    pub unsigned_id: Option<ReplayDigest>,
    /// A second key, of what its sender does not sign: with the same content it is a repeat, too,
    /// whose sender has signed it anew; with other content it tells nothing.
    pub second: Option<ReplayDigest>,
    /// Of what came: tells whether what comes again says the same.
    pub content: ReplayDigest,
    /// For how long it is told, at least.
    pub until: Timestamp,
}

/// Half of a SHA-256: who can choose what it is of is the sender, with the source's secret.
pub type ReplayDigest = [u8; 16];

/// A message that has no key yet.
#[derive(Debug, Clone)]
pub struct NewMessage {
    /// The random part of its id, and the row's name in the payload's additional data.
    pub tail: Tail,
    /// What happened.
    pub event_type: Name,
    /// Unique in the application.
    pub event_id: Option<Name>,
    /// At most 5.
    pub channels: BTreeSet<Name>,
    /// Marks to find it by.
    pub tags: BTreeSet<Name>,
    /// First due then.
    pub deliver_at: Option<Timestamp>,
    /// How many deliveries it has been through.
    pub hops: Hops,
    /// The trace that its sender has it in.
    pub trace: Option<TraceParent>,
    /// When the payload goes away.
    pub expires_at: Timestamp,
    /// What the payload is.
    pub form: PayloadForm,
    /// Sealed: table `message`, column `payload`.
    pub payload: Sealed,
}

/// A delivery to open. Its trigger is [`model::delivery::Trigger::Scheduled`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewDelivery {
    /// Where to.
    pub endpoint: EndpointKey,
    /// When its first attempt may start.
    pub due: Timestamp,
    /// Whether whoever accepts it will hand it to its lane at once: then it is owned from the
    /// commit on, and its [`Hold`] comes back.
    pub owned: bool,
}

/// What came of one item.
#[derive(Debug)]
pub enum Accepted {
    /// It is on disk.
    New {
        /// The message's id.
        id: MessageId,
        /// Its deliveries in the order they were given, with a hold for each that is owned.
        deliveries: Vec<(DeliveryKey, Option<Hold>)>,
        /// Whether background work opens the rest.
        fan_out: bool,
    },
    /// Its idempotency key was used before, with the same body: nothing was written.
    Repeated(Prior),
    /// It came in at its source before: nothing was written but, where it was seen by its second
    /// key, its own, of the same message.
    Seen(Seen),
}

/// What came of a message the first time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// The message, which may be gone by now.
    pub id: MessageId,
    /// What was remembered of it then.
    pub entry: ReplayEntry,
}

/// Why one item was refused. The others of its batch are not touched by it.
#[derive(Debug, thiserror::Error)]
pub enum AcceptError {
    /// An endpoint changed since the fan-out was computed: load the application again and repeat.
    #[error("the application has changed: load it again and repeat")]
    StaleRegistry,
    /// The application is gone.
    #[error("there is no such application")]
    NoApplication,
    /// A message with this event id is there already.
    #[error("a message with this eventId exists already")]
    EventIdTaken,
    /// The idempotency key was used before, with another body.
    #[error("this idempotency key was used before with another body")]
    KeyReused,
    /// The store failed; nothing of the batch was written.
    #[error(transparent)]
    Store(#[from] StoreError),
}
