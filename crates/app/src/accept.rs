//! Accepting messages: the one way in, for a single message, for a batch, and for what the
//! receiving gateway verified.
//!
//! Everything happens in memory but for one commit: endpoints come from the registry, places in
//! lanes are granted before the commit, and what was granted is handed over after it, with its
//! payload, so that the first attempt reads nothing back.
//!
//! Not needed for correctness: all that comes after the commit. What is not handed over is found
//! in the store.

use crate::change::carried_through;
use crate::endpoints::{endpoint_is_unproved, is_demanded, may_get};
use crate::find::Tenant;
use crate::idempotency::{id_of, key_reused};
use crate::messages::Durable;
use crate::resend::endpoint_is_disabled;
use crate::{App, AppError, content};
use bytes::Bytes;
use model::Timestamp;
use model::delivery::{Delivery, Trigger};
use model::entropy::random;
use model::hops::Hops;
use model::id::{ApplicationKey, DeliveryKey, EndpointKey, MessageId, Tail};
use model::message::{Message, PayloadForm};
use model::name::Name;
use model::policy::Policy;
use model::scan::Finding;
use model::trace::{Step, Taken, TraceParent};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use store::accept::{Accept, AcceptError, Accepted, NewDelivery, NewMessage, ReplayEntry};
use store::idempotency::IdempotencyKey;
use store::rows::{ApplicationRef, Claimed, EndpointRow, MessageRow, Payload, RegistryRow};
use store::{Fresh, Hold, Lane, Place, Sealed, StoreError};

/// How often an accept is repeated because the application changed under it.
const ROUNDS_MAX: usize = 16;

/// A message that keeps all rules, on its way to be accepted.
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    /// What happened.
    pub(crate) event_type: Name,
    /// Unique in the application.
    pub(crate) event_id: Option<Name>,
    /// Where it is heard.
    pub(crate) channels: BTreeSet<Name>,
    /// Marks to find it by.
    pub(crate) tags: BTreeSet<Name>,
    /// First due then, if in the future.
    pub(crate) deliver_at: Option<Timestamp>,
    /// How many deliveries it has been through.
    pub(crate) hops: Hops,
    /// Where it is in a trace: where its sender has it, until it is on its way into a commit.
    pub(crate) trace: Option<TraceParent>,
    /// How long its payload is kept from when it is first due.
    pub(crate) retention: Duration,
    /// What the payload is.
    pub(crate) form: PayloadForm,
    /// The bytes that go out, in memory of their own: a slice of a request's buffer would keep all
    /// of that alive while the delivery waits.
    pub(crate) payload: Bytes,
    /// For this endpoint alone, whatever that wants to hear; `None`: for all that want it.
    pub(crate) only: Option<EndpointKey>,
    /// The key that the request came with.
    pub(crate) idempotency: Option<IdempotencyKey>,
    /// By what a replay of it is told, where it came in at a source.
    pub(crate) replay: Option<ReplayEntry>,
    /// What was found in its payload that is to be reported once it is accepted.
    pub(crate) findings: Vec<Finding>,
}

/// A message that is on disk, and its payload.
#[derive(Debug, Clone)]
pub(crate) struct Receipt {
    pub(crate) message: Message,
    pub(crate) payload: Bytes,
    /// What was remembered the first time, where it came in at its source before.
    pub(crate) seen: Option<ReplayEntry>,
}

/// What came of each draft, in the order of the drafts.
pub(crate) type Receipts = Vec<Result<Receipt, AppError>>;

/// Makes messages durable, all that are accepted in one commit, and hands their deliveries to the
/// sender. One refused draft does not fail the others.
///
/// A draft whose idempotency key was used before gets the receipt of the first time. Once begun it
/// goes on to its end, also when the caller no longer waits.
pub(crate) async fn accept(
    app: &App,
    tenant: &Tenant,
    drafts: Vec<Draft>,
) -> Result<Durable<Receipts>, AppError> {
    if drafts.is_empty() {
        return Ok(Durable {
            made: Vec::new(),
            commit: Duration::ZERO,
        });
    }
    let policy = app.registry.policy().await?;
    let batch = Batch::new(app.clone(), (tenant.row().clone(), policy), drafts)?;
    carried_through(batch.run()).await
}

