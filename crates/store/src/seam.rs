//! The trait itself.

use crate::accept::{Accept, AcceptError, Accepted};
use crate::access::AccessRows;
use crate::audit::{AuditEnds, AuditQuery, AuditRow, Checkpoint, KeptEntry};
use crate::change::{ChangeError, ChangeRequest, Changed};
use crate::deliveries::{DeliveryPosition, DeliveryQuery, DeliveryRow};
use crate::idempotency::{Fingerprint, Prior};
use crate::lanes::{Scope, Sole};
use crate::query::{
    AllMessagesQuery, ApplicationQuery, AttemptQuery, EndpointMessageQuery, EventTypeQuery,
    MessageQuery, StatisticsQuery, Walk,
};
use crate::record::{Outcome, Recorded};
use crate::rows::{
    ApplicationRef, ApplicationRow, AttemptRow, Claimed, EndpointMessageRow, EndpointRow, LaneDue,
    MessageEndpointRow, MessageRow, RegistryRow, Statistics,
};
use crate::security::{SecurityQuery, SecurityRow};
use crate::tally::{Census, Tally, TallyQuery};
use crate::vitals::{Backlog, Vitals};
use crate::work::{Advanced, Slice, SweepLimits, Swept, TakenWork, WorkQuery, WorkRow, WorkStep};
use crate::{Lane, Pulse, StoreError};
use async_trait::async_trait;
use model::Timestamp;
use model::delivery::Delivery;
use model::event_type::EventType;
use model::id::{
    ApplicationKey, AttemptId, AttemptKey, AuditKey, EndpointId, EndpointKey, MessageId,
    MessageKey, SecurityEventKey, TaskId, TaskKey,
};
use model::name::Name;
use model::node::Node;
use model::redaction::TypeRedaction;
use model::retry::RetrySchedule;
use std::path::Path;
use tokio::sync::watch;

type Stored<T> = Result<T, StoreError>;

/// Whether a store can commit. The engine starts no attempt while it can't: an outcome that can't
/// be recorded would be sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    /// Commits succeed.
    Writable,
    /// The last commit failed; the store tries by itself until one succeeds.
    ReadOnly,
    /// Only a restart helps: the process must end.
    Failed,
}

