//! The audit log: entries come with their changes or not at all, are chained once, and go from the
//! oldest on. Whether hashes and signatures are right is nothing that a store knows.

use super::drafts::{self, SECOND, idempotency_key};
use super::reading::{newest, oldest, pages};
use super::world::World;
use crate::Lane;
use crate::audit::{
    AuditChange, AuditEnds, AuditEntry, AuditQuery, AuditRow, AuditSeal, AuditStart, Checkpoint,
    KeptEntry, Link,
};
use crate::change::{Change, ChangeError, ChangeRequest, Changed, Expect};
use model::audit::{Actor, ActorKind, AuditAction, AuditDraft, AuditSubject};
use model::id::ApplicationKey;
use model::security::{Subject, SubjectKind};

pub(super) async fn an_entry_is_written_with_its_change_and_read_back(world: &mut World) {
    let lane = world.lane().await;
    let draft = AuditDraft {
        application: Some(lane.application),
        ..draft(world)
    };
    noted(world, &draft).await;
    world.reopen().await;
    let rows = list(world, &everything()).await;
    let [AuditRow { entry, link }] = &rows[..] else {
        panic!("there is one: {rows:?}");
    };
    assert_eq!(*link, None, "it is not sealed yet");
    let application = world.registry(lane.application).await.expect("it is live");
    let expected = AuditEntry {
        id: entry.id,
        at: draft.at,
        actor: draft.actor,
        action: draft.action,
        subject: Subject::new(SubjectKind::Node, "n\u{f6}rd"),
        application: Some(application.application.application.id),
        detail: draft.detail,
    };
    assert_eq!(*entry, expected);
    let kept = unsealed(world).await;
    assert_eq!(kept.len(), 1);
    assert_eq!((kept[0].id, &kept[0].text), (entry.id, &entry.text()));
    assert_eq!((&kept[0].listed, kept[0].link), (&entry.listed(), None));
}

pub(super) async fn what_a_change_made_is_named_by_its_id(world: &World) {
    let application = world.application().await.application.id;
    let endpoint = drafts::endpoint(application.key(), world.tail());
    let event_type = drafts::event_type("order.paid");
    let changes = [
        (
            SubjectKind::Application,
            drafts::create_application(drafts::application(world.tail())),
        ),
        (SubjectKind::Endpoint, drafts::create_endpoint(endpoint)),
        (
            SubjectKind::EventType,
            Change::PutEventType {
                event_type,
                expect: Expect::NoneLive,
            },
        ),
    ];
    for (kind, change) in changes {
        let draft = AuditDraft {
            subject: AuditSubject::Made(kind),
            ..draft(world)
        };
        let changed = audited(world, change, &draft)
            .await
            .expect("it is in order");
        let entry = list(world, &everything())
            .await
            .pop()
            .expect("the last")
            .entry;
        let (id, concerns) = match &changed {
            Changed::Application(row) => (row.application.id.to_string(), Some(row.application.id)),
            Changed::Endpoint(row) => (row.endpoint.id.to_string(), None),
            Changed::EventType(made) => (made.name.to_string(), None),
            other => panic!("made something, was told of {other:?}"),
        };
        assert_eq!(entry.subject, Subject::new(kind, id));
        assert_eq!(entry.application, concerns, "{kind:?}");
    }
}

pub(super) async fn a_refused_change_and_a_repeat_leave_no_entry(world: &World) {
    noted(world, &draft(world)).await;
    let missing = Change::DeleteApplication(ApplicationKey::from_integer(7));
    let refused = audited(world, missing, &draft(world)).await;
    assert!(matches!(refused, Err(ChangeError::Missing)), "{refused:?}");
    assert_eq!(unsealed(world).await.len(), 1);

    let create = drafts::create_application(drafts::application(world.tail()));
    for round in 0..2 {
        let request = ChangeRequest {
            change: create.clone(),
            idempotency: Some(idempotency_key(1)),
            audit: Some(draft(world)),
        };
        let changed = world.store().change(request).await.expect("in order");
        assert_eq!(matches!(changed, Changed::Repeated(_)), round == 1);
    }
    assert_eq!(unsealed(world).await.len(), 2);
}