/// A message on its way into a commit that carries more than messages.
pub(crate) struct Prepared {
    batch: Batch,
    plan: Plan,
}

impl Prepared {
    /// Plans its deliveries, as many as there is room for.
    pub(crate) fn new(
        app: &App,
        at: (Arc<RegistryRow>, Arc<Policy>),
        (draft, room): (Draft, usize),
    ) -> Result<Self, AppError> {
        let batch = Batch::new(app.clone(), at, vec![draft])?;
        let plan = batch.plan(&batch.items[0].draft, room);
        Ok(Self { batch, plan })
    }

    /// How many deliveries it brings.
    pub(crate) fn deliveries(&self) -> usize {
        self.plan.deliveries.len()
    }

    /// What the commit is to carry.
    pub(crate) fn accept(&self) -> Accept {
        self.batch.request(&self.batch.items[0], &self.plan)
    }

    /// It is on disk: its deliveries go to the sender.
    pub(crate) fn receive(self, accepted: Accepted) {
        let Self { batch, plan } = self;
        batch.receive(&batch.items[0], plan, accepted);
    }
}

/// Drafts on their way into one commit.
struct Batch {
    app: App,
    application: ApplicationKey,
    now: Timestamp,
    row: Arc<RegistryRow>,
    /// What is demanded of endpoints.
    policy: Arc<Policy>,
    items: Vec<Item>,
    /// How long the store has taken so far.
    commit: Duration,
}

/// A draft with what is settled before its first round and stays the same in all of them.
struct Item {
    draft: Draft,
    /// Where its sender has it in a trace.
    sent_in: Option<TraceParent>,
    tail: Tail,
    sealed: Sealed,
    result: Option<Result<Receipt, AppError>>,
}

/// A delivery to open, with the place that was granted for it.
type Planned = (NewDelivery, Option<Place>);
/// A delivery that was opened, with the hold on it.
type Opened = (DeliveryKey, Option<Hold>);

/// What one round asks of the store for one item.
struct Plan {
    deliveries: Vec<Planned>,
    fan_out_after: Option<EndpointKey>,
}

impl Batch {
    fn new(
        app: App,
        (row, policy): (Arc<RegistryRow>, Arc<Policy>),
        drafts: Vec<Draft>,
    ) -> Result<Self, AppError> {
        let key = content::newest_key(&app, &row.application)?;
        let item = |mut draft: Draft| {
            let sent_in = draft.trace;
            draft.trace = app.events.enter(sent_in);
            let tail = random(&*app.entropy);
            let sealed = content::seal_payload(&app, &key, &tail, &draft.payload);
            Item {
                draft,
                sent_in,
                tail,
                sealed,
                result: None,
            }
        };
        let items = drafts.into_iter().map(item).collect();
        Ok(Self {
            now: app.clock.now(),
            application: row.application.application.id.key(),
            app,
            row,
            policy,
            items,
            commit: Duration::ZERO,
        })
    }

    async fn run(mut self) -> Result<Durable<Receipts>, AppError> {
        for _ in 0..ROUNDS_MAX {
            if !self.round().await {
                break;
            }
            self.row = self.read_again().await?;
        }
        let results = self.items.into_iter().map(|item| item.result);
        Ok(Durable {
            made: results
                .map(|result| result.unwrap_or_else(|| Err(restless())))
                .collect(),
            commit: self.commit,
        })
    }

    /// One commit with all items that have no result yet; whether some must be repeated because
    /// the application has changed.
    async fn round(&mut self) -> bool {
        self.refuse_unreachable();
        let mut room = self.app.settings.deliveries_max;
        let mut plans = Vec::with_capacity(self.items.len());
        let mut accepts = Vec::with_capacity(self.items.len());
        for (index, item) in self.items.iter().enumerate() {
            if item.result.is_none() {
                let plan = self.plan(&item.draft, room);
                room -= plan.deliveries.len();
                accepts.push(self.request(item, &plan));
                plans.push((index, plan));
            }
        }
        let began = self.app.clock.monotonic();
        let answers = self.app.store.accept(accepts).await;
        self.commit += self.app.clock.monotonic().saturating_sub(began);
        let mut stale = false;
        for ((index, plan), answer) in plans.into_iter().zip(answers) {
            match answer {
                Err(AcceptError::StaleRegistry) => stale = true,
                // Senders' ids are theirs: what is genuine and new is not refused for one.
                Err(AcceptError::EventIdTaken) if self.items[index].draft.replay.is_some() => {
                    self.items[index].draft.event_id = None;
                    stale = true;
                }
                Err(refused) => self.items[index].result = Some(Err(refusal(refused))),
                Ok(accepted) => {
                    let receipt = self.receive(&self.items[index], plan, accepted);
                    self.items[index].result = Some(Ok(receipt));
                }
            }
        }
        stale
    }

