//! Tokens for an application's own people, and links that are good once.

use crate::world::World;
use serde_json::{Value, json};
use std::time::Duration;

const PATH: &str = "/auth/app-portal-access/acme";

/// What is exchanged for a token, of a link.
fn once(url: &str) -> String {
    let (page, once) = url.split_once("/portal/open/").expect("it ends the path");
    assert_eq!(page, "http://127.0.0.1:8071");
    once.to_owned()
}

async fn access(world: &World, body: Value) -> (String, String) {
    let answer = world.post(PATH, body).await.is(200);
    (answer.text("token"), once(&answer.text("url")))
}

async fn exchange(world: &World, once: &str) -> crate::call::Answer {
    let body = json!({ "oneTimeToken": once });
    world
        .post("/auth/one-time-token", body)
        .without_token()
        .await
}

#[tokio::test]
async fn a_link_holds_a_token_that_is_good_once_and_never_the_other() {
    let world = World::new();
    let id = world.application("acme").await;
    let answer = world.post(PATH, "{}").await.is(200);
    let (token, url) = (answer.text("token"), answer.text("url"));
    assert!(!url.contains(&token), "{url}");
    world.get("/app/acme").token(&token).await.is(200);
    let refused = world.get("/app/acme").token(&once(&url)).await;
    refused.refuses(401, "authentication_failed");

    let exchanged = exchange(&world, &once(&url)).await.is(200);
    let all = [
        "ViewBase",
        "ViewEndpointSecret",
        "ManageEndpointSecret",
        "ManageTransformations",
        "CreateAttempts",
        "ManageEndpoint",
    ];
    assert_eq!(exchanged["capabilities"], json!(all));
    let mine = world
        .get("/auth/whoami")
        .token(&exchanged.text("token"))
        .await;
    assert_eq!(mine.text("appId"), id);
    let again = exchange(&world, &once(&url)).await;
    assert_eq!(again.refuses(401, "authentication_failed"), "Invalid token");
}

#[tokio::test]
async fn a_link_ends_after_an_hour_and_with_its_token() {
    let world = World::new();
    world.application("acme").await;
    for (expiry, life) in [(json!(null), 3_600), (json!(60), 60)] {
        let (_, once) = access(&world, json!({ "expiry": expiry })).await;
        world.clock.advance(Duration::from_secs(life));
        exchange(&world, &once).await.is(401);
    }
}

#[tokio::test]
async fn a_link_is_of_no_use_once_the_applications_tokens_have_ended() {
    let world = World::new();
    world.application("acme").await;
    let (_, once) = access(&world, json!({})).await;
    world.clock.advance(Duration::from_secs(1));
    world.post("/auth/app/acme/expire-all", "{}").await.is(204);
    exchange(&world, &once).await.is(401);
}

#[tokio::test]
async fn what_a_link_is_exchanged_for_ends_when_its_token_would_have() {
    let world = World::new();
    world.application("acme").await;
    let (_, once) = access(&world, json!({ "expiry": 1_200 })).await;
    let half = Duration::from_secs(600);
    world.clock.advance(half);
    let token = exchange(&world, &once).await.is(200).text("token");
    world
        .clock
        .advance(half + app::tokens::LEEWAY - Duration::from_secs(1));
    world.get("/app/acme").token(&token).await.is(200);
    world.clock.advance(Duration::from_secs(1));
    world.get("/app/acme").token(&token).await.is(401);
}

