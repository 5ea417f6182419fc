//! What a claim is made in: an open store with a clock and a source of randomness, and the verbs
//! that bring it where the claim begins. A verb expects to succeed; what a claim is about, it asks
//! of [`World::store`] itself.

use super::drafts::{self, Ending, Sent};
use super::{Harness, TestClock, TestEntropy};
use crate::accept::{Accept, AcceptError, Accepted, NewDelivery};
use crate::change::{Change, ChangeError, ChangeRequest, Changed};
use crate::record::{Outcome, Recorded};
use crate::rows::{ApplicationRef, ApplicationRow, Claimed, EndpointRow, RegistryRow};
use crate::work::{Slice, SweepLimits, Swept};
use crate::{Lane, Store};
use model::application::Application;
use model::delivery::Trigger;
use model::endpoint::Endpoint;
use model::entropy::random;
use model::id::{ApplicationKey, MessageKey, Tail};
use model::{Clock, Timestamp};
use std::sync::Arc;

/// An open store, and what it lives in.
pub(super) struct World {
    pub(super) harness: Box<dyn Harness>,
    pub(super) clock: Arc<TestClock>,
    pub(super) entropy: Arc<TestEntropy>,
    /// Missing only while it is being opened anew.
    store: Option<Arc<dyn Store>>,
}

// Opening.
impl World {
    pub(super) async fn open(harness: Box<dyn Harness>) -> Self {
        let clock = Arc::new(TestClock::default());
        let entropy = Arc::new(TestEntropy::new(1));
        let store = harness.open(clock.clone(), entropy.clone()).await;
        Self {
            harness,
            clock,
            entropy,
            store: Some(store),
        }
    }

    pub(super) async fn reopen(&mut self) {
        self.close().await;
        let (clock, entropy) = (self.clock.clone(), self.entropy.clone());
        self.store = Some(self.harness.open(clock, entropy).await);
    }

    pub(super) async fn close(&mut self) {
        if let Some(store) = self.store.take() {
            self.harness.close(store).await;
        }
    }

    pub(super) fn store(&self) -> Arc<dyn Store> {
        self.store.clone().expect("it is open between claims")
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(super) fn tail(&self) -> Tail {
        random(&*self.entropy)
    }
}

// What is configured.
impl World {
    pub(super) async fn change(&self, change: Change) -> Changed {
        self.try_change(change)
            .await
            .expect("the change is in order")
    }

    pub(super) async fn try_change(&self, change: Change) -> Result<Changed, ChangeError> {
        let idempotency = None;
        let request = ChangeRequest {
            change,
            idempotency,
            audit: None,
        };
        self.store().change(request).await
    }

    pub(super) async fn application(&self) -> ApplicationRow {
        self.application_with(|_| {}).await
    }

    pub(super) async fn application_with(&self, set: impl Fn(&mut Application)) -> ApplicationRow {
        let mut application = drafts::application(self.tail());
        set(&mut application);
        let change = drafts::create_application(application);
        match self.change(change).await {
            Changed::Application(row) => row,
            other => panic!("made an application, was told of {other:?}"),
        }
    }

    pub(super) async fn endpoint(&self, application: ApplicationKey) -> EndpointRow {
        self.endpoint_with(application, |_| {}).await
    }

    pub(super) async fn endpoint_with(
        &self,
        application: ApplicationKey,
        set: impl Fn(&mut Endpoint),
    ) -> EndpointRow {
        let mut endpoint = drafts::endpoint(application, self.tail());
        set(&mut endpoint);
        let change = drafts::create_endpoint(endpoint);
        drafts::endpoint_in(self.change(change).await)
    }

    /// Reads an endpoint, sets something in it, and writes it back.
    pub(super) async fn replace_endpoint(
        &self,
        lane: Lane,
        set: impl Fn(&mut Endpoint),
    ) -> EndpointRow {
        let mut row = self.endpoint_row(lane).await.expect("it is live");
        set(&mut row.endpoint);
        drafts::endpoint_in(self.change(drafts::replace_endpoint(row)).await)
    }

    /// An endpoint in an application of its own.
    pub(super) async fn lane(&self) -> Lane {
        let application = self.application().await;
        self.lane_in(application.application.id.key()).await
    }

    /// One more endpoint of an application.
    pub(super) async fn lane_in(&self, application: ApplicationKey) -> Lane {
        let endpoint = self.endpoint(application).await.endpoint.id.key();
        Lane {
            application,
            endpoint,
        }
    }

    pub(super) async fn registry(&self, application: ApplicationKey) -> Option<RegistryRow> {
        let reference = ApplicationRef::Key(application);
        let found = self.store().registry(&reference).await;
        found.expect("reads go on")
    }

    pub(super) async fn endpoint_row(&self, lane: Lane) -> Option<EndpointRow> {
        let registry = self.registry(lane.application).await?;
        registry.endpoint(lane.endpoint).cloned()
    }
}

// The way of a message.
impl World {
    /// A message to all endpoints of an application that want it now, unowned and due at once.
    pub(super) async fn draft(&self, application: ApplicationKey) -> Accept {
        let registry = self.registry(application).await.expect("it is live");
        let mut draft = drafts::accept(application, self.tail(), self.now());
        draft.registry_revision = registry.application.revision;
        self.address(&mut draft, &registry);
        draft
    }

