//! What a message's life costs in the store: accepts with an idempotency key and owned deliveries,
//! then an outcome for each, by so many clients at once. A client sends its next message when the
//! last one is accepted, as over HTTP; it does not wait for outcomes.
//!
//! `cargo run --release -p store-sqlite --example lifecycle [MESSAGES] [CLIENTS] [FAN_OUT] [DIR]`
//! prints messages per second, CPU time per delivery of the whole process, how long accepts took,
//! commits and the size of the log. With DIR the database is kept there and grows from run to run.

use model::attempt::AttemptResult;
use model::delivery::{Delivery, Trigger};
use model::endpoint::Endpoint;
use model::entropy::random;
use model::hops::Hops;
use model::id::{EndpointKey, Id, Key, MessageId};
use model::message::PayloadForm;
use model::{Clock, Entropy, Timestamp};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};
use store::accept::{Accept, Accepted, NewDelivery, NewMessage};
use store::change::{Change, ChangeRequest, Changed};
use store::idempotency::{AUTO_KEY_LIFE, IdempotencyKey};
use store::record::{HealthChange, NewAttempt, Observed, Outcome, Recorded, Then};
use store::rows::{ApplicationRef, SealedParts};
use store::{Hold, Store, StoreError};
use store_sqlite::{DataDirectory, SqliteConfig, SqliteStore, Surroundings};

type Failure = Box<dyn std::error::Error>;

struct Plan {
    messages: u64,
    clients: u64,
    fan_out: usize,
}

fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let mut number = |default| arguments.next().map_or(Ok(default), |text| text.parse());
    let plan = Plan {
        messages: number(100_000)?,
        clients: number(64)?,
        fan_out: usize::try_from(number(1)?)?,
    };
    let temporary = tempfile::tempdir()?;
    let kept = arguments.next().map(PathBuf::from);
    measure(&plan, kept.as_deref().unwrap_or(temporary.path()))
}

#[expect(
    clippy::disallowed_methods,
    reason = "a program of its own, as the binary is"
)]
fn measure(plan: &Plan, path: &Path) -> Result<(), Failure> {
    let surroundings = Surroundings {
        clock: Arc::new(SystemClock(Instant::now())),
        entropy: Arc::new(Mixer(AtomicU64::new(u64::from(std::process::id()) << 32))),
    };
    let directory = DataDirectory::lock(path)?;
    let opened = SqliteStore::open(directory, SqliteConfig::default(), surroundings.clone())?;
    let (store, writer, checkpoints) = opened;
    let store = Arc::new(store);
    let runtime = tokio::runtime::Runtime::new()?;
    let writing = runtime.spawn_blocking(|| writer.run());
    let checkpointing = runtime.spawn_blocking(|| checkpoints.run());
    let (cpu, begun) = (cpu_time()?, Instant::now());
    let mut took = runtime.block_on(run(store.clone(), surroundings, plan))?;
    let (cpu, wall) = (cpu_time()? - cpu, begun.elapsed());
    let deliveries = plan.messages * plan.fan_out as u64;
    let log = path.join("postrider.db-wal").metadata()?.len() >> 20;
    took.sort_unstable();
    let at = |share: usize| took[(took.len() - 1) * share / 1_000].as_secs_f64() * 1e3;
    println!(
        "{:.0} messages/s, {:.1} CPU-µs per delivery, accepts {:.1} ms (p99 {:.1}, p99.9 {:.1}, \
         most {:.1}), {} commits, log {log} MiB",
        plan.messages as f64 / wall.as_secs_f64(),
        cpu.as_secs_f64() * 1e6 / deliveries as f64,
        at(500),
        at(990),
        at(999),
        at(1_000),
        store.commits(),
    );
    store.close();
    runtime.block_on(writing)?;
    runtime.block_on(checkpointing)?;
    Ok(())
}

/// How long each accept took.
#[expect(
    clippy::disallowed_methods,
    reason = "a program of its own, as the binary is"
)]
async fn run(
    store: Arc<SqliteStore>,
    given: Surroundings,
    plan: &Plan,
) -> Result<Vec<Duration>, Failure> {
    let application = create_application(&store, &given).await?;
    let mut endpoints = Vec::new();
    for _ in 0..plan.fan_out {
        endpoints.push(create_endpoint(&store, &given, application).await?);
    }
    let found = store.registry(&ApplicationRef::Key(application)).await?;
    let revision = found.ok_or("it was made")?.application.revision;
    let mut clients = tokio::task::JoinSet::new();
    for _ in 0..plan.clients {
        let (store, given, endpoints) = (store.clone(), given.clone(), endpoints.clone());
        let messages = plan.messages / plan.clients;
        clients.spawn(async move {
            let (mut took, mut recording) = (Vec::new(), tokio::task::JoinSet::new());
            for _ in 0..messages {
                let item = item(&given, application, revision, &endpoints);
                let begun = Instant::now();
                let accepted = store.accept(vec![item.clone()]).await.remove(0);
                took.push(begun.elapsed());
                let accepted = accepted.expect("the store works");
                record(&store, &given, (item, accepted), &mut recording);
                while let Some(recorded) = recording.try_join_next() {
                    recorded.expect("no panic").expect("the store works");
                }
            }
            for recorded in recording.join_all().await {
                recorded.expect("the store works");
            }
            took
        });
    }
    Ok(clients.join_all().await.concat())
}

