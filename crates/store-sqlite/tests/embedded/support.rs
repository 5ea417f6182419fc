//! A store in a temporary directory, and requests for it.

use model::entropy::random;
use model::hops::Hops;
use model::id::{ApplicationKey, EndpointKey, Id, Key};
use model::message::PayloadForm;
use model::{Clock, Entropy, Timestamp};
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;
use store::accept::{Accept, AcceptError, Accepted, NewDelivery, NewMessage};
use store::change::{Change, ChangeRequest, Changed};
use store::conformance::{TestClock, TestEntropy};
use store::record::{HealthChange, NewAttempt, Observed, Outcome, Then};
use store::rows::{ApplicationRef, Claimed, SealedParts};
use store::{Lane, Store};
use store_sqlite::{
    CheckpointLoop, DataDirectory, OpenError, SqliteConfig, SqliteStore, Surroundings, WriterLoop,
};

pub(crate) const SECOND: Duration = Duration::from_secs(1);

/// An open store with whatever drives it.
pub(crate) struct World {
    pub(crate) store: Arc<SqliteStore>,
    pub(crate) clock: Arc<TestClock>,
    entropy: Arc<TestEntropy>,
    loops: Vec<JoinHandle<()>>,
}

impl World {
    /// With threads of its own.
    pub(crate) fn open(path: &Path, config: SqliteConfig) -> Self {
        let (mut world, checkpoints) = Self::open_without_checkpoints(path, config);
        world.loops.push(spawn(|| checkpoints.run()));
        world
    }

    /// With a writer, and a loop for checkpoints that nobody runs.
    pub(crate) fn open_without_checkpoints(
        path: &Path,
        config: SqliteConfig,
    ) -> (Self, CheckpointLoop) {
        let (mut world, writer, checkpoints) = Self::open_without_loops(path, config);
        world.run(writer);
        (world, checkpoints)
    }

    /// With a writer and a loop for checkpoints that nobody runs yet.
    pub(crate) fn open_without_loops(
        path: &Path,
        config: SqliteConfig,
    ) -> (Self, WriterLoop, CheckpointLoop) {
        let (clock, entropy) = (
            Arc::new(TestClock::default()),
            Arc::new(TestEntropy::new(1)),
        );
        let surroundings = surroundings(&clock, &entropy);
        let directory = DataDirectory::lock(path).expect("a directory of its own");
        let opened = SqliteStore::open(directory, config, surroundings);
        let (store, writer, checkpoints) = opened.expect("it opens");
        let world = Self {
            store: Arc::new(store),
            clock,
            entropy,
            loops: Vec::new(),
        };
        (world, writer, checkpoints)
    }

    /// From now on the writer works, on a thread of its own.
    pub(crate) fn run(&mut self, writer: WriterLoop) {
        self.loops.push(spawn(|| writer.run()));
    }

    /// Driven by whoever asks.
    pub(crate) fn open_inline(path: &Path, config: SqliteConfig) -> Self {
        Self::try_open_inline(path, config, TestClock::START).expect("it opens")
    }

    /// Driven by whoever asks, at some time, if it opens.
    pub(crate) fn try_open_inline(
        path: &Path,
        config: SqliteConfig,
        now: Timestamp,
    ) -> Result<Self, OpenError> {
        let clock = Arc::new(TestClock::new(now));
        let entropy = Arc::new(TestEntropy::new(1));
        let directory = DataDirectory::lock(path)?;
        let surroundings = surroundings(&clock, &entropy);
        let store = SqliteStore::open_inline(directory, config, surroundings)?;
        Ok(Self {
            store: Arc::new(store),
            clock,
            entropy,
            loops: Vec::new(),
        })
    }

    /// An application with one endpoint.
    pub(crate) async fn lane(&self) -> Lane {
        let application = model::application::Application {
            id: Id::new(Key::MIN, self.tail()),
            uid: None,
            name: "A shop".to_owned(),
            rate_limit: None,
            metadata: Default::default(),
            created_at: Timestamp::default(),
            updated_at: Timestamp::default(),
        };
        let data_key = b"a data key"[..].into();
        let made = self.change(Change::CreateApplication {
            application,
            data_key,
        });
        let Changed::Application(row) = made.await else {
            panic!("it was not made");
        };
        let application = row.application.id.key();
        Lane {
            application,
            endpoint: self.endpoint(application).await,
        }
    }

