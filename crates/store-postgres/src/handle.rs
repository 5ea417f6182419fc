//! The handle: [`store::Store`] as methods that queue a request for the writer or run a read.

use crate::backup;
use crate::failure::Failure;
use crate::lease::give_back;
use crate::node::Membership;
use crate::request::{Asked, Request};
use crate::shared::Shared;
use crate::sweep::Wanted;
use crate::{
    accept, access, all_messages, applications, attempts, audit, batch, claim, deliveries,
    delivery_list, endpoint_messages, endpoints, event_types, messages, nodes, retry_schedules,
    security_events, settings, sole, statistics, sweep, tally, work,
};
use async_trait::async_trait;
use model::Timestamp;
use model::delivery::Delivery;
use model::event_type::EventType;
use model::id::{
    ApplicationKey, AttemptId, AttemptKey, AuditKey, EndpointId, EndpointKey, Key, MessageKey,
    SecurityEventKey, TaskId, TaskKey,
};
use model::name::Name;
use model::node::Node;
use model::redaction::TypeRedaction;
use model::retry::RetrySchedule;
use std::path::Path;
use std::sync::Arc;
use store::accept::{Accept, AcceptError, Accepted};
use store::access::AccessRows;
use store::audit::{AuditEnds, AuditQuery, AuditRow, Checkpoint, KeptEntry};
use store::change::{ChangeError, ChangeRequest, Changed};
use store::deliveries::{DeliveryPosition, DeliveryQuery, DeliveryRow};
use store::idempotency::{Fingerprint, KEY_LIFE, Prior};
use store::query::{
    AllMessagesQuery, ApplicationQuery, AttemptQuery, EndpointMessageQuery, EventTypeQuery,
    MessageQuery, StatisticsQuery, Walk, Window,
};
use store::record::{Outcome, Recorded};
use store::rows::{
    ApplicationRef, ApplicationRow, AttemptRow, Claimed, EndpointMessageRow, EndpointRow, LaneDue,
    MessageEndpointRow, MessageRow, RegistryRow, Statistics,
};
use store::security::{SecurityQuery, SecurityRow};
use store::tally::{Census, Tally, TallyQuery};
use store::vitals::{Backlog, Vitals};
use store::work::{Advanced, Slice, SweepLimits, Swept, TakenWork, WorkQuery, WorkRow, WorkStep};
use store::{Condition, Lane, MessageRef, Pulse, Scope, Sole, Store, StoreError};
use tokio::sync::{mpsc, oneshot, watch};

type Stored<T> = Result<T, StoreError>;

/// The cluster's store.
pub struct PostgresStore {
    shared: Arc<Shared>,
    requests: mpsc::UnboundedSender<Request>,
}

/// Reads from one state of everything.
macro_rules! read {
    ($store:expr, $sql:ident => $read:expr) => {{
        let pools = &$store.shared.pools;
        let mut client = pools.client().await?;
        let $sql = pools.snapshot(&mut client);
        let found = $read.await?;
        $sql.commit().await?;
        Ok(found)
    }};
}

/// The same for a list, which ends below what other commits may still bring if it is read forwards.
macro_rules! walk {
    ($store:expr, $query:expr, $sql:ident => $read:path) => {{
        let own = $store.shared.keys.floor($store.shared.clock.now());
        let pools = &$store.shared.pools;
        let mut client = pools.client().await?;
        let $sql = pools.snapshot(&mut client);
        let mut query = $query.clone();
        query.window = $store.below_floor(&$sql, own, query.window).await?;
        let found = $read(&$sql, &query).await?;
        $sql.commit().await?;
        Ok(found)
    }};
}

impl PostgresStore {
    pub(crate) fn new(shared: Arc<Shared>, requests: mpsc::UnboundedSender<Request>) -> Self {
        Self { shared, requests }
    }

    /// Takes no more requests. Its loops end, and what is not committed is not done.
    pub fn close(&self) {
        self.shared.room.close();
        self.shared.closing.send_replace(true);
        self.shared.pools.close();
    }

    /// Gives the lease back, so that what this node holds need not wait for its end. Nothing is to
    /// be asked of it any more.
    pub async fn leave(&self) {
        if let Err(failure) = give_back(&self.shared).await {
            tracing::warn!(%failure, "could not give the lease back: it ends by itself");
        }
    }

