//! Accept, failure, retry and delivery, twice from the same seed, in a simulated world with a real
//! store in a file: both runs leave the same trace, to the byte. What the next seed leaves is
//! another.
//!
//! The trace has every request that was sent, with time, headers and body, and after the end every
//! row of every table. Nothing that differs from run to run may leak into either: no clock, no
//! thread, no hasher, no randomness but the seed's.

mod world;

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use app::applications::ApplicationInput;
use app::endpoints::{EndpointInput, EndpointsOf, NewEndpointInput};
use app::messages::{MessageInput, MessageRequest, RecipientPath};
use app::tokens::TokenSettings;
use app::{App, Caller, Settings, Tokens, Who};
use engine::{Engine, EngineConfig, EngineParts, Fetcher, Happening};
use model::attempt::AttemptResult;
use model::retry::RetrySchedule;
use model::{Clock, Entropy, Secret};
use rusqlite::Connection;
use rusqlite::types::ValueRef;
use store::registry::RegistryConfig;
use store::{Registry, Store};
use store_sqlite::{DataDirectory, SqliteConfig, SqliteStore, Surroundings};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio_util::sync::CancellationToken;
use transport::{FixedResolver, Guard};
use vault::{MasterKey, Vault};
use world::{NoEvents, SeededEntropy, SimulatedClock, SimulatedNetwork, paused_runtime};

const MESSAGES: usize = 20;
/// The schedule's waits, in seconds.
const WAITS: [u64; 4] = [5, 300, 1_800, 7_200];
const ENDPOINTS: [&str; 2] = [
    "https://one.example.com/hooks",
    "https://two.example.com/in?x=1",
];

#[test]
fn the_same_seed_leaves_the_same_trace_to_the_byte() {
    let [first, second, other] = [7, 7, 8].map(run);
    for (number, (one, two)) in first.lines().zip(second.lines()).enumerate() {
        assert_eq!(
            one,
            two,
            "the runs part at line {} of the trace",
            number + 1
        );
    }
    assert_eq!(first.len(), second.len(), "one run's trace goes on");
    assert_ne!(first, other, "the seed makes no difference");

    let count = |part: &str| first.matches(part).count();
    let requests = count(" POST https://");
    println!("requests: {requests}, trace: {} bytes", first.len());
    assert!(requests > MESSAGES * ENDPOINTS.len(), "nothing was retried");
    assert_eq!(
        count("\nattempt: "),
        requests,
        "each request is a row in the store"
    );
}

/// One life of a node: the trace that it leaves.
fn run(seed: u64) -> String {
    let home = tempfile::tempdir().expect("a directory");
    let sent = paused_runtime().block_on(live(seed, home.path()));
    format!("{sent}\n{}", rows(&home.path().join("data/postrider.db")))
}

async fn live(seed: u64, home: &Path) -> String {
    let clock: Arc<dyn Clock> = Arc::new(SimulatedClock::new());
    let entropy: Arc<dyn Entropy> = Arc::new(SeededEntropy::new(seed));
    let network = Arc::new(SimulatedNetwork::new(seed, clock.clone()));
    let directory = DataDirectory::lock(&home.join("data")).expect("a data directory");
    let surroundings = Surroundings {
        clock: clock.clone(),
        entropy: entropy.clone(),
    };
    let store = SqliteStore::open_inline(directory, SqliteConfig::default(), surroundings);
    let store = Arc::new(store.expect("a store"));
    let (app, engine) = node(store.clone(), clock, entropy, network.clone());

    let mut happenings = engine.follow().expect("nobody else follows");
    let stop = CancellationToken::new();
    let running = tokio::spawn({
        let (engine, stop) = (engine.clone(), stop.clone());
        async move { engine.run(stop).await }
    });
    send_messages(&app).await;
    all_ended(&mut happenings).await;
    stop.cancel();
    running.await.expect("the engine ends");
    store.close();
    network.trace()
}