    /// What is for one endpoint alone goes nowhere else: where that is gone or disabled, or must
    /// prove itself first, it is refused.
    fn refuse_unreachable(&mut self) {
        let waiting = self.items.iter_mut().filter(|item| item.result.is_none());
        for item in waiting {
            let Some(only) = item.draft.only else {
                continue;
            };
            item.result = match self.row.endpoint(only) {
                None => Some(Err(AppError::not_found())),
                Some(row) if row.endpoint.disabled => Some(Err(endpoint_is_disabled())),
                Some(row) if !may_get(&self.policy, row, &item.draft.event_type) => {
                    Some(Err(endpoint_is_unproved()))
                }
                Some(_) => None,
            };
        }
    }

    /// Which endpoints get it in this commit, and for which of them their lane has a place.
    fn plan(&self, draft: &Draft, room: usize) -> Plan {
        let due = draft.due(self.now);
        let wants = |row: &&EndpointRow| match draft.only {
            Some(only) => row.endpoint.id.key() == only,
            None => {
                row.endpoint.wants(&draft.event_type, &draft.channels)
                    && may_get(&self.policy, row, &draft.event_type)
            }
        };
        let mut matching = self.row.endpoints.iter().filter(wants);
        let planned = |row| self.planned(row, due);
        let deliveries: Vec<_> = matching.by_ref().take(room).map(planned).collect();
        let last = deliveries
            .last()
            .map_or(EndpointKey::MIN, |(delivery, _)| delivery.endpoint);
        let fan_out_after = matching.next().map(|_| last);
        Plan {
            deliveries,
            fan_out_after,
        }
    }

    fn planned(&self, row: &EndpointRow, due: Timestamp) -> Planned {
        let is_due = due <= self.now;
        let limited = self.row.is_limited(row);
        let endpoint = row.endpoint.id.key();
        let place = is_due
            .then(|| self.app.lanes.grant(self.lane(endpoint), limited))
            .flatten();
        let owned = place.is_some();
        (
            NewDelivery {
                endpoint,
                due,
                owned,
            },
            place,
        )
    }

    fn request(&self, item: &Item, plan: &Plan) -> Accept {
        let Draft {
            event_type,
            event_id,
            channels,
            tags,
            deliver_at,
            hops,
            trace,
            form,
            ..
        } = &item.draft;
        Accept {
            application: self.application,
            registry_revision: self.row.application.revision,
            message: NewMessage {
                tail: item.tail,
                event_type: event_type.clone(),
                event_id: event_id.clone(),
                channels: channels.clone(),
                tags: tags.clone(),
                deliver_at: *deliver_at,
                hops: *hops,
                trace: *trace,
                expires_at: item.draft.expires_at(self.now),
                form: form.clone(),
                payload: item.sealed.clone(),
            },
            deliveries: plan
                .deliveries
                .iter()
                .map(|(delivery, _)| *delivery)
                .collect(),
            fan_out_after: plan.fan_out_after,
            proved_only: is_demanded(&self.policy, &item.draft.event_type),
            idempotency: item.draft.idempotency.clone(),
            replay: item.draft.replay,
        }
    }

