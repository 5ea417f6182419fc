//! Looking messages up, and the lists of what happened.

use crate::world::World;
use serde_json::{Value, json};
use std::time::Duration;

const DAY: Duration = Duration::from_secs(86_400);

/// An application with messages `m0` to `m4`, an hour apart.
async fn with_messages(world: &World) -> String {
    let app = world.application("acme").await;
    for number in 0..5 {
        let body = json!({
            "eventId": format!("m{number}"),
            "eventType": if number % 2 == 0 { "even" } else { "odd" },
            "channels": if number < 2 { json!(["low", "all"]) } else { json!(["all"]) },
            "tags": if number == 3 { json!(["third"]) } else { Value::Null },
        });
        world.message(&app, body).await;
        world.clock.advance(Duration::from_secs(3_600));
    }
    app
}

#[tokio::test]
async fn messages_come_newest_first_page_by_page() {
    let world = World::new();
    let app = with_messages(&world).await;
    let list = async |query: &str| world.get(format!("/app/{app}/msg?{query}")).await.is(200);
    let first = list("limit=2").await;
    assert_eq!(first.column("eventId"), ["m4", "m3"]);
    assert_eq!(first["done"], false);
    let second = list(&format!("limit=2&iterator={}", first.text("iterator"))).await;
    assert_eq!(second.column("eventId"), ["m2", "m1"]);
    let back = list(&format!("limit=2&iterator={}", second.text("prevIterator"))).await;
    assert_eq!(back.column("eventId"), ["m4", "m3"]);
    assert_eq!(back["done"], true);
    let rest = list(&format!("iterator={}", second.text("iterator"))).await;
    assert_eq!(rest.column("eventId"), ["m0"]);
    assert_eq!(rest["done"], true);
    assert_eq!(rest["iterator"], rest["data"][0]["id"]);
    let none = list(&format!("iterator={}", rest.text("iterator"))).await;
    assert_eq!(none["iterator"], Value::Null);
    assert_eq!(none.body.get("prevIterator"), None);
    let zero = list("limit=0").await;
    assert_eq!((&zero["data"], &zero["done"]), (&json!([]), &json!(false)));
}

#[tokio::test]
async fn messages_are_found_by_type_channel_tag_and_time() {
    let world = World::new();
    let app = with_messages(&world).await;
    let cases: [(&str, &[&str]); 12] = [
        ("event_types=even", &["m4", "m2", "m0"]),
        ("event_types=even,odd&limit=2", &["m4", "m3"]),
        ("event_types[]=odd", &["m3", "m1"]),
        ("event_types=none", &[]),
        ("channel=low", &["m1", "m0"]),
        ("channel=low&event_types=odd", &["m1"]),
        ("tag=third", &["m3"]),
        ("before=2026-01-01T01:30:00Z", &["m0"]),
        ("after=2026-01-01T03:30:00Z", &["m4", "m3"]),
        (
            "after=2026-01-01T01:00:00Z&before=2026-01-01T03:00:00Z",
            &["m2", "m1"],
        ),
        // The oldest after that time, and still the newest first.
        ("after=2026-01-01T01:00:00Z&limit=2", &["m2", "m1"]),
        ("channel=nowhere", &[]),
    ];
    for (query, expected) in cases {
        let page = world.get(format!("/app/{app}/msg?{query}")).await.is(200);
        assert_eq!(page.column("eventId"), expected, "{query}");
    }
}

#[tokio::test]
async fn messages_older_than_90_days_are_looked_for_by_name_only() {
    let world = World::new();
    let app = world.application("acme").await;
    let id = world.message(&app, json!({ "eventId": "old" })).await;
    world.clock.advance(DAY * 91);
    let page = world.get(format!("/app/{app}/msg")).await.is(200);
    assert_eq!(page["data"], json!([]));
    let page = world
        .get(format!("/app/{app}/msg?after=2026-01-01T00:00:00Z"))
        .await
        .is(200);
    assert_eq!(page.column("eventId"), ["old"]);
    world.get(format!("/app/{app}/msg/{id}")).await.is(200);
}

