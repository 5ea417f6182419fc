//! Security events: kept with their count, listed, and gone when they have reached their age.

use super::drafts::{DAY, SECOND};
use super::reading::{newest, oldest, pages};
use super::world::World;
use crate::change::{Change, Changed};
use crate::security::{FoldedEvent, SecurityQuery, SecurityRow, SecurityWrite};
use crate::work::SweepLimits;
use crate::{Lane, Sealed};
use model::id::{SecurityEventId, SecurityEventKey};
use model::security::{SecurityKind, Severity, Subject, SubjectKind};

pub(super) async fn what_is_kept_is_listed_in_both_directions(world: &mut World) {
    let lane = world.lane().await;
    let mut rows = Vec::new();
    for second in 0..5 {
        let mut event = event(world, SecurityKind::DestinationBlocked);
        event.application = Some(lane.application).filter(|_| second % 2 == 0);
        event.remote_address = ["2001:db8::1", "192.0.2.1"][second % 2].parse().ok();
        let id = keep(world, None, &event).await;
        rows.push(SecurityRow { id, event });
        world.clock.advance(SECOND);
    }
    assert_eq!(kept(world, &[]).await, [], "nothing is nothing");
    world.reopen().await;
    assert_eq!(list(world, &everything()).await, rows);
    let backwards = SecurityQuery {
        window: newest(2),
        ..everything()
    };
    rows.reverse();
    assert_eq!(list(world, &backwards).await, rows);
}

pub(super) async fn what_is_more_of_the_same_is_counted_in_its_row(world: &World) {
    let first = event(world, SecurityKind::AuthenticationFailed);
    let id = keep(world, None, &first).await;
    let other = keep(world, None, &event(world, SecurityKind::SecretRead)).await;
    world.clock.advance(SECOND);
    let more = FoldedEvent {
        count: 7,
        last_seen: world.now(),
        ..first.clone()
    };
    assert_eq!(keep(world, Some(id), &more).await, id);
    let rows = list(world, &everything()).await;
    let expected = FoldedEvent {
        count: first.count + 7,
        ..more.clone()
    };
    assert_eq!((rows[0].id, &rows[0].event), (id, &expected));
    assert_eq!((rows[1].id, rows[1].event.count), (other, first.count));
    assert_eq!(rows.len(), 2);

    let gone = SecurityEventId::new(SecurityEventKey::from_integer(7), [7; 12]);
    let anew = keep(world, Some(gone), &more).await;
    let found = list(world, &everything()).await.pop();
    let expected = SecurityRow {
        id: anew,
        event: more,
    };
    assert_eq!(found, Some(expected), "it is a row of its own");
}

pub(super) async fn security_events_are_listed_by_kind_severity_and_application(world: &World) {
    let (lane, other) = (world.lane().await, world.lane().await);
    let mut ids = Vec::new();
    for (kind, application) in [
        (SecurityKind::SecretRead, Some(lane.application)),
        (SecurityKind::PinMismatch, Some(lane.application)),
        (SecurityKind::PinMismatch, Some(other.application)),
        (SecurityKind::ClockSkew, None),
    ] {
        let event = FoldedEvent {
            application,
            ..event(world, kind)
        };
        ids.push(keep(world, None, &event).await);
    }
    let of_kind = |kind| SecurityQuery {
        kind: Some(kind),
        ..everything()
    };
    let so_bad = |severity| SecurityQuery {
        severity: Some(severity),
        ..everything()
    };
    let own = |query| SecurityQuery {
        application: Some(lane.application),
        ..query
    };
    for (query, expected) in [
        (everything(), &ids[..]),
        (of_kind(SecurityKind::PinMismatch), &ids[1..3]),
        (of_kind(SecurityKind::SensitiveData), &[]),
        (so_bad(Severity::Warning), &ids[3..]),
        (own(everything()), &ids[..2]),
        (own(of_kind(SecurityKind::PinMismatch)), &ids[1..2]),
        (own(so_bad(Severity::Warning)), &[]),
    ] {
        let found = list(world, &query).await;
        let found: Vec<_> = found.into_iter().map(|row| row.id).collect();
        assert_eq!(found, expected, "{query:?}");
    }
}

pub(super) async fn the_latest_sample_is_kept_and_read_where_it_is_asked_for(world: &World) {
    let bare = event(world, SecurityKind::IngestMalformed);
    let with = |sample| FoldedEvent {
        sample: Some(Sealed::from_static(sample)),
        ..bare.clone()
    };
    let first = keep(world, None, &with(b"\0one")).await;
    keep(world, Some(first), &with(b"two")).await;
    let second = keep(world, None, &bare).await;
    // Of several rows at once, some have one.
    let writes = [(first, bare.clone()), (second, with(b"three"))];
    let writes = writes.map(|(id, event)| SecurityWrite {
        onto: Some(id),
        event,
    });
    assert_eq!(kept(world, &writes).await, [first, second]);
    world.clock.advance(DAY);
    let bare = keep(world, None, &bare).await;
    let asked = SecurityQuery {
        with_samples: true,
        ..everything()
    };
    let samples = |rows: Vec<SecurityRow>| -> Vec<_> {
        let samples = rows.into_iter().map(|row| (row.id, row.event.sample));
        samples.collect()
    };
    let [two, three] = [&b"two"[..], b"three"].map(|text| Some(Sealed::from_static(text)));
    let expected = [(first, two), (second, three), (bare, None)];
    assert_eq!(samples(list(world, &asked).await), expected);
    let without = expected.clone().map(|(id, _)| (id, None));
    assert_eq!(samples(list(world, &everything()).await), without);
    let limits = SweepLimits {
        keep_since: world.now(),
        rows_max: 10,
    };
    world.sweep(limits).await;
    assert_eq!(samples(list(world, &asked).await), expected[2..]);
}

