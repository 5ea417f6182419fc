//! Who may do what, and in which order a request is refused.

use crate::world::{REMOTE, SECRET, World};
use axum::body::Body;
use serde_json::{Value, json};

#[tokio::test]
async fn without_a_good_token_nothing_is_told() {
    let world = World::new();
    let token = world.token.clone();
    let cases = [
        vec![],
        vec![("authorization", "Basic abc".to_owned())],
        vec![("authorization", "Bearer".to_owned())],
        vec![("authorization", "Bearer x.y.z".to_owned())],
        vec![("authorization", format!("Bearer {token}x"))],
    ];
    for headers in cases {
        let headers: Vec<(&str, &str)> = headers.iter().map(|(n, v)| (*n, v.as_str())).collect();
        let request = world.request("GET", "/app", Body::empty(), &headers);
        world
            .send(request)
            .await
            .refuses(401, "authentication_failed", "Invalid token");
    }
    let events = world.events.take();
    assert_eq!(events.len(), 5);
    for event in events {
        assert_eq!(event.kind.as_str(), "api.authentication_failed");
        assert_eq!(event.remote_address, Some(REMOTE));
        assert!(!event.description.contains(&token), "{}", event.description);
    }
    let good = [("authorization", format!("bEaReR {token}"))];
    let good = [(good[0].0, good[0].1.as_str())];
    world
        .send(world.request("GET", "/app", Body::empty(), &good))
        .await
        .is(200);
}

#[tokio::test]
async fn the_signing_secret_is_told_apart_from_a_token() {
    let world = World::new();
    let refused = world
        .call_as(SECRET, "GET", "/app", Value::Null)
        .await
        .is(401);
    assert!(
        refused.text("detail").contains("signing secret"),
        "{refused:?}"
    );
}

#[tokio::test]
async fn an_applications_token_reaches_only_itself() {
    let world = World::new();
    let own = world
        .application(json!({"name": "Own", "uid": "own"}))
        .await;
    world
        .application(json!({"name": "Other", "uid": "other"}))
        .await;
    let token = world.application_token(&own, &[]);
    let allowed = [
        ("GET", "/app/own", 200),
        ("GET", "/app/own/endpoint", 200),
        ("GET", "/app/other", 404),
        ("GET", "/app/other/endpoint", 404),
        ("GET", "/app/nobody", 404),
        ("GET", "/event-type", 200),
        ("GET", "/event-type/missing", 404),
        ("GET", "/app/own/endpoint/missing", 404),
    ];
    for (method, path, status) in allowed {
        let answer = world
            .call_as(&token, method, path, Value::Null)
            .await
            .is(status);
        if status == 404 {
            answer.refuses(404, "not_found", "Entity not found");
        }
    }
    let forbidden = [
        ("GET", "/app"),
        ("POST", "/app"),
        ("PUT", "/app/own"),
        ("PATCH", "/app/own"),
        ("DELETE", "/app/own"),
        ("DELETE", "/app/nobody"),
        ("POST", "/event-type"),
        ("PUT", "/event-type/a"),
        ("PATCH", "/event-type/missing"),
        ("DELETE", "/event-type/missing"),
        ("POST", "/app/own/endpoint/x/send-example"),
        ("DELETE", "/app/own/msg/x/content"),
        ("DELETE", "/app/own/msg/x/attempt/y/content"),
        ("POST", "/auth/app-portal-access/own"),
        ("POST", "/auth/dashboard-access/own"),
    ];
    for (method, path) in forbidden {
        let answer = world
            .call_as(&token, method, path, json!({"name": 1}))
            .await;
        let detail = "Insufficient access for the given operation.";
        answer.refuses(403, "insufficient access", detail);
    }
}

#[tokio::test]
async fn a_token_of_a_deleted_application_reaches_nothing() {
    let world = World::new();
    let id = world.application(json!({"name": "A"})).await;
    let token = world.application_token(&id, &[]);
    world
        .call("DELETE", &format!("/app/{id}"), Value::Null)
        .await
        .is(204);
    world
        .call_as(&token, "GET", &format!("/app/{id}"), Value::Null)
        .await
        .is(404);
}

#[tokio::test]
async fn a_request_that_is_wrong_in_many_ways_is_refused_for_the_first() {
    let world = World::new();
    let bad = "no JSON";
    let token = format!("Bearer {}", world.token);
    let good_token = [("authorization", token.as_str())];
    let none: &[(&str, &str)] = &[];
    let cases = [
        ("GET", "/app/missing/endpoint?limit=x", none, 400),
        ("POST", "/app?get_if_exists=perhaps", none, 400),
        ("POST", "/app/missing/endpoint", none, 401),
        ("POST", "/app/missing/endpoint", &good_token[..], 404),
        ("PATCH", "/app/missing", &good_token[..], 404),
        ("POST", "/app", &good_token[..], 422),
    ];
    for (method, path, headers, status) in cases {
        let request = world.request(method, path, Body::from(bad), headers);
        world.send(request).await.is(status);
    }
}