#[tokio::test]
async fn lists_refuse_what_they_can_not_be_asked() {
    let world = World::new();
    let app = world.application("acme").await;
    let endpoint = world.endpoint(&app, json!({})).await;
    let id = world.message(&app, json!({})).await;
    let paths = [
        format!("/app/{app}/msg"),
        format!("/app/{app}/endpoint/{endpoint}/msg"),
        format!("/app/{app}/attempt/endpoint/{endpoint}"),
        format!("/app/{app}/attempt/msg/{id}"),
    ];
    let unruly = [
        ("limit=251", "query/limit/limit"),
        ("iterator=app_1", "query/iterator"),
        ("iterator=msg_nonsense", "query/iterator"),
        ("iterator=atmpt_nonsense", "query/iterator"),
        ("event_types=", "query/__all__"),
        ("event_types=a%20b", "query/__all__"),
        ("channel=", "query/channel/__all__"),
        ("tag=", "query/tag/__all__"),
    ];
    let unreadable = [
        "limit=x",
        "limit=-1",
        "before=yesterday",
        "after=1700000000",
        "with_content=yes",
        "channel=a&channel=b",
    ];
    for path in &paths {
        for (query, location) in unruly {
            let answer = world.get(format!("{path}?{query}")).await;
            assert_eq!(answer.broken(), [location], "{answer:?}");
        }
        for query in unreadable {
            let answer = world.get(format!("{path}?{query}")).await;
            answer.refuses(400, "generic_error");
        }
        world
            .get(format!("{path}/?limit=250&unknown=1"))
            .await
            .is(200);
    }
    for path in &paths[1..] {
        for query in ["status=4", "status=x", "status=-1", "expanded_statuses=1"] {
            world.get(format!("{path}?{query}")).await.is(400);
        }
    }
    for path in &paths[2..] {
        for query in [
            "status_code_class=200x",
            "status_code_class=600",
            "with_msg=1",
        ] {
            world.get(format!("{path}?{query}")).await.is(400);
        }
    }
}

#[tokio::test]
async fn an_application_sees_its_own_messages_only() {
    let world = World::new();
    let (app, other) = (
        world.application("acme").await,
        world.application("other").await,
    );
    let endpoint = world.endpoint(&app, json!({})).await;
    let id = world.message(&app, json!({})).await;
    world.succeed().await;
    let attempts = world
        .get(format!("/app/{app}/attempt/msg/{id}"))
        .await
        .is(200);
    let attempt = attempts["data"][0]["id"].as_str().unwrap();
    let paths = [
        format!("/app/{app}/msg"),
        format!("/app/{app}/msg/{id}"),
        format!("/app/{app}/msg/{id}/endpoint"),
        format!("/app/{app}/msg/{id}/attempt/{attempt}"),
        format!("/app/{app}/attempt/msg/{id}"),
        format!("/app/{app}/attempt/endpoint/{endpoint}"),
        format!("/app/{app}/endpoint/{endpoint}/msg"),
        format!("/app/{app}/endpoint/{endpoint}/stats"),
    ];
    for path in paths {
        let of = async |application| {
            let token = world.token_of(application, &[]);
            world.get(&path).token(&token).await
        };
        of(&app).await.is(200);
        of(&other).await.refuses(404, "not_found");
        let nobody = world.get(&path).without_token().await;
        nobody.refuses(401, "authentication_failed");
        let elsewhere = path.replacen(&app, &other, 1);
        let answer = world.get(&elsewhere).await;
        assert!(
            answer.status == 404 || elsewhere.ends_with("/msg"),
            "{elsewhere}"
        );
    }
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let world = World::new();
    let app = world.application("acme").await;
    let endpoint = world.endpoint(&app, json!({})).await;
    let id = world.message(&app, json!({})).await;
    let absent = "msg_2nDEZ3Xs7xQyRVTSZmI1zmiyQBB";
    for path in [
        "/app/nobody/msg".to_owned(),
        format!("/app/{app}/msg/{absent}"),
        format!("/app/{app}/msg/msg_nonsense"),
        format!("/app/{app}/msg/no%20name"),
        format!("/app/{app}/msg/{absent}/endpoint"),
        format!("/app/{app}/attempt/msg/{absent}"),
        format!("/app/{app}/attempt/endpoint/nobody"),
        format!("/app/{app}/endpoint/nobody/msg"),
        format!("/app/{app}/endpoint/nobody/stats"),
        format!("/app/{app}/msg/{id}/attempt/atmpt_2nDEZ3Xs7xQyRVTSZmI1zmiyQBB"),
        format!("/app/{app}/msg/{id}/attempt/nonsense"),
        format!("/app/{app}/attempt/msg/{id}?endpoint_id=nobody"),
        format!("/app/{app}/msg/{id}/endpoint/nobody/attempt"),
    ] {
        world.get(&path).await.refuses(404, "not_found");
    }
    let malformed = format!("/app/{app}/attempt/msg/{id}?endpoint_id=no%20name");
    let refused = world.get(malformed).await;
    assert_eq!(refused.broken(), ["query/endpoint_id/__all__"]);
    let found = format!("/app/{app}/attempt/msg/{id}?endpoint_id={endpoint}");
    world.get(found).await.is(200);
}
