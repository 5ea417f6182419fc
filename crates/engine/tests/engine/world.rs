//! What a claim is made in: a store in a file, a network in memory, time that passes only when
//! everybody waits, and nodes that are started and ended in it. Stands in for `app` where messages
//! are accepted and endpoints are changed.

#[path = "world/node.rs"]
mod node;
#[path = "world/reports.rs"]
mod reports;
#[path = "world/told.rs"]
mod told;

use crate::network::Network;
use bytes::Bytes;
use engine::{Drained, Engine, EngineConfig, EngineParts, Happening};
use model::address::AddressPolicy;
use model::application::Application;
use model::attempt::AttemptResult;
use model::delivery::{Delivery, Trigger};
use model::endpoint::{CustomHeaders, Endpoint, SigningSecrets};
use model::entropy::random;
use model::hops::Hops;
use model::id::{ApplicationId, DeliveryKey, EndpointId, Key, MessageId, MessageKey};
use model::message::{Message, PayloadForm};
use model::protection::Protection;
use model::{Clock, Entropy, Secret, Timestamp};
use std::collections::{BTreeMap, BTreeSet};
use std::num::{NonZeroU16, NonZeroUsize};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use store::accept::{Accept, Accepted, NewDelivery, NewMessage};
use store::change::{Change, ChangeRequest, Changed};
use store::query::{AttemptQuery, AttemptScope, MessageFilter, Window};
use store::registry::RegistryConfig;
use store::rows::{
    ApplicationRef, AttemptRow, Claimed, EndpointRow, LaneDue, MessageRow, Payload, RegistryRow,
    SealedParts,
};
use store::{Fresh, Hold, Lane, Lanes, Registry, Store};
use store_sqlite::faults::Faults;
use store_sqlite::{DataDirectory, SqliteConfig, SqliteStore, Surroundings};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use vault::{DataKey, MasterKey, Place, SealedDataKey, Vault};

/// The secret that all endpoints sign with.
pub(crate) const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
/// What every message says.
pub(crate) const PAYLOAD: &[u8] = br#"{ "order":  "1001",	"total": 1.50 }"#;
/// Long enough for everything that a claim waits for, in simulated time.
const PATIENCE: Duration = Duration::from_secs(60 * 86_400);

/// Tokio's time, as both clocks.
pub(crate) struct TestClock {
    start: tokio::time::Instant,
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_seconds(1_795_000_000).plus(self.start.elapsed())
    }

    fn monotonic(&self) -> Duration {
        Duration::from_secs(5_000) + self.start.elapsed()
    }
}

/// The same bytes for the same seed.
pub(crate) struct TestEntropy(Mutex<u64>);

impl Entropy for TestEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        let mut state = self.0.lock().expect("no panic under it");
        for chunk in bytes.chunks_mut(8) {
            *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut mixed = (*state ^ (*state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            mixed ^= mixed >> 31;
            chunk.copy_from_slice(&mixed.to_le_bytes()[..chunk.len()]);
        }
    }
}

/// See the head of this file.
pub(crate) struct World {
    pub(crate) network: Arc<Network>,
    pub(crate) store: Arc<SqliteStore>,
    pub(crate) clock: Arc<TestClock>,
    pub(crate) reports: Arc<reports::Reports>,
    pub(crate) told: Arc<told::Told>,
    pub(crate) faults: Faults,
    entropy: Arc<TestEntropy>,
    pub(crate) vault: Arc<Vault>,
    _home: tempfile::TempDir,
}

/// An engine that runs.
pub(crate) struct Node {
    pub(crate) engine: Arc<Engine>,
    pub(crate) registry: Arc<Registry>,
    happenings: mpsc::UnboundedReceiver<Happening>,
    shutdown: CancellationToken,
    running: JoinHandle<Drained>,
    /// Everything that was waited through so far.
    pub(crate) trace: Vec<Happening>,
}

/// An endpoint to be made.
pub(crate) struct Plan<'a> {
    pub(crate) url: &'a str,
    pub(crate) rate_limit: Option<u16>,
    pub(crate) headers: &'a [(&'a str, &'a str)],
    pub(crate) secrets: SigningSecrets,
    pub(crate) protection: Protection,
}

impl Plan<'_> {
    pub(crate) fn new(url: &str) -> Plan<'_> {
        Plan {
            url,
            rate_limit: None,
            headers: &[],
            secrets: SigningSecrets::new(Secret::from(SECRET.to_owned())),
            protection: Protection::default(),
        }
    }
}

// Opening.
impl World {
    pub(crate) fn new() -> Self {
        Self::from_seed(1)
    }

