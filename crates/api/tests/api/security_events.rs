//! Security events: what is shown of them, what they are found by, and by whom.

use crate::world::World;
use model::Clock as _;
use model::id::ApplicationKey;
use model::security::{SecurityKind, Subject, SubjectKind};
use serde_json::json;
use std::time::Duration;
use store::change::{Change, ChangeRequest, Changed};
use store::security::{FoldedEvent, SecurityWrite};

async fn keep(world: &World, (kind, application): (SecurityKind, Option<ApplicationKey>)) {
    let event = FoldedEvent {
        kind,
        severity: kind.severity(),
        subject: Subject::new(SubjectKind::Node, "a"),
        application,
        remote_address: "192.0.2.7".parse().ok().filter(|_| application.is_none()),
        count: 3,
        first_seen: world.clock.now(),
        last_seen: world.clock.now().plus(Duration::from_secs(1)),
        description: "It happened.".to_owned(),
        sample: None,
    };
    let onto = None;
    let request = ChangeRequest {
        change: Change::KeepSecurityEvents(vec![SecurityWrite { onto, event }]),
        idempotency: None,
        audit: None,
    };
    let kept = world.app.store.change(request).await;
    assert!(matches!(kept, Ok(Changed::SecurityEvents(_))), "{kept:?}");
    world.clock.advance(Duration::from_secs(60));
}

#[tokio::test]
async fn a_security_event_says_what_happened_to_whom_and_how_often() {
    let world = World::new();
    keep(&world, (SecurityKind::AuthenticationFailed, None)).await;
    let list = world.get("/security/event").await.is(200);
    let event = &list["data"][0];
    assert!(
        event["id"]
            .as_str()
            .is_some_and(|id| id.starts_with("sec_"))
    );
    let expected = json!({
        "id": event["id"],
        "kind": "api.authentication_failed",
        "severity": "warning",
        "subject": { "type": "node", "id": "a" },
        "remoteAddress": "192.0.2.7",
        "count": 3,
        "firstSeen": "2026-01-01T00:30:00Z",
        "lastSeen": "2026-01-01T00:30:01Z",
        "description": "It happened.",
    });
    assert_eq!(*event, expected);
}

#[tokio::test]
async fn security_events_are_found_the_newest_first_by_what_they_are() {
    let world = World::new();
    let app = world.application("acme").await;
    let application = app.parse().map(model::id::ApplicationId::key).ok();
    world.application("other").await;
    keep(&world, (SecurityKind::SecretRead, application)).await;
    keep(&world, (SecurityKind::PinMismatch, application)).await;
    keep(&world, (SecurityKind::ClockSkew, None)).await;
    let all = ["clock.skew", "delivery.pin_mismatch", "secret.read"];
    for (query, expected) in [
        ("", &all[..]),
        ("severity=critical", &all[1..2]),
        ("severity=info", &all[2..]),
        ("kind=secret.read", &all[2..]),
        ("kind=secret.rotated", &[]),
        ("app_id=acme", &all[1..]),
        (&format!("app_id={app}&severity=critical"), &all[1..2]),
        ("app_id=other", &[]),
        ("before=2026-01-01T00:32:00Z", &all[1..]),
        (
            "after=2026-01-01T00:31:30Z&before=2026-01-01T00:40:00Z",
            &all[..1],
        ),
    ] {
        let list = world.get(format!("/security/event?{query}")).await;
        assert_eq!(list.is(200).column("kind"), expected, "{query}");
    }
    let (mut path, mut found) = ("/security/event?limit=2".to_owned(), Vec::new());
    loop {
        let page = world.get(&path).await.is(200);
        found.extend(page.column("kind"));
        if page["done"] == true {
            break;
        }
        path = format!("/security/event?limit=2&iterator={}", page.text("iterator"));
    }
    assert_eq!(found, all);
    world.get("/security/event?kind=x").await.is(400);
    world.get("/security/event?app_id=nobody").await.is(404);
}

#[tokio::test]
async fn an_application_does_not_see_security_events() {
    let world = World::new();
    let app = world.application("acme").await;
    let token = world.token_of(&app, &[]);
    world.get("/security/event").token(&token).await.is(403);
}
