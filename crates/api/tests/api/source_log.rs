//! What a source refused, as its log shows it.

use crate::sources::{SOURCES, make, one, stripe, token};
use crate::world::World;
use app::sources::checks::Request;
use model::Clock as _;
use model::security::{SecurityKind, Subject, SubjectKind};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use store::change::{Change, ChangeRequest};
use store::security::{FoldedEvent, SecurityWrite};

/// Keeps a security event of a source, as if it had just happened.
async fn keep(
    world: &World,
    (source, kind): (&str, SecurityKind),
    (count, sample): (u64, Option<Arc<[u8]>>),
) {
    let event = FoldedEvent {
        kind,
        severity: kind.severity(),
        subject: Subject::new(SubjectKind::Source, source),
        application: None,
        remote_address: "192.0.2.7".parse().ok(),
        count,
        first_seen: world.clock.now(),
        last_seen: world.clock.now().plus(Duration::from_secs(1)),
        description: "It was not signed".to_owned(),
        sample: sample.as_deref().map(store::Sealed::copy_from_slice),
    };
    let onto = None;
    let request = ChangeRequest {
        change: Change::KeepSecurityEvents(vec![SecurityWrite { onto, event }]),
        idempotency: None,
        audit: None,
    };
    world.app.store.change(request).await.expect("it is kept");
    world.clock.advance(Duration::from_secs(60));
}

fn statuses(page: &crate::call::Answer) -> Vec<Value> {
    page.rows()
        .iter()
        .map(|row| row["status_code"].clone())
        .collect()
}

#[tokio::test]
async fn a_sources_log_has_what_it_refused_and_nothing_else() {
    let world = World::new();
    let made = [
        make(&world, &stripe("pay")).await,
        make(&world, &stripe("other")).await,
    ];
    let [id, other] = made.map(|one| one["id"].as_str().expect("an id").to_owned());
    keep(
        &world,
        (&id, SecurityKind::IngestSignatureInvalid),
        (3, None),
    )
    .await;
    keep(
        &world,
        (&other, SecurityKind::IngestSignatureInvalid),
        (1, None),
    )
    .await;
    keep(&world, (&id, SecurityKind::SecretRotated), (1, None)).await;
    keep(&world, (&id, SecurityKind::IngestTooLarge), (1, None)).await;
    let log = world.get(one("pay/log")).await.is(200);
    assert_eq!(statuses(&log), [413, 401]);
    let entry = &log["data"][1];
    let expected = json!({
        "id": entry["id"], "source_id": id, "status_code": 401,
        "error_text": "It was not signed; from 192.0.2.7; 3 times",
        "headers": {}, "payload": "",
        "created_at": entry["created_at"], "updated_at": entry["updated_at"],
    });
    assert_eq!(*entry, expected);
    assert!(entry["id"].as_str().is_some_and(|id| id.starts_with("log")));
    let mut pages = Vec::new();
    let mut next = one("pay/log?limit=1");
    loop {
        let page = world.get(&next).await.is(200);
        pages.extend(statuses(&page));
        if page["done"] == true {
            break;
        }
        next = format!(
            "{}?limit=1&iterator={}",
            one("pay/log"),
            page.text("iterator")
        );
    }
    assert_eq!(pages, [413, 401]);
    let oldest = world.get(one("pay/log?order=ascending")).await.is(200);
    assert_eq!(statuses(&oldest), [401, 413]);
}

#[tokio::test]
async fn a_sources_log_shows_what_it_keeps_of_requests() {
    let world = World::new();
    let mut source = stripe("pay");
    source["config"]["keepRefused"] = true.into();
    let made = world.post(SOURCES, source).await.is(201);
    let id = made.text("id");
    let found = world.app.source_by_token(&token(&made.body));
    let found = found.expect("it opens").expect("it is there");
    let request = Request {
        method: "POST",
        url: "https://in.example/in/token",
        headers: &[("X-Trace", b"1"), ("x-trace", b"2"), ("cookie", b"a=b")],
        body: b"{}",
    };
    let sample = world.app.seal_refused(&found, &request);
    let sealed = sample.as_deref().expect("it keeps them");
    assert!(!sealed.windows(7).any(|part| part == b"x-trace"));
    let kind = SecurityKind::IngestSignatureInvalid;
    keep(&world, (&id, kind), (1, sample)).await;
    let log = world.get(one("pay/log")).await.is(200);
    let entry = &log["data"][0];
    let shown = (&entry["headers"], &entry["payload"]);
    assert_eq!(shown, (&json!({ "x-trace": "1, 2" }), &json!("{}")));
    let elsewhere = world.get("/security/event").await.is(200);
    assert!(!elsewhere.text.contains("trace"), "{}", elsewhere.text);
}
