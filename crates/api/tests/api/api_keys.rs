//! API keys: made, shown once, limited, renamed and ended.

use crate::tokens::{api_key, keys};
use crate::world::World;
use model::role::Role;
use model::security::{Subject, SubjectKind};
use serde_json::{Value, json};
use std::time::Duration;

fn one(id: &str) -> String {
    format!("{}/{id}", keys())
}

#[tokio::test]
async fn a_keys_token_is_shown_once_and_then_only_its_end() {
    let world = World::new();
    let body = json!({ "name": "CI", "scopes": ["application:read", "*:write"] });
    let made = world.post(keys(), body).await.is(200);
    let (id, token) = (made.text("id"), made.text("token"));
    assert!(
        token.starts_with("sk_") && token.len() == 67,
        "{}",
        token.len()
    );
    let shown = world.get(one(&id)).await.is(200);
    assert_eq!(
        shown.body,
        json!({
            "id": id, "censoredToken": format!("sk_***{}", &token[63..]), "name": "CI",
            "scopes": ["application:read", "*:write"], "createdAt": made["createdAt"],
            "expiresAt": null, "lastUsedAt": null,
        })
    );
    assert!(!shown.text.contains(&token));
    let listed = world.get(keys()).await.is(200);
    assert_eq!(listed.rows(), [shown.body]);
    world.get("/app").token(&token).await.is(200);
}

#[tokio::test]
async fn keys_are_listed_by_age_and_in_pages() {
    let world = World::new();
    let mut ids = Vec::new();
    for name in ["a", "b", "c"] {
        let made = world.post(keys(), json!({ "name": name })).await.is(200);
        ids.push(made.text("id"));
    }
    let first = world.get(format!("{}?limit=2", keys())).await.is(200);
    assert_eq!(first.column("id"), ids[..2]);
    assert_eq!(first["done"], Value::Bool(false));
    let next = format!("{}?limit=2&iterator={}", keys(), first.text("iterator"));
    let second = world.get(next).await.is(200);
    assert_eq!(second.column("id"), ids[2..]);
    assert_eq!(second["done"], Value::Bool(true));
    let newest = format!("{}?order=descending&limit=1", keys());
    assert_eq!(world.get(newest).await.column("id"), ids[2..]);
}

#[tokio::test]
async fn a_key_is_renamed_and_limited_at_once() {
    let world = World::new();
    let made = world.post(keys(), json!({ "name": "a" })).await.is(200);
    let (id, token) = (made.text("id"), made.text("token"));
    let renamed = world.put(one(&id), json!({ "name": "b" })).await.is(200);
    assert_eq!(
        (renamed.text("name"), &renamed["scopes"]),
        ("b".to_owned(), &Value::Null)
    );
    let scopes = json!({ "scopes": ["event-type:read"] });
    let limited = world.patch(one(&id), &scopes).await.is(200);
    assert_eq!(
        (limited.text("name"), &limited["scopes"]),
        ("b".to_owned(), &scopes["scopes"])
    );
    let refused = world.get("/app").token(&token).await;
    refused.refuses(403, "insufficient access");
    world.get("/event-type").token(&token).await.is(200);
    let free = world
        .patch(one(&id), json!({ "scopes": null, "name": null }))
        .await
        .is(200);
    assert_eq!(
        (&free["name"], &free["scopes"]),
        (&Value::Null, &Value::Null)
    );
    world.get("/app").token(&token).await.is(200);
}

#[tokio::test]
async fn a_key_ends_when_it_is_to_and_never_later() {
    let world = World::new();
    let made = world.post(keys(), json!({ "name": "a" })).await.is(200);
    let (id, token) = (made.text("id"), made.text("token"));
    let end = format!("{}/expire", one(&id));
    for seconds in [60, 3_600] {
        world.post(&end, json!({ "expiry": seconds })).await.is(204);
    }
    world.get("/app").token(&token).await.is(200);
    world.clock.advance(Duration::from_secs(60));
    world.events.take();
    let refused = world.get("/app").token(&token).await;
    refused.refuses(401, "authentication_failed");
    let events = world.events.take();
    assert_eq!(events[0].kind.as_str(), "api.revoked_key_used");
    assert_eq!(events[0].subject, Subject::new(SubjectKind::ApiKey, &id));
    assert!(world.get(one(&id)).await["expiresAt"].is_string());
}

#[tokio::test]
async fn a_rule_of_detection_ends_a_key_where_the_operator_says_so() {
    let world = World::new();
    let made = world.post(keys(), json!({ "name": "a" })).await.is(200);
    let (id, token) = (made.text("id"), made.text("token"));
    world.get("/app").token(&token).await.is(200);
    let ended = world.app.disable_api_key("mass-export", &id).await;
    ended.expect("it is there");
    let refused = world.get("/app").token(&token).await;
    refused.refuses(401, "authentication_failed");
    let ended = world.app.disable_api_key("mass-export", "key_no").await;
    assert!(ended.is_err(), "there is none of this id");
}

#[tokio::test]
async fn logging_out_ends_a_key() {
    let world = World::new();
    let key = api_key(&world, &[&"authentication:write".to_owned()]).await;
    world.post("/auth/logout", "").token(&key).await.is(204);
    world.post("/auth/logout", "").token(&key).await.is(401);
}