pub(super) async fn entries_are_listed_by_application_action_actor_and_subject(world: &World) {
    let (lane, other) = (world.lane().await, world.lane().await);
    let (updated, deleted) = (
        AuditAction::ApplicationUpdated,
        AuditAction::ApplicationDeleted,
    );
    let mut ids = Vec::new();
    let (endpoint, named_alike) = (
        Subject::new(SubjectKind::Endpoint, "one"),
        Subject::new(SubjectKind::EventType, "one"),
    );
    for (application, action, actor, subject) in [
        (Some(lane.application), updated, "org_one", &endpoint),
        (Some(lane.application), deleted, "org_two", &endpoint),
        (Some(other.application), deleted, "org_one", &named_alike),
        (None, updated, "org_one", &endpoint),
    ] {
        let mut draft = draft(world);
        (draft.application, draft.action) = (application, action);
        draft.actor.subject = actor.to_owned();
        draft.subject = subject.clone().into();
        noted(world, &draft).await;
        let newest = list(world, &everything()).await.pop();
        ids.push(newest.map(|row| row.entry.id));
        world.clock.advance(SECOND);
    }
    let of = |application, action: Option<_>, actor: Option<&str>| AuditQuery {
        application,
        actions: action.into_iter().collect(),
        actor: actor.map(str::to_owned),
        ..everything()
    };
    let to = |subject: &Subject, query| AuditQuery {
        subject: Some(subject.clone()),
        ..query
    };
    let own = Some(lane.application);
    for (query, expected) in [
        (of(None, None, None), vec![0, 1, 2, 3]),
        (of(own, None, None), vec![0, 1]),
        (of(own, Some(deleted), None), vec![1]),
        (of(None, Some(deleted), None), vec![1, 2]),
        (of(None, None, Some("org_one")), vec![0, 2, 3]),
        (of(own, None, Some("org_one")), vec![0]),
        (of(None, Some(updated), Some("org_two")), vec![]),
        (of(None, None, Some("org")), vec![]),
        (to(&endpoint, of(None, None, None)), vec![0, 1, 3]),
        (to(&named_alike, of(None, None, None)), vec![2]),
        (to(&endpoint, of(own, Some(deleted), None)), vec![1]),
        (to(&endpoint, of(None, None, Some("org_one"))), vec![0, 3]),
    ] {
        let mut expected: Vec<_> = expected
            .into_iter()
            .map(|place: usize| ids[place])
            .collect();
        let found = |rows: Vec<AuditRow>| rows.into_iter().map(|row| Some(row.entry.id));
        let rows = list(world, &query).await;
        assert_eq!(found(rows).collect::<Vec<_>>(), expected, "{query:?}");
        let backwards = AuditQuery {
            window: newest(2),
            ..query
        };
        expected.reverse();
        let rows = list(world, &backwards).await;
        assert_eq!(found(rows).collect::<Vec<_>>(), expected, "{backwards:?}");
    }
}

pub(super) async fn entries_are_chained_in_the_order_that_is_given(world: &mut World) {
    for _ in 0..4 {
        noted(world, &draft(world)).await;
    }
    let mut waiting = unsealed(world).await;
    let last = waiting.pop().expect("there are four");
    waiting.reverse();
    let first = sealing(world, 0, &waiting);
    sealed(world, first.clone())
        .await
        .expect("nobody else seals");
    world.reopen().await;
    let ends = AuditEnds {
        start: None,
        checkpoint: Some(first.checkpoint),
    };
    assert_eq!(world.store().audit_ends().await.expect("reads"), ends);
    let chained: Vec<KeptEntry> = (1..)
        .zip(waiting)
        .map(|(position, entry)| KeptEntry {
            link: Some(link(position)),
            ..entry
        })
        .collect();
    assert_eq!(positions(world, 0).await, chained);
    assert_eq!(positions(world, 2).await, chained[2..]);
    assert_eq!(unsealed(world).await, std::slice::from_ref(&last));
    let rows = list(world, &everything()).await;
    let shown: Vec<_> = rows
        .iter()
        .map(|row| row.link.map(|link| link.position))
        .collect();
    assert_eq!(shown, [Some(3), Some(2), Some(1), None]);

    let second = sealing(world, 3, &[last]);
    sealed(world, second.clone())
        .await
        .expect("nobody else seals");
    let both = world.store().audit_checkpoints(0, 10).await;
    assert_eq!(both.expect("reads"), [first.checkpoint, second.checkpoint]);
    let behind = world.store().audit_checkpoints(3, 10).await;
    assert_eq!(behind.expect("reads"), [second.checkpoint]);
}