    /// Has the writer do something, and waits for the answer.
    async fn ask<T>(
        &self,
        bytes: usize,
        asked: impl FnOnce(oneshot::Sender<T>) -> Asked,
    ) -> Result<T, Failure> {
        let kib = bytes.div_ceil(1_024).clamp(1, crate::open::ROOM_KIB);
        let kib = u32::try_from(kib).expect("it was clamped");
        let room = self.shared.room.clone().acquire_many_owned(kib).await;
        let room = room.map_err(|_| Failure::Closed)?;
        let (reply, answer) = oneshot::channel();
        let request = Request {
            asked: asked(reply),
            _room: room,
        };
        self.requests.send(request).map_err(|_| Failure::Closed)?;
        answer.await.map_err(|_| Failure::Closed)
    }

    /// A window that ends below the lowest floor of all nodes, if it is read forwards.
    async fn below_floor<K>(
        &self,
        sql: &crate::sql::Sql<'_>,
        own: i64,
        mut window: Window<K>,
    ) -> Result<Window<K>, Failure> {
        if window.ascending {
            window.below = window.below.min(self.lowest_floor(sql, own).await?);
        }
        Ok(window)
    }

    /// The lowest floor of all nodes, of which this one has this.
    async fn lowest_floor<K>(
        &self,
        sql: &crate::sql::Sql<'_>,
        own: i64,
    ) -> Result<Key<K>, Failure> {
        // One whose lease has run out may still be committing, until somebody ends it. Whoever
        // has this node's slot, if it lost that, is another.
        let row = sql.row(
            "SELECT min(floor) FROM node WHERE epoch <> $1 AND expires_at > '-infinity'",
            crate::sql::params![self.shared.membership().epoch],
        );
        let others = match row.await? {
            Some(row) => crate::columns::get::<Option<i64>>(&row, 0)?,
            None => None,
        };
        Ok(Key::from_integer(others.unwrap_or(i64::MAX).min(own)))
    }
}

impl Drop for PostgresStore {
    fn drop(&mut self) {
        // Nobody can ask for anything any more: the loops must not wait for it.
        self.close();
    }
}

#[async_trait]
impl Store for PostgresStore {
    async fn accept(&self, batch: Vec<Accept>) -> Vec<Result<Accepted, AcceptError>> {
        let items = batch.len();
        let bytes = batch.iter().map(Accept::bytes).sum();
        let answered = self.ask(bytes, |reply| Asked::Accept(batch, reply)).await;
        let answers = answered.unwrap_or_else(|failure| accept::refuse(items, &failure));
        self.shared.meter.accepted(&answers);
        answers
    }

    async fn record(&self, outcome: Outcome) -> Stored<Recorded> {
        let outcome = Box::new(outcome);
        self.ask(1_024, |reply| Asked::Record(outcome, reply))
            .await?
    }

    async fn claim(&self, lane: Lane, due_by: Timestamp, limit: usize) -> Stored<Vec<Claimed>> {
        let (membership, owned) = self.shared.tenure();
        let pools = &self.shared.pools;
        let mut client = pools.client().await?;
        let sql = pools.begin(&mut client);
        let node = (&owned, membership.slot, membership.epoch);
        let claimed = claim::claim(&sql, node, (lane, due_by, limit)).await?;
        sql.commit().await?;
        Ok(claimed)
    }

    async fn is_open(&self, delivery: &Delivery) -> Stored<bool> {
        read!(self, sql => deliveries::is_open(&sql, delivery))
    }

    async fn first_due(&self, endpoint: EndpointKey) -> Stored<Option<Timestamp>> {
        read!(self, sql => deliveries::first_due(&sql, endpoint))
    }

    async fn lanes(&self, after: EndpointKey, limit: usize) -> Stored<Vec<LaneDue>> {
        let (Membership { epoch, .. }, owned) = self.shared.tenure();
        read!(self, sql => claim::lanes(&sql, (&owned, epoch), after, limit))
    }

    async fn own(&self, scopes: &[Scope]) -> Stored<Vec<Option<Sole>>> {
        Ok(sole::own(&self.shared, scopes).await?)
    }

    async fn release(&self, lane: Lane) -> Stored<()> {
        Ok(sole::release(&self.shared, lane.endpoint).await?)
    }

    fn condition(&self) -> watch::Receiver<Condition> {
        self.shared.condition.subscribe()
    }

    fn vitals(&self) -> Vitals {
        self.shared.vitals()
    }

    fn pulse(&self) -> &Pulse {
        &self.shared.meter.pulse
    }

    async fn moved_elsewhere(&self) -> Stored<i64> {
        let slot = self.shared.membership().slot;
        read!(self, sql => nodes::moved_elsewhere(&sql, slot))
    }

