//! Nobody is told of a commit what is not true: not when its answer is lost on the way, and the
//! lease with it (between node and database stands somebody who cuts the line), nor when others of
//! its group are refused, nor where commits themselves can be lost.

mod nodes;

use nodes::{Node, PATIENCE, config, locking, name, session, until_waiting};
use private_postgres::Database;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use store::accept::Accepted;
use store::change::{Change, ChangeError};
use store::conformance::{TestClock, TestEntropy};
use store::{Store, StoreError};
use store_postgres::{OpenError, PostgresConfig, PostgresStore, Surroundings};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::watch;

/// What it knows the transaction by whose commit it leaves unanswered.
const MARK: &str = "order.cut";
/// How a node says that it commits, and the database that it did.
const COMMITTED: &[u8] = b"COMMIT\0";
/// Messages that are accepted before the line is cut.
const BEFORE: usize = 6;
const SOCKET: &str = ".s.PGSQL.5432";

/// Whether connections come through.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Line {
    Whole,
    Cut,
    Mended,
}

/// Where `part` begins.
fn place(bytes: &[u8], part: &[u8]) -> Option<usize> {
    bytes.windows(part.len()).position(|window| window == part)
}

/// Passes everything on, until it has seen the commit of what has the mark.
async fn pass(node: UnixStream, database: UnixStream, line: Arc<watch::Sender<Line>>) {
    let (mut from_node, mut to_node) = node.into_split();
    let (mut from_database, mut to_database) = database.into_split();
    let up = async {
        let mut sent = Vec::new();
        let mut bytes = [0; 4_096];
        loop {
            let count = from_node.read(&mut bytes).await.unwrap_or(0);
            if count == 0 {
                return false;
            }
            sent.extend_from_slice(&bytes[..count]);
            let is_last = *line.borrow() == Line::Whole
                && place(&sent, MARK.as_bytes())
                    .is_some_and(|marked| place(&sent[marked..], COMMITTED).is_some());
            if is_last {
                line.send_replace(Line::Cut);
            }
            if to_database.write_all(&bytes[..count]).await.is_err() || is_last {
                return is_last;
            }
        }
    };
    let down = tokio::io::copy(&mut from_database, &mut to_node);
    let mut seen = line.subscribe();
    let elsewhere = async { drop(seen.wait_for(|line| *line == Line::Cut).await) };
    let cut = tokio::select! {
        biased;
        cut = up => cut,
        _ = down => false,
        () = elsewhere => false,
    };
    // The node learns of it at once. What the database answers is read to its end, and kept.
    drop((from_node, to_node));
    let (mut answers, mut bytes) = (Vec::new(), [0; 4_096]);
    while cut
        && place(&answers, COMMITTED).is_none()
        && let Ok(count @ 1..) = from_database.read(&mut bytes).await
    {
        answers.extend_from_slice(&bytes[..count]);
    }
}

/// A commit that waits behind a lock when its connection breaks is no commit that failed.
#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_is_still_under_way_is_waited_for() {
    let database = Database::new();
    let place = tempfile::tempdir().expect("a directory");
    let (config, line) = between(&database, place.path());
    let node = Node::running(config, Duration::ZERO).await;
    let application = node.application(1).await;
    let mut item = node.message(application, None).await;
    // Until statements are prepared on either connection, which would wait for the lock as well.
    for _ in 0..BEFORE {
        let accepted = node.store.accept(vec![item.clone()]).await.remove(0);
        accepted.expect("it is in order");
    }
    item.message.event_type = name(MARK);
    let mut locker = session(&database).await;
    let locked = locking(&mut locker, "LOCK TABLE payload IN SHARE MODE").await;
    let store = node.store.clone();
    let accepting = tokio::spawn(async move { store.accept(vec![item]).await.remove(0) });
    let mut seen = line.subscribe();
    let cut = tokio::time::timeout(PATIENCE, seen.wait_for(|line| *line == Line::Cut));
    drop(cut.await.expect("it commits").expect("it is watched"));
    line.send_replace(Line::Mended);
    // The commit, and whoever wants to know what became of it.
    until_waiting(&database, 2).await;
    locked.commit().await.expect("it ends");
    let accepted = accepting.await.expect("it goes on");
    assert!(matches!(accepted, Ok(Accepted::New { .. })), "{accepted:?}");
    let there = database.psql("SELECT count(*) FROM message");
    assert_eq!(there, format!("{}\n", BEFORE + 1), "it is there once");
}

