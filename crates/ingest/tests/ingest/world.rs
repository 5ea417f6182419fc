//! What these tests are told in: a gateway on the embedded store in a directory of its own, a clock
//! that a test moves, and sources that are put there as the use cases put them.

use app::tokens::TokenSettings;
use app::{App, Settings, Tokens};
use async_trait::async_trait;
use axum::body::Body;
use bytes::Bytes;
use http::{HeaderMap, Request};
use http_body_util::BodyExt as _;
use ingest::{Gate, IngestConfig, Peer};
use model::address::AddressPolicy;
use model::clock::Timestamp;
use model::id::{ApplicationKey, Key, SourceId};
use model::security::{EventSink, SecurityEvent};
use model::source::{Source, SourceConfig, SourceSecrets};
use model::{Clock as _, Entropy, Secret};
use serde_json::Value;
use std::net::IpAddr;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex};
use store::access::{AccessChange, AccessChanged};
use store::change::{Change, ChangeRequest, Changed};
use store::conformance::{TestClock, TestEntropy};
use store::query::{AllMessagesQuery, MessageFilter, Window};
use store::registry::RegistryConfig;
use store::rows::{Claimed, MessageRow};
use store::{Fetched, Fetching, Fresh, Lane, Lanes, Place, Registry, Store, StoreError};
use store_sqlite::faults::Faults;
use store_sqlite::{DataDirectory, SqliteConfig, SqliteStore, Surroundings};
use tempfile::TempDir;
use transport::{Guard, ResolveError, Resolver};
use vault::{MasterKey, Vault};

/// Under which the gateway is reached.
pub(crate) const PUBLIC_URL: &str = "https://in.example";
/// Whoever sends, unless a test says otherwise.
pub(crate) const SENDER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 7));

/// A gateway.
pub(crate) struct World {
    pub(crate) app: App,
    pub(crate) gate: Gate,
    pub(crate) clock: Arc<TestClock>,
    pub(crate) events: Arc<TestEvents>,
    /// Makes commits fail.
    pub(crate) faults: Faults,
    _directory: TempDir,
}

/// A source that is there.
#[derive(Clone)]
pub(crate) struct At {
    pub(crate) source: Source,
    pub(crate) token: String,
}

/// An answer.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    /// Its body's JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    /// It is a refusal of this status and with this code.
    #[track_caller]
    pub(crate) fn refused(&self, status: u16, code: &str) {
        let json = self.json();
        assert_eq!(
            (self.status, &json["code"]),
            (status, &code.into()),
            "{json}"
        );
        assert!(
            json["detail"]
                .as_str()
                .is_some_and(|detail| !detail.is_empty())
        );
    }

    /// It is good, and names a message.
    #[track_caller]
    pub(crate) fn accepted(&self) -> String {
        assert_eq!(self.status, 200, "{}", self.text);
        let json = self.json();
        assert_eq!(json.get("duplicate"), None, "{json}");
        json["id"].as_str().expect("an id").to_owned()
    }

    /// It is good, and names a message that came before.
    #[track_caller]
    pub(crate) fn repeated(&self) -> String {
        assert_eq!(self.status, 200, "{}", self.text);
        let json = self.json();
        assert_eq!(json["duplicate"], true, "{json}");
        json["id"].as_str().expect("an id").to_owned()
    }
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(IngestConfig::default())
    }

    pub(crate) fn with(config: IngestConfig) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let clock = Arc::new(TestClock::default());
        let entropy: Arc<dyn Entropy> = Arc::new(TestEntropy::new(7));
        let events = Arc::new(TestEvents::default());
        let faults = Faults::default();
        let surroundings = Surroundings {
            clock: clock.clone(),
            entropy: entropy.clone(),
        };
        let store = open(&directory, &faults, surroundings);
        let registry = RegistryConfig {
            applications_max: NonZeroUsize::new(16).expect("not zero"),
            shared: false,
        };
        let secret = Secret::from("a secret of thirty-two characters".to_owned());
        let app = App {
            registry: Arc::new(Registry::new(store.clone(), clock.clone(), registry)),
            store,
            lanes: Arc::new(NoSender),
            fetching: Arc::new(NoSender),
            vault: Arc::new(Vault::new(MasterKey::generate(&*entropy), entropy.clone())),
            guard: Arc::new(Guard::new(AddressPolicy::default(), Arc::new(NoSender))),
            tokens: Arc::new(Tokens::new(secret, TokenSettings::default())),
            clock: clock.clone(),
            entropy,
            events: events.clone(),
            operational: Arc::new(model::operational::Untold),
            alerting: Arc::new(app::environment::alerts::sender::NoSender),
            environment: Arc::default(),
            listeners: Arc::default(),
            settings: Arc::new(Settings {
                public_url: Some(PUBLIC_URL.to_owned()),
                payload_bytes_max: 64 * 1024,
                ..Settings::default()
            }),
        };
        Self {
            gate: ingest::open(app.clone(), &config),
            app,
            clock,
            events,
            faults,
            _directory: directory,
        }
    }

    /// Makes a source of this type.
    pub(crate) async fn source(&self, source_type: &str, config: SourceConfig) -> At {
        let tail = model::entropy::random(&*self.app.entropy);
        let token: [u8; 16] = model::entropy::random(&*self.app.entropy);
        let token = token.map(|byte| format!("{byte:02x}")).concat();
        let source = Source {
            id: SourceId::new(Key::from_integer(0), tail),
            uid: None,
            name: source_type.to_owned(),
            source_type: source_type.parse().expect("a name"),
            metadata: Default::default(),
            created_at: Timestamp::default(),
            updated_at: Timestamp::default(),
        };
        let change = AccessChange::CreateSource {
            token: hash(&token),
            sealed: self.sealed(&source, &token, config),
            source,
            sources_max: 10_000,
        };
        let source = self.change(change).await;
        At { source, token }
    }

    /// Writes a source anew: with another token, or another configuration.
    pub(crate) async fn replace(&self, at: &At, token: &str, config: SourceConfig) -> At {
        let rows = self.app.store.access(0).await.expect("it reads");
        let rows = rows.expect("there is a source").sources;
        let mut rows = rows.into_iter();
        let row = rows.find(|row| row.source.id == at.source.id);
        let change = AccessChange::ReplaceSource {
            token: hash(token),
            sealed: self.sealed(&at.source, token, config),
            source: at.source.clone(),
            version: row.expect("it is there").version,
        };
        let source = self.change(change).await;
        let token = token.to_owned();
        At { source, token }
    }

    fn sealed(&self, source: &Source, token: &str, config: SourceConfig) -> store::Sealed {
        let token = Secret::from(token.to_owned());
        let stored = SourceSecrets { token, config }.to_stored();
        let place = vault::Place {
            table: "source",
            row: &source.id.tail(),
            column: "sealed",
        };
        let vault = &self.app.vault;
        vault.seal_for_installation(place, stored.expose()).into()
    }

    async fn change(&self, change: AccessChange) -> Source {
        let request = ChangeRequest {
            change: Change::Access(change),
            idempotency: None,
            audit: None,
        };
        let changed = self.app.store.change(request).await.expect("it is done");
        self.app.renew_access().await.expect("it hears of it");
        match changed {
            Changed::Access(AccessChanged::Source(row)) => row.source,
            _ => panic!("a source was changed"),
        }
    }

    /// Sends a request from an address.
    pub(crate) async fn send(&self, from: Option<IpAddr>, request: Request<Body>) -> Answer {
        let peer = Peer {
            address: from,
            ..Peer::default()
        };
        self.send_as(peer, request).await
    }

    pub(crate) async fn send_as(&self, peer: Peer, request: Request<Body>) -> Answer {
        let (head, body) = self.gate.answer(peer, request).await.into_parts();
        let body = body.collect().await.expect("a whole body").to_bytes();
        Answer {
            status: head.status.as_u16(),
            headers: head.headers,
            text: String::from_utf8(body.into()).expect("every body is a text"),
        }
    }

    /// All messages that there are.
    pub(crate) async fn messages(&self) -> Vec<MessageRow> {
        let query = AllMessagesQuery {
            window: Window {
                above: Key::from_integer(0),
                below: Key::from_integer(i64::MAX),
                ascending: true,
                limit: 1_000,
            },
            filter: MessageFilter::default(),
            with_payload: true,
        };
        let walk = self.app.store.all_messages(&query).await;
        walk.expect("it reads").rows
    }

    pub(crate) fn now(&self) -> i64 {
        self.clock.now().seconds()
    }
}