    async fn endpoint(&self, application: ApplicationKey) -> EndpointKey {
        let endpoint = model::endpoint::Endpoint {
            id: Id::new(Key::MIN, self.tail()),
            application,
            uid: None,
            url: "https://receiver.example/hooks".to_owned(),
            description: String::new(),
            disabled: false,
            event_types: None,
            channels: None,
            rate_limit: None,
            metadata: Default::default(),
            version: 1,
            created_at: Timestamp::default(),
            updated_at: Timestamp::default(),
        };
        let made = self.change(Change::CreateEndpoint {
            endpoint,
            sealed: SealedParts {
                secrets: b"secrets"[..].into(),
                headers: None,
                protection: None,
            },
            endpoints_max: 10,
        });
        let Changed::Endpoint(row) = made.await else {
            panic!("it was not made");
        };
        row.endpoint.id.key()
    }

    pub(crate) async fn change(&self, change: Change) -> Changed {
        let request = ChangeRequest {
            change,
            idempotency: None,
            audit: None,
        };
        self.store.change(request).await.expect("it is done")
    }

    /// A message for a lane, as an item of a batch.
    pub(crate) async fn item(&self, lane: Lane) -> Accept {
        let application = ApplicationRef::Key(lane.application);
        let registry = self.store.registry(&application).await;
        let registry = registry.expect("reads go on").expect("it is live");
        Accept {
            application: lane.application,
            registry_revision: registry.application.revision,
            message: NewMessage {
                tail: self.tail(),
                event_type: "order.paid".parse().expect("a word"),
                event_id: None,
                channels: BTreeSet::new(),
                tags: BTreeSet::new(),
                deliver_at: None,
                hops: Hops::NONE,
                trace: None,
                expires_at: self.clock.now().plus(90 * 24 * 3_600 * SECOND),
                form: PayloadForm::Json,
                payload: vec![7; 1_000].into(),
            },
            deliveries: vec![NewDelivery {
                endpoint: lane.endpoint,
                due: self.clock.now(),
                owned: false,
            }],
            fan_out_after: None,
            proved_only: false,
            idempotency: None,
            replay: None,
        }
    }

    /// Sends one message.
    pub(crate) async fn send(&self, lane: Lane) -> Result<Accepted, AcceptError> {
        let item = self.item(lane).await;
        self.store.accept(vec![item]).await.remove(0)
    }

    /// A lane's next delivery, tried with success.
    pub(crate) async fn outcome(&self, lane: Lane) -> Outcome {
        let claimed = self.store.claim(lane, self.clock.now(), 1).await;
        self.success(claimed.expect("reads go on").remove(0))
    }

    /// What comes of a success.
    pub(crate) fn success(&self, claimed: Claimed) -> Outcome {
        Outcome {
            message: claimed.message.message.id,
            event_type: claimed.message.message.event_type,
            attempt: NewAttempt {
                tail: self.tail(),
                number: claimed.delivery.attempts + 1,
                started_at: self.clock.now(),
                duration: Duration::from_millis(20),
                status_code: 200,
                result: model::attempt::AttemptResult::Success,
                endpoint_revision: 1,
                excerpt: Some(b"thanks"[..].into()),
                observed: Observed::default(),
            },
            then: Then::Close,
            health: HealthChange::None,
            hold: claimed.hold,
            delivery: claimed.delivery,
        }
    }

    /// How many deliveries of a lane can be claimed.
    pub(crate) async fn waiting(&self, lane: Lane) -> usize {
        let mut held = Vec::new();
        loop {
            let claimed = self.store.claim(lane, self.clock.now(), 10_000).await;
            match claimed.expect("reads go on") {
                none if none.is_empty() => return held.len(),
                more => held.extend(more),
            }
        }
    }

    fn tail(&self) -> model::id::Tail {
        random(&*self.entropy)
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.store.close();
        for running in self.loops.drain(..) {
            let ended = running.join();
            assert!(ended.is_ok() || std::thread::panicking(), "a loop panicked");
        }
    }
}

fn surroundings(clock: &Arc<TestClock>, entropy: &Arc<TestEntropy>) -> Surroundings {
    let clock: Arc<dyn Clock> = clock.clone();
    let entropy: Arc<dyn Entropy> = entropy.clone();
    Surroundings { clock, entropy }
}

#[expect(
    clippy::disallowed_methods,
    reason = "tests bring the threads that the binary has"
)]
fn spawn(run: impl FnOnce() + Send + 'static) -> JoinHandle<()> {
    std::thread::spawn(run)
}
