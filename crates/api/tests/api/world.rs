//! What the API's tests are told in: an installation on the embedded store in a directory of its
//! own, a clock that a test moves, and a sender that only takes down what it is handed.

use crate::call::{Answer, Call};
use crate::sinks::{TestEvents, TestFetching, TestLanes, TestTold};
use crate::slow_disk::SlowDisk;
use api::Door;
use app::tokens::{Grant, Lifetime, TokenSettings};
use app::{App, Settings, Tokens};
use async_trait::async_trait;
use axum::body::Body;
use http::Request;
use http_body_util::BodyExt;
use model::address::AddressPolicy;
use model::role::Role;
use model::{Entropy, Secret};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use std::net::IpAddr;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use store::conformance::{TestClock, TestEntropy};
use store::registry::RegistryConfig;
use store::{Registry, Store};
use store_sqlite::faults::Faults;
use store_sqlite::{DataDirectory, SqliteConfig, SqliteStore, Surroundings};
use tempfile::TempDir;
use transport::{Guard, ResolveError, Resolver};
use vault::{MasterKey, Vault};

/// The secret that tokens are signed with.
pub(crate) const SECRET: &str = "a secret of thirty-two characters";

/// An installation.
pub(crate) struct World {
    pub(crate) app: App,
    pub(crate) door: Door,
    pub(crate) clock: Arc<TestClock>,
    pub(crate) lanes: Arc<TestLanes>,
    pub(crate) events: Arc<TestEvents>,
    pub(crate) told: Arc<TestTold>,
    /// Makes commits take time.
    pub(crate) disk: Arc<SlowDisk>,
    /// Makes commits fail.
    pub(crate) faults: Faults,
    _directory: TempDir,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(Settings::default())
    }

    pub(crate) fn with(settings: Settings) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let clock = Arc::new(TestClock::default());
        let entropy: Arc<dyn Entropy> = Arc::new(TestEntropy::new(7));
        let lanes = Arc::new(TestLanes::default());
        let events = Arc::new(TestEvents::default());
        let told = Arc::new(TestTold::default());
        let faults = Faults::default();
        let disk = Arc::new(SlowDisk::new(clock.clone()));
        let surroundings = Surroundings {
            clock: disk.clone(),
            entropy: entropy.clone(),
        };
        let store = open(&directory.path().join("data"), &faults, surroundings);
        let registry = RegistryConfig {
            applications_max: NonZeroUsize::new(16).expect("not zero"),
            shared: false,
        };
        let secret = Secret::from(SECRET.to_owned());
        let app = App {
            registry: Arc::new(Registry::new(store.clone(), clock.clone(), registry)),
            store,
            lanes: lanes.clone(),
            fetching: Arc::new(TestFetching),
            vault: Arc::new(Vault::new(MasterKey::generate(&*entropy), entropy.clone())),
            guard: Arc::new(Guard::new(AddressPolicy::default(), Arc::new(Names))),
            tokens: Arc::new(Tokens::new(secret, TokenSettings::default())),
            clock: clock.clone(),
            entropy,
            events: events.clone(),
            operational: told.clone(),
            alerting: Arc::new(app::environment::alerts::sender::NoSender),
            environment: Arc::default(),
            listeners: Arc::default(),
            settings: Arc::new(Settings {
                attempt_wait: Duration::from_millis(100),
                ..settings
            }),
        };
        Self {
            door: api::open(app.clone(), api::ApiConfig::default()),
            app,
            clock,
            lanes,
            events,
            told,
            disk,
            faults,
            _directory: directory,
        }
    }

    /// A request of the organisation, without a body yet. `path` begins behind `/api/v1`.
    pub(crate) fn call(&self, method: &str, path: impl ToString) -> Call<'_> {
        Call::new(self, method, &path.to_string())
    }

    pub(crate) fn get(&self, path: impl ToString) -> Call<'_> {
        self.call("GET", path)
    }

    pub(crate) fn post(&self, path: impl ToString, body: impl ToString) -> Call<'_> {
        self.call("POST", path).body(body)
    }

    pub(crate) fn put(&self, path: impl ToString, body: impl ToString) -> Call<'_> {
        self.call("PUT", path).body(body)
    }

    pub(crate) fn patch(&self, path: impl ToString, body: impl ToString) -> Call<'_> {
        self.call("PATCH", path).body(body)
    }

    pub(crate) fn delete(&self, path: impl ToString) -> Call<'_> {
        self.call("DELETE", path)
    }

    /// Sends a request that needs more than a [`Call`] can say.
    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let to = format!("{} {}", request.method(), request.uri());
        let (head, body) = self.door.answer(request).await.into_parts();
        let body = body.collect().await.expect("a whole body").to_bytes();
        let text = String::from_utf8(body.into()).expect("every body is a text");
        Answer {
            body: json_of(&text).unwrap_or_else(|error| panic!("{to}: {error}: {text}")),
            to,
            status: head.status.as_u16(),
            headers: head.headers,
            text,
        }
    }

    /// The organisation's token.
    pub(crate) fn token(&self) -> String {
        self.mint(&Grant::Organisation)
    }

    /// The token of the application with this public id, with these feature flags.
    pub(crate) fn token_of(&self, application: &str, flags: &[&str]) -> String {
        let flags = flags.iter().map(|flag| flag.parse().expect("a name"));
        let grant = Grant::Application {
            id: application.parse().expect("an application's id"),
            feature_flags: flags.collect(),
        };
        self.mint(&grant)
    }

    /// The organisation's token, limited to this role.
    pub(crate) fn token_as(&self, role: Role) -> String {
        self.mint(&Grant::Role(role))
    }

    fn mint(&self, grant: &Grant) -> String {
        let app = &self.app;
        let lifetime = Lifetime::default();
        app.tokens
            .mint(grant, lifetime, app.clock.now(), &*app.entropy)
    }

    /// Makes an application with this uid.
    pub(crate) async fn application(&self, uid: &str) -> String {
        let made = self.post("/app", json!({ "name": uid, "uid": uid })).await;
        made.is(201).text("id")
    }

    /// Makes an endpoint; `more` are further fields of its body.
    pub(crate) async fn endpoint(&self, application: &str, more: Value) -> String {
        let body = merged(json!({ "url": "https://example.com/hook" }), more);
        let made = self.post(format!("/app/{application}/endpoint"), body);
        made.await.is(201).text("id")
    }

    /// Sends a message of the type `order.paid`; `more` are further fields of its body.
    pub(crate) async fn message(&self, application: &str, more: Value) -> String {
        let body = json!({ "eventType": "order.paid", "payload": { "total": 12 } });
        let made = self.post(format!("/app/{application}/msg"), merged(body, more));
        made.await.is(202).text("id")
    }

    /// Does all background work that there is.
    pub(crate) async fn work(&self) {
        while self.app.store.work().await.expect("it works").more {}
    }
}