fn node(
    store: Arc<SqliteStore>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    network: Arc<SimulatedNetwork>,
) -> (App, Arc<Engine>) {
    let store: Arc<dyn Store> = store;
    let vault = Arc::new(Vault::new(MasterKey::generate(&*entropy), entropy.clone()));
    let config = RegistryConfig {
        applications_max: 100.try_into().expect("not 0"),
        shared: false,
    };
    let registry = Arc::new(Registry::new(store.clone(), clock.clone(), config));
    let resolver = FixedResolver(vec!["93.184.215.14".parse().expect("an address")]);
    let guard = Arc::new(Guard::new(Default::default(), Arc::new(resolver)));
    let parts = EngineParts {
        store: store.clone(),
        registry: registry.clone(),
        vault: vault.clone(),
        transport: network,
        address_policy: Arc::new(guard.policy().clone()),
        clock: clock.clone(),
        entropy: entropy.clone(),
        events: Arc::new(NoEvents),
        operational: Arc::new(model::operational::Untold),
    };
    let waits = WAITS.map(Duration::from_secs).to_vec();
    let retry_schedule = RetrySchedule::new(waits).expect("a schedule that can be kept");
    let fetching = Arc::new(Fetcher::new(parts.clone(), &EngineConfig::default()));
    let engine = Engine::new(
        parts,
        EngineConfig {
            retry_schedule,
            ..EngineConfig::default()
        },
    );
    let settings = TokenSettings {
        organisation: "org_simulated".into(),
        accept_foreign: false,
    };
    let app = App {
        store,
        registry,
        lanes: engine.clone(),
        fetching,
        vault,
        guard,
        tokens: Arc::new(Tokens::new(Secret::from("k".repeat(32)), settings)),
        clock,
        entropy,
        events: Arc::new(NoEvents),
        operational: Arc::new(model::operational::Untold),
        alerting: Arc::new(app::environment::alerts::sender::NoSender),
        environment: Arc::default(),
        listeners: Arc::default(),
        settings: Arc::new(Settings::default()),
    };
    (app, engine)
}

/// An application with two endpoints, and messages to both.
async fn send_messages(app: &App) {
    let caller = Caller {
        who: Who::Organisation,
        subject: "org_simulated".into(),
        remote_address: None,
        idempotency: None,
        hops: Default::default(),
        trace: None,
        shown: None,
    };
    let shop = ApplicationInput {
        name: "Shop".into(),
        uid: Some("shop".into()),
        ..Default::default()
    };
    app.create_application(&caller, shop, false)
        .await
        .expect("an application");
    let tenant = app
        .application(&caller, "shop")
        .await
        .expect("it was just made");
    let shop = EndpointsOf::Application(tenant);
    for url in ENDPOINTS {
        let new = NewEndpointInput::default();
        app.create_endpoint(&caller, &shop, endpoint(url), new)
            .await
            .expect("an endpoint");
    }
    for number in 0..MESSAGES {
        let path = RecipientPath::parse("shop").expect("a uid");
        let recipient = app.recipient(&caller, path).await.expect("it is there");
        let message = MessageInput {
            event_type: "order.placed".into(),
            payload: format!("{{ \"number\": {number} }}").into(),
            ..Default::default()
        };
        let request = MessageRequest {
            message,
            application: None,
        };
        app.create_message(&caller, recipient, request)
            .await
            .expect("it is accepted");
    }
}

fn endpoint(url: &str) -> EndpointInput {
    EndpointInput {
        url: url.into(),
        description: String::new(),
        disabled: false,
        event_types: None,
        channels: None,
        throttle_rate: None,
        rate_limit: None,
        uid: None,
        metadata: Default::default(),
        version: 1,
    }
}

/// Waits until every delivery has succeeded, or failed for the last time.
async fn all_ended(happenings: &mut UnboundedReceiver<Happening>) {
    let mut failures: HashMap<_, usize> = HashMap::new();
    let mut ended = 0;
    while ended < MESSAGES * ENDPOINTS.len() {
        let happening = happenings.recv().await.expect("the engine runs");
        if let Happening::Recorded(endpoint, delivery, result) = happening {
            let failed = failures.entry((endpoint, delivery)).or_default();
            *failed += usize::from(result == AttemptResult::Failure);
            ended += usize::from(result == AttemptResult::Success || *failed > WAITS.len());
        }
    }
}

/// Every row of every table, as it is in the file.
fn rows(database: &Path) -> String {
    let connection = Connection::open(database).expect("the database");
    let list = "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name";
    let mut tables = connection.prepare(list).expect("a list of tables");
    let names = tables
        .query_map([], |row| row.get::<_, String>(0))
        .expect("a list of tables");
    let mut text = String::new();
    for name in names {
        let name = name.expect("a name");
        let mut select = connection
            .prepare(&format!("SELECT * FROM \"{name}\""))
            .expect("a table");
        let columns = select.column_count();
        let mut rows = select.query([]).expect("rows");
        while let Some(row) = rows.next().expect("a row") {
            let values = (0..columns).map(|column| match row.get_ref(column).expect("a value") {
                ValueRef::Blob(bytes) => format!("{bytes:02x?}"),
                other => format!("{other:?}"),
            });
            text.push_str(&format!(
                "{name}: {}\n",
                values.collect::<Vec<_>>().join(", ")
            ));
        }
    }
    text
}
