//! What these tests are told in: an installation on the embedded store in a directory of its own, a
//! clock that a test moves, a sender that only takes down what it is handed, and its pages.

use crate::visitor::Visitor;
use app::access::limits::Capability;
use app::api_keys::ApiKeyInput;
use app::applications::ApplicationInput;
use app::endpoints::{EndpointInput, EndpointsOf, NewEndpointInput};
use app::messages::{MessageInput, MessageRequest, RecipientPath};
use app::portal::PortalInput;
use app::sources::ConfigInput;
use app::tokens::sessions::Pages as Kind;
use app::tokens::{Grant, Lifetime, TokenSettings};
use app::{App, AppError, Caller, Settings, Tokens, Violation};
use async_trait::async_trait;
use axum::Router;
use dashboard::{
    Blocked, Brand, Figures, Pages, PagesConfig, Reading, RuleExplained, Threshold, Written,
};
use model::address::AddressPolicy;
use model::id::{ApplicationKey, SourceId};
use model::meter::CameLately;
use model::role::Role;
use model::security::{EventSink, SecurityEvent};
use model::{Entropy, Secret, Timestamp};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::num::NonZeroUsize;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use store::conformance::{TestClock, TestEntropy};
use store::registry::RegistryConfig;
use store::rows::{Claimed, MessageRow};
use store::{Fetched, Fetching, Fresh, Lane, Lanes, Place, Registry, StoreError};
use store_sqlite::{DataDirectory, SqliteConfig, SqliteStore, Surroundings};
use tempfile::TempDir;
use transport::{Guard, ResolveError, Resolver};
use vault::{MasterKey, Vault};

