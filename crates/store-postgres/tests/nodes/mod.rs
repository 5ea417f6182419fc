//! Nodes on one database, each with a clock of its own, and what is written on them.
#![allow(dead_code, reason = "each test file uses its part")]

use model::Clock;
use model::hops::Hops;
use model::id::{ApplicationKey, EndpointKey, MessageId, MessageKey, MessageKind};
use model::message::PayloadForm;
use model::name::Name;
use private_postgres::Database;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use store::accept::{Accept, NewDelivery, NewMessage};
use store::change::{Change, ChangeRequest, Changed};
use store::conformance::{self, TestClock, TestEntropy};
use store::query::{AllMessagesQuery, ApplicationQuery, MessageFilter, MessageQuery, Walk, Window};
use store::rows::{ApplicationRef, MessageRow, SealedParts};
use store::{Condition, Lane, Store, StoreError};
use store_postgres::{LeaseLoop, PostgresConfig, PostgresStore, Surroundings, WriterLoop};
use tokio_postgres::NoTls;

/// What waits for something longer than this has failed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// A node, which is closed when dropped.
pub(crate) struct Node {
    pub(crate) store: Arc<PostgresStore>,
    pub(crate) clock: Arc<TestClock>,
    pub(crate) loops: Option<(WriterLoop, LeaseLoop)>,
}

impl Node {
    /// Joins; its loops don't run.
    pub(crate) async fn still(config: PostgresConfig, behind: Duration) -> Self {
        let clock = Arc::new(TestClock::default());
        clock.advance(Duration::from_secs(60).saturating_sub(behind));
        let surroundings = Surroundings {
            clock: clock.clone(),
            entropy: Arc::new(TestEntropy::new(7)),
        };
        let opened = PostgresStore::open(config, surroundings).await;
        let (store, writer, leases) = opened.expect("it opens");
        Self {
            store: Arc::new(store),
            clock,
            loops: Some((writer, leases)),
        }
    }

    /// Joins, and runs.
    pub(crate) async fn running(config: PostgresConfig, behind: Duration) -> Self {
        let mut node = Self::still(config, behind).await;
        let (writer, leases) = node.loops.take().expect("it stands still");
        tokio::spawn(writer.run());
        tokio::spawn(leases.run());
        node
    }

    /// Makes an application.
    pub(crate) async fn application(&self, tail: u8) -> ApplicationKey {
        match self.store.change(create(tail)).await.expect("in order") {
            Changed::Application(row) => row.application.id.key(),
            other => panic!("made an application, was told of {other:?}"),
        }
    }

    /// Makes an endpoint.
    pub(crate) async fn endpoint(&self, application: ApplicationKey) -> EndpointKey {
        let change = self.store.change(create_endpoint(application));
        match change.await.expect("in order") {
            Changed::Endpoint(row) => row.endpoint.id.key(),
            other => panic!("made an endpoint, was told of {other:?}"),
        }
    }

    /// A lane of an application and an endpoint.
    pub(crate) async fn lane(&self) -> Lane {
        let application = self.application(1).await;
        Lane {
            application,
            endpoint: self.endpoint(application).await,
        }
    }

    /// A message to accept, with one delivery that is nobody's where there is an endpoint.
    pub(crate) async fn message(
        &self,
        application: ApplicationKey,
        to: Option<EndpointKey>,
    ) -> Accept {
        let named = ApplicationRef::Key(application);
        let registry = self.store.registry(&named).await.expect("reads go on");
        let now = self.clock.now();
        let delivery = |endpoint| NewDelivery {
            endpoint,
            due: now,
            owned: false,
        };
        Accept {
            application,
            registry_revision: registry.expect("it is live").application.revision,
            message: NewMessage {
                tail: [3; 12],
                event_type: name("order.paid"),
                event_id: None,
                channels: BTreeSet::new(),
                tags: BTreeSet::new(),
                deliver_at: None,
                hops: Hops::NONE,
                trace: None,
                expires_at: now.plus(Duration::from_secs(86_400)),
                form: PayloadForm::Json,
                payload: b"{}"[..].into(),
            },
            deliveries: to.into_iter().map(delivery).collect(),
            fan_out_after: None,
            proved_only: false,
            idempotency: None,
            replay: None,
        }
    }