    async fn change(&self, request: ChangeRequest) -> Result<Changed, ChangeError> {
        let bytes = request.change.bytes();
        let request = Box::new(request);
        let answer = self.ask(bytes, |reply| Asked::Change(request, reply)).await;
        answer.map_err(StoreError::from)?
    }

    async fn access(&self, since: u64) -> Stored<Option<AccessRows>> {
        read!(self, sql => access::since(&sql, since))
    }

    async fn prior(&self, fingerprints: &[Fingerprint]) -> Stored<Option<Prior>> {
        let now = self.shared.clock.now();
        let wanted = fingerprints.iter().map(|one| (one, KEY_LIFE)).collect();
        let found: Stored<_> = read!(self, sql => batch::find_priors(&sql, wanted, now));
        let found = found?;
        Ok(fingerprints.iter().find_map(|one| found.get(one).copied()))
    }

    async fn registry(&self, application: &ApplicationRef) -> Stored<Option<RegistryRow>> {
        read!(self, sql => applications::registry(&sql, application))
    }

    async fn applications(
        &self,
        query: &ApplicationQuery,
    ) -> Stored<Walk<ApplicationRow, ApplicationKey>> {
        walk!(self, query, sql => applications::list)
    }

    async fn event_types_named(&self, names: &[Name]) -> Stored<Vec<EventType>> {
        read!(self, sql => event_types::named(&sql, names))
    }

    async fn event_types(&self, query: &EventTypeQuery) -> Stored<Walk<EventType, Name>> {
        read!(self, sql => event_types::list(&sql, query))
    }

    async fn retry_schedules(&self) -> Stored<Vec<(Name, RetrySchedule)>> {
        read!(self, sql => retry_schedules::all(&sql))
    }

    async fn redactions(&self) -> Stored<Vec<(Name, TypeRedaction)>> {
        read!(self, sql => event_types::redactions(&sql))
    }

    async fn messages(&self, query: &MessageQuery) -> Stored<Walk<MessageRow, MessageKey>> {
        walk!(self, query, sql => messages::list)
    }

    async fn all_messages(&self, query: &AllMessagesQuery) -> Stored<Walk<MessageRow, MessageKey>> {
        walk!(self, query, sql => all_messages::list)
    }

    async fn forward_border(&self) -> Stored<MessageKey> {
        let own = self.shared.keys.floor(self.shared.clock.now());
        read!(self, sql => self.lowest_floor(&sql, own))
    }

    async fn message(
        &self,
        application: ApplicationKey,
        message: &MessageRef,
    ) -> Stored<Option<MessageRow>> {
        read!(self, sql => messages::named(&sql, application, message))
    }

    async fn attempts(&self, query: &AttemptQuery) -> Stored<Walk<AttemptRow, AttemptKey>> {
        walk!(self, query, sql => attempts::list)
    }

    async fn attempt(
        &self,
        application: ApplicationKey,
        message: MessageKey,
        id: AttemptId,
    ) -> Stored<Option<AttemptRow>> {
        read!(self, sql => attempts::one(&sql, (application, message), id))
    }

    async fn deliveries(
        &self,
        query: &DeliveryQuery,
    ) -> Stored<Walk<DeliveryRow, DeliveryPosition>> {
        let own = self.shared.keys.floor(self.shared.clock.now());
        let mut query = query.clone();
        read!(self, sql => async {
            if query.window.ascending {
                let end = DeliveryPosition {
                    message: self.lowest_floor(&sql, own).await?,
                    endpoint: EndpointKey::MIN,
                };
                query.window.below = query.window.below.min(end);
            }
            delivery_list::list(&sql, &query).await
        })
    }

    async fn endpoint(&self, id: EndpointId) -> Stored<Option<EndpointRow>> {
        let found: Stored<_> = read!(self, sql => endpoints::by_key(&sql, id.key()));
        Ok(found?.filter(|row: &EndpointRow| row.endpoint.id == id))
    }

    async fn failing_endpoints(&self, disabled: bool, limit: usize) -> Stored<Vec<EndpointRow>> {
        read!(self, sql => endpoints::failing(&sql, disabled, limit))
    }

    async fn chain(&self, endpoint: EndpointKey) -> Stored<Option<Vec<u8>>> {
        read!(self, sql => endpoints::chain(&sql, endpoint))
    }

    async fn endpoint_messages(
        &self,
        query: &EndpointMessageQuery,
    ) -> Stored<Walk<EndpointMessageRow, MessageKey>> {
        walk!(self, query, sql => endpoint_messages::of_endpoint)
    }