    fn receive(&self, item: &Item, plan: Plan, accepted: Accepted) -> Receipt {
        match accepted {
            Accepted::New {
                id,
                deliveries,
                fan_out,
            } => {
                let message = item.draft.message(id, self.application, self.now);
                let subject = Some(self.row.application.application.id);
                self.app.report_findings(subject, &item.draft);
                self.tell_step(item, id);
                self.hand_over(
                    &message,
                    &item.draft.payload,
                    plan.deliveries.into_iter().zip(deliveries),
                );
                if fan_out {
                    self.app.lanes.work();
                }
                self.app.listeners.tell(self.application);
                item.draft.receipt(message, None)
            }
            // The body is the same, by its hash, so all but the id is what it was then.
            Accepted::Repeated(prior) => {
                let id: MessageId = id_of(prior.made);
                let message = item.draft.message(id, self.application, id.key().time());
                item.draft.receipt(message, None)
            }
            Accepted::Seen(seen) => {
                let at = seen.id.key().time();
                let message = item.draft.message(seen.id, self.application, at);
                item.draft.receipt(message, Some(seen.entry))
            }
        }
    }

    /// That it was accepted, to whoever records traces.
    fn tell_step(&self, item: &Item, message: MessageId) {
        if let Some(at) = item.draft.trace.filter(|trace| trace.is_sampled()) {
            self.app.events.step(Step {
                at,
                after: item.sent_in,
                what: Taken::Accept,
                began: self.now,
                ended: self.app.clock.now(),
                application: Some(self.row.application.application.id),
                message,
            });
        }
    }

    fn hand_over(
        &self,
        message: &Message,
        payload: &Bytes,
        deliveries: impl Iterator<Item = (Planned, Opened)>,
    ) {
        for ((new, place), (key, hold)) in deliveries {
            let (Some(place), Some(hold)) = (place, hold) else {
                self.app.lanes.waiting(self.lane(new.endpoint), new.due);
                continue;
            };
            let delivery = Delivery {
                key,
                application: self.application,
                endpoint: new.endpoint,
                message: message.id.key(),
                trigger: Trigger::Scheduled,
                attempts: 0,
                due: new.due,
            };
            let message = MessageRow {
                message: message.clone(),
                payload: Payload::NotRead,
            };
            self.app.lanes.hand_over(
                Claimed {
                    delivery,
                    message,
                    hold,
                },
                Fresh {
                    payload: payload.clone(),
                    revision: self.row.application.revision,
                },
                place,
            );
        }
    }

    /// The application as it is now, not as this node remembers it.
    async fn read_again(&self) -> Result<Arc<RegistryRow>, AppError> {
        self.app.registry.forget(self.application);
        let row = self
            .app
            .registry
            .find(&ApplicationRef::Key(self.application))
            .await?;
        row.ok_or(AppError::NotFound("Application not found"))
    }

    fn lane(&self, endpoint: EndpointKey) -> Lane {
        Lane {
            application: self.application,
            endpoint,
        }
    }
}

impl Draft {
    /// When its first attempt may start.
    fn due(&self, now: Timestamp) -> Timestamp {
        self.deliver_at.map_or(now, |at| at.max(now))
    }

    fn receipt(&self, message: Message, seen: Option<ReplayEntry>) -> Receipt {
        Receipt {
            message,
            payload: self.payload.clone(),
            seen,
        }
    }

    /// When its payload goes away.
    fn expires_at(&self, now: Timestamp) -> Timestamp {
        self.due(now).plus(self.retention)
    }

    fn message(&self, id: MessageId, application: ApplicationKey, now: Timestamp) -> Message {
        Message {
            id,
            application,
            event_type: self.event_type.clone(),
            event_id: self.event_id.clone(),
            channels: self.channels.clone(),
            tags: self.tags.clone(),
            deliver_at: self.deliver_at,
            hops: self.hops,
            trace: self.trace,
            expires_at: self.expires_at(now),
            form: self.form.clone(),
        }
    }
}

/// The contract's words for what a store refuses.
fn refusal(error: AcceptError) -> AppError {
    match error {
        AcceptError::NoApplication => AppError::NotFound("Application not found"),
        AcceptError::EventIdTaken => AppError::conflict("A conflict has occurred"),
        AcceptError::KeyReused => key_reused(),
        AcceptError::Store(error) => error.into(),
        AcceptError::StaleRegistry => restless(),
    }
}

fn restless() -> AppError {
    AppError::Unavailable(StoreError::Unavailable {
        reason: "the application's endpoints keep changing".to_owned(),
    })
}
