//! One audit log of several nodes: each seals what either wrote, and the command looks at it beside
//! them, in the database itself.

use e2e::command::Outcome;
use e2e::eventually;
use model::Timestamp;
use model::audit::{Actor, ActorKind, AuditAction};
use model::id::{AuditId, Key};
use model::security::{Subject, SubjectKind};
use private_postgres::Database;
use serde_json::Value;
use store::audit::AuditEntry;

use crate::cluster::Cluster;

const ENTRIES: i64 = 30;

#[tokio::test]
async fn nodes_seal_one_log_and_what_is_changed_in_the_database_is_found() {
    let database = Database::new();
    let cluster = Cluster::on(database.url().to_owned()).await;
    let (_first, _second) = (cluster.node().await, cluster.node().await);
    for number in 1..=ENTRIES {
        database.psql(&written(number));
    }
    eventually("the entries to be sealed", || async {
        let verified = cluster.run(&["audit", "verify", "--json"]).await;
        let told = told(verified.expect(4));
        let sealed = told["waiting"] == 0 && told["head"].as_i64() >= Some(ENTRIES);
        sealed.then_some(()).ok_or(told.to_string())
    })
    .await;

    database.psql("UPDATE audit_entry SET entry = entry || ' ' WHERE position = 7");
    let found = cluster.run(&["audit", "verify"]).await;
    let said = &found.expect(1).stdout;
    assert!(
        said.contains("at position 7 is not what was sealed there"),
        "{said}"
    );
}

/// What writes an entry, as a change does.
fn written(number: i64) -> String {
    let entry = AuditEntry {
        id: AuditId::new(Key::from_integer(1_000 + number), [0; 12]),
        at: Timestamp::from_seconds(number),
        actor: Actor {
            kind: ActorKind::Command,
            subject: "org_1".to_owned(),
            credential: None,
            remote_address: None,
        },
        action: AuditAction::ApplicationUpdated,
        subject: Subject::new(SubjectKind::Application, number),
        application: None,
        detail: String::new(),
    };
    format!(
        "INSERT INTO audit_entry (id, tail, entry, application, action, actor, subject)
         VALUES ({}, decode(repeat('00', 12), 'hex'), '{}', 0, '{}', 'org_1', '{}')",
        entry.id.key().integer(),
        entry.text(),
        entry.action.as_str(),
        entry.subject.id
    )
}

fn told(outcome: &Outcome) -> Value {
    serde_json::from_str(&outcome.stdout).unwrap_or_else(|error| panic!("{error}: {outcome:?}"))
}
