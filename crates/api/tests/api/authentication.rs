//! Who may do what, and in which order a request is refused.

use crate::call::REMOTE;
use crate::world::{SECRET, World};
use serde_json::json;

#[tokio::test]
async fn without_a_good_token_nothing_is_told() {
    let world = World::new();
    let token = &world.token();
    let nobody = || world.get("/app").without_token();
    let with = |value: &str| nobody().header("authorization", value);
    for call in [
        nobody(),
        with("Basic abc"),
        with("Bearer"),
        with("Bearer x.y.z"),
        with(&format!("Bearer {token}x")),
    ] {
        let detail = call.await.refuses(401, "authentication_failed");
        assert_eq!(detail, "Invalid token");
    }
    let events = world.events.take();
    assert_eq!(events.len(), 5);
    for event in events {
        assert_eq!(event.kind.as_str(), "api.authentication_failed");
        assert_eq!(event.remote_address, Some(REMOTE));
        assert!(!event.description.contains(token), "{}", event.description);
    }
    with(&format!("bEaReR {token}")).await.is(200);
}

#[tokio::test]
async fn the_signing_secret_is_told_apart_from_a_token() {
    let world = World::new();
    let refused = world.get("/app").token(SECRET).await;
    let detail = refused.refuses(401, "authentication_failed");
    assert!(detail.contains("signing secret"), "{detail}");
}

#[tokio::test]
async fn an_applications_token_reaches_only_itself() {
    let world = World::new();
    let own = world.application("own").await;
    world.application("other").await;
    let token = world.token_of(&own, &[]);
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
        let answer = world.call(method, path).token(&token).await.is(status);
        if status == 404 {
            assert_eq!(answer.refuses(404, "not_found"), "Entity not found");
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
        let call = world.call(method, path).token(&token);
        let answer = call.body(json!({"name": 1})).await;
        let detail = answer.refuses(403, "insufficient access");
        assert_eq!(detail, "Insufficient access for the given operation.");
    }
}

#[tokio::test]
async fn a_token_of_a_deleted_application_reaches_nothing() {
    let world = World::new();
    let id = world.application("a").await;
    let token = world.token_of(&id, &[]);
    let path = format!("/app/{id}");
    world.delete(&path).await.is(204);
    world.get(&path).token(&token).await.is(404);
}

#[tokio::test]
async fn a_request_that_is_wrong_in_many_ways_is_refused_for_the_first() {
    let world = World::new();
    let nobodys = [
        ("GET", "/app/missing/endpoint?limit=x", 400),
        ("GET", "/app/missing/endpoint?limit=251", 422),
        ("GET", "/app/missing/endpoint?iterator=app_x", 422),
        ("GET", "/app?iterator=x", 422),
        ("GET", "/app/missing/msg?limit=251", 422),
        ("GET", "/app/missing/attempt/msg/x?iterator=-x", 422),
        ("GET", "/app/missing/endpoint/x/msg?iterator=x", 422),
        ("GET", "/app/missing/msg/x/endpoint?iterator=x", 422),
        ("GET", "/event-type?limit=251", 422),
        ("GET", "/event-type?iterator=a%20b", 422),
        ("POST", "/app?get_if_exists=perhaps", 400),
        ("POST", "/app/missing/endpoint", 401),
    ];
    for (method, path, status) in nobodys {
        let call = world.call(method, path).body("no JSON");
        call.without_token().await.is(status);
    }
    let organisations = [
        ("POST", "/app/missing/endpoint", 404),
        ("PATCH", "/app/missing", 404),
        ("POST", "/app", 422),
    ];
    for (method, path, status) in organisations {
        world.call(method, path).body("no JSON").await.is(status);
    }
}