pub(super) async fn of_those_that_seal_at_once_one_wins(world: &World) {
    noted(world, &draft(world)).await;
    let waiting = unsealed(world).await;
    let mut racing = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let (store, seal) = (world.store(), sealing(world, 0, &waiting));
        let change = Change::Audit(AuditChange::Seal(seal));
        let request = ChangeRequest {
            change,
            idempotency: None,
            audit: None,
        };
        racing.spawn(async move { store.change(request).await });
    }
    let answers = racing.join_all().await;
    let won = answers.iter().filter(|answer| answer.is_ok()).count();
    let stale = |answer: &&Result<_, _>| matches!(answer, Err(ChangeError::Stale));
    let lost = answers.iter().filter(stale).count();
    assert_eq!((won, lost), (1, 7), "{answers:?}");
    assert_eq!(positions(world, 0).await.len(), 1);
}

pub(super) async fn what_is_sealed_already_or_from_another_head_is_stale(world: &World) {
    noted(world, &draft(world)).await;
    let first = unsealed(world).await;
    sealed(world, sealing(world, 0, &first))
        .await
        .expect("it is");
    noted(world, &draft(world)).await;
    let second = unsealed(world).await;
    for (seal, why) in [
        (sealing(world, 0, &second), "a head that was gone on from"),
        (sealing(world, 2, &second), "a head that never was"),
        (sealing(world, 1, &first), "an entry that is sealed"),
    ] {
        let refused = sealed(world, seal).await;
        assert!(matches!(refused, Err(ChangeError::Stale)), "{why}");
    }
    assert_eq!(unsealed(world).await, second, "nothing was written");
    let checkpoints = world.store().audit_checkpoints(0, 10).await;
    assert_eq!(checkpoints.expect("reads").len(), 1);
}

pub(super) async fn what_is_sealed_can_be_cut_and_nothing_else(world: &mut World) {
    for previous in [0, 2] {
        noted(world, &draft(world)).await;
        noted(world, &draft(world)).await;
        let waiting = unsealed(world).await;
        sealed(world, sealing(world, previous, &waiting))
            .await
            .expect("it is");
    }
    noted(world, &draft(world)).await;
    for (position, why) in [(1, "nothing"), (2, "no checkpoint"), (6, "not sealed")] {
        let refused = cut(world, position).await;
        assert!(matches!(refused, Err(ChangeError::Stale)), "{why}");
    }
    cut(world, 3).await.expect("a checkpoint ends there");
    let again = cut(world, 3).await;
    assert!(matches!(again, Err(ChangeError::Stale)), "{again:?}");
    world.reopen().await;
    let ends = world.store().audit_ends().await.expect("reads");
    assert_eq!(ends.start, Some(start(world, 3)));
    assert_eq!((ends.first(), ends.head()), (3, 4));
    let left = positions(world, 0).await;
    let left: Vec<_> = left.iter().filter_map(|entry| entry.link).collect();
    assert_eq!(left, [link(3), link(4)]);
    let checkpoints = world.store().audit_checkpoints(0, 10).await;
    assert_eq!(checkpoints.expect("reads").len(), 1);

    cut(world, 5).await.expect("a checkpoint ends there");
    assert_eq!(positions(world, 0).await, []);
    let waiting = unsealed(world).await;
    assert_eq!(waiting.len(), 1, "what is not sealed stays");
    sealed(world, sealing(world, 4, &waiting))
        .await
        .expect("the head is known, whatever was cut");
    assert_eq!(positions(world, 0).await[0].link, Some(link(5)));
}

