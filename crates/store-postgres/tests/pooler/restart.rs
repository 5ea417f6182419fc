//! A pooler that ends and comes back while messages are accepted and outcomes recorded.

use super::{open, through};
use model::Clock as _;
use model::attempt::AttemptResult;
use model::hops::Hops;
use model::id::{ApplicationKey, MessageKey};
use model::message::PayloadForm;
use private_postgres::{Database, Pooler, Server};
use std::collections::BTreeSet;
use std::time::Duration;
use store::accept::{Accept, AcceptError, Accepted, NewDelivery, NewMessage};
use store::change::{Change, ChangeRequest, Changed};
use store::conformance::{self, TestClock};
use store::record::{HealthChange, NewAttempt, Observed, Outcome, Then};
use store::rows::{Claimed, SealedParts};
use store::{Lane, Store};
use store_postgres::PostgresStore;
use tokio::sync::mpsc;

const SENDERS: u8 = 8;
const EACH: u8 = 40;

#[tokio::test(flavor = "multi_thread")]
async fn a_pooler_that_ends_in_the_middle_of_work_loses_nothing() {
    let database = Database::new();
    let mut pooler = Pooler::start(Server::shared());
    let store = open(through(&pooler, &database), 1).await;
    let (lane, revision) = lane(&store).await;

    let (told, mut accepted) = mpsc::unbounded_channel();
    for sender in 0..SENDERS {
        let (store, told) = (store.clone(), told.clone());
        tokio::spawn(async move {
            for number in 0..EACH {
                let draft = draft(lane, revision, (sender, number));
                told.send(accept(&store, draft).await)
                    .expect("it is counted");
            }
        });
    }
    drop(told);
    let mut sent: BTreeSet<Option<MessageKey>> = BTreeSet::new();
    let mut count = 0;
    while let Some(message) = accepted.recv().await {
        sent.insert(message);
        count += 1;
        if count % 60 == 0 {
            pooler.stop();
            pooler.start_again();
        }
    }
    let all = u64::from(SENDERS) * u64::from(EACH);
    assert_eq!(count, all);
    assert_eq!(
        database.psql("SELECT count(*) FROM message"),
        format!("{all}\n")
    );

    let claimed = claim(&store, lane, count).await;
    let found: BTreeSet<_> = claimed.iter().map(|one| one.delivery.message).collect();
    assert!(
        sent.into_iter()
            .flatten()
            .all(|message| found.contains(&message))
    );
    let mut recording = tokio::task::JoinSet::new();
    for (number, one) in claimed.into_iter().enumerate() {
        let store = store.clone();
        recording.spawn(async move { store.record(outcome(one, number)).await });
    }
    pooler.stop();
    pooler.start_again();
    for recorded in recording.join_all().await {
        assert!(!recorded.expect("an outcome waits for the database").stale);
    }
    let left = "SELECT (SELECT count(*) FROM attempt), (SELECT count(*) FROM delivery)";
    assert_eq!(database.psql(left), format!("{all}|0\n"));
}

/// Sends the same until it is accepted: none, where an earlier try was, and its answer got lost.
async fn accept(store: &PostgresStore, draft: Accept) -> Option<MessageKey> {
    loop {
        match store.accept(vec![draft.clone()]).await.remove(0) {
            Ok(Accepted::New { id, .. }) => return Some(id.key()),
            Err(AcceptError::EventIdTaken) => return None,
            Err(AcceptError::Store(_)) => tokio::task::yield_now().await,
            other => panic!("it is accepted or not, not {other:?}"),
        }
    }
}

async fn claim(store: &PostgresStore, lane: Lane, count: u64) -> Vec<Claimed> {
    let limit = usize::try_from(count).expect("it is small");
    let now = TestClock::default().now();
    let claimed = store.claim(lane, now, limit).await.expect("it is back");
    assert_eq!(claimed.len(), limit);
    claimed
}

async fn lane(store: &PostgresStore) -> (Lane, u64) {
    let application = conformance::application([1; 12]);
    let data_key = b"a key"[..].into();
    let made = change(
        store,
        Change::CreateApplication {
            application,
            data_key,
        },
    )
    .await;
    let Changed::Application(row) = made else {
        panic!("made an application, was told of {made:?}");
    };
    let application = row.application.id.key();
    let made = change(store, create_endpoint(application)).await;
    let Changed::Endpoint(endpoint) = made else {
        panic!("made an endpoint, was told of {made:?}");
    };
    let registry = store
        .registry(&store::rows::ApplicationRef::Key(application))
        .await;
    let registry = registry.expect("reads go on").expect("it is live");
    let endpoint = endpoint.endpoint.id.key();
    let lane = Lane {
        application,
        endpoint,
    };
    (lane, registry.application.revision)
}

async fn change(store: &PostgresStore, change: Change) -> Changed {
    let idempotency = None;
    let request = ChangeRequest {
        change,
        idempotency,
        audit: None,
    };
    store.change(request).await.expect("it is in order")
}

fn create_endpoint(application: ApplicationKey) -> Change {
    Change::CreateEndpoint {
        endpoint: conformance::endpoint(application, [2; 12]),
        sealed: SealedParts {
            secrets: b"secrets"[..].into(),
            headers: None,
            protection: None,
        },
        endpoints_max: 10,
    }
}

fn draft(lane: Lane, registry_revision: u64, (sender, number): (u8, u8)) -> Accept {
    let now = TestClock::default().now();
    let event_id = format!("event-{sender}-{number}");
    Accept {
        application: lane.application,
        registry_revision,
        message: NewMessage {
            tail: [sender; 12],
            event_type: "order.paid".parse().expect("it is a word"),
            event_id: Some(event_id.parse().expect("it is a word")),
            channels: BTreeSet::new(),
            tags: BTreeSet::new(),
            deliver_at: None,
            hops: Hops::NONE,
            trace: None,
            expires_at: now.plus(Duration::from_secs(86_400)),
            form: PayloadForm::Json,
            payload: b"{}"[..].into(),
        },
        deliveries: vec![NewDelivery {
            endpoint: lane.endpoint,
            due: now,
            owned: false,
        }],
        fan_out_after: None,
        proved_only: false,
        idempotency: None,
        replay: None,
    }
}

fn outcome(claimed: Claimed, number: usize) -> Outcome {
    let mut tail = [0; 12];
    tail[..8].copy_from_slice(&number.to_be_bytes());
    Outcome {
        message: claimed.message.message.id,
        event_type: claimed.message.message.event_type,
        attempt: NewAttempt {
            tail,
            number: 1,
            started_at: claimed.delivery.due,
            duration: Duration::from_millis(120),
            status_code: 204,
            result: AttemptResult::Success,
            endpoint_revision: 1,
            excerpt: None,
            observed: Observed::default(),
        },
        then: Then::Close,
        health: HealthChange::None,
        delivery: claimed.delivery,
        hold: claimed.hold,
    }
}