    pub(crate) fn from_seed(seed: u64) -> Self {
        let clock = Arc::new(TestClock {
            start: tokio::time::Instant::now(),
        });
        let entropy = Arc::new(TestEntropy(Mutex::new(seed)));
        let home = tempfile::tempdir().expect("a temporary directory");
        let directory = DataDirectory::lock(home.path()).expect("a directory of its own");
        let config = SqliteConfig::default();
        let faults = config.faults.clone();
        let surroundings = Surroundings {
            clock: clock.clone(),
            entropy: entropy.clone(),
        };
        let store = SqliteStore::open_inline(directory, config, surroundings).expect("it opens");
        let master = MasterKey::generate(&*entropy);
        Self {
            network: Arc::new(Network::new(clock.clone())),
            store: Arc::new(store),
            clock,
            reports: Arc::default(),
            told: Arc::default(),
            faults,
            vault: Arc::new(Vault::new(master, entropy.clone())),
            entropy,
            _home: home,
        }
    }

    /// Starts an engine on the store. It has looked through all lanes when this returns.
    pub(crate) async fn start(&self, config: EngineConfig) -> Node {
        let registry = Arc::new(Registry::new(
            self.store.clone(),
            self.clock.clone(),
            RegistryConfig {
                applications_max: NonZeroUsize::new(100).expect("not zero"),
                shared: config.shared,
            },
        ));
        let engine = Engine::new(self.parts(&registry), config);
        let happenings = engine.follow().expect("nobody follows yet");
        let shutdown = CancellationToken::new();
        let running = tokio::spawn({
            let (engine, shutdown) = (engine.clone(), shutdown.clone());
            async move { engine.run(shutdown).await }
        });
        let mut node = Node {
            engine,
            registry,
            happenings,
            shutdown,
            running,
            trace: Vec::new(),
        };
        node.until(|happening| happening == Happening::Surveyed)
            .await;
        node
    }

    /// What an engine works with, or something beside it.
    pub(crate) fn parts(&self, registry: &Arc<Registry>) -> EngineParts {
        EngineParts {
            store: self.store.clone(),
            registry: registry.clone(),
            vault: self.vault.clone(),
            transport: self.network.clone(),
            address_policy: Arc::new(AddressPolicy::default()),
            clock: self.clock.clone(),
            entropy: self.entropy.clone(),
            events: self.reports.clone(),
            operational: self.told.clone(),
        }
    }
}

// What is configured.
impl World {
    pub(crate) async fn change(&self, change: Change) -> Changed {
        let request = ChangeRequest {
            change,
            idempotency: None,
            audit: None,
        };
        self.store
            .change(request)
            .await
            .expect("the change is in order")
    }

    pub(crate) async fn application(&self, rate_limit: Option<u16>) -> ApplicationId {
        let tail = random(&*self.entropy);
        let application = Application {
            id: ApplicationId::new(Key::MIN, tail),
            uid: None,
            name: "an application".to_owned(),
            rate_limit: rate_limit.and_then(NonZeroU16::new),
            metadata: BTreeMap::new(),
            created_at: Timestamp::default(),
            updated_at: Timestamp::default(),
        };
        let data_key = self.vault.new_data_key(tail).into_bytes().into();
        match self
            .change(Change::CreateApplication {
                application,
                data_key,
            })
            .await
        {
            Changed::Application(row) => row.application.id,
            other => panic!("made an application, was told of {other:?}"),
        }
    }

    pub(crate) async fn endpoint(&self, application: ApplicationId, plan: Plan<'_>) -> Lane {
        let tail = random(&*self.entropy);
        let id = EndpointId::new(Key::MIN, tail);
        let endpoint = Endpoint {
            id,
            application: application.key(),
            uid: None,
            url: plan.url.to_owned(),
            description: String::new(),
            disabled: false,
            event_types: None,
            channels: None,
            rate_limit: plan.rate_limit.and_then(NonZeroU16::new),
            metadata: BTreeMap::new(),
            version: 1,
            created_at: Timestamp::default(),
            updated_at: Timestamp::default(),
        };
        let key = self.data_key(application).await;
        let mut headers = CustomHeaders::default();
        for (name, value) in plan.headers {
            headers.set((*name).to_owned(), Secret::from((*value).to_owned()));
        }
        let place = |column| Place {
            table: "endpoint",
            row: &tail,
            column,
        };
        let seal = |column, text: Secret| key.seal(place(column), text.expose()).into();
        let change = Change::CreateEndpoint {
            endpoint,
            sealed: SealedParts {
                secrets: seal("secrets", plan.secrets.to_stored()),
                headers: (!headers.is_empty()).then(|| seal("headers", headers.to_stored())),
                protection: (!plan.protection.is_empty())
                    .then(|| seal("protection", plan.protection.to_stored())),
            },
            endpoints_max: 1_000,
        };
        match self.change(change).await {
            Changed::Endpoint(row) => Lane {
                application: application.key(),
                endpoint: row.endpoint.id.key(),
            },
            other => panic!("made an endpoint, was told of {other:?}"),
        }
    }

