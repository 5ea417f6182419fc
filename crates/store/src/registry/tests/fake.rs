//! A store that knows applications by key and uid, retry schedules, and nothing else. A read can be
//! held between taking its rows and answering, and be made to fail.

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
use crate::work::{Advanced, Slice, SweepLimits, Swept, TakenWork, WorkQuery, WorkRow, WorkStep};
use crate::{Condition, Lane, MessageRef, Store, StoreError};
use async_trait::async_trait;
use model::Timestamp;
use model::application::{Application, Metadata};
use model::event_type::EventType;
use model::id::{
    ApplicationId, ApplicationKey, AttemptId, AttemptKey, AuditKey, EndpointId, EndpointKey, Id,
    Key, MessageKey, SecurityEventKey, TaskId, TaskKey,
};
use model::name::Name;
use model::node::Node;
use model::redaction::TypeRedaction;
use model::retry::RetrySchedule;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::{Notify, watch};

type Stored<T> = Result<T, StoreError>;

#[derive(Default)]
pub(super) struct FakeStore(Mutex<State>);

#[derive(Default)]
struct State {
    rows: BTreeMap<ApplicationKey, RegistryRow>,
    schedules: BTreeMap<Name, RetrySchedule>,
    reads: usize,
    held: Option<Arc<HeldRead>>,
    failing: bool,
}

/// A read that has its row, and waits to answer.
#[derive(Default)]
pub(super) struct HeldRead {
    begun: Notify,
    go_on: Notify,
}

impl HeldRead {
    pub(super) async fn begun(&self) {
        self.begun.notified().await;
    }

    pub(super) fn let_go(&self) {
        self.go_on.notify_one();
    }
}

impl FakeStore {
    /// Writes an application.
    pub(super) fn put(&self, number: i64, called: &str, uid: Option<&str>) -> ApplicationId {
        let id = Id::new(Key::from_integer(number), [1; 12]);
        let application = Application {
            id,
            uid: uid.map(|uid| uid.parse().expect("tests use valid words")),
            name: called.to_owned(),
            rate_limit: None,
            metadata: Metadata::new(),
            created_at: Timestamp::default(),
            updated_at: Timestamp::default(),
        };
        let application = ApplicationRow {
            application,
            data_keys: Vec::new(),
            revision: 1,
        };
        let row = RegistryRow {
            application,
            endpoints: Vec::new(),
        };
        self.state().rows.insert(id.key(), row);
        id
    }

    /// Writes an event type's own schedule, of one wait.
    pub(super) fn put_schedule(&self, event_type: &Name, seconds: u64) {
        let wait = Duration::from_secs(seconds);
        let schedule = RetrySchedule::new(vec![wait]).expect("one wait is a schedule");
        self.state().schedules.insert(event_type.clone(), schedule);
    }

    pub(super) fn hold_next_read(&self) -> Arc<HeldRead> {
        let held = Arc::new(HeldRead::default());
        self.state().held = Some(held.clone());
        held
    }

    pub(super) fn fail_next_read(&self) {
        self.state().failing = true;
    }

    pub(super) fn take_reads(&self) -> usize {
        std::mem::take(&mut self.state().reads)
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().expect("nothing panics while it holds this")
    }
}

impl State {
    fn read(&mut self, reference: &ApplicationRef) -> Stored<Option<RegistryRow>> {
        self.reads += 1;
        if std::mem::take(&mut self.failing) {
            return Err(StoreError::Closed);
        }
        let is_meant = |row: &&RegistryRow| {
            let application = &row.application.application;
            match reference {
                ApplicationRef::Id(id) => application.id == *id,
                ApplicationRef::Key(key) => application.id.key() == *key,
                ApplicationRef::Uid(uid) => application.uid.as_ref() == Some(uid),
            }
        };
        Ok(self.rows.values().find(is_meant).cloned())
    }

    fn read_schedules(&mut self) -> Stored<Vec<(Name, RetrySchedule)>> {
        self.reads += 1;
        if std::mem::take(&mut self.failing) {
            return Err(StoreError::Closed);
        }
        Ok(self.schedules.clone().into_iter().collect())
    }
}

const UNASKED: &str = "a registry asks for applications and schedules only";

