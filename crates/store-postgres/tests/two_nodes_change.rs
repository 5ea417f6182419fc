//! Two nodes that change the same things, do background work and sweep at the same time: what one
//! decides by, the other doesn't change before it is committed.

use model::application::Application;
use model::delivery::Trigger;
use model::event_type::EventType;
use model::hops::Hops;
use model::id::{ApplicationKey, Key, MessageKey, TaskId};
use model::message::PayloadForm;
use model::name::Name;
use model::{Clock, Entropy, Timestamp};
use private_postgres::Database;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use store::Store;
use store::accept::{Accept, Accepted, NewMessage};
use store::change::{Change, ChangeError, ChangeRequest, Changed, Expect};
use store::conformance::{self, TestClock, TestEntropy};
use store::rows::{ApplicationRef, ApplicationRow, EndpointRow, SealedParts};
use store::work::{SweepLimits, Swept, WorkState};
use store_postgres::{PostgresConfig, PostgresStore, Surroundings};

const ROUNDS: u8 = 20;
const YEAR: Duration = Duration::from_secs(365 * 86_400);

struct World {
    nodes: [Arc<PostgresStore>; 2],
    database: Database,
    clock: Arc<TestClock>,
}

impl World {
    async fn new() -> Self {
        let database = Database::new();
        let clock = Arc::new(TestClock::default());
        let nodes = [
            node(&database, &clock, 1).await,
            node(&database, &clock, 2).await,
        ];
        Self {
            nodes,
            database,
            clock,
        }
    }

    /// Does two changes at the same time, one on each node.
    async fn at_once(&self, changes: [Change; 2]) -> [Result<Changed, ChangeError>; 2] {
        let [one, other] = changes;
        let (one, other) = tokio::join!(
            self.nodes[0].change(asked(one)),
            self.nodes[1].change(asked(other))
        );
        [one, other]
    }

    async fn done(&self, change: Change) -> Changed {
        let changed = self.nodes[0].change(asked(change)).await;
        changed.expect("it is in order")
    }

    async fn application(&self, tail: u8) -> ApplicationRow {
        application_in(self.done(create(application(tail, None))).await)
    }

    async fn endpoint(&self, application: ApplicationKey, tail: u8) -> EndpointRow {
        match self.done(create_endpoint(application, tail, 100)).await {
            Changed::Endpoint(row) => row,
            other => panic!("made an endpoint, was told of {other:?}"),
        }
    }

    /// Messages that nobody gets.
    async fn messages(&self, application: ApplicationKey, count: u8) -> Vec<MessageKey> {
        let registry = ApplicationRef::Key(application);
        let registry = self.nodes[0]
            .registry(&registry)
            .await
            .expect("reads go on");
        let registry_revision = registry.expect("it is live").application.revision;
        let accept = |tail| Accept {
            application,
            registry_revision,
            message: NewMessage {
                tail: [tail; 12],
                event_type: name("order.paid"),
                event_id: None,
                channels: BTreeSet::new(),
                tags: BTreeSet::new(),
                deliver_at: None,
                hops: Hops::NONE,
                trace: None,
                expires_at: self.clock.now().plus(YEAR),
                form: PayloadForm::Json,
                payload: b"{}"[..].into(),
            },
            deliveries: Vec::new(),
            fan_out_after: None,
            proved_only: false,
            idempotency: None,
            replay: None,
        };
        let accepted = self.nodes[0].accept((0..count).map(accept).collect()).await;
        let key = |answer| match answer {
            Ok(Accepted::New { id, .. }) => id.key(),
            other => panic!("it is accepted, not {other:?}"),
        };
        accepted.into_iter().map(key).collect()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.nodes.iter().for_each(|node| node.close());
    }
}

async fn node(database: &Database, clock: &Arc<TestClock>, seed: u64) -> Arc<PostgresStore> {
    let config = PostgresConfig {
        url: database.url().to_owned(),
        ..PostgresConfig::default()
    };
    let clock: Arc<dyn Clock> = clock.clone();
    let entropy: Arc<dyn Entropy> = Arc::new(TestEntropy::new(seed));
    let opened = PostgresStore::open(config, Surroundings { clock, entropy }).await;
    let (store, writer, leases) = opened.expect("it opens");
    tokio::spawn(writer.run());
    tokio::spawn(leases.run());
    Arc::new(store)
}

fn asked(change: Change) -> ChangeRequest {
    ChangeRequest {
        change,
        idempotency: None,
        audit: None,
    }
}

fn name(text: &str) -> Name {
    text.parse().expect("it is a word")
}

fn application(tail: u8, uid: Option<Name>) -> Application {
    Application {
        uid,
        ..conformance::application([tail; 12])
    }
}

fn create(application: Application) -> Change {
    Change::CreateApplication {
        application,
        data_key: b"a key"[..].into(),
    }
}

fn replace(row: &ApplicationRow) -> Change {
    Change::ReplaceApplication {
        application: row.application.clone(),
        data_keys: row.data_keys.clone(),
        revision: row.revision,
    }
}

