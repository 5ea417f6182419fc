//! What the API's tests are told in: an installation on the embedded store in a directory of its
//! own, a clock that a test moves, and a sender that only takes down what it is handed.

use crate::sinks::{TestEvents, TestLanes};
use app::tokens::{Grant, Lifetime, TokenSettings};
use app::{App, Settings, Tokens};
use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use http::Request;
use http_body_util::BodyExt;
use model::address::AddressPolicy;
use model::attempt::AttemptResult;
use model::id::EndpointKey;
use model::{Clock, Entropy, Secret};
use serde_json::{Value, json};
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use store::conformance::{TestClock, TestEntropy};
use store::record::{HealthChange, NewAttempt, Outcome, Then};
use store::registry::RegistryConfig;
use store::rows::{ApplicationRef, Claimed};
use store::{Lane, Registry, Store};
use store_sqlite::faults::Faults;
use store_sqlite::{DataDirectory, SqliteConfig, SqliteStore, Surroundings};
use tower::ServiceExt;
use transport::{Guard, ResolveError, Resolver};
use vault::{MasterKey, SealedDataKey, Vault};

/// An installation.
pub(crate) struct World {
    pub(crate) app: App,
    pub(crate) clock: Arc<TestClock>,
    pub(crate) lanes: Arc<TestLanes>,
    pub(crate) events: Arc<TestEvents>,
    pub(crate) faults: Faults,
    router: Router,
    _directory: tempfile::TempDir,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) text: String,
}

impl Answer {
    /// The body as JSON.
    pub(crate) fn json(&self) -> Value {
        let json = serde_json::from_str(&self.text);
        json.unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    /// The body, of an answer that must have this status.
    pub(crate) fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        if self.text.is_empty() {
            Value::Null
        } else {
            self.json()
        }
    }

    /// A refusal: its status and its code.
    pub(crate) fn refusal(&self) -> (u16, String) {
        let code = self.json()["code"].as_str().map(str::to_owned);
        (
            self.status,
            code.unwrap_or_else(|| panic!("no code: {}", self.text)),
        )
    }

    /// Broken rules: where each is, names joined by dots.
    pub(crate) fn broken(&self) -> Vec<String> {
        let json = self.expect(422);
        let items = json["detail"].as_array().expect("a list of broken rules");
        let names = |item: &Value| {
            let names = item["loc"].as_array().expect("a list of names").iter();
            names
                .map(|name| name.as_str().expect("a name"))
                .collect::<Vec<_>>()
                .join(".")
        };
        items.iter().map(names).collect()
    }
}

/// A request on its way.
pub(crate) struct Call<'a> {
    world: &'a World,
    method: &'a str,
    path: String,
    token: Option<String>,
    headers: Vec<(&'a str, String)>,
    body: String,
}

impl<'a> Call<'a> {
    pub(crate) fn token(mut self, token: Option<String>) -> Self {
        self.token = token;
        self
    }

    pub(crate) fn key(mut self, key: &str) -> Self {
        self.headers.push(("idempotency-key", key.to_owned()));
        self
    }

    pub(crate) fn body(mut self, body: impl ToString) -> Self {
        self.body = body.to_string();
        self
    }