    /// The applications behind a key, in order.
    pub(crate) async fn forward(&self, after: ApplicationKey) -> Vec<ApplicationKey> {
        let query = ApplicationQuery {
            window: Window {
                above: after,
                below: ApplicationKey::from_integer(i64::MAX),
                ascending: true,
                limit: 100,
            },
            with_endpoints: false,
            without_disabled_endpoints: false,
        };
        let walk = self.store.applications(&query).await.expect("reads go on");
        let keys = walk.rows.iter().map(|row| row.application.id.key());
        keys.collect()
    }

    /// An application's messages, read forwards.
    pub(crate) async fn of_one(&self, application: ApplicationKey) -> Vec<MessageId> {
        let query = MessageQuery {
            application,
            window: forwards(),
            filter: MessageFilter::default(),
            with_payload: false,
        };
        ids_of(self.store.messages(&query).await)
    }

    /// The messages of all applications, read forwards.
    pub(crate) async fn of_all(&self) -> Vec<MessageId> {
        let query = AllMessagesQuery {
            window: forwards(),
            filter: MessageFilter::default(),
            with_payload: false,
        };
        ids_of(self.store.all_messages(&query).await)
    }

    /// Waits until the store says this of itself.
    pub(crate) async fn until(&self, condition: Condition, patience: Duration) {
        let mut told = self.store.condition();
        let waiting = told.wait_for(|now| *now == condition);
        let told = tokio::time::timeout(patience, waiting).await;
        told.expect("it says so in time").expect("it is open");
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.store.close();
    }
}

fn forwards() -> Window<MessageKind> {
    Window {
        above: MessageKey::MIN,
        below: MessageKey::MAX,
        ascending: true,
        limit: 100,
    }
}

fn ids_of(walk: Result<Walk<MessageRow, MessageKey>, StoreError>) -> Vec<MessageId> {
    let rows = walk.expect("reads go on").rows;
    rows.iter().map(|row| row.message.id).collect()
}

pub(crate) fn config(database: &Database) -> PostgresConfig {
    PostgresConfig {
        url: database.url().to_owned(),
        ..PostgresConfig::default()
    }
}

/// Somebody else's connection.
pub(crate) async fn session(database: &Database) -> tokio_postgres::Client {
    let connected = tokio_postgres::connect(database.url(), NoTls).await;
    let (client, connection) = connected.expect("it is there");
    tokio::spawn(connection);
    client
}

/// A transaction of somebody else's that has locked something, and holds it until it ends.
pub(crate) async fn locking<'s>(
    session: &'s mut tokio_postgres::Client,
    statement: &str,
) -> tokio_postgres::Transaction<'s> {
    let locked = session.transaction().await.expect("it begins");
    let answer = locked.batch_execute(statement).await;
    answer.expect("nobody else has it");
    locked
}

/// Waits until as many of the database's sessions wait for a lock.
pub(crate) async fn until_waiting(database: &Database, sessions: usize) {
    let query = "SELECT count(*) FROM pg_stat_activity
                 WHERE datname = current_database() AND wait_event_type = 'Lock'";
    until(database, query, |count| {
        count.trim().parse::<usize>().expect("a number") >= sessions
    })
    .await;
}

/// Waits until a query's answer is right.
pub(crate) async fn until(database: &Database, query: &str, right: impl Fn(&str) -> bool) {
    let asking = async {
        while !right(&database.psql(query)) {
            tokio::task::yield_now().await;
        }
    };
    let answered = tokio::time::timeout(PATIENCE, asking).await;
    answered.expect("it comes true in time");
}

pub(crate) fn name(text: &str) -> Name {
    text.parse().expect("it is a word")
}

pub(crate) fn create(tail: u8) -> ChangeRequest {
    asked(Change::CreateApplication {
        application: conformance::application([tail; 12]),
        data_key: b"a key"[..].into(),
    })
}

fn create_endpoint(application: ApplicationKey) -> ChangeRequest {
    asked(Change::CreateEndpoint {
        endpoint: conformance::endpoint(application, [2; 12]),
        sealed: SealedParts {
            secrets: b"secrets"[..].into(),
            headers: None,
            protection: None,
        },
        endpoints_max: 10,
    })
}

fn asked(change: Change) -> ChangeRequest {
    ChangeRequest {
        change,
        idempotency: None,
        audit: None,
    }
}