type Recording = tokio::task::JoinSet<Result<Recorded, StoreError>>;

fn record(
    store: &Arc<SqliteStore>,
    given: &Surroundings,
    (item, accepted): (Accept, Accepted),
    recording: &mut Recording,
) {
    let Accepted::New { id, deliveries, .. } = accepted else {
        panic!("a key was drawn twice");
    };
    for (new, (key, hold)) in item.deliveries.iter().zip(deliveries) {
        let delivery = Delivery {
            key,
            application: item.application,
            endpoint: new.endpoint,
            message: id.key(),
            trigger: Trigger::Scheduled,
            attempts: 0,
            due: new.due,
        };
        let hold = hold.expect("it is owned");
        let outcome = outcome(given, id, (delivery, hold));
        let store = store.clone();
        recording.spawn(async move { store.record(outcome).await });
    }
}

fn outcome(given: &Surroundings, message: MessageId, of: (Delivery, Hold)) -> Outcome {
    Outcome {
        message,
        event_type: "payment.succeeded".parse().expect("a word"),
        attempt: NewAttempt {
            tail: random(&*given.entropy),
            number: 1,
            started_at: given.clock.now(),
            duration: Duration::from_millis(5),
            status_code: 200,
            result: AttemptResult::Success,
            endpoint_revision: 1,
            excerpt: None,
            observed: Observed::default(),
        },
        then: Then::Close,
        health: HealthChange::None,
        delivery: of.0,
        hold: of.1,
    }
}

fn item(
    given: &Surroundings,
    application: model::id::ApplicationKey,
    registry_revision: u64,
    endpoints: &[EndpointKey],
) -> Accept {
    let now = given.clock.now();
    let delivery = |&endpoint| NewDelivery {
        endpoint,
        due: now,
        owned: true,
    };
    Accept {
        application,
        registry_revision,
        message: NewMessage {
            tail: random(&*given.entropy),
            event_type: "payment.succeeded".parse().expect("a word"),
            event_id: None,
            channels: BTreeSet::new(),
            tags: BTreeSet::new(),
            deliver_at: None,
            hops: Hops::NONE,
            trace: None,
            expires_at: now.plus(Duration::from_secs(90 * 86_400)),
            form: PayloadForm::Json,
            payload: vec![42; 1_060].into(),
        },
        deliveries: endpoints.iter().map(delivery).collect(),
        fan_out_after: None,
        proved_only: false,
        idempotency: Some(IdempotencyKey {
            fingerprint: random(&*given.entropy),
            body: random(&*given.entropy),
            life: AUTO_KEY_LIFE,
            status: 202,
        }),
        replay: None,
    }
}

async fn create_application(
    store: &SqliteStore,
    given: &Surroundings,
) -> Result<model::id::ApplicationKey, Failure> {
    let application = model::application::Application {
        id: Id::new(Key::MIN, random(&*given.entropy)),
        uid: None,
        name: "A shop".to_owned(),
        rate_limit: None,
        metadata: Default::default(),
        created_at: Timestamp::default(),
        updated_at: Timestamp::default(),
    };
    let data_key = b"a data key"[..].into();
    let change = Change::CreateApplication {
        application,
        data_key,
    };
    match change_to(store, change).await? {
        Changed::Application(row) => Ok(row.application.id.key()),
        other => Err(format!("made {other:?}").into()),
    }
}

async fn create_endpoint(
    store: &SqliteStore,
    given: &Surroundings,
    application: model::id::ApplicationKey,
) -> Result<EndpointKey, Failure> {
    let endpoint = Endpoint {
        id: Id::new(Key::MIN, random(&*given.entropy)),
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
    let change = Change::CreateEndpoint {
        endpoint,
        sealed: SealedParts {
            secrets: b"secrets"[..].into(),
            headers: None,
            protection: None,
        },
        endpoints_max: 500,
    };
    match change_to(store, change).await? {
        Changed::Endpoint(row) => Ok(row.endpoint.id.key()),
        other => Err(format!("made {other:?}").into()),
    }
}

async fn change_to(store: &SqliteStore, change: Change) -> Result<Changed, Failure> {
    let idempotency = None;
    Ok(store
        .change(ChangeRequest {
            change,
            idempotency,
            audit: None,
        })
        .await?)
}

/// User and system time of this process so far, in ticks of 10 ms.
fn cpu_time() -> Result<Duration, Failure> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let behind_name = stat
        .rsplit(") ")
        .next()
        .ok_or("a line of /proc/self/stat")?;
    let ticks = behind_name
        .split(' ')
        .skip(11)
        .take(2)
        .map(str::parse::<u64>);
    Ok(Duration::from_millis(10 * ticks.sum::<Result<u64, _>>()?))
}

struct SystemClock(Instant);

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "a program of its own, as the binary is"
    )]
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        Timestamp::default().plus(since.expect("the clock is later than 1970"))
    }

    fn monotonic(&self) -> Duration {
        self.0.elapsed()
    }
}

/// Bytes that differ: nothing here is secret.
struct Mixer(AtomicU64);

impl Entropy for Mixer {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let state = self.0.fetch_add(1, Ordering::Relaxed);
            let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            chunk.copy_from_slice(&(mixed ^ (mixed >> 31)).to_le_bytes()[..chunk.len()]);
        }
    }
}