pub(super) async fn security_events_go_when_they_have_reached_their_age(world: &World) {
    for _ in 0..3 {
        keep(world, None, &event(world, SecurityKind::SecretRead)).await;
    }
    world.clock.advance(DAY);
    let young = keep(world, None, &event(world, SecurityKind::SecretRead)).await;
    let limits = SweepLimits {
        keep_since: world.now(),
        rows_max: 2,
    };
    world.sweep(limits).await;
    let left = list(world, &everything()).await;
    assert_eq!(left.iter().map(|row| row.id).collect::<Vec<_>>(), [young]);
}

pub(super) async fn security_events_are_listed_by_what_they_happened_to(world: &World) {
    let (lane, other) = (world.lane().await, world.lane().await);
    let source = |id| Subject::new(SubjectKind::Source, id);
    let same_id = Subject::new(SubjectKind::Endpoint, "one");
    let mut ids = Vec::new();
    for (subject, kind, application) in [
        (source("one"), SecurityKind::IngestReplayed, None),
        (
            source("two"),
            SecurityKind::IngestReplayed,
            Some(lane.application),
        ),
        (
            source("one"),
            SecurityKind::IngestMalformed,
            Some(lane.application),
        ),
        (
            same_id.clone(),
            SecurityKind::PinMismatch,
            Some(lane.application),
        ),
        (
            source("one"),
            SecurityKind::IngestReplayed,
            Some(other.application),
        ),
    ] {
        let event = FoldedEvent {
            subject,
            application,
            ..event(world, kind)
        };
        ids.push(keep(world, None, &event).await);
    }
    let of = |subject, application, kind| SecurityQuery {
        subject: Some(subject),
        application,
        kind,
        ..everything()
    };
    let own = Some(lane.application);
    let replayed = Some(SecurityKind::IngestReplayed);
    for (query, expected) in [
        (of(source("one"), None, None), vec![ids[0], ids[2], ids[4]]),
        (of(source("two"), None, None), vec![ids[1]]),
        (of(same_id, None, None), vec![ids[3]]),
        (of(source("three"), None, None), vec![]),
        (of(source("one"), own, None), vec![ids[2]]),
        (of(source("one"), None, replayed), vec![ids[0], ids[4]]),
        (of(source("one"), own, replayed), vec![]),
    ] {
        let found = list(world, &query).await;
        let found: Vec<_> = found.into_iter().map(|row| row.id).collect();
        assert_eq!(found, expected, "{query:?}");
        let backwards = SecurityQuery {
            window: newest(2),
            ..query
        };
        let mut found = list(world, &backwards).await;
        found.reverse();
        let found: Vec<_> = found.into_iter().map(|row| row.id).collect();
        assert_eq!(found, expected, "{backwards:?}");
    }
}

/// Rows with and without all that there may be.
pub(super) async fn fill(world: &World, lane: Lane) {
    let mut full = event(world, SecurityKind::DestinationBlocked);
    (full.application, full.remote_address) = (
        Some(lane.application),
        "2001:db8::1".parse().map(Some).expect("an address"),
    );
    full.sample = Some(Sealed::from_static(b"\0\xff"));
    for event in [event(world, SecurityKind::ClockSkew), full] {
        keep(world, None, &event).await;
    }
}

pub(super) fn event(world: &World, kind: SecurityKind) -> FoldedEvent {
    FoldedEvent {
        kind,
        severity: kind.severity(),
        subject: Subject::new(SubjectKind::Node, "n\u{f6}rd"),
        application: None,
        remote_address: None,
        count: 3,
        first_seen: world.now(),
        last_seen: world.now().plus(SECOND),
        description: "\u{1f510} it happened".to_owned(),
        sample: None,
    }
}

async fn keep(
    world: &World,
    onto: Option<SecurityEventId>,
    event: &FoldedEvent,
) -> SecurityEventId {
    let event = event.clone();
    let ids = kept(world, &[SecurityWrite { onto, event }]).await;
    ids.first().copied().expect("one for each")
}

pub(super) async fn kept(world: &World, writes: &[SecurityWrite]) -> Vec<SecurityEventId> {
    let change = Change::KeepSecurityEvents(writes.to_vec());
    match world.change(change).await {
        Changed::SecurityEvents(ids) => ids,
        other => panic!("kept security events, was told of {other:?}"),
    }
}

fn everything() -> SecurityQuery {
    SecurityQuery {
        window: oldest(2),
        application: None,
        subject: None,
        kind: None,
        severity: None,
        with_samples: false,
    }
}

/// All pages of a list.
async fn list(world: &World, query: &SecurityQuery) -> Vec<SecurityRow> {
    let store = world.store();
    pages(query.window, |window| {
        let query = SecurityQuery {
            window,
            ..query.clone()
        };
        let store = store.clone();
        async move { store.security_events(&query).await.expect("reads go on") }
    })
    .await
}
