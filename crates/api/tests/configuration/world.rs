//! What a test needs of the world: one Postrider without a sender, and ways to talk to it.

use api::{ApiConfig, RemoteAddress};
use app::tokens::{Grant, Lifetime, TokenSettings};
use app::{App, Settings, Tokens};
use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt;
use model::address::AddressPolicy;
use model::id::ApplicationKey;
use model::security::{EventSink, SecurityEvent};
use model::{Clock, Secret, Timestamp};
use serde_json::Value;
use std::net::{IpAddr, Ipv4Addr};
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex};
use store::conformance::{TestClock, TestEntropy};
use store::registry::RegistryConfig;
use store::rows::Claimed;
use store::{Lane, Lanes, Place, Registry};
use store_sqlite::faults::Faults;
use store_sqlite::{DataDirectory, SqliteConfig, SqliteStore, Surroundings};
use tempfile::TempDir;
use tower::ServiceExt;
use transport::{Guard, ResolveError, Resolver};
use vault::{MasterKey, Vault};

/// The secret that tokens are signed with.
pub(crate) const SECRET: &str = "a secret of thirty-two characters";
/// Where requests come from.
pub(crate) const REMOTE: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7));

/// One Postrider.
pub(crate) struct World {
    pub(crate) router: Router,
    pub(crate) app: App,
    pub(crate) clock: Arc<TestClock>,
    pub(crate) events: Arc<Reported>,
    pub(crate) lanes: Arc<TestLanes>,
    /// Makes commits fail.
    pub(crate) faults: Faults,
    /// The organisation's token.
    pub(crate) token: String,
    _directory: TempDir,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(Settings::default(), TokenSettings::default())
    }

    pub(crate) fn with(settings: Settings, tokens: TokenSettings) -> Self {
        let clock = Arc::new(TestClock::default());
        let entropy = Arc::new(TestEntropy::new(7));
        let directory = tempfile::tempdir().expect("a directory");
        let surroundings = Surroundings {
            clock: clock.clone(),
            entropy: entropy.clone(),
        };
        let data = DataDirectory::lock(&directory.path().join("data")).expect("a fresh directory");
        let faults = Faults::default();
        let config = SqliteConfig {
            faults: faults.clone(),
            ..SqliteConfig::default()
        };
        let store = SqliteStore::open_inline(data, config, surroundings);
        let store: Arc<dyn store::Store> = Arc::new(store.expect("a fresh store"));
        let registry = RegistryConfig {
            applications_max: NonZeroUsize::new(100).expect("not zero"),
            shared: false,
        };
        let vault = Vault::new(MasterKey::generate(&*entropy), entropy.clone());
        let tokens = Arc::new(Tokens::new(Secret::from(SECRET.to_owned()), tokens));
        let token = tokens.mint(
            &Grant::Organisation,
            Lifetime::default(),
            clock.now(),
            &*entropy,
        );
        let events = Arc::new(Reported::default());
        let lanes = Arc::new(TestLanes::default());
        let app = App {
            registry: Arc::new(Registry::new(store.clone(), clock.clone(), registry)),
            store,
            lanes: lanes.clone(),
            vault: Arc::new(vault),
            guard: Arc::new(Guard::new(AddressPolicy::default(), Arc::new(TestResolver))),
            tokens,
            clock: clock.clone(),
            entropy,
            events: events.clone(),
            settings: Arc::new(settings),
        };
        let router = api::router(app.clone(), ApiConfig::default());
        Self {
            router,
            app,
            clock,
            events,
            lanes,
            faults,
            token,
            _directory: directory,
        }
    }

    /// A token for one application.
    pub(crate) fn application_token(&self, id: &str, flags: &[&str]) -> String {
        let grant = Grant::Application {
            id: id.parse().expect("an application's id"),
            feature_flags: flags
                .iter()
                .map(|flag| flag.parse().expect("a name"))
                .collect(),
        };
        self.app.tokens.mint(
            &grant,
            Lifetime::default(),
            self.clock.now(),
            &*self.app.entropy,
        )
    }

    /// Sends a request as the organisation. `path` begins behind `/api/v1`.
    pub(crate) async fn call(&self, method: &str, path: &str, body: Value) -> Answer {
        self.call_as(&self.token, method, path, body).await
    }

    /// Sends a request with this token.
    pub(crate) async fn call_as(
        &self,
        token: &str,
        method: &str,
        path: &str,
        body: Value,
    ) -> Answer {
        let body = match body {
            Value::Null => Body::empty(),
            body => Body::from(body.to_string()),
        };
        self.send(self.request(
            method,
            path,
            body,
            &[("authorization", &format!("Bearer {token}"))],
        ))
        .await
    }

    /// Sends a request as the organisation, with an idempotency key.
    pub(crate) async fn call_once(
        &self,
        key: &str,
        method: &str,
        path: &str,
        body: Value,
    ) -> Answer {
        let token = format!("Bearer {}", self.token);
        let headers = [("authorization", token.as_str()), ("idempotency-key", key)];
        self.send(self.request(method, path, Body::from(body.to_string()), &headers))
            .await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.call("GET", path, Value::Null).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.call("POST", path, body).await
    }

    /// A request from [`REMOTE`].
    pub(crate) fn request(
        &self,
        method: &str,
        path: &str,
        body: Body,
        headers: &[(&str, &str)],
    ) -> Request<Body> {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("/api/v1{path}"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request
            .extension(RemoteAddress(REMOTE))
            .body(body)
            .expect("a request")
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let response = self
            .router
            .clone()
            .oneshot(request)
            .await
            .expect("the router answers");
        let (parts, body) = response.into_parts();
        let body = body.collect().await.expect("a whole body").to_bytes();
        let body = match body.is_empty() {
            true => Value::Null,
            false => serde_json::from_slice(&body).expect("every body is JSON"),
        };
        Answer {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body,
        }
    }

    /// Makes an application and gives back its id.
    pub(crate) async fn application(&self, body: Value) -> String {
        let made = self.post("/app", body).await;
        assert_eq!(made.status, 201, "{made:?}");
        made.text("id")
    }
}