/// Entries, some of them sealed, behind a start.
pub(super) async fn fill(world: &World, lane: Lane) {
    for application in [None, Some(lane.application), None, None] {
        let draft = AuditDraft {
            application,
            ..draft(world)
        };
        noted(world, &draft).await;
    }
    for previous in 0..3 {
        let waiting = unsealed(world).await;
        let seal = sealing(world, previous, &waiting[..1]);
        sealed(world, seal).await.expect("nobody else seals");
    }
    cut(world, 2).await.expect("a checkpoint ends there");
}

fn draft(world: &World) -> AuditDraft {
    AuditDraft {
        at: world.now(),
        actor: Actor {
            kind: ActorKind::Token,
            subject: "org_1".to_owned(),
            credential: Some("j\u{f6}ti".to_owned()),
            remote_address: "2001:db8::1".parse().ok(),
        },
        action: AuditAction::ApplicationUpdated,
        subject: AuditSubject::Known(Subject::new(SubjectKind::Node, "n\u{f6}rd")),
        application: None,
        detail: "\u{1f510} \"it\"\nhappened".to_owned(),
    }
}

async fn audited(
    world: &World,
    change: Change,
    draft: &AuditDraft,
) -> Result<Changed, ChangeError> {
    let request = ChangeRequest {
        change,
        idempotency: None,
        audit: Some(draft.clone()),
    };
    world.store().change(request).await
}

async fn noted(world: &World, draft: &AuditDraft) {
    let noted = audited(world, Change::Note, draft).await;
    assert!(matches!(noted, Ok(Changed::Kept)), "{noted:?}");
}

async fn unsealed(world: &World) -> Vec<KeptEntry> {
    let unsealed = world.store().audit_unsealed(100).await;
    unsealed.expect("reads go on")
}

async fn positions(world: &World, after: u64) -> Vec<KeptEntry> {
    let sealed = world.store().audit_sealed(after, 100).await;
    sealed.expect("reads go on")
}

/// What stands at a position, whatever entry that is.
fn link(position: u64) -> Link {
    let byte = u8::try_from(position).expect("tests seal few");
    Link {
        position,
        hash: [byte; 32],
    }
}

fn sealing(world: &World, previous: u64, entries: &[KeptEntry]) -> AuditSeal {
    let positions = previous + 1..;
    let entries: Vec<_> = positions
        .zip(entries)
        .map(|(position, entry)| (entry.id.key(), link(position).hash))
        .collect();
    let count = entries.len() as u64;
    let Link { position, hash } = link(previous + count);
    AuditSeal {
        entries,
        checkpoint: Checkpoint {
            position,
            hash,
            count,
            start: 1,
            at: world.now(),
            signature: [9; 64],
        },
    }
}

async fn sealed(world: &World, seal: AuditSeal) -> Result<Changed, ChangeError> {
    world
        .try_change(Change::Audit(AuditChange::Seal(seal)))
        .await
}

fn start(world: &World, position: u64) -> AuditStart {
    AuditStart {
        position,
        before: link(position - 1).hash,
        at: world.now(),
        signature: [8; 64],
    }
}

async fn cut(world: &World, position: u64) -> Result<Changed, ChangeError> {
    let start = start(world, position);
    world
        .try_change(Change::Audit(AuditChange::Cut(start)))
        .await
}

fn everything() -> AuditQuery {
    AuditQuery {
        window: oldest(2),
        application: None,
        actions: Vec::new(),
        actor: None,
        subject: None,
    }
}

/// All pages of a list.
async fn list(world: &World, query: &AuditQuery) -> Vec<AuditRow> {
    let store = world.store();
    pages(query.window, |window| {
        let query = AuditQuery {
            window,
            ..query.clone()
        };
        let store = store.clone();
        async move { store.audit(&query).await.expect("reads go on") }
    })
    .await
}