#[async_trait]
impl Store for FakeStore {
    async fn registry(&self, application: &ApplicationRef) -> Stored<Option<RegistryRow>> {
        let (row, held) = {
            let mut state = self.state();
            (state.read(application), state.held.take())
        };
        if let Some(held) = held {
            held.begun.notify_one();
            held.go_on.notified().await;
        }
        row
    }

    async fn accept(&self, _: Vec<Accept>) -> Vec<Result<Accepted, AcceptError>> {
        unreachable!("{UNASKED}")
    }
    async fn record(&self, _: Outcome) -> Stored<Recorded> {
        unreachable!("{UNASKED}")
    }
    async fn claim(&self, _: Lane, _: Timestamp, _: usize) -> Stored<Vec<Claimed>> {
        unreachable!("{UNASKED}")
    }
    async fn first_due(&self, _: EndpointKey) -> Stored<Option<Timestamp>> {
        unreachable!("{UNASKED}")
    }
    async fn is_open(&self, _: &model::delivery::Delivery) -> Stored<bool> {
        unreachable!("{UNASKED}")
    }
    async fn lanes(&self, _: EndpointKey, _: usize) -> Stored<Vec<LaneDue>> {
        unreachable!("{UNASKED}")
    }
    async fn own(&self, _: &[Scope]) -> Stored<Vec<Option<Sole>>> {
        unreachable!("{UNASKED}")
    }
    async fn release(&self, _: Lane) -> Stored<()> {
        unreachable!("{UNASKED}")
    }
    fn condition(&self) -> watch::Receiver<Condition> {
        unreachable!("{UNASKED}")
    }
    fn vitals(&self) -> crate::vitals::Vitals {
        unreachable!("{UNASKED}")
    }
    fn pulse(&self) -> &crate::Pulse {
        unreachable!("{UNASKED}")
    }
    async fn moved_elsewhere(&self) -> Stored<i64> {
        unreachable!("{UNASKED}")
    }
    async fn backlog(&self) -> Stored<crate::vitals::Backlog> {
        unreachable!("{UNASKED}")
    }
    async fn change(&self, _: ChangeRequest) -> Result<Changed, ChangeError> {
        unreachable!("{UNASKED}")
    }
    async fn access(&self, _: u64) -> Stored<Option<AccessRows>> {
        unreachable!("{UNASKED}")
    }
    async fn prior(&self, _: &[Fingerprint]) -> Stored<Option<Prior>> {
        unreachable!("{UNASKED}")
    }
    async fn applications(
        &self,
        _: &ApplicationQuery,
    ) -> Stored<Walk<ApplicationRow, ApplicationKey>> {
        unreachable!("{UNASKED}")
    }
    async fn event_types_named(&self, _: &[Name]) -> Stored<Vec<EventType>> {
        unreachable!("{UNASKED}")
    }
    async fn event_types(&self, _: &EventTypeQuery) -> Stored<Walk<EventType, Name>> {
        unreachable!("{UNASKED}")
    }
    async fn retry_schedules(&self) -> Stored<Vec<(Name, RetrySchedule)>> {
        let (rows, held) = {
            let mut state = self.state();
            (state.read_schedules(), state.held.take())
        };
        if let Some(held) = held {
            held.begun.notify_one();
            held.go_on.notified().await;
        }
        rows
    }
    async fn redactions(&self) -> Stored<Vec<(Name, TypeRedaction)>> {
        unreachable!("{UNASKED}")
    }
    async fn messages(&self, _: &MessageQuery) -> Stored<Walk<MessageRow, MessageKey>> {
        unreachable!("{UNASKED}")
    }
    async fn all_messages(&self, _: &AllMessagesQuery) -> Stored<Walk<MessageRow, MessageKey>> {
        unreachable!("{UNASKED}")
    }
    async fn forward_border(&self) -> Stored<MessageKey> {
        unreachable!("{UNASKED}")
    }
    async fn message(&self, _: ApplicationKey, _: &MessageRef) -> Stored<Option<MessageRow>> {
        unreachable!("{UNASKED}")
    }
    async fn attempts(&self, _: &AttemptQuery) -> Stored<Walk<AttemptRow, AttemptKey>> {
        unreachable!("{UNASKED}")
    }
    async fn attempt(
        &self,
        _: ApplicationKey,
        _: MessageKey,
        _: AttemptId,
    ) -> Stored<Option<AttemptRow>> {
        unreachable!("{UNASKED}")
    }
    async fn deliveries(&self, _: &DeliveryQuery) -> Stored<Walk<DeliveryRow, DeliveryPosition>> {
        unreachable!("{UNASKED}")
    }
    async fn endpoint(&self, _: EndpointId) -> Stored<Option<EndpointRow>> {
        unreachable!("{UNASKED}")
    }
    async fn chain(&self, _: EndpointKey) -> Stored<Option<Vec<u8>>> {
        unreachable!("{UNASKED}")
    }
    async fn endpoint_messages(
        &self,
        _: &EndpointMessageQuery,
    ) -> Stored<Walk<EndpointMessageRow, MessageKey>> {
        unreachable!("{UNASKED}")
    }
    async fn message_endpoints(
        &self,
        _: (ApplicationKey, MessageKey),
        _: EndpointKey,
        _: usize,
    ) -> Stored<Walk<MessageEndpointRow, EndpointKey>> {
        unreachable!("{UNASKED}")
    }
    async fn statistics(&self, _: StatisticsQuery) -> Stored<Statistics> {
        unreachable!("{UNASKED}")
    }
    async fn tally_by_time(&self, _: &TallyQuery, _: u32) -> Stored<Vec<Tally>> {
        unreachable!("{UNASKED}")
    }
    async fn tally_by_type(&self, _: &TallyQuery) -> Stored<Vec<(Name, Tally)>> {
        unreachable!("{UNASKED}")
    }
    async fn failing_endpoints(&self, _: bool, _: usize) -> Stored<Vec<EndpointRow>> {
        unreachable!("{UNASKED}")
    }
    async fn census(&self) -> Stored<Census> {
        unreachable!("{UNASKED}")
    }
    async fn work(&self) -> Stored<Slice> {
        unreachable!("{UNASKED}")
    }
    async fn take_work(&self) -> Stored<Option<TakenWork>> {
        unreachable!("{UNASKED}")
    }
    async fn advance_work(&self, _: &TakenWork, _: WorkStep) -> Stored<Advanced> {
        unreachable!("{UNASKED}")
    }
    async fn work_row(&self, _: TaskId) -> Stored<Option<WorkRow>> {
        unreachable!("{UNASKED}")
    }
    async fn security_events(
        &self,
        _: &SecurityQuery,
    ) -> Stored<Walk<SecurityRow, SecurityEventKey>> {
        unreachable!("{UNASKED}")
    }
    async fn audit(&self, _: &AuditQuery) -> Stored<Walk<AuditRow, AuditKey>> {
        unreachable!("{UNASKED}")
    }
    async fn audit_left(&self) -> Stored<u64> {
        unreachable!("{UNASKED}")
    }
    async fn audit_ends(&self) -> Stored<AuditEnds> {
        unreachable!("{UNASKED}")
    }
    async fn audit_unsealed(&self, _: usize) -> Stored<Vec<KeptEntry>> {
        unreachable!("{UNASKED}")
    }
    async fn audit_sealed(&self, _: u64, _: usize) -> Stored<Vec<KeptEntry>> {
        unreachable!("{UNASKED}")
    }
    async fn audit_checkpoints(&self, _: u64, _: usize) -> Stored<Vec<Checkpoint>> {
        unreachable!("{UNASKED}")
    }
    async fn work_rows(&self, _: &WorkQuery) -> Stored<Walk<WorkRow, TaskKey>> {
        unreachable!("{UNASKED}")
    }
    async fn sweep(&self, _: SweepLimits) -> Stored<Swept> {
        unreachable!("{UNASKED}")
    }
    async fn setting(&self, _: &str) -> Stored<Option<Vec<u8>>> {
        unreachable!("{UNASKED}")
    }
    async fn set_setting(&self, _: &str, _: &[u8]) -> Stored<Vec<u8>> {
        unreachable!("{UNASKED}")
    }
    async fn nodes(&self) -> Stored<Vec<Node>> {
        unreachable!("{UNASKED}")
    }
    async fn backup(&self, _: &Path) -> Stored<()> {
        unreachable!("{UNASKED}")
    }
}