    async fn message_endpoints(
        &self,
        message: (ApplicationKey, MessageKey),
        after: EndpointKey,
        limit: usize,
    ) -> Stored<Walk<MessageEndpointRow, EndpointKey>> {
        read!(self, sql => endpoint_messages::of_message(&sql, message, after, limit))
    }

    async fn statistics(&self, query: StatisticsQuery) -> Stored<Statistics> {
        let now = self.shared.clock.now();
        read!(self, sql => statistics::count(&sql, query, now))
    }

    async fn tally_by_time(&self, query: &TallyQuery, width: u32) -> Stored<Vec<Tally>> {
        read!(self, sql => tally::by_time(&sql, query, width))
    }

    async fn tally_by_type(&self, query: &TallyQuery) -> Stored<Vec<(Name, Tally)>> {
        read!(self, sql => tally::by_type(&sql, query))
    }

    async fn census(&self) -> Stored<Census> {
        read!(self, sql => tally::census(&sql))
    }

    async fn backlog(&self) -> Stored<Backlog> {
        read!(self, sql => statistics::backlog(&sql))
    }

    async fn work(&self) -> Stored<Slice> {
        self.ask(1_024, Asked::Work).await?
    }

    async fn take_work(&self) -> Stored<Option<TakenWork>> {
        let (membership, owned) = self.shared.tenure();
        let pools = &self.shared.pools;
        let mut client = pools.client().await?;
        let sql = pools.begin(&mut client);
        let taken = work::take(&sql, (&owned, membership)).await?;
        sql.commit().await?;
        Ok(taken)
    }

    async fn advance_work(&self, taken: &TakenWork, step: WorkStep) -> Stored<Advanced> {
        let bytes = step.bytes();
        let step = Box::new(work::Step::of(taken, step));
        self.ask(bytes, |reply| Asked::Advance(step, reply)).await?
    }

    async fn security_events(
        &self,
        query: &SecurityQuery,
    ) -> Stored<Walk<SecurityRow, SecurityEventKey>> {
        walk!(self, query, sql => security_events::list)
    }

    async fn audit(&self, query: &AuditQuery) -> Stored<Walk<AuditRow, AuditKey>> {
        walk!(self, query, sql => audit::list)
    }

    async fn audit_left(&self) -> Stored<u64> {
        read!(self, sql => audit::left(&sql))
    }

    async fn audit_ends(&self) -> Stored<AuditEnds> {
        read!(self, sql => audit::ends(&sql))
    }

    async fn audit_unsealed(&self, limit: usize) -> Stored<Vec<KeptEntry>> {
        read!(self, sql => audit::unsealed(&sql, limit))
    }

    async fn audit_sealed(&self, after: u64, limit: usize) -> Stored<Vec<KeptEntry>> {
        read!(self, sql => audit::sealed(&sql, after, limit))
    }

    async fn audit_checkpoints(&self, after: u64, limit: usize) -> Stored<Vec<Checkpoint>> {
        read!(self, sql => audit::checkpoints(&sql, after, limit))
    }

    async fn work_rows(&self, query: &WorkQuery) -> Stored<Walk<WorkRow, TaskKey>> {
        walk!(self, query, sql => work::list)
    }

    async fn work_row(&self, id: TaskId) -> Stored<Option<WorkRow>> {
        read!(self, sql => work::row(&sql, id))
    }

    async fn sweep(&self, limits: SweepLimits) -> Stored<Swept> {
        let now = self.shared.clock.now();
        let wanted = Wanted {
            limits,
            few_bytes_per_hour: self.shared.config.few_bytes_per_hour,
        };
        let swept: Stored<Option<Swept>> =
            self.ask(1_024, |reply| Asked::Sweep(wanted, reply)).await?;
        let Some(mut swept) = swept? else {
            return Ok(Swept::default());
        };
        if !swept.more {
            swept.more = sweep::retire(&self.shared, limits, now).await?;
        }
        Ok(swept)
    }

    async fn setting(&self, name: &str) -> Stored<Option<Vec<u8>>> {
        read!(self, sql => settings::get(&sql, name))
    }

    async fn set_setting(&self, name: &str, value: &[u8]) -> Stored<Vec<u8>> {
        let setting = (name.to_owned(), value.to_vec());
        self.ask(1_024, |reply| Asked::Setting(setting, reply))
            .await?
    }

    async fn nodes(&self) -> Stored<Vec<Node>> {
        read!(self, sql => nodes::list(&sql))
    }

    async fn backup(&self, directory: &Path) -> Stored<()> {
        let mut client = self.shared.pools.direct().await?;
        Ok(backup::copy(&mut client, directory).await?)
    }
}