    pub(crate) async fn send(self) -> Answer {
        let mut request = Request::builder()
            .method(self.method)
            .uri(format!("/api/v1{}", self.path));
        if let Some(token) = self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        for (name, value) in self.headers {
            request = request.header(name, value);
        }
        let request = request.body(Body::from(self.body)).expect("a request");
        let response = self.world.router.clone().oneshot(request).await;
        let (head, body) = response.expect("the router answers").into_parts();
        let body = body.collect().await.expect("a body").to_bytes();
        let text = String::from_utf8(body.into()).expect("answers are text");
        Answer {
            status: head.status.as_u16(),
            text,
        }
    }
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
        let faults = Faults::default();
        let directory_in = directory.path().join("data");
        let surroundings = Surroundings {
            clock: clock.clone(),
            entropy: entropy.clone(),
        };
        let store = open(&directory_in, &faults, surroundings);
        let registry = RegistryConfig {
            applications_max: NonZeroUsize::new(16).expect("not zero"),
            shared: false,
        };
        let secret = Secret::new(b"a secret that signs tokens in tests".to_vec());
        let app = App {
            registry: Arc::new(Registry::new(store.clone(), clock.clone(), registry)),
            store,
            lanes: lanes.clone(),
            vault: Arc::new(Vault::new(MasterKey::generate(&*entropy), entropy.clone())),
            guard: Arc::new(Guard::new(AddressPolicy::default(), Arc::new(PublicNames))),
            tokens: Arc::new(Tokens::new(secret, TokenSettings::default())),
            clock: clock.clone(),
            entropy,
            events: events.clone(),
            settings: Arc::new(settings),
        };
        let router = api::router(app.clone(), api::ApiConfig::default());
        Self {
            app,
            clock,
            lanes,
            events,
            faults,
            router,
            _directory: directory,
        }
    }

    /// A request with the organisation's token.
    pub(crate) fn call<'a>(&'a self, method: &'a str, path: impl ToString) -> Call<'a> {
        let token = Some(self.token(&Grant::Organisation));
        Call {
            world: self,
            method,
            path: path.to_string(),
            token,
            headers: vec![],
            body: String::new(),
        }
    }

    pub(crate) async fn get(&self, path: impl ToString) -> Answer {
        self.call("GET", path).send().await
    }

    pub(crate) async fn post(&self, path: impl ToString, body: impl ToString) -> Answer {
        self.call("POST", path).body(body).send().await
    }

    pub(crate) fn token(&self, grant: &Grant) -> String {
        self.app.tokens.mint(
            grant,
            Lifetime::default(),
            self.clock.now(),
            &*self.app.entropy,
        )
    }

    /// The token of the application with this public id.
    pub(crate) fn token_of(&self, application: &str) -> String {
        let id = application.parse().expect("an application's id");
        self.token(&Grant::Application {
            id,
            feature_flags: Vec::new(),
        })
    }

    /// Makes an application with this uid.
    pub(crate) async fn application(&self, uid: &str) -> String {
        let made = self.post("/app", json!({ "name": uid, "uid": uid })).await;
        id_of(&made.expect(201))
    }

    /// Makes an endpoint; `more` are further fields of its body.
    pub(crate) async fn endpoint(&self, application: &str, more: Value) -> String {
        let mut body = json!({ "url": "https://example.com/hook" });
        let fields = body.as_object_mut().expect("an object");
        fields.extend(more.as_object().expect("an object").clone());
        let made = self
            .post(format!("/app/{application}/endpoint"), body)
            .await;
        id_of(&made.expect(201))
    }

    /// Sends a message of the type `order.paid`; `more` are further fields of its body.
    pub(crate) async fn message(&self, application: &str, more: Value) -> String {
        let mut body = json!({ "eventType": "order.paid", "payload": { "total": 12 } });
        let fields = body.as_object_mut().expect("an object");
        fields.extend(more.as_object().expect("an object").clone());
        id_of(
            &self
                .post(format!("/app/{application}/msg"), body)
                .await
                .expect(202),
        )
    }

    /// Does all background work that there is.
    pub(crate) async fn work(&self) {
        while self.app.store.work().await.expect("it works").more {}
    }

    /// Takes hold of all deliveries that are due and that nobody holds.
    pub(crate) async fn claim_all(&self) -> Vec<Claimed> {
        let lanes = self.app.store.lanes(EndpointKey::MIN, 100).await;
        let mut claimed = Vec::new();
        for due in lanes.expect("it reads") {
            let lane = Lane {
                application: due.application,
                endpoint: due.endpoint,
            };
            let of_lane = self.app.store.claim(lane, self.clock.now(), 100).await;
            claimed.extend(of_lane.expect("it claims"));
        }
        claimed
    }

    /// The keys of the application of a delivery.
    async fn keys(&self, claimed: &Claimed) -> vault::KeyRing {
        let application = ApplicationRef::Key(claimed.delivery.application);
        let row = self
            .app
            .registry
            .find(&application)
            .await
            .expect("it reads")
            .expect("is there");
        let sealed = row.application.data_keys.iter();
        let sealed: Vec<_> = sealed
            .map(|key| SealedDataKey::from_bytes(&key[..]))
            .collect();
        let id = row.application.application.id;
        self.app.vault.key_ring(id, &sealed).expect("they open")
    }

    /// Records how an attempt of a delivery ended, as the sender does.
    pub(crate) async fn record(&self, claimed: Claimed, ended: Ended) {
        let tail = model::entropy::random(&*self.app.entropy);
        let place = vault::Place {
            table: "attempt",
            row: &tail,
            column: "excerpt",
        };
        let excerpt = match ended.answer {
            [] => None,
            answer => Some(self.keys(&claimed).await.seal(place, answer).into()),
        };
        let attempt = NewAttempt {
            tail,
            number: claimed.delivery.attempts + 1,
            started_at: self.clock.now(),
            duration: Duration::from_millis(12),
            status_code: ended.status_code,
            result: ended.result,
            endpoint_revision: 1,
            excerpt,
        };
        let outcome = Outcome {
            message: claimed.message.message.id,
            event_type: claimed.message.message.event_type.clone(),
            attempt,
            then: ended.then,
            health: HealthChange::None,
            hold: claimed.hold,
            delivery: claimed.delivery,
        };
        self.app
            .store
            .record(outcome)
            .await
            .expect("it is recorded");
    }

    /// Records that the delivery that was handed over last succeeded.
    pub(crate) async fn succeed(&self) {
        let handed = self.lanes.take();
        for handed in handed {
            self.record(handed.claimed, Ended::success()).await;
        }
    }
}

/// How an attempt ended.
pub(crate) struct Ended {
    pub(crate) status_code: u16,
    pub(crate) result: AttemptResult,
    pub(crate) answer: &'static [u8],
    pub(crate) then: Then,
}

impl Ended {
    pub(crate) fn success() -> Self {
        let (status_code, result) = (200, AttemptResult::Success);
        Self {
            status_code,
            result,
            answer: b"fine",
            then: Then::Close,
        }
    }

    pub(crate) fn failure(then: Then) -> Self {
        let (status_code, result) = (500, AttemptResult::Failure);
        Self {
            status_code,
            result,
            answer: b"oh no",
            then,
        }
    }

    pub(crate) fn answer(self, answer: &'static [u8]) -> Self {
        Self { answer, ..self }
    }
}

/// The id in an answer.
pub(crate) fn id_of(json: &Value) -> String {
    json["id"]
        .as_str()
        .unwrap_or_else(|| panic!("no id: {json}"))
        .to_owned()
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

/// Every name has a public address.
struct PublicNames;

#[async_trait]
impl Resolver for PublicNames {
    async fn resolve(&self, _: &str) -> Result<Vec<std::net::IpAddr>, ResolveError> {
        Ok(vec!["93.184.215.14".parse().expect("an address")])
    }
}