/// An installation.
pub(crate) struct World {
    pub(crate) app: App,
    pub(crate) pages: Pages,
    pub(crate) clock: Arc<TestClock>,
    pub(crate) lanes: Arc<TestLanes>,
    pub(crate) figures: Arc<TestFigures>,
    pub(crate) events: Arc<TestEvents>,
    /// How many API keys were made to sign in with.
    keys: AtomicUsize,
    sqlite: Arc<SqliteStore>,
    _directory: TempDir,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(|_| {})
    }

    /// The same with pages that are configured otherwise.
    pub(crate) fn with(change: impl FnOnce(&mut PagesConfig)) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let clock = Arc::new(TestClock::default());
        let entropy: Arc<dyn Entropy> = Arc::new(TestEntropy::new(7));
        let lanes = Arc::new(TestLanes::default());
        let figures = Arc::new(TestFigures::default());
        let events = Arc::new(TestEvents::default());
        let surroundings = Surroundings {
            clock: clock.clone(),
            entropy: entropy.clone(),
        };
        let data = DataDirectory::lock(&directory.path().join("data")).expect("it is ours");
        let store = SqliteStore::open_inline(data, SqliteConfig::default(), surroundings);
        let sqlite = Arc::new(store.expect("it opens"));
        let store: Arc<dyn store::Store> = sqlite.clone();
        let registry = RegistryConfig {
            applications_max: NonZeroUsize::new(16).expect("not zero"),
            shared: false,
        };
        let secret = Secret::from("a secret of thirty-two characters".to_owned());
        let app = App {
            registry: Arc::new(Registry::new(store.clone(), clock.clone(), registry)),
            store,
            lanes: lanes.clone(),
            fetching: Arc::new(Nothing),
            vault: Arc::new(Vault::new(MasterKey::generate(&*entropy), entropy.clone())),
            guard: Arc::new(Guard::new(AddressPolicy::default(), Arc::new(Nothing))),
            tokens: Arc::new(Tokens::new(secret, TokenSettings::default())),
            clock: clock.clone(),
            entropy,
            events: events.clone(),
            operational: Arc::new(model::operational::Untold),
            alerting: Arc::new(app::environment::alerts::sender::NoSender),
            environment: Arc::default(),
            listeners: Arc::default(),
            settings: Arc::new(Settings {
                attempt_wait: Duration::from_millis(100),
                ..Settings::default()
            }),
        };
        let mut config = config(figures.clone());
        change(&mut config);
        Self {
            pages: dashboard::open(app.clone(), config),
            app,
            clock,
            lanes,
            figures,
            events,
            keys: AtomicUsize::new(0),
            sqlite,
            _directory: directory,
        }
    }

    /// From now on nothing can be read or written.
    pub(crate) fn lose_the_store(&self) {
        self.sqlite.close();
    }

    /// The pages that a path is of.
    pub(crate) fn router(&self, path: &str) -> Router {
        match path.starts_with(dashboard::PORTAL) {
            true => self.pages.portal.clone(),
            false => self.pages.dashboard.clone(),
        }
    }

    /// Somebody without a session.
    pub(crate) fn stranger(&self) -> Visitor<'_> {
        Visitor::new(self, Kind::Dashboard, "")
    }

    /// Somebody of the organisation who is signed in, and may do what this role may.
    pub(crate) async fn signed_in(&self, role: Role) -> Visitor<'_> {
        let token = self.key_of(role).await;
        let session = self.app.sign_in(&token, None).await;
        let session = session.unwrap_or_else(|error| panic!("{role} can't sign in: {error}"));
        let session = String::from_utf8_lossy(session.session.expose()).into_owned();
        Visitor::new(self, Kind::Dashboard, &session)
    }

    /// Somebody of this application's people, in the portal: with these capabilities, or with all.
    pub(crate) async fn in_portal(
        &self,
        application: &str,
        capabilities: Option<&[Capability]>,
    ) -> Visitor<'_> {
        let input = PortalInput {
            capabilities: capabilities.map(|some| some.iter().copied().collect()),
            ..PortalInput::default()
        };
        let link = self.link(application, input).await;
        let session = self.app.open_portal(&link, None).await.expect("it opens");
        let session = String::from_utf8_lossy(session.session.expose()).into_owned();
        Visitor::new(self, Kind::Portal, &session)
    }

    /// What is good once to come into the portal.
    pub(crate) async fn link(&self, application: &str, input: PortalInput) -> String {
        let path = RecipientPath::parse(application).expect("a name");
        let admin = self.admin();
        let recipient = self.app.recipient(&admin, path).await.expect("it reads");
        let access = self.app.portal_access(&admin, recipient, input).await;
        let access = access.unwrap_or_else(|error| panic!("{application} has no portal: {error}"));
        String::from_utf8_lossy(access.one_time_token.expose()).into_owned()
    }

    /// An API key's token with this role.
    pub(crate) async fn key_of(&self, role: Role) -> String {
        let number = self.keys.fetch_add(1, Ordering::Relaxed);
        let input = ApiKeyInput {
            name: format!("{role} {number}"),
            scopes: Some(vec![format!("role:{role}")]),
        };
        let (admin, organisation) = (self.admin(), self.app.tokens.organisation());
        let made = self.app.create_api_key(&admin, (organisation, &[]), input);
        let made = made.await.expect("a role is a scope");
        String::from_utf8_lossy(made.token.expose()).into_owned()
    }

    /// The organisation's token.
    pub(crate) fn token(&self) -> String {
        let (app, now) = (&self.app, self.app.clock.now());
        let lifetime = Lifetime::default();
        app.tokens
            .mint(&Grant::Organisation, lifetime, now, &*app.entropy)
    }

    /// Whoever sets the stage.
    pub(crate) fn admin(&self) -> Caller {
        let admin = self.app.authenticate(Some(&self.token()), None);
        admin.expect("its own token is good")
    }

    /// Makes an application with this uid, and gives its id.
    pub(crate) async fn application(&self, uid: &str) -> String {
        let input = ApplicationInput {
            name: format!("Application {uid}"),
            uid: Some(uid.to_owned()),
            ..ApplicationInput::default()
        };
        let admin = self.admin();
        let made = self.app.create_application(&admin, input, false);
        let made = made.await.expect("it is made");
        made.value.id.to_string()
    }

    /// Makes an endpoint with this uid, and gives its id.
    pub(crate) async fn endpoint(&self, application: &str, uid: &str) -> String {
        self.endpoint_with(application, endpoint_input(uid)).await
    }

    /// The same of what else is said of it.
    pub(crate) async fn endpoint_with(&self, application: &str, input: EndpointInput) -> String {
        let admin = self.admin();
        let tenant = self.app.application(&admin, application).await;
        let tenant = tenant.expect("it is there");
        let new = NewEndpointInput::default();
        let made = self
            .app
            .create_endpoint(&admin, &EndpointsOf::Application(tenant), input, new)
            .await;
        made.expect("it is made").value.endpoint.id.to_string()
    }

    /// Sends a message of the type `order.paid` with this payload, and gives its id.
    pub(crate) async fn message(&self, application: &str, payload: &str) -> String {
        let message = MessageInput {
            event_type: "order.paid".to_owned(),
            payload: payload.to_owned().into(),
            ..MessageInput::default()
        };
        self.message_with(application, message).await
    }

    /// The same of what else is said of it.
    pub(crate) async fn message_with(&self, application: &str, message: MessageInput) -> String {
        let admin = self.admin();
        let path = RecipientPath::parse(application).expect("a name");
        let recipient = self.app.recipient(&admin, path).await.expect("it reads");
        let request = MessageRequest {
            message,
            application: None,
        };
        let made = self.app.create_message(&admin, recipient, request).await;
        made.expect("it is accepted").made.message.id.to_string()
    }
}

/// An endpoint of this uid that wants everything.
pub(crate) fn endpoint_input(uid: &str) -> EndpointInput {
    EndpointInput {
        url: format!("https://example.com/{uid}"),
        description: String::new(),
        disabled: false,
        event_types: None,
        channels: None,
        throttle_rate: None,
        rate_limit: None,
        uid: Some(uid.to_owned()),
        metadata: BTreeMap::new(),
        version: 1,
    }
}