#[tokio::test]
async fn a_token_of_the_portal_may_do_what_its_capabilities_name() {
    let world = World::new();
    let app = world.application("acme").await;
    let endpoint = world.endpoint(&app, json!({})).await;
    let base = format!("/app/acme/endpoint/{endpoint}");
    let body = json!({ "capabilities": ["ViewBase", "ViewEndpointSecret"] });
    let (token, once) = access(&world, body.clone()).await;
    let exchanged = exchange(&world, &once).await.is(200);
    assert_eq!(exchanged["capabilities"], body["capabilities"]);
    for token in [token, exchanged.text("token")] {
        for (method, path, status) in [
            ("GET", base.clone(), 200),
            ("GET", format!("{base}/secret"), 200),
            ("POST", format!("{base}/secret/rotate"), 403),
            ("PATCH", base.clone(), 403),
            ("POST", format!("{base}/recover"), 403),
            ("POST", "/app/acme/msg".to_owned(), 403),
        ] {
            let call = world.call(method, path).token(&token).body("{}");
            call.await.is(status);
        }
    }
    let body = json!({ "capabilities": ["ViewBase", "ManageEndpoint"] });
    let (token, _) = access(&world, body).await;
    let patch = json!({ "description": "mine" });
    world.patch(base, patch).token(&token).await.is(200);
}

#[tokio::test]
async fn a_token_of_the_portal_sees_what_its_flags_show() {
    let world = World::new();
    world.application("acme").await;
    let hidden = json!({ "name": "beta.made", "description": "", "featureFlag": "beta" });
    world.post("/event-type", hidden).await.is(201);
    for (flags, status) in [(json!([]), 404), (json!(["beta"]), 200)] {
        let (token, _) = access(&world, json!({ "featureFlags": flags })).await;
        let seen = world.get("/event-type/beta.made").token(&token).await;
        seen.is(status);
    }
}

#[tokio::test]
async fn an_application_that_is_not_there_is_made_as_for_a_message() {
    let world = World::new();
    world.post(PATH, "{}").await.refuses(404, "not_found");
    let other = json!({ "application": { "name": "A", "uid": "other" } });
    let broken = world.post(PATH, other).await;
    assert_eq!(broken.broken(), ["body/application/uid"]);
    let brought = json!({ "application": { "name": "A", "uid": "acme" } });
    let (token, _) = access(&world, brought).await;
    let made = world.get("/app/acme").token(&token).await.is(200);
    assert_eq!(made.text("name"), "A");
}

#[tokio::test]
async fn what_can_not_be_granted_is_refused_where_it_stands() {
    let world = World::new();
    world.application("acme").await;
    for (body, place) in [
        (json!({ "expiry": 0 }), "body/expiry"),
        (json!({ "expiry": 28 * 86_400 + 1 }), "body/expiry"),
        (json!({ "sessionId": "a b" }), "body/sessionId"),
        (json!({ "sessionId": "" }), "body/sessionId"),
        (
            json!({ "featureFlags": ["a b"] }),
            "body/featureFlags[0]/__all__",
        ),
        (
            json!({ "capabilities": ["CreateAttempts"] }),
            "body/capabilities",
        ),
        (
            json!({ "capabilities": ["Everything"] }),
            "body/capabilities[0]",
        ),
        (
            json!({ "application": { "name": "" } }),
            "body/application/name",
        ),
    ] {
        let answer = world.post(PATH, &body).await;
        assert_eq!(answer.broken(), [place], "{body}");
    }
    let empty = world.post(PATH, "").await;
    assert_eq!(empty.status, 422, "{empty:?}");
}

#[tokio::test]
async fn an_answer_with_tokens_is_not_repeated() {
    let world = World::new();
    world.application("acme").await;
    world.post(PATH, "{}").key("once").await.is(200);
    let again = world.post(PATH, "{}").key("once").await;
    again.refuses(409, "conflict");
}

#[tokio::test]
async fn clients_of_old_get_a_link_without_a_body() {
    let world = World::new();
    world.application("acme").await;
    let access = world
        .call("POST", "/auth/dashboard-access/acme")
        .await
        .is(200);
    world
        .get("/app/acme")
        .token(&access.text("token"))
        .await
        .is(200);
    exchange(&world, &once(&access.text("url"))).await.is(200);
}

#[tokio::test]
async fn a_made_up_one_time_token_is_an_event() {
    let world = World::new();
    world.events.take();
    exchange(&world, "ott_made_up").await.is(401);
    let events = world.events.take();
    assert_eq!(events[0].kind.as_str(), "api.authentication_failed");
    assert!(!format!("{events:?}").contains("ott_made_up"));
}