#[tokio::test]
async fn a_limited_key_makes_none_that_may_more() {
    let world = World::new();
    let own = ["management:write", "endpoint:read"].map(str::to_owned);
    let key = api_key(&world, &own.iter().collect::<Vec<_>>()).await;
    for (scopes, status) in [
        (json!(["endpoint:read"]), 200),
        (json!(["endpoint:write"]), 403),
        (json!(["*:read"]), 403),
        (json!(["*"]), 403),
        (json!(null), 403),
    ] {
        let body = json!({ "name": "a", "scopes": scopes });
        world.post(keys(), body).token(&key).await.is(status);
    }
    let other = world
        .post(keys(), json!({ "name": "b", "scopes": ["endpoint:read"] }))
        .await;
    let patch = json!({ "scopes": null });
    let refused = world.patch(one(&other.text("id")), patch).token(&key).await;
    refused.refuses(403, "insufficient access");
}

#[tokio::test]
async fn a_key_with_a_role_makes_none_that_may_more() {
    let world = World::new();
    let operator = ["management:write", "role:operator"].map(str::to_owned);
    let operator = api_key(&world, &operator.iter().collect::<Vec<_>>()).await;
    let admin = api_key(&world, &[&"role:admin".to_owned()]).await;
    for (scopes, by_operator) in [
        (json!(["role:viewer"]), 200),
        (json!(["role:operator"]), 200),
        (json!(["*:read", "role:viewer"]), 200),
        (json!(["management:write"]), 200),
        (json!(["role:admin"]), 403),
        (json!(["role:viewer", "role:admin"]), 403),
        (json!(["endpoint:write"]), 403),
        (json!(["*"]), 403),
        (json!(null), 403),
    ] {
        let body = json!({ "name": "a", "scopes": scopes });
        let made = world.post(keys(), &body).token(&operator).await;
        assert_eq!(made.status, by_operator, "{body} {made:?}");
        world.post(keys(), body).token(&admin).await.is(200);
    }
    // A role alone is none that makes keys, unless it may do everything.
    let body = json!({ "name": "a", "scopes": ["role:viewer"] });
    for role in [Role::Viewer, Role::Operator] {
        let token = world.token_as(role);
        let refused = world.post(keys(), &body).token(&token).await;
        refused.refuses(403, "insufficient access");
    }
    let token = world.token_as(Role::Admin);
    let made = world.post(keys(), &body).token(&token).await.is(200);
    assert_eq!(made["scopes"], body["scopes"]);
}

#[tokio::test]
async fn a_key_that_may_only_read_sees_no_secret() {
    let world = World::new();
    let app = world.post("/app", json!({ "name": "a" })).await;
    let endpoints = format!("/app/{}/endpoint", app.text("id"));
    let body = json!({ "url": "https://example.com/" });
    let endpoint = world.post(&endpoints, body).await.is(201);
    let endpoint = format!("{endpoints}/{}", endpoint.text("id"));
    let secret = format!("{endpoint}/secret");
    for (scope, seen) in [
        ("*:read", 403),
        ("endpoint:read", 403),
        ("endpoint:write", 200),
    ] {
        let key = api_key(&world, &[&scope.to_owned()]).await;
        world.get(&secret).token(&key).await.is(seen);
    }
    let key = api_key(&world, &[&"*:read".to_owned()]).await;
    world.get(&endpoint).token(&key).await.is(200);
}

#[tokio::test]
async fn the_last_use_of_a_key_is_told() {
    let world = World::new();
    let made = world.post(keys(), json!({ "name": "a" })).await.is(200);
    world.get("/app").token(&made.text("token")).await.is(200);
    world
        .app
        .record_api_key_uses()
        .await
        .expect("it is written");
    let shown = world.get(one(&made.text("id"))).await;
    assert_eq!(shown["lastUsedAt"], made["createdAt"]);
}

#[tokio::test]
async fn what_is_no_key_is_refused() {
    let world = World::new();
    for (body, place) in [
        (json!({ "name": "a", "scopes": [] }), "body/scopes"),
        (
            json!({ "name": "a", "scopes": ["endpoint"] }),
            "body/scopes[0]",
        ),
        (
            json!({ "name": "a", "scopes": ["endpoint:read", "nouns:read"] }),
            "body/scopes[1]",
        ),
        (
            json!({ "name": "a", "scopes": ["role:viewer", "role:owner"] }),
            "body/scopes[1]",
        ),
        (
            json!({ "name": "a", "scopes": vec!["*"; 101] }),
            "body/scopes",
        ),
        (json!({ "name": "x".repeat(20_000) }), "body/name"),
    ] {
        let answer = world.post(keys(), &body).await;
        assert_eq!(answer.broken(), [place], "{body}");
    }
    let elsewhere = keys().replace("org_2", "org_3");
    world.get(elsewhere).await.refuses(404, "not_found");
    world.get(one("key_x")).await.refuses(404, "not_found");
    let answer = world
        .post(keys(), json!({ "name": "a" }))
        .key("k")
        .await
        .is(200);
    let again = world.post(keys(), json!({ "name": "a" })).key("k").await;
    again.refuses(409, "conflict");
    assert!(!again.text.contains(&answer.text("token")));
}

#[tokio::test]
async fn the_requests_of_two_keys_are_told_apart() {
    let world = World::new();
    let every = "*".to_owned();
    let (first, second) = (
        api_key(&world, &[&every]).await,
        api_key(&world, &[&every]).await,
    );
    let body = json!({ "name": "A" });
    let mut ids = Vec::new();
    for key in [&first, &second, &first] {
        let made = world.post("/app", &body).key("k").token(key).await.is(201);
        ids.push(made.text("id"));
    }
    assert_eq!(ids[0], ids[2]);
    assert_ne!(ids[0], ids[1]);
}