/// An object with further fields, or with others in their place.
pub(crate) fn merged(mut object: Value, more: Value) -> Value {
    let fields = object.as_object_mut().expect("an object");
    fields.extend(more.as_object().expect("an object").clone());
    object
}

fn json_of(text: &str) -> serde_json::Result<Value> {
    if text.is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_str(text).or_else(|_| {
        // What is nested too deep for a value may be JSON all the same.
        let _: &RawValue = serde_json::from_str(text)?;
        Ok(Value::Null)
    })
}

fn open(directory: &Path, faults: &Faults, surroundings: Surroundings) -> Arc<dyn Store> {
    let directory = DataDirectory::lock(directory).expect("it is ours");
    let config = SqliteConfig {
        faults: faults.clone(),
        ..SqliteConfig::default()
    };
    let store = SqliteStore::open_inline(directory, config, surroundings);
    Arc::new(store.expect("it opens"))
}

/// Every name has a public address, but for three.
struct Names;

#[async_trait]
impl Resolver for Names {
    async fn resolve(&self, name: &str) -> Result<Vec<IpAddr>, ResolveError> {
        let public = IpAddr::from([93, 184, 215, 14]);
        let private = IpAddr::from([10, 0, 0, 1]);
        match name {
            "private.example.com" => Ok(vec![private]),
            "mixed.example.com" => Ok(vec![public, private]),
            "unknown.example.com" => Err(ResolveError::NotFound(name.to_owned())),
            _ => Ok(vec![public]),
        }
    }
}
