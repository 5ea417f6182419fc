//! The handle: [`store::Store`] as methods that queue a request for the writer or run a read.

use crate::directory::DataDirectory;
use crate::failure::Failure;
use crate::inbox::{Asked, Request, Urgency};
use crate::reader::Readers;
use crate::shared::Shared;
use crate::writer::Writer;
use crate::{
    accept, access, applications, attempts, audit, backup, change, claim, deliveries,
    delivery_list, endpoint_messages, endpoints, event_types, messages, record, retry_schedules,
    security_events, statistics, sweep, tally, work,
};
use async_trait::async_trait;
use model::Timestamp;
use model::delivery::Delivery;
use model::event_type::EventType;
use model::id::{
    ApplicationKey, AttemptId, AttemptKey, AuditKey, EndpointId, EndpointKey, MessageKey,
    SecurityEventKey, TaskId, TaskKey,
};
use model::name::Name;
use model::node::Node;
use model::redaction::TypeRedaction;
use model::retry::RetrySchedule;
use std::path::Path;
use std::sync::{Arc, Mutex};
use store::accept::{Accept, AcceptError, Accepted};
use store::access::AccessRows;
use store::audit::{AuditEnds, AuditQuery, AuditRow, Checkpoint, KeptEntry};
use store::change::{Change, ChangeError, ChangeRequest, Changed};
use store::deliveries::{DeliveryPosition, DeliveryQuery, DeliveryRow};
use store::idempotency::{Fingerprint, Prior};
use store::query::{
    AllMessagesQuery, ApplicationQuery, AttemptQuery, EndpointMessageQuery, EventTypeQuery,
    MessageQuery, StatisticsQuery, Walk,
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
use tokio::sync::{oneshot, watch};

type Stored<T> = Result<T, StoreError>;

/// Connections for what is on a message's way: each read is short.
const WAY_READERS: usize = 2;

/// The embedded store.
pub struct SqliteStore {
    shared: Arc<Shared>,
    /// For what is on a message's way: never behind lists.
    way: Arc<Readers>,
    /// For lists and lookups.
    readers: Arc<Readers>,
    /// Driven by whoever asks, if the store was opened inline.
    writer: Option<Mutex<Writer>>,
}

impl SqliteStore {
    pub(crate) fn new(shared: Arc<Shared>, writer: Option<Writer>) -> Self {
        let pool = |connections| {
            let cache_kib = shared.config.reader_cache_kib;
            Readers::new(
                shared.directory.database(),
                connections,
                cache_kib,
                shared.inline,
            )
        };
        Self {
            way: pool(WAY_READERS),
            readers: pool(shared.config.readers),
            writer: writer.map(Mutex::new),
            shared,
        }
    }

    /// Takes no more requests. What is queued is still done; then the loops end, the writer's
    /// after it has moved everything into the database's file.
    pub fn close(&self) {
        self.way.close();
        self.readers.close();
        self.shared.inbox.close();
        self.shared.checkpoints.close();
        if let Some(writer) = &self.writer {
            let mut writer = writer.lock().expect("a step does not panic");
            writer.step();
            writer.close();
        }
    }

    /// Drives a store that was opened inline where nothing is asked of it: outcomes that wait
    /// because a commit failed are tried again. Does nothing for a store with loops.
    pub fn step(&self) {
        if let Some(writer) = &self.writer {
            writer.lock().expect("a step does not panic").step();
        }
    }

    /// The directory that this store is in, locked for as long as any part of the store is there.
    pub fn directory(&self) -> &DataDirectory {
        &self.shared.directory
    }

    /// Commits since the store was opened.
    pub fn commits(&self) -> u64 {
        self.shared.meter.commits.read().count()
    }

    /// Has the writer do something, and waits for the answer.
    async fn ask<I, T>(&self, question: Question<I, T>) -> Result<T, Failure>
    where
        I: Send + 'static,
        T: Send + 'static,
    {
        if let Some(failure) = self.shared.failure() {
            return Err(failure);
        }
        let (reply, answer) = oneshot::channel();
        let request: Box<dyn Request> = Box::new(Asked {
            kib: question
                .bytes
                .div_ceil(1_024)
                .try_into()
                .unwrap_or(u32::MAX),
            input: question.input,
            run: question.run,
            refuse: question.refuse,
            urgency: question.urgency,
            answer: None,
            reply,
        });
        self.shared
            .inbox
            .push(request)
            .await
            .map_err(|_| Failure::Closed)?;
        self.step();
        match answer.await {
            Ok(answer) => Ok(answer),
            // The writer ended without an answer: whether it committed is not known.
            Err(_) => Err(self.shared.failure().unwrap_or(Failure::Closed)),
        }
    }

    /// For requests whose only error is the store's.
    async fn ask_simply<I, T>(
        &self,
        input: I,
        urgency: Urgency,
        run: fn(&mut crate::batch::Batch<'_>, &I) -> Result<Stored<T>, Failure>,
    ) -> Stored<T>
    where
        I: Send + 'static,
        T: Send + 'static,
    {
        let question = Question {
            input,
            run,
            refuse: |_, failure| Err(failure.to_store_error()),
            urgency,
            bytes: 1_024,
        };
        self.ask(question).await?
    }
}

impl Drop for SqliteStore {
    fn drop(&mut self) {
        // Nobody can ask for anything any more: the loops must not wait for it.
        self.close();
    }
}

/// Something for the writer to do.
struct Question<I, T> {
    input: I,
    run: fn(&mut crate::batch::Batch<'_>, &I) -> Result<T, Failure>,
    refuse: fn(&I, &Failure) -> T,
    urgency: Urgency,
    bytes: usize,
}

#[async_trait]
impl Store for SqliteStore {
    async fn accept(&self, batch: Vec<Accept>) -> Vec<Result<Accepted, AcceptError>> {
        let items = batch.len();
        let question = Question {
            bytes: batch.iter().map(Accept::bytes).sum(),
            input: batch,
            run: |batch, items| {
                let answers = accept::accept(batch, items)?;
                batch.fresh.moved.accepted(items, &answers);
                Ok(answers)
            },
            refuse: |batch, failure| accept::refuse(batch.len(), failure),
            urgency: Urgency::Now,
        };
        let answered = self.ask(question).await;
        let answers = answered.unwrap_or_else(|failure| accept::refuse(items, &failure));
        self.shared.meter.accepted(&answers);
        answers
    }

    async fn record(&self, outcome: Outcome) -> Stored<Recorded> {
        self.ask_simply(outcome, Urgency::Patient, |batch, outcome| {
            let recorded = record::record(batch, outcome)?;
            batch.fresh.moved.recorded(outcome);
            Ok(Ok(recorded))
        })
        .await
    }

    async fn claim(&self, lane: Lane, due_by: Timestamp, limit: usize) -> Stored<Vec<Claimed>> {
        let owned = self.shared.owned.clone();
        let claim = move |connection: &_| claim::claim(connection, &owned, (lane, due_by, limit));
        Ok(self.way.with(claim).await?)
    }

    async fn is_open(&self, delivery: &Delivery) -> Stored<bool> {
        let delivery = delivery.clone();
        let read = move |connection: &_| deliveries::is_open(connection, &delivery);
        Ok(self.way.with(read).await?)
    }

    async fn first_due(&self, endpoint: EndpointKey) -> Stored<Option<Timestamp>> {
        let read = move |connection: &_| deliveries::first_due(connection, endpoint);
        Ok(self.readers.with(read).await?)
    }

    async fn lanes(&self, after: EndpointKey, limit: usize) -> Stored<Vec<LaneDue>> {
        let owned = self.shared.owned.clone();
        let lanes = move |connection: &_| claim::lanes(connection, &owned, after, limit);
        Ok(self.way.with(lanes).await?)
    }

    /// Nobody else can have it.
    async fn own(&self, scopes: &[Scope]) -> Stored<Vec<Option<Sole>>> {
        let sole = |scope: &Scope| Some(self.shared.owned.sole(*scope, 0));
        Ok(scopes.iter().map(sole).collect())
    }

    /// A delivery that nobody here holds is nobody's.
    async fn release(&self, _: Lane) -> Stored<()> {
        Ok(())
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

    /// There are no others.
    async fn moved_elsewhere(&self) -> Stored<i64> {
        Ok(0)
    }

    async fn change(&self, request: ChangeRequest) -> Result<Changed, ChangeError> {
        let question = Question {
            bytes: request.change.bytes(),
            urgency: match request.change {
                Change::KeepSecurityEvents(_) => Urgency::Patient,
                _ => Urgency::Now,
            },
            input: request,
            run: |batch, request| {
                let changed = change::change(batch, request)?;
                batch.fresh.moved.changed(&request.change, &changed);
                Ok(changed)
            },
            refuse: |_, failure| Err(failure.to_store_error().into()),
        };
        self.ask(question).await.map_err(StoreError::from)?
    }

    async fn access(&self, since: u64) -> Stored<Option<AccessRows>> {
        let read = move |connection: &_| access::since(connection, since);
        Ok(self.way.snapshot(read).await?)
    }

    async fn prior(&self, fingerprints: &[Fingerprint]) -> Stored<Option<Prior>> {
        let (shared, fingerprints) = (self.shared.clone(), fingerprints.to_vec());
        let find = move |connection: &_| {
            let now = shared.clock.now();
            let index = &shared.indices.idempotency;
            let find = |key| index.find(connection, now, key).transpose();
            fingerprints.iter().find_map(find).transpose()
        };
        Ok(self.way.snapshot(find).await?)
    }

    async fn registry(&self, application: &ApplicationRef) -> Stored<Option<RegistryRow>> {
        let application = application.clone();
        let read = move |connection: &_| applications::registry(connection, &application);
        Ok(self.way.snapshot(read).await?)
    }

    async fn applications(
        &self,
        query: &ApplicationQuery,
    ) -> Stored<Walk<ApplicationRow, ApplicationKey>> {
        let query = query.clone();
        let read = move |connection: &_| applications::list(connection, &query);
        Ok(self.readers.snapshot(read).await?)
    }

    async fn event_types_named(&self, names: &[Name]) -> Stored<Vec<EventType>> {
        let names = names.to_vec();
        let read = move |connection: &_| event_types::named(connection, &names);
        Ok(self.readers.snapshot(read).await?)
    }

    async fn event_types(&self, query: &EventTypeQuery) -> Stored<Walk<EventType, Name>> {
        let query = query.clone();
        let read = move |connection: &_| event_types::list(connection, &query);
        Ok(self.readers.snapshot(read).await?)
    }

    async fn retry_schedules(&self) -> Stored<Vec<(Name, RetrySchedule)>> {
        Ok(self.way.snapshot(retry_schedules::all).await?)
    }

    async fn redactions(&self) -> Stored<Vec<(Name, TypeRedaction)>> {
        Ok(self.way.snapshot(event_types::redactions).await?)
    }

    async fn messages(&self, query: &MessageQuery) -> Stored<Walk<MessageRow, MessageKey>> {
        let query = query.clone();
        let read = move |connection: &_| messages::list(connection, &query);
        Ok(self.readers.snapshot(read).await?)
    }

    async fn all_messages(&self, query: &AllMessagesQuery) -> Stored<Walk<MessageRow, MessageKey>> {
        let query = query.clone();
        let read = move |connection: &_| messages::list_all(connection, &query);
        Ok(self.readers.snapshot(read).await?)
    }

    async fn forward_border(&self) -> Stored<MessageKey> {
        Ok(self.readers.with(messages::border).await?)
    }

    async fn message(
        &self,
        application: ApplicationKey,
        message: &MessageRef,
    ) -> Stored<Option<MessageRow>> {
        let message = message.clone();
        let read = move |connection: &_| messages::named(connection, application, &message);
        Ok(self.readers.snapshot(read).await?)
    }

    async fn attempts(&self, query: &AttemptQuery) -> Stored<Walk<AttemptRow, AttemptKey>> {
        let query = query.clone();
        let read = move |connection: &_| attempts::list(connection, &query);
        Ok(self.readers.snapshot(read).await?)
    }

    async fn attempt(
        &self,
        application: ApplicationKey,
        message: MessageKey,
        id: AttemptId,
    ) -> Stored<Option<AttemptRow>> {
        let read = move |connection: &_| attempts::one(connection, (application, message), id);
        Ok(self.readers.snapshot(read).await?)
    }

    async fn deliveries(
        &self,
        query: &DeliveryQuery,
    ) -> Stored<Walk<DeliveryRow, DeliveryPosition>> {
        let query = query.clone();
        let read = move |connection: &_| delivery_list::list(connection, &query);
        Ok(self.readers.snapshot(read).await?)
    }

    async fn endpoint(&self, id: EndpointId) -> Stored<Option<EndpointRow>> {
        let read = move |connection: &_| endpoints::by_key(connection, id.key());
        let found = self.readers.with(read).await?;
        Ok(found.filter(|row| row.endpoint.id == id))
    }

    async fn failing_endpoints(&self, disabled: bool, limit: usize) -> Stored<Vec<EndpointRow>> {
        let read = move |connection: &_| endpoints::failing(connection, disabled, limit);
        Ok(self.readers.with(read).await?)
    }

    async fn chain(&self, endpoint: EndpointKey) -> Stored<Option<Vec<u8>>> {
        let read = move |connection: &_| endpoints::chain(connection, endpoint);
        Ok(self.readers.with(read).await?)
    }

    async fn endpoint_messages(
        &self,
        query: &EndpointMessageQuery,
    ) -> Stored<Walk<EndpointMessageRow, MessageKey>> {
        let query = query.clone();
        let read = move |connection: &_| endpoint_messages::of_endpoint(connection, &query);
        Ok(self.readers.snapshot(read).await?)
    }

    async fn message_endpoints(
        &self,
        message: (ApplicationKey, MessageKey),
        after: EndpointKey,
        limit: usize,
    ) -> Stored<Walk<MessageEndpointRow, EndpointKey>> {
        let read = move |connection: &_| {
            endpoint_messages::of_message(connection, message.1, after, limit)
        };
        Ok(self.readers.snapshot(read).await?)
    }

    async fn statistics(&self, query: StatisticsQuery) -> Stored<Statistics> {
        let now = self.shared.clock.now();
        let read = move |connection: &_| statistics::count(connection, query, now);
        Ok(self.readers.snapshot(read).await?)
    }

    async fn tally_by_time(&self, query: &TallyQuery, width: u32) -> Stored<Vec<Tally>> {
        let query = query.clone();
        let read = move |connection: &_| tally::by_time(connection, &query, width);
        Ok(self.readers.with(read).await?)
    }

    async fn tally_by_type(&self, query: &TallyQuery) -> Stored<Vec<(Name, Tally)>> {
        let query = query.clone();
        let read = move |connection: &_| tally::by_type(connection, &query);
        Ok(self.readers.snapshot(read).await?)
    }

    async fn census(&self) -> Stored<Census> {
        Ok(self.readers.snapshot(tally::census).await?)
    }

    async fn backlog(&self) -> Stored<Backlog> {
        Ok(self.readers.snapshot(statistics::backlog).await?)
    }

    async fn work(&self) -> Stored<Slice> {
        self.ask_simply((), Urgency::Now, |batch, ()| {
            let slice = work::slice(batch)?;
            batch.fresh.moved.worked(&slice);
            Ok(Ok(slice))
        })
        .await
    }

    async fn take_work(&self) -> Stored<Option<TakenWork>> {
        let owned = self.shared.owned.clone();
        let take = move |connection: &_| work::take(connection, &owned);
        Ok(self.readers.snapshot(take).await?)
    }

    async fn advance_work(&self, taken: &TakenWork, step: WorkStep) -> Stored<Advanced> {
        let question = Question {
            bytes: step.bytes(),
            input: (taken.hold.work(), taken.cursor, step),
            run: |batch, step| {
                let advanced = work::advance_taken(batch, step)?;
                batch.fresh.moved.advanced(&step.2, &advanced);
                Ok(Ok(advanced))
            },
            refuse: |_, failure| Err(failure.to_store_error()),
            urgency: Urgency::Now,
        };
        self.ask(question).await?
    }

    async fn security_events(
        &self,
        query: &SecurityQuery,
    ) -> Stored<Walk<SecurityRow, SecurityEventKey>> {
        let query = query.clone();
        let read = move |connection: &_| security_events::list(connection, &query);
        Ok(self.readers.snapshot(read).await?)
    }

    async fn audit(&self, query: &AuditQuery) -> Stored<Walk<AuditRow, AuditKey>> {
        let query = query.clone();
        let read = move |connection: &_| audit::list(connection, &query);
        Ok(self.readers.snapshot(read).await?)
    }

    async fn audit_left(&self) -> Stored<u64> {
        Ok(self.readers.with(audit::left).await?)
    }

    async fn audit_ends(&self) -> Stored<AuditEnds> {
        Ok(self.readers.snapshot(audit::ends).await?)
    }

    async fn audit_unsealed(&self, limit: usize) -> Stored<Vec<KeptEntry>> {
        let read = move |connection: &_| audit::unsealed(connection, limit);
        Ok(self.readers.with(read).await?)
    }

    async fn audit_sealed(&self, after: u64, limit: usize) -> Stored<Vec<KeptEntry>> {
        let read = move |connection: &_| audit::sealed(connection, after, limit);
        Ok(self.readers.with(read).await?)
    }

    async fn audit_checkpoints(&self, after: u64, limit: usize) -> Stored<Vec<Checkpoint>> {
        let read = move |connection: &_| audit::checkpoints(connection, after, limit);
        Ok(self.readers.with(read).await?)
    }

    async fn work_rows(&self, query: &WorkQuery) -> Stored<Walk<WorkRow, TaskKey>> {
        let query = *query;
        let read = move |connection: &_| work::list(connection, &query);
        Ok(self.readers.snapshot(read).await?)
    }

    async fn work_row(&self, id: TaskId) -> Stored<Option<WorkRow>> {
        let read = move |connection: &_| work::row(connection, id);
        Ok(self.readers.snapshot(read).await?)
    }

    async fn sweep(&self, limits: SweepLimits) -> Stored<Swept> {
        let swept = self.ask_simply(limits, Urgency::MakesRoom, |batch, limits| {
            let swept = sweep::sweep(batch, *limits)?;
            batch.fresh.moved.swept(&swept);
            Ok(Ok(swept))
        });
        let swept = swept.await?;
        self.shared.indices.drop_expired(self.shared.clock.now());
        Ok(swept)
    }

    async fn setting(&self, name: &str) -> Stored<Option<Vec<u8>>> {
        let name = name.to_owned();
        let read = move |connection: &_| crate::settings::get(connection, &name);
        Ok(self.readers.snapshot(read).await?)
    }

    async fn set_setting(&self, name: &str, value: &[u8]) -> Stored<Vec<u8>> {
        let setting = (name.to_owned(), value.to_vec());
        self.ask_simply(setting, Urgency::Now, |batch, (name, value)| {
            Ok(Ok(crate::settings::put_if_absent(
                batch.connection,
                name,
                value,
            )?))
        })
        .await
    }

    async fn nodes(&self) -> Stored<Vec<Node>> {
        Ok(vec![self.shared.node()])
    }

    async fn backup(&self, directory: &Path) -> Stored<()> {
        let directory = directory.to_owned();
        let copy = move |connection: &_| backup::copy(connection, &directory);
        Ok(self.readers.apart(copy).await?)
    }
}

#[cfg(test)]
mod tests;