impl Answer {
    /// A field that is a string.
    #[track_caller]
    pub(crate) fn text(&self, field: &str) -> String {
        let text = self.body[field].as_str();
        text.unwrap_or_else(|| panic!("`{field}` is no string in {self:?}"))
            .to_owned()
    }

    /// Passes an answer of this status, and gives it back.
    #[track_caller]
    pub(crate) fn is(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{self:?}");
        self
    }

    /// Passes a refusal of this status, code and detail.
    #[track_caller]
    pub(crate) fn refuses(self, status: u16, code: &str, detail: &str) {
        let expected = serde_json::json!({"code": code, "detail": detail});
        assert_eq!((self.status, &self.body), (status, &expected), "{self:?}");
    }

    /// Passes a 422, and gives back its locations, each in one piece.
    #[track_caller]
    pub(crate) fn locations(&self) -> Vec<String> {
        assert_eq!(
            self.status,
            StatusCode::UNPROCESSABLE_ENTITY.as_u16(),
            "{self:?}"
        );
        let rules = self.body["detail"]
            .as_array()
            .expect("a list of broken rules");
        let location = |rule: &Value| {
            assert!(
                rule["msg"].is_string() && rule["type"].is_string(),
                "{rule}"
            );
            let names = rule["loc"].as_array().expect("a location").iter();
            names
                .map(|name| name.as_str().expect("a name"))
                .collect::<Vec<_>>()
                .join("/")
        };
        rules.iter().map(location).collect()
    }

    /// A field of each row of a list.
    #[track_caller]
    pub(crate) fn column(&self, field: &str) -> Vec<String> {
        let rows = self.body["data"].as_array();
        let rows = rows.unwrap_or_else(|| panic!("no list: {self:?}"));
        rows.iter()
            .map(|row| row[field].as_str().unwrap_or_default().to_owned())
            .collect()
    }
}

/// Security events as they were reported.
#[derive(Default)]
pub(crate) struct Reported(Mutex<Vec<SecurityEvent>>);

impl Reported {
    /// Takes those that were reported since this was last called.
    pub(crate) fn take(&self) -> Vec<SecurityEvent> {
        std::mem::take(&mut self.0.lock().expect("no test panicked here"))
    }

    /// The same, only their kinds.
    pub(crate) fn take_kinds(&self) -> Vec<&'static str> {
        self.take()
            .iter()
            .map(|event| event.kind.as_str())
            .collect()
    }
}

impl EventSink for Reported {
    fn report(&self, event: SecurityEvent) {
        self.0.lock().expect("no test panicked here").push(event);
    }
}

/// Lanes without room, which remember what they were told.
#[derive(Default)]
pub(crate) struct TestLanes {
    changed: Mutex<Vec<ApplicationKey>>,
}

impl TestLanes {
    /// Which applications changed since this was last called.
    pub(crate) fn take_changed(&self) -> usize {
        std::mem::take(&mut *self.changed.lock().expect("no test panicked here")).len()
    }
}

impl Lanes for TestLanes {
    fn grant(&self, _: Lane) -> Option<Place> {
        None
    }

    fn hand_over(&self, _: Claimed, _: Bytes, _: Place) {
        panic!("nothing was granted");
    }

    fn waiting(&self, _: Lane, _: Timestamp) {}

    fn changed(&self, application: ApplicationKey) {
        self.changed
            .lock()
            .expect("no test panicked here")
            .push(application);
    }

    fn work(&self) {}
}

/// Knows a few names.
struct TestResolver;

#[async_trait]
impl Resolver for TestResolver {
    async fn resolve(&self, name: &str) -> Result<Vec<IpAddr>, ResolveError> {
        let public = IpAddr::V4(Ipv4Addr::new(93, 184, 215, 14));
        let private = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1));
        match name {
            "private.example.com" => Ok(vec![private]),
            "mixed.example.com" => Ok(vec![public, private]),
            "unknown.example.com" => Err(ResolveError::NotFound(name.to_owned())),
            _ => Ok(vec![public]),
        }
    }
}