/// A database that carries Postrider.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    // ---- The way of a message -----------------------------------------------------------------

    /// Makes a batch of messages durable, all that are accepted in one commit. The answers are in
    /// the order of the items, and so are the ids; an item sees what those before it wrote. Each is
    /// checked in this order: its idempotency key (a repeat is one whatever has changed since), its
    /// replay entry (the same), its application, the registry revision, its event id.
    async fn accept(&self, batch: Vec<Accept>) -> Vec<Result<Accepted, AcceptError>>;

    /// Makes an outcome durable. Waits while the store can't write, and fails only when it never
    /// will.
    async fn record(&self, outcome: Outcome) -> Stored<Recorded>;

    /// Takes hold of a lane's deliveries that are due at or before `due_by` and that nobody holds,
    /// at most `limit`, and about [`CLAIM_BYTES_MAX`](crate::rows::CLAIM_BYTES_MAX) of payloads:
    /// live before replayed, the earliest due first. One call per lane at a time.
    /// What was let go of before the call can be taken by it.
    async fn claim(&self, lane: Lane, due_by: Timestamp, limit: usize) -> Stored<Vec<Claimed>>;

    /// Whether a delivery is open, as it was when it was read. For those who hold one in memory
    /// while others may end it.
    async fn is_open(&self, delivery: &Delivery) -> Stored<bool>;

    /// When a lane's earliest open delivery is due, whoever holds it.
    async fn first_due(&self, endpoint: EndpointKey) -> Stored<Option<Timestamp>>;

    /// Every lane's earliest delivery that nobody holds, of whatever class and however far in the
    /// future, by ascending endpoint behind `after`. Without the lanes for which another node has
    /// the sole right.
    async fn lanes(&self, after: EndpointKey, limit: usize) -> Stored<Vec<LaneDue>>;

    /// Takes the sole rights to make the attempts of these scopes, and answers in their order;
    /// `None`: another node has it, until it gives it up or its lease ends. Whoever asks again here
    /// gets it again. Some hundreds at a time.
    async fn own(&self, scopes: &[Scope]) -> Stored<Vec<Option<Sole>>>;

    /// What this node owns of a lane's deliveries, and nobody here holds, is nobody's: other nodes
    /// may claim it. Where something of the lane was held since it was last released, it may look
    /// at all that is open of it: for when another node turned out to have the sole right.
    async fn release(&self, lane: Lane) -> Stored<()>;

    /// Whether commits succeed.
    fn condition(&self) -> watch::Receiver<Condition>;

    /// What it has counted, how full it is, and what is wrong where [`Self::condition`] is not
    /// [`Condition::Writable`].
    fn vitals(&self) -> Vitals;

    /// Counts what it has committed, for whoever shows it.
    fn pulse(&self) -> &Pulse;

    /// A number that is another one when other nodes have committed something that is shown to
    /// people: one small read for all who look.
    async fn moved_elsewhere(&self) -> Stored<i64>;

    // ---- What is configured -------------------------------------------------------------------

    /// Does one change.
    async fn change(&self, request: ChangeRequest) -> Result<Changed, ChangeError>;

    /// What was written behind a version of who may come in; `None`: nothing. Where the database's
    /// version is smaller than that, it is another database: all of it.
    async fn access(&self, since: u64) -> Stored<Option<AccessRows>>;

    /// What became of the first request with one of these idempotency keys: the first of them that
    /// is still remembered.
    async fn prior(&self, fingerprints: &[Fingerprint]) -> Stored<Option<Prior>>;

    /// An application with all its live endpoints.
    async fn registry(&self, application: &ApplicationRef) -> Stored<Option<RegistryRow>>;

    /// The applications in a window.
    async fn applications(
        &self,
        query: &ApplicationQuery,
    ) -> Stored<Walk<ApplicationRow, ApplicationKey>>;

    /// An endpoint of whatever application, also a deleted one.
    async fn endpoint(&self, id: EndpointId) -> Stored<Option<EndpointRow>>;

    /// Live endpoints to which deliveries have been failing: those that are still enabled, by when
    /// that began; or those that were disabled for it, the last to begin first.
    async fn failing_endpoints(&self, disabled: bool, limit: usize) -> Stored<Vec<EndpointRow>>;

    /// What a live endpoint's receiver was last verified by, as
    /// [`Change::KeepChain`](crate::change::Change::KeepChain) wrote it.
    async fn chain(&self, endpoint: EndpointKey) -> Stored<Option<Vec<u8>>>;

    /// The event types of these names, archived ones too; those that don't exist are left out.
    async fn event_types_named(&self, names: &[Name]) -> Stored<Vec<EventType>>;

    /// The event types in a window.
    async fn event_types(&self, query: &EventTypeQuery) -> Stored<Walk<EventType, Name>>;

    /// The retry schedules of those event types that have one of their own, by name: all of them,
    /// since [`Change::PutRetrySchedule`](crate::change::Change::PutRetrySchedule) bounds them.
    async fn retry_schedules(&self) -> Stored<Vec<(Name, RetrySchedule)>>;

    /// What is taken from payloads, of those event types that have rules for it or mark something
    /// as sensitive, by name: all of them.
    async fn redactions(&self) -> Stored<Vec<(Name, TypeRedaction)>>;

    // ---- What happened ------------------------------------------------------------------------

    /// The messages in a window.
    async fn messages(&self, query: &MessageQuery) -> Stored<Walk<MessageRow, MessageKey>>;

    /// The messages of all applications in a window, by an index: as many as it looks at, however
    /// many there are.
    async fn all_messages(&self, query: &AllMessagesQuery) -> Stored<Walk<MessageRow, MessageKey>>;

    /// Where to begin to read forwards, to see whatever comes from now on: what is committed after
    /// this was asked for, messages and all else, has this key or a larger one. Few messages that
    /// were there before have; background work that was may lie below it.
    async fn forward_border(&self) -> Stored<MessageKey>;

    /// One message with its payload.
    async fn message(
        &self,
        application: ApplicationKey,
        message: &MessageRef,
    ) -> Stored<Option<MessageRow>>;

    /// The attempts in a window.
    async fn attempts(&self, query: &AttemptQuery) -> Stored<Walk<AttemptRow, AttemptKey>>;

    /// One attempt with its excerpt.
    async fn attempt(
        &self,
        application: ApplicationKey,
        message: MessageKey,
        id: AttemptId,
    ) -> Stored<Option<AttemptRow>>;

    /// The deliveries in a window, open and ended, without those of deleted applications. What is
    /// open or was given up is found without looking through what was delivered.
    async fn deliveries(
        &self,
        query: &DeliveryQuery,
    ) -> Stored<Walk<DeliveryRow, DeliveryPosition>>;

    /// The messages of an endpoint in a window.
    async fn endpoint_messages(
        &self,
        query: &EndpointMessageQuery,
    ) -> Stored<Walk<EndpointMessageRow, MessageKey>>;

    /// The endpoints of a message by ascending key behind `after`, deleted ones too.
    async fn message_endpoints(
        &self,
        message: (ApplicationKey, MessageKey),
        after: EndpointKey,
        limit: usize,
    ) -> Stored<Walk<MessageEndpointRow, EndpointKey>>;

    /// The security events in a window. Those of kinds that this program does not know are passed
    /// over: a newer one may have written them.
    async fn security_events(
        &self,
        query: &SecurityQuery,
    ) -> Stored<Walk<SecurityRow, SecurityEventKey>>;

    /// The entries of the audit log in a window. Those that this program can't read are passed
    /// over: a newer one may have written them.
    async fn audit(&self, query: &AuditQuery) -> Stored<Walk<AuditRow, AuditKey>>;

    /// How many entries commands left beside the audit log: they wait to be taken in.
    async fn audit_left(&self) -> Stored<u64>;

    /// Both ends of the audit log's chain.
    async fn audit_ends(&self) -> Stored<AuditEnds>;

    /// Entries that are not sealed yet, by ascending key.
    async fn audit_unsealed(&self, limit: usize) -> Stored<Vec<KeptEntry>>;

    /// Sealed entries behind a position, in the order of the chain.
    async fn audit_sealed(&self, after: u64, limit: usize) -> Stored<Vec<KeptEntry>>;

    /// Checkpoints behind a position, in the order of the chain.
    async fn audit_checkpoints(&self, after: u64, limit: usize) -> Stored<Vec<Checkpoint>>;

    /// Counts an endpoint's attempts and open deliveries.
    async fn statistics(&self, query: StatisticsQuery) -> Stored<Statistics>;

    /// Counts attempts by time, in buckets that are so many slots wide. Looks at
    /// no attempt, only at what is counted.
    async fn tally_by_time(&self, query: &TallyQuery, width: u32) -> Stored<Vec<Tally>>;

    /// The same by their messages' types, without those of which there are none.
    async fn tally_by_type(&self, query: &TallyQuery) -> Stored<Vec<(Name, Tally)>>;

    /// Counts endpoints, and the applications that have some. Walks along an index with an entry
    /// for each endpoint: for people, now and then.
    async fn census(&self) -> Stored<Census>;

    /// Counts open deliveries, and finds the earliest of them. Looks at each endpoint that has
    /// some: now and then.
    async fn backlog(&self) -> Stored<Backlog>;

    // ---- Housekeeping -------------------------------------------------------------------------

    /// Does the next slice of background work, if there is any: at most [`crate::work::SLICE_MAX`]
    /// rows, in one commit with its cursor. Not of what is done outside the store.
    async fn work(&self) -> Stored<Slice>;

    /// Takes open work whose slices are done outside the store, and that nobody has, for one slice:
    /// no other node takes it while the hold is there and this one's lease lasts. Open work takes
    /// turns.
    async fn take_work(&self) -> Stored<Option<TakenWork>>;

    /// Writes what a slice of taken work did, with its cursor, in one commit.
    async fn advance_work(&self, taken: &TakenWork, step: WorkStep) -> Stored<Advanced>;

    /// A row of background work, also after its end.
    async fn work_row(&self, id: TaskId) -> Stored<Option<WorkRow>>;

    /// The background work in a window, of that which people are shown, also after its end.
    async fn work_rows(&self, query: &WorkQuery) -> Stored<Walk<WorkRow, TaskKey>>;

    /// Removes a slice of what has reached its age.
    async fn sweep(&self, limits: SweepLimits) -> Stored<Swept>;

    /// A small value that the whole installation shares, such as the master key's check value.
    async fn setting(&self, name: &str) -> Stored<Option<Vec<u8>>>;

    /// Writes such a value unless it is there, and gives back what is there then.
    async fn set_setting(&self, name: &str, value: &[u8]) -> Stored<Vec<u8>>;

    /// The nodes that work on this database, by ascending slot: this one among them, and those
    /// whose lease has run out only until what they held is nobody's. To count that, it may look
    /// at every open delivery: for people, now and then.
    async fn nodes(&self) -> Stored<Vec<Node>>;

    /// Makes a consistent copy in an empty directory while running. A directory that is not empty
    /// is refused, and left as it is.
    async fn backup(&self, directory: &Path) -> Stored<()>;
}

/// How a path names a message within its application.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum MessageRef {
    /// By its public id.
    Id(MessageId),
    /// By its sender's event id.
    EventId(Name),
}