fn hash(token: &str) -> [u8; 32] {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, token.as_bytes());
    digest.as_ref().try_into().expect("SHA-256 has 32 bytes")
}

fn open(directory: &TempDir, faults: &Faults, surroundings: Surroundings) -> Arc<dyn Store> {
    let directory = DataDirectory::lock(&directory.path().join("data")).expect("it is ours");
    let config = SqliteConfig {
        faults: faults.clone(),
        ..SqliteConfig::default()
    };
    let store = SqliteStore::open_inline(directory, config, surroundings);
    Arc::new(store.expect("it opens"))
}

/// Takes down security events.
#[derive(Default)]
pub(crate) struct TestEvents(Mutex<Vec<SecurityEvent>>);

impl TestEvents {
    /// What was reported since this was last asked.
    pub(crate) fn take(&self) -> Vec<SecurityEvent> {
        std::mem::take(&mut self.0.lock().expect("nobody panics"))
    }

    /// The same, only the kinds.
    pub(crate) fn take_kinds(&self) -> Vec<&'static str> {
        self.take()
            .iter()
            .map(|event| event.kind.as_str())
            .collect()
    }
}

impl EventSink for TestEvents {
    fn report(&self, event: SecurityEvent) {
        self.0.lock().expect("nobody panics").push(event);
    }
}

/// Nothing is sent on here.
struct NoSender;

impl Lanes for NoSender {
    fn grant(&self, _: Lane, _: bool) -> Option<Place> {
        None
    }

    fn hand_over(&self, _: Claimed, _: Fresh, _: Place) {}

    fn waiting(&self, _: Lane, _: Timestamp) {}

    fn changed(&self, _: ApplicationKey) {}

    fn work(&self) {}
}

#[async_trait]
impl Fetching for NoSender {
    async fn fetched(&self, _: Lane, _: MessageRow) -> Result<Option<Fetched>, StoreError> {
        Ok(None)
    }
}

#[async_trait]
impl Resolver for NoSender {
    async fn resolve(&self, name: &str) -> Result<Vec<IpAddr>, ResolveError> {
        Err(ResolveError::NotFound(name.to_owned()))
    }
}

/// A body in pieces.
pub(crate) fn in_pieces(pieces: Vec<Bytes>) -> Body {
    struct Pieces(std::vec::IntoIter<Bytes>);
    impl axum::body::HttpBody for Pieces {
        type Data = Bytes;
        type Error = std::convert::Infallible;

        fn poll_frame(
            mut self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Option<Result<hyper::body::Frame<Bytes>, Self::Error>>> {
            let piece = self.0.next().map(hyper::body::Frame::data).map(Ok);
            std::task::Poll::Ready(piece)
        }
    }
    Body::new(Pieces(pieces.into_iter()))
}