    /// An endpoint in an application of its own.
    pub(crate) async fn lane(&self, url: &str) -> Lane {
        let application = self.application(None).await;
        self.endpoint(application, Plan::new(url)).await
    }

    pub(crate) async fn row(&self, lane: Lane) -> RegistryRow {
        let application = ApplicationRef::Key(lane.application);
        self.store
            .registry(&application)
            .await
            .expect("reads go on")
            .expect("the application is there")
    }

    pub(crate) async fn endpoint_row(&self, lane: Lane) -> EndpointRow {
        self.row(lane)
            .await
            .endpoint(lane.endpoint)
            .expect("it is live")
            .clone()
    }

    /// Changes an endpoint as `app` does: the engine knows before this returns.
    pub(crate) async fn set(&self, node: &Node, lane: Lane, set: impl Fn(&mut Endpoint)) {
        let mut row = self.endpoint_row(lane).await;
        set(&mut row.endpoint);
        let EndpointRow {
            endpoint,
            sealed,
            revision,
            ..
        } = row;
        self.change(Change::ReplaceEndpoint {
            endpoint,
            sealed,
            revision,
        })
        .await;
        node.registry.forget(lane.application);
        node.engine.changed(lane.application);
        node.engine.work();
    }

    pub(crate) async fn data_key(&self, application: ApplicationId) -> Arc<DataKey> {
        let reference = ApplicationRef::Id(application);
        let row = self
            .store
            .registry(&reference)
            .await
            .expect("reads go on")
            .expect("it is there");
        let sealed = row.application.data_keys.last().expect("it has a key");
        let sealed = SealedDataKey::from_bytes(sealed.as_ref());
        self.vault.data_key(application, &sealed).expect("it opens")
    }
}

// The way of a message.
impl World {
    /// Accepts a message for these lanes, and hands over what was granted.
    pub(crate) async fn send(&self, node: &Node, lanes: &[Lane]) -> MessageId {
        self.accept(Some(&node.engine), lanes, |_| {}).await
    }

    /// Accepts a message with something set in it.
    pub(crate) async fn send_with(
        &self,
        node: &Node,
        lanes: &[Lane],
        set: impl Fn(&mut NewMessage),
    ) -> MessageId {
        self.accept(Some(&node.engine), lanes, set).await
    }

    /// Accepts a message; without an engine, nobody hears of it.
    pub(crate) async fn accept(
        &self,
        engine: Option<&Arc<Engine>>,
        lanes: &[Lane],
        set: impl Fn(&mut NewMessage),
    ) -> MessageId {
        let row = self.row(lanes[0]).await;
        let mut message = self.message(row.application.application.id).await;
        set(&mut message);
        let now = self.clock.now();
        let due = message.deliver_at.unwrap_or(now);
        let grant = |lane: &Lane| {
            let endpoint = row.endpoint(lane.endpoint).expect("it is there");
            let limited = row.is_limited(endpoint);
            let engine = engine.filter(|_| due <= now);
            let place = engine.and_then(|engine| engine.grant(*lane, limited));
            let owned = place.is_some();
            let endpoint = lane.endpoint;
            (
                NewDelivery {
                    endpoint,
                    due,
                    owned,
                },
                place,
            )
        };
        let (deliveries, places): (Vec<_>, Vec<_>) = lanes.iter().map(grant).unzip();
        let accept = Accept {
            application: lanes[0].application,
            registry_revision: row.application.revision,
            message: message.clone(),
            deliveries,
            fan_out_after: None,
            proved_only: false,
            idempotency: None,
            replay: None,
        };
        let accepted = self.store.accept(vec![accept]).await.pop();
        let Some(Ok(Accepted::New { id, deliveries, .. })) = accepted else {
            panic!("not accepted: {accepted:?}");
        };
        for ((lane, place), (key, hold)) in lanes.iter().zip(places).zip(deliveries) {
            match (engine, place, hold) {
                (Some(engine), Some(place), Some(hold)) => {
                    let claimed = claimed((*lane, key, hold), (id, &message), due);
                    let payload = Bytes::from_static(PAYLOAD);
                    let revision = row.application.revision;
                    engine.hand_over(claimed, Fresh { payload, revision }, place);
                }
                (Some(engine), ..) => engine.waiting(*lane, due),
                (None, ..) => {}
            }
        }
        id
    }

