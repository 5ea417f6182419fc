//! Entries that commands leave beside the audit log: a store takes each in once, whoever has the
//! database open meanwhile.

use super::drafts::SECOND;
use super::reading::oldest;
use super::world::World;
use crate::access::RevokedToken;
use crate::audit::{AuditChange, AuditEntry, AuditQuery, AuditRow};
use crate::change::{Change, ChangeRequest, Changed, SettingsChange};
use model::audit::{Actor, AuditAction, AuditDraft};
use model::id::{AuditId, Key};
use model::security::{Subject, SubjectKind};

pub(super) async fn what_a_command_left_is_taken_in_once_under_a_key_of_the_stores(
    world: &mut World,
) {
    let entry = revoked(world, "one").await;
    let access = world.store().access(0).await.expect("reads go on");
    let ended = access.expect("something was written").revoked;
    assert_eq!(ended.len(), 1, "it is the change that the entry is of");
    assert_eq!((left(world).await, list(world).await.len()), (1, 0));
    world.clock.advance(SECOND);
    noted(world).await;
    for _ in 0..2 {
        take_in(world).await;
        assert_eq!((left(world).await, list(world).await.len()), (0, 2));
    }
    noted(world).await;
    world.reopen().await;
    let rows = list(world).await;
    let [before, taken, after] = &rows[..] else {
        panic!("three were written: {rows:?}");
    };
    assert_eq!(taken.link, None, "it waits to be sealed as others do");
    assert_eq!(taken.entry, under(taken.entry.id, &entry));
    let keys = [before, taken, after].map(|row| row.entry.id.key());
    assert!(keys.is_sorted() && keys[0] > Key::MIN, "{keys:?}");
    let kept = world.store().audit_unsealed(10).await.expect("reads go on");
    for kept in kept {
        assert_eq!(kept.contradiction(), None, "{kept:?}");
    }
}

pub(super) async fn what_was_left_while_nobody_worked_is_there_for_the_next(world: &mut World) {
    noted(world).await;
    world.close().await;
    let mut entries = Vec::new();
    for number in 0..7 {
        entries.push(revoked(world, &format!("token-{number}")).await);
        world.clock.advance(SECOND);
    }
    world.reopen().await;
    assert_eq!((left(world).await, list(world).await.len()), (7, 1));
    take_in(world).await;
    let rows = list(world).await;
    let taken: Vec<_> = rows[1..].iter().map(|row| row.entry.clone()).collect();
    let ids = taken.iter().map(|entry| entry.id);
    let expected: Vec<_> = ids
        .zip(&entries)
        .map(|(id, entry)| under(id, entry))
        .collect();
    assert_eq!(taken, expected, "in the order in which they were left");
}

pub(super) async fn of_those_that_take_in_at_once_each_entry_is_one_ones(world: &World) {
    for number in 0..20 {
        revoked(world, &format!("token-{number}")).await;
    }
    let mut racing = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let store = world.store();
        racing.spawn(async move {
            store
                .change(request(Change::Audit(AuditChange::TakeIn)))
                .await
        });
    }
    for answer in racing.join_all().await {
        assert!(matches!(answer, Ok(Changed::Kept)), "{answer:?}");
    }
    let rows = list(world).await;
    let mut details: Vec<_> = rows.iter().map(|row| &row.entry.detail).collect();
    details.sort_unstable();
    details.dedup();
    assert_eq!((details.len(), rows.len(), left(world).await), (20, 20, 0));
}

pub(super) async fn a_setting_that_was_another_stays_and_nothing_is_left_of_it(world: &World) {
    let set = world.store().set_setting("one", b"1").await;
    set.expect("it can write");
    for (before, after, is_so) in [("1", "2", true), ("1", "3", false), ("2", "1", true)] {
        let values = SettingsChange {
            before: Some(before.into()),
            after: after.into(),
        };
        let entry = AuditEntry::left(world.tail(), &draft(world, after));
        let swapped = world.harness.swap_beside("one", &values, &entry).await;
        assert_eq!(swapped, is_so, "{before} to {after}");
    }
    let kept = world.store().setting("one").await.expect("reads go on");
    assert_eq!(kept.as_deref(), Some(&b"1"[..]));
    take_in(world).await;
    let mut details: Vec<_> = list(world)
        .await
        .into_iter()
        .map(|row| row.entry.detail)
        .collect();
    details.sort_unstable();
    assert_eq!(details, ["1", "2"]);
}

/// One that nobody took in.
pub(super) async fn fill(world: &World) {
    revoked(world, "left").await;
}

/// Revokes a token beside the store. The entry that is left of it.
async fn revoked(world: &World, id: &str) -> AuditEntry {
    let token = RevokedToken {
        id: id.to_owned(),
        ends_at: world.now().plus(SECOND * 1_000_000),
    };
    let entry = AuditEntry::left(world.tail(), &draft(world, &format!("token {id}")));
    world.harness.revoke_beside(&token, &entry).await;
    entry
}

fn under(id: AuditId, entry: &AuditEntry) -> AuditEntry {
    assert_eq!(id.tail(), entry.id.tail(), "it is known again");
    AuditEntry {
        id,
        ..entry.clone()
    }
}

fn draft(world: &World, detail: &str) -> AuditDraft {
    AuditDraft::new(
        world.now(),
        Actor::command("\u{f6}na"),
        AuditAction::TokenRevoked,
        Subject::new(SubjectKind::Organisation, "org_1"),
    )
    .saying(detail)
}

fn request(change: Change) -> ChangeRequest {
    ChangeRequest {
        change,
        idempotency: None,
        audit: None,
    }
}

async fn take_in(world: &World) {
    let taken = world.change(Change::Audit(AuditChange::TakeIn)).await;
    assert!(matches!(taken, Changed::Kept), "{taken:?}");
}

async fn noted(world: &World) {
    let request = ChangeRequest {
        audit: Some(draft(world, "by a server")),
        ..request(Change::Note)
    };
    world.store().change(request).await.expect("in order");
}

async fn left(world: &World) -> u64 {
    world.store().audit_left().await.expect("reads go on")
}

async fn list(world: &World) -> Vec<AuditRow> {
    let query = AuditQuery {
        window: oldest(100),
        application: None,
        actions: Vec::new(),
        actor: None,
        subject: None,
    };
    world.store().audit(&query).await.expect("reads go on").rows
}