fn application_in(changed: Changed) -> ApplicationRow {
    match changed {
        Changed::Application(row) => row,
        other => panic!("changed an application, was told of {other:?}"),
    }
}

fn create_endpoint(application: ApplicationKey, tail: u8, endpoints_max: usize) -> Change {
    Change::CreateEndpoint {
        endpoint: conformance::endpoint(application, [tail; 12]),
        sealed: SealedParts {
            secrets: b"secrets"[..].into(),
            headers: None,
            protection: None,
        },
        endpoints_max,
    }
}

fn replace_endpoint(row: &EndpointRow, disabled: bool) -> Change {
    let mut endpoint = row.endpoint.clone();
    endpoint.disabled = disabled;
    Change::ReplaceEndpoint {
        endpoint,
        sealed: row.sealed.clone(),
        revision: row.revision,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_changes_made_from_one_revision_one_is_stale() {
    let world = World::new().await;
    let mut row = world.application(1).await;
    for _ in 0..ROUNDS {
        let answers = world.at_once([replace(&row), replace(&row)]).await;
        match answers {
            [Ok(changed), Err(ChangeError::Stale)] | [Err(ChangeError::Stale), Ok(changed)] => {
                let before = row.revision;
                row = application_in(changed);
                assert_eq!(row.revision, before + 1);
            }
            other => panic!("one is done and one is stale, not {other:?}"),
        }
    }
    let mut row = world.endpoint(row.application.id.key(), 1).await;
    for round in 0..ROUNDS {
        let change = || replace_endpoint(&row, round % 2 == 0);
        row = match world.at_once([change(), change()]).await {
            [Ok(Changed::Endpoint(row)), Err(ChangeError::Stale)]
            | [Err(ChangeError::Stale), Ok(Changed::Endpoint(row))] => row,
            other => panic!("one is done and one is stale, not {other:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_uid_or_name_is_given_once() {
    let world = World::new().await;
    for round in 0..ROUNDS {
        let uid = Some(name(&format!("uid-{round}")));
        let change = |tail| create(application(tail, uid.clone()));
        let answers = world.at_once([change(1), change(2)]).await;
        assert_one_is_taken(answers);
        let event_type = EventType {
            name: name(&format!("type.{round}")),
            description: String::new(),
            archived: false,
            deprecated: false,
            schemas: None,
            sensitive: Vec::new(),
            feature_flags: Vec::new(),
            group_name: None,
            created_at: Timestamp::default(),
            updated_at: Timestamp::default(),
        };
        let put = || Change::PutEventType {
            event_type: event_type.clone(),
            expect: Expect::NoneLive,
        };
        assert_one_is_taken(world.at_once([put(), put()]).await);
    }
}

fn assert_one_is_taken(answers: [Result<Changed, ChangeError>; 2]) {
    let is_so = matches!(
        answers,
        [Ok(_), Err(ChangeError::Taken)] | [Err(ChangeError::Taken), Ok(_)]
    );
    assert!(is_so, "one is done and one is taken, not {answers:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_hears_of_what_another_commits_and_not_of_what_changes_nothing() {
    let world = World::new().await;
    let heard = async |node: usize| {
        let heard = world.nodes[node].moved_elsewhere().await;
        heard.expect("reads go on")
    };
    let before = [heard(0).await, heard(1).await];
    let row = world.application(1).await;
    let changed = [heard(0).await, heard(1).await];
    assert_eq!(changed, [before[0], before[1] + 1], "its own is no other's");
    world.messages(row.application.id.key(), 3).await;
    let sent = heard(1).await;
    assert!(sent > changed[1]);
    for _ in 0..3 {
        world.nodes[0].work().await.expect("it can write");
    }
    assert_eq!(heard(1).await, sent);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_application_gets_no_more_endpoints_than_it_may_have() {
    let world = World::new().await;
    for round in 1..=ROUNDS {
        let key = world.application(round).await.application.id.key();
        world.endpoint(key, 1).await;
        let change = |tail| create_endpoint(key, tail, 2);
        let answers = world.at_once([change(2), change(3)]).await;
        let is_so = matches!(
            answers,
            [Ok(_), Err(ChangeError::TooMany)] | [Err(ChangeError::TooMany), Ok(_)]
        );
        assert!(is_so, "there is room for one: {answers:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn work_is_shared_and_each_is_done_once() {
    let world = World::new().await;
    let key = world.application(1).await.application.id.key();
    for tail in 0..ROUNDS {
        let row = world.endpoint(key, tail).await;
        world.done(replace_endpoint(&row, true)).await;
    }
    let work_through = async |node: &PostgresStore| {
        let mut tasks: Vec<TaskId> = Vec::new();
        while let Some(task) = node.work().await.expect("it can write").task {
            tasks.push(task);
        }
        tasks
    };
    let (mut all, other) =
        tokio::join!(work_through(&world.nodes[0]), work_through(&world.nodes[1]));
    all.extend(other);
    let each: BTreeSet<TaskId> = all.iter().copied().collect();
    assert_eq!((all.len(), each.len()), (ROUNDS.into(), ROUNDS.into()));
    for task in each {
        let row = world.nodes[0].work_row(task).await.expect("reads go on");
        assert_eq!(row.expect("it is there").state, WorkState::Finished);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_opened_of_a_payload_that_the_other_node_removes() {
    let world = World::new().await;
    let key = world.application(1).await.application.id.key();
    let endpoint = world.endpoint(key, 1).await.endpoint.id.key();
    let messages = world.messages(key, 200).await;
    world.clock.advance(YEAR);
    let limits = SweepLimits {
        keep_since: Timestamp::MIN,
        rows_max: 2,
    };
    let resending = async {
        let mut resent = 0;
        for message in messages {
            let change = Change::OpenDelivery {
                application: key,
                message,
                endpoint,
                trigger: Trigger::Manual,
                owned: false,
            };
            match world.nodes[1].change(asked(change)).await {
                Ok(_) => resent += 1,
                Err(error) => assert!(matches!(error, ChangeError::Missing), "{error}"),
            }
        }
        resent
    };
    let sweeping = async {
        let mut ended = 0;
        loop {
            let swept = world.nodes[0].sweep(limits).await.expect("it can write");
            ended += swept.ended;
            if !swept.more {
                return ended;
            }
        }
    };
    let (resent, ended) = tokio::join!(resending, sweeping);
    assert_eq!(resent, ended, "what was opened was ended");
    assert_eq!(world.database.psql("SELECT count(*) FROM delivery"), "0\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_node_sweeps_at_a_time() {
    let world = World::new().await;
    let key = world.application(1).await.application.id.key().integer();
    let first = Key::<()>::first_at(world.clock.now()).integer();
    let tail = "'\\x000000000000000000000000'";
    world.database.psql(&format!(
        "INSERT INTO message SELECT {key}, {first} + n, {tail}, 'a.b', NULL, NULL, NULL, NULL, 0, 0,
         NULL FROM generate_series(1, 100) n;
         INSERT INTO attempt SELECT {key}, {first} + 1000 + n, {tail}, {first} + n, 5, 0, 1, 0, 0, 200,
         0, 1 FROM generate_series(1, 100) n;"
    ));
    // Within the week, row by row.
    world.clock.advance(Duration::from_secs(6 * 86_400));
    let limits = SweepLimits {
        keep_since: world.clock.now(),
        rows_max: 7,
    };
    let sweep_through = async |node: &PostgresStore| {
        let mut all: Vec<Swept> = Vec::new();
        while world.database.psql("SELECT EXISTS (SELECT FROM message)") == "t\n" {
            all.push(node.sweep(limits).await.expect("it can write"));
        }
        all
    };
    let (mut all, other) = tokio::join!(
        sweep_through(&world.nodes[0]),
        sweep_through(&world.nodes[1])
    );
    all.extend(other);
    let messages: usize = all.iter().map(|swept| swept.messages).sum();
    let attempts: usize = all.iter().map(|swept| swept.attempts).sum();
    assert_eq!((messages, attempts), (100, 100));
    assert!(all.iter().all(|swept| swept.messages <= limits.rows_max));
}

fn expunge(application: ApplicationKey, message: MessageKey) -> Change {
    Change::ExpungePayloads {
        application,
        messages: vec![message],
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payload_that_is_expunged_while_it_is_sent_again_leaves_nothing_open() {
    let world = World::new().await;
    let application = world.application(1).await.application.id.key();
    let endpoint = world.endpoint(application, 2).await.endpoint.id.key();
    for message in world.messages(application, ROUNDS).await {
        let resend = Change::OpenDelivery {
            application,
            message,
            endpoint,
            trigger: Trigger::Manual,
            owned: false,
        };
        let [expunged, resent] = world.at_once([expunge(application, message), resend]).await;
        match (expunged, resent) {
            (Ok(Changed::Expunged(0)), Err(ChangeError::Missing))
            | (Ok(Changed::Expunged(1)), Ok(Changed::Delivery(..))) => {}
            other => panic!("the one sees what the other did, not {other:?}"),
        }
        let open = world.nodes[0].first_due(endpoint).await;
        assert_eq!(open.expect("reads go on"), None);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_node_holds_is_ended_by_another_that_expunges_its_payload() {
    let world = World::new().await;
    let application = world.application(1).await.application.id.key();
    let endpoint = world.endpoint(application, 2).await.endpoint.id.key();
    let message = world.messages(application, 1).await.remove(0);
    let resend = Change::OpenDelivery {
        application,
        message,
        endpoint,
        trigger: Trigger::Manual,
        owned: true,
    };
    let Changed::Delivery(delivery, Some(_hold)) = world.done(resend).await else {
        panic!("it comes with a hold");
    };
    let holder = &world.nodes[0];
    assert!(holder.is_open(&delivery).await.expect("reads go on"));
    let change = asked(expunge(application, message));
    let expunged = world.nodes[1].change(change).await;
    assert!(matches!(expunged, Ok(Changed::Expunged(1))), "{expunged:?}");
    assert!(!holder.is_open(&delivery).await.expect("reads go on"));
}