/// A way to the database that can be cut.
fn between(database: &Database, place: &Path) -> (PostgresConfig, Arc<watch::Sender<Line>>) {
    let line = Arc::new(watch::Sender::new(Line::Whole));
    let listener = UnixListener::bind(place.join(SOCKET)).expect("nobody has it");
    let (url, tail) = database.url().split_once("host=").expect("it names one");
    let (real, rest) = tail.split_once('&').expect("and a user");
    let real = Path::new(&real.replace("%2F", "/")).join(SOCKET);
    let coded = place.to_str().expect("UTF-8").replace('/', "%2F");
    let config = PostgresConfig {
        url: format!("{url}host={coded}&{rest}"),
        ..config(database)
    };
    let passed = line.clone();
    tokio::spawn(async move {
        while let Ok((node, _)) = listener.accept().await {
            if *passed.borrow() != Line::Cut {
                let database = UnixStream::connect(&real).await.expect("it is there");
                tokio::spawn(pass(node, database, passed.clone()));
            }
        }
    });
    (config, line)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_committed_under_a_lease_that_is_lost_is_answered_as_committed() {
    let database = Database::new();
    let place = tempfile::tempdir().expect("a directory");
    let (config, line) = between(&database, place.path());
    let node = Node::running(config, Duration::ZERO).await;
    let lane = node.lane().await;
    let mut item = node.message(lane.application, Some(lane.endpoint)).await;
    item.message.event_type = name(MARK);
    item.deliveries[0].owned = true;
    let store = node.store.clone();
    let accepting = tokio::spawn(async move { store.accept(vec![item]).await.remove(0) });
    let mut seen = line.subscribe();
    let cut = tokio::time::timeout(PATIENCE, seen.wait_for(|line| *line == Line::Cut));
    drop(cut.await.expect("it commits").expect("it is watched"));
    nodes::until(&database, "SELECT count(*) FROM message", |count| {
        count == "1\n"
    })
    .await;
    database.psql(
        "UPDATE delivery SET owner = 0;
         UPDATE node SET expires_at = '-infinity', epoch = nextval('node_epoch')",
    );
    line.send_replace(Line::Mended);
    let accepted = tokio::time::timeout(PATIENCE, accepting).await;
    match accepted.expect("it is answered").expect("no panic") {
        Ok(Accepted::New { mut deliveries, .. }) => {
            let (_, hold) = deliveries.remove(0);
            assert!(hold.expect("it was to be owned").has_ended());
        }
        other => panic!("it is there, and not {other:?}"),
    }
    assert_eq!(database.psql("SELECT count(*) FROM message"), "1\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_whose_commits_can_be_lost_is_refused_beside_a_direct_url_whose_can_t() {
    let database = Database::new();
    let user = format!("careless_{}", database.name());
    database.psql(&format!(
        "CREATE ROLE {user} SUPERUSER LOGIN; ALTER ROLE {user} SET synchronous_commit = off"
    ));
    let (place, _) = database.url().split_once("user=").expect("it names one");
    let config = PostgresConfig {
        url: format!("{place}user={user}"),
        direct_url: Some(database.url().to_owned()),
        ..config(&database)
    };
    let surroundings = Surroundings {
        clock: Arc::new(TestClock::default()),
        entropy: Arc::new(TestEntropy::new(1)),
    };
    let opened = PostgresStore::open(config, surroundings).await;
    database.psql(&format!("DROP ROLE {user}"));
    match opened {
        Err(OpenError::NotDurable(setting)) => assert_eq!(setting, "off"),
        Err(other) => panic!("it is refused for another reason: {other}"),
        Ok(_) => panic!("it opens"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_database_refuses_is_refused_alone() {
    let database = Database::new();
    let node = Node::running(config(&database), Duration::ZERO).await;
    let application = node.application(1).await;
    let mut bad = nodes::create(2);
    if let Change::CreateApplication { application, .. } = &mut bad.change {
        application.name = "no text of PostgreSQL's: \0".to_owned();
    }
    let items = vec![node.message(application, None).await];
    let mut locker = nodes::session(&database).await;
    let locked = nodes::locking(&mut locker, "SELECT FROM node FOR UPDATE").await;
    let first = node.application(3);
    let releasing = async {
        nodes::until_waiting(&database, 1).await;
        locked.commit().await.expect("it ends");
    };
    // The first one's commit waits, and what comes meanwhile is the next group.
    let (_, accepted, refused, ()) = tokio::join!(
        first,
        node.store.accept(items),
        node.store.change(bad),
        releasing
    );
    assert!(
        matches!(accepted[0], Ok(Accepted::New { .. })),
        "{accepted:?}"
    );
    let said = match refused {
        Err(ChangeError::Store(StoreError::Corrupt { reason })) => reason,
        other => panic!("it is refused, and not {other:?}"),
    };
    assert!(
        said.contains("0x00") && !said.contains("PostgreSQL's"),
        "{said}"
    );
}