    /// Fans a draft out again, after its type or channels were set.
    pub(super) fn address(&self, draft: &mut Accept, registry: &RegistryRow) {
        let due = draft.message.deliver_at.unwrap_or(self.now());
        let (event_type, channels) = (&draft.message.event_type, &draft.message.channels);
        let endpoints = registry.endpoints.iter().map(|row| &row.endpoint);
        draft.deliveries = endpoints
            .filter(|endpoint| endpoint.wants(event_type, channels))
            .map(|endpoint| NewDelivery {
                endpoint: endpoint.id.key(),
                due,
                owned: false,
            })
            .collect();
    }

    pub(super) async fn accept(&self, draft: Accept) -> Result<Accepted, AcceptError> {
        let mut answers = self.store().accept(vec![draft]).await;
        assert_eq!(answers.len(), 1, "one answer for one item");
        answers.remove(0)
    }

    pub(super) async fn send(&self, draft: Accept) -> Sent {
        let answer = self.accept(draft.clone()).await;
        Sent::new(draft, answer.expect("the message is in order"))
    }

    /// A message that was accepted for all endpoints of an application, unowned and due at once.
    pub(super) async fn message(&self, application: ApplicationKey) -> Sent {
        let draft = self.draft(application).await;
        self.send(draft).await
    }

    /// Many of those in few commits, by ascending key.
    pub(super) async fn messages(&self, application: ApplicationKey, count: usize) -> Vec<Sent> {
        self.messages_with(application, count, |_, _| {}).await
    }

    /// Many messages in few commits; `set` changes each before it is sent.
    pub(super) async fn messages_with(
        &self,
        application: ApplicationKey,
        count: usize,
        set: impl Fn(usize, &mut Accept),
    ) -> Vec<Sent> {
        const BATCH: usize = 250;
        let template = self.draft(application).await;
        let drafts: Vec<Accept> = (0..count)
            .map(|index| {
                let mut draft = template.clone();
                draft.message.tail = self.tail();
                set(index, &mut draft);
                draft
            })
            .collect();
        let mut sent = Vec::new();
        for batch in drafts.chunks(BATCH) {
            let answers = self.store().accept(batch.to_vec()).await;
            let pairs = batch.iter().cloned().zip(answers);
            sent.extend(
                pairs.map(|(draft, answer)| {
                    Sent::new(draft, answer.expect("the message is in order"))
                }),
            );
        }
        sent
    }

    /// A message to one endpoint that is handed over from memory, as if just accepted.
    pub(super) async fn handed_over(&self, lane: Lane) -> Claimed {
        let mut draft = self.draft(lane.application).await;
        draft
            .deliveries
            .retain(|delivery| delivery.endpoint == lane.endpoint);
        draft.deliveries[0].owned = true;
        self.send(draft).await.handed_over().remove(0)
    }

    /// Sends a message to one endpoint again, unowned.
    pub(super) async fn resend(&self, lane: Lane, message: MessageKey, trigger: Trigger) {
        let change = drafts::open_delivery(lane, message, trigger);
        let changed = self.change(change).await;
        assert!(matches!(changed, Changed::Delivery(_, None)), "{changed:?}");
    }

    pub(super) async fn claim(&self, lane: Lane, limit: usize) -> Vec<Claimed> {
        let claimed = self.store().claim(lane, self.now(), limit).await;
        claimed.expect("reads go on")
    }

    /// Claims the one delivery that is due.
    pub(super) async fn claim_one(&self, lane: Lane) -> Claimed {
        let mut claimed = self.claim(lane, 10).await;
        assert_eq!(claimed.len(), 1, "one is due: {claimed:?}");
        claimed.remove(0)
    }

    pub(super) fn outcome(&self, claimed: Claimed, ending: Ending) -> Outcome {
        drafts::outcome(claimed, ending, self.tail(), self.now())
    }

    pub(super) async fn record(&self, outcome: Outcome) -> Recorded {
        self.store().record(outcome).await.expect("it can write")
    }

    /// Records how an attempt of a delivery ended.
    pub(super) async fn end(&self, claimed: Claimed, ending: Ending) -> Recorded {
        self.record(self.outcome(claimed, ending)).await
    }

    /// Records the same ending for many, all at once.
    pub(super) async fn end_all(&self, claimed: Vec<Claimed>, ending: Ending) {
        let mut recording = tokio::task::JoinSet::new();
        for one in claimed {
            let (store, outcome) = (self.store(), self.outcome(one, ending));
            recording.spawn(async move { store.record(outcome).await.expect("it can write") });
        }
        recording.join_all().await;
    }
}

// Housekeeping.
impl World {
    pub(super) async fn work(&self) -> Slice {
        self.store().work().await.expect("it can write")
    }

    /// Works until there is nothing to do.
    pub(super) async fn finish_work(&self) -> Vec<Slice> {
        const ENOUGH: usize = 10_000;
        let mut slices: Vec<Slice> = Vec::new();
        while slices.len() < ENOUGH {
            let slice = self.work().await;
            if let Some(last) = slices.last() {
                assert_eq!(
                    last.more,
                    slice.task.is_some(),
                    "a slice knows what is left"
                );
            }
            if slice.task.is_none() {
                return slices;
            }
            slices.push(slice);
        }
        panic!("work does not come to an end");
    }

    /// Sweeps until there is nothing to sweep, and adds up what went.
    pub(super) async fn sweep(&self, limits: SweepLimits) -> Swept {
        const ENOUGH: usize = 10_000;
        let mut sum = Swept::default();
        for _ in 0..ENOUGH {
            let swept = self.store().sweep(limits).await.expect("it can write");
            sum.payloads += swept.payloads;
            sum.ended += swept.ended;
            sum.attempts += swept.attempts;
            sum.messages += swept.messages;
            sum.keys += swept.keys;
            if !swept.more {
                return sum;
            }
        }
        panic!("sweeping does not come to an end");
    }
}