fn config(figures: Arc<TestFigures>) -> PagesConfig {
    PagesConfig {
        public_url: "https://hooks.example".to_owned(),
        gateway_url: "https://in.example".to_owned(),
        brand: Brand::default(),
        frame_ancestors: Vec::new(),
        identity: None,
        settings: "listen = \"127.0.0.1:8071\"\n".to_owned(),
        figures,
        blocked: Arc::new(TestBlocked),
        rules: vec![silence()],
        written: Written {
            nouns: &["ingest", "message"],
            read_source_config,
            show_source_config: |view| Ok(format!("allows {:?}", view.allow_addresses)),
        },
    }
}

fn silence() -> RuleExplained {
    RuleExplained {
        name: "silence",
        finds: "Nothing comes.",
        advice: "Look at the provider.",
        enabled: true,
        thresholds: vec![Threshold {
            name: "expected",
            meaning: "So much must be usual.",
            value: 20,
        }],
        responses: Vec::new(),
    }
}

/// As much of what the API reads as these tests write.
fn read_source_config(json: &str) -> Result<ConfigInput, AppError> {
    let wrong = |error: serde_json::Error| Violation::body(&["config"], error.to_string());
    let json: serde_json::Value = serde_json::from_str(json).map_err(wrong)?;
    let is = |name: &str| json[name].as_bool().unwrap_or_default();
    Ok(ConfigInput {
        unverified: is("unverified"),
        keeps_refused: is("keepRefused"),
        ..ConfigInput::default()
    })
}

/// A sender that sends nothing, knows what it was handed, and may be said to be late.
#[derive(Default)]
pub(crate) struct TestLanes {
    handed: Mutex<Vec<(Claimed, Place)>>,
    overdue: Mutex<Option<Timestamp>>,
}

impl TestLanes {
    /// What was handed over since this was last asked.
    pub(crate) fn take(&self) -> Vec<(Claimed, Place)> {
        std::mem::take(&mut self.handed.lock().expect("nobody panics"))
    }

    /// Due deliveries have not been looked for since.
    pub(crate) fn fall_behind(&self, since: Timestamp) {
        *self.overdue.lock().expect("nobody panics") = Some(since);
    }
}

impl Lanes for TestLanes {
    fn grant(&self, _: Lane, _: bool) -> Option<Place> {
        Some(Place::new(()))
    }

    fn hand_over(&self, claimed: Claimed, _: Fresh, place: Place) {
        let mut handed = self.handed.lock().expect("nobody panics");
        handed.push((claimed, place));
    }

    fn waiting(&self, _: Lane, _: Timestamp) {}

    fn changed(&self, _: ApplicationKey) {}

    fn work(&self) {}

    fn overdue(&self) -> Option<Timestamp> {
        *self.overdue.lock().expect("nobody panics")
    }
}

/// Keeps what is reported, which the store is not told of.
#[derive(Default)]
pub(crate) struct TestEvents(Mutex<Vec<SecurityEvent>>);

impl TestEvents {
    /// What was reported since this was last asked.
    pub(crate) fn take(&self) -> Vec<SecurityEvent> {
        std::mem::take(&mut self.0.lock().expect("nobody panics"))
    }
}

impl EventSink for TestEvents {
    fn report(&self, event: SecurityEvent) {
        self.0.lock().expect("nobody panics").push(event);
    }
}

/// What finds nothing, and has one answer.
struct Nothing;

#[async_trait]
impl Fetching for Nothing {
    async fn fetched(&self, _: Lane, _: MessageRow) -> Result<Option<Fetched>, StoreError> {
        Ok(None)
    }
}

#[async_trait]
impl Resolver for Nothing {
    async fn resolve(&self, _: &str) -> Result<Vec<IpAddr>, ResolveError> {
        Ok(vec![IpAddr::from([93, 184, 215, 14])])
    }
}

/// What detection is said to have blocked: one address, for long.
struct TestBlocked;

impl Blocked for TestBlocked {
    fn blocked(&self) -> Vec<(IpAddr, Timestamp)> {
        let address = IpAddr::from([198, 51, 100, 7]);
        vec![(address, Timestamp::from_seconds(4_000_000_000))]
    }
}

/// What a node is said to have counted.
#[derive(Default)]
pub(crate) struct TestFigures(Mutex<Reading>);

impl TestFigures {
    pub(crate) fn set(&self, reading: Reading) {
        *self.0.lock().expect("nobody panics") = reading;
    }
}

impl Figures for TestFigures {
    fn read(&self) -> Pin<Box<dyn Future<Output = Reading> + Send + '_>> {
        let reading = self.0.lock().expect("nobody panics").clone();
        Box::pin(async { reading })
    }

    fn came(&self, _: SourceId) -> Option<CameLately> {
        Some(CameLately {
            accepted: 1_234,
            refused: 5,
        })
    }
}
