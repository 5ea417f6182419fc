//! The audit log of several nodes: of two that seal at once one wins, and whoever reads it beside
//! them has it as it was at one moment.

mod nodes;

use model::audit::{Actor, ActorKind, AuditAction, AuditDraft, AuditSubject};
use model::id::Key;
use model::security::{Subject, SubjectKind};
use model::{Clock as _, Timestamp};
use nodes::{Node, config, until};
use private_postgres::Database;
use std::time::Duration;
use store::Store as _;
use store::audit::{AuditChange, AuditSeal, AuditStates as _, Checkpoint, KeptEntry};
use store::change::{Change, ChangeError, ChangeRequest, Changed};
use store_postgres::AuditReader;

#[tokio::test(flavor = "multi_thread")]
async fn of_two_nodes_that_seal_at_once_one_wins_and_the_log_is_read_beside_them() {
    let database = Database::new();
    let first = Node::running(config(&database), Duration::ZERO).await;
    let second = Node::running(config(&database), Duration::ZERO).await;
    for round in 0..10 {
        let written = tokio::join!(noted(&first), noted(&second));
        assert!(matches!(written, (Ok(_), Ok(_))), "{written:?}");
        let head = 2 * round;
        let (one, other) = tokio::join!(seal(&first, head), seal(&second, head));
        let won = [&one, &other]
            .iter()
            .filter(|sealed| sealed.is_ok())
            .count();
        assert_eq!(won, 1, "{one:?} {other:?}");
        let lost = one.and(other);
        assert!(matches!(lost, Err(ChangeError::Stale)), "{lost:?}");
    }
    noted(&first).await.expect("it can write");

    let mut reader = AuditReader::open(&config(&database))
        .await
        .expect("beside the nodes");
    let mut log = reader.now().await.expect("it can be reached");
    let ends = log.ends().await.expect("it reads");
    noted(&second).await.expect("it can write");
    assert_eq!((ends.first(), ends.head()), (1, 20));
    assert_eq!(log.count().await.expect("it reads"), 21);
    let sealed = log.sealed(18, 100).await.expect("it reads");
    let positions = sealed.iter().filter_map(|entry| entry.link);
    let positions: Vec<u64> = positions.map(|link| link.position).collect();
    assert_eq!(positions, [19, 20]);
    let waiting = log.outside(20, Key::MIN, 100).await.expect("it reads");
    assert_eq!(waiting.len(), 1);
    assert_eq!(waiting[0].contradiction(), None);
    assert_eq!(log.checkpoints(0, 100).await.expect("it reads").len(), 10);
    let missing = log.setting("not there").await;
    assert_eq!(missing.expect("it reads"), None);
    let sealed_since = log.outside(18, Key::MIN, 100).await.expect("it reads");
    assert_eq!(sealed_since.len(), 3);

    log.end().await.expect("nothing is held");
    // The nodes' own transactions are short.
    let held = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
        AND state = 'idle in transaction'";
    until(&database, held, |held| held.trim() == "0").await;
    let mut log = reader.now().await.expect("it can be reached");
    assert_eq!(log.count().await.expect("it reads"), 22, "as it is then");
}

async fn noted(node: &Node) -> Result<Changed, ChangeError> {
    let draft = AuditDraft {
        at: node.clock.now(),
        actor: Actor {
            kind: ActorKind::System,
            subject: "rule".to_owned(),
            credential: None,
            remote_address: None,
        },
        action: AuditAction::ApplicationUpdated,
        subject: AuditSubject::Known(Subject::new(SubjectKind::Node, "a")),
        application: None,
        detail: String::new(),
    };
    let request = ChangeRequest {
        change: Change::Note,
        idempotency: None,
        audit: Some(draft),
    };
    node.store.change(request).await
}

/// Whatever waits, as a node sees it.
async fn seal(node: &Node, head: u64) -> Result<Changed, ChangeError> {
    let waiting: Vec<KeptEntry> = node.store.audit_unsealed(2).await?;
    let entries: Vec<_> = waiting
        .iter()
        .map(|entry| (entry.id.key(), [1; 32]))
        .collect();
    let checkpoint = Checkpoint {
        position: head + 2,
        hash: [1; 32],
        count: 2,
        start: 1,
        at: Timestamp::MIN,
        signature: [2; 64],
    };
    let request = ChangeRequest {
        change: Change::Audit(AuditChange::Seal(AuditSeal {
            entries,
            checkpoint,
        })),
        idempotency: None,
        audit: None,
    };
    node.store.change(request).await
}