    /// Asks an endpoint's receiver whether it wants what is sent, by this challenge.
    pub(crate) async fn challenge(&self, node: &Node, lane: Lane, text: &str) -> MessageId {
        let key = self.row(lane).await.application.application.id;
        let key = self.data_key(key).await;
        let challenge = |message: &mut NewMessage| {
            let place = Place {
                table: "message",
                row: &message.tail,
                column: "payload",
            };
            let payload = model::challenge::payload(text);
            message.payload = key.seal(place, payload.as_bytes()).into();
            message.event_type = model::challenge::event_type();
        };
        let id = self.accept(None, &[lane], challenge).await;
        node.engine.waiting(lane, self.clock.now());
        id
    }

    async fn message(&self, application: ApplicationId) -> NewMessage {
        let tail = random(&*self.entropy);
        let place = Place {
            table: "message",
            row: &tail,
            column: "payload",
        };
        NewMessage {
            tail,
            event_type: "order.paid".parse().expect("a name"),
            event_id: None,
            channels: BTreeSet::new(),
            tags: BTreeSet::new(),
            deliver_at: None,
            hops: Hops::NONE,
            trace: None,
            expires_at: self.clock.now().plus(Duration::from_secs(90 * 86_400)),
            form: PayloadForm::Json,
            payload: self.data_key(application).await.seal(place, PAYLOAD).into(),
        }
    }

    /// Opens a delivery by hand, as a resend does.
    pub(crate) async fn resend(&self, node: &Node, lane: Lane, message: MessageKey) {
        let change = Change::OpenDelivery {
            application: lane.application,
            message,
            endpoint: lane.endpoint,
            trigger: Trigger::Manual,
            owned: false,
        };
        self.change(change).await;
        node.engine.waiting(lane, self.clock.now());
    }

    /// The lanes that have deliveries which nobody holds.
    pub(crate) async fn open_lanes(&self) -> Vec<LaneDue> {
        self.store
            .lanes(Key::MIN, 1_000)
            .await
            .expect("reads go on")
    }

    /// All attempts to an endpoint, the first first.
    pub(crate) async fn attempts(&self, lane: Lane) -> Vec<AttemptRow> {
        let query = AttemptQuery {
            application: lane.application,
            scope: AttemptScope::Endpoint(lane.endpoint),
            window: Window {
                above: Key::MIN,
                below: Key::MAX,
                ascending: true,
                limit: 10_000,
            },
            result: None,
            status_codes: None,
            filter: MessageFilter::default(),
            with_excerpt: true,
            with_message: false,
            with_payload: false,
        };
        self.store.attempts(&query).await.expect("reads go on").rows
    }

    /// How the attempts to an endpoint ended.
    pub(crate) async fn results(&self, lane: Lane) -> Vec<AttemptResult> {
        let attempts = self.attempts(lane).await;
        attempts.iter().map(|row| row.attempt.result).collect()
    }

    /// What the receiver answered to an attempt, or why it did not.
    pub(crate) async fn excerpt(&self, lane: Lane, row: &AttemptRow) -> Option<String> {
        let application = self.row(lane).await.application.application.id;
        let key = self.data_key(application).await;
        let tail = row.attempt.id.tail();
        let place = Place {
            table: "attempt",
            row: &tail,
            column: "excerpt",
        };
        let opened = key.open(place, row.excerpt.as_ref()?).expect("it opens");
        Some(String::from_utf8(opened).expect("a text"))
    }
}

fn claimed(
    (lane, key, hold): (Lane, DeliveryKey, Hold),
    (id, message): (MessageId, &NewMessage),
    due: Timestamp,
) -> Claimed {
    let delivery = Delivery {
        key,
        application: lane.application,
        endpoint: lane.endpoint,
        message: id.key(),
        trigger: Trigger::Scheduled,
        attempts: 0,
        due,
    };
    let message = MessageRow {
        message: message_of(id, lane, message),
        payload: Payload::NotRead,
    };
    Claimed {
        delivery,
        message,
        hold,
    }
}

fn message_of(id: MessageId, lane: Lane, new: &NewMessage) -> Message {
    Message {
        id,
        application: lane.application,
        event_type: new.event_type.clone(),
        event_id: new.event_id.clone(),
        channels: new.channels.clone(),
        tags: new.tags.clone(),
        deliver_at: new.deliver_at,
        hops: new.hops,
        trace: new.trace,
        expires_at: new.expires_at,
        form: new.form.clone(),
    }
}
