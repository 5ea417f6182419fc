//! Tokens that end before their time: by logging out, by revocation, by application and session.

use crate::world::World;
use app::access::revocation;
use app::tokens::{Grant, Lifetime, ORGANISATION_DEFAULT};
use model::Clock as _;
use model::role::Role;
use model::security::Subject;
use serde_json::json;
use std::time::Duration;

/// A token of the organisation's that has ended by itself.
pub(crate) fn expired_token(world: &World) -> String {
    let hour = Duration::from_secs(3_600);
    let lifetime = Lifetime::For(Duration::from_secs(60));
    let issued = world.clock.now().minus(hour);
    let app = &world.app;
    app.tokens
        .mint(&Grant::Organisation, lifetime, issued, &*app.entropy)
}

/// A token of the organisation's that was revoked.
pub(crate) async fn revoked_token(world: &World) -> String {
    let app = &world.app;
    let now = world.clock.now();
    let minted = app.tokens.mint_with_id(
        &Grant::Organisation,
        Lifetime::default(),
        now,
        &*app.entropy,
    );
    let caller = app.authenticate(Some(&world.token()), None);
    let caller = caller.expect("it is good");
    let revoked = app.revoke_token(&caller, revocation(minted.id)).await;
    revoked.expect("it can be written");
    minted.token
}

/// Where API keys are.
pub(crate) fn keys() -> String {
    format!("/management/authentication/{ORGANISATION_DEFAULT}/api-token")
}

/// The token of a new API key with these scopes.
pub(crate) async fn api_key(world: &World, scopes: &[&String]) -> String {
    let body = json!({ "name": "a key", "scopes": scopes });
    world.post(keys(), body).await.is(200).text("token")
}

/// The token of an API key that was ended.
pub(crate) async fn ended_api_key(world: &World) -> String {
    let made = world.post(keys(), json!({ "name": "a key" })).await.is(200);
    let end = format!("{}/{}/expire", keys(), made.text("id"));
    world.post(end, "{}").await.is(204);
    made.text("token")
}

#[tokio::test]
async fn logging_out_ends_the_very_token() {
    let world = World::new();
    let id = world.application("a").await;
    let (token, other) = (world.token_of(&id, &[]), world.token_of(&id, &[]));
    world.post("/auth/logout", "").token(&token).await.is(204);
    let refused = world.get("/app/a").token(&token).await;
    assert_eq!(
        refused.refuses(401, "authentication_failed"),
        "Invalid token"
    );
    world.get("/app/a").token(&other).await.is(200);
    world.get("/app/a").await.is(200);
}

#[tokio::test]
async fn a_revoked_token_that_is_used_is_reported_with_its_subject() {
    let world = World::new();
    let token = revoked_token(&world).await;
    world.events.take();
    world.get("/app").token(&token).await.is(401);
    let events = world.events.take();
    assert_eq!(events.len(), 1, "{events:?}");
    assert_eq!(events[0].kind.as_str(), "api.revoked_key_used");
    assert_eq!(events[0].subject, Subject::of_token(ORGANISATION_DEFAULT));
    assert!(!format!("{:?}", events[0]).contains(&token));
}

#[tokio::test]
async fn an_applications_tokens_end_at_once_and_later_ones_are_good() {
    let world = World::new();
    let (own, other) = (
        world.application("own").await,
        world.application("other").await,
    );
    let old = world.token_of(&own, &[]);
    let others = world.token_of(&other, &[]);
    let second = Duration::from_secs(1);
    world.clock.advance(second);
    world.post("/auth/app/own/expire-all", "{}").await.is(204);
    let new = world.token_of(&own, &[]);
    world.get("/app/own").token(&old).await.is(401);
    world.get("/app/own").token(&new).await.is(200);
    world.get("/app/other").token(&others).await.is(200);
}

#[tokio::test]
async fn tokens_of_some_sessions_end_when_they_are_to() {
    let world = World::new();
    world.application("a").await;
    let mut tokens = Vec::new();
    for session in ["one", "two@2"] {
        let body = json!({ "sessionId": session });
        let access = world.post("/auth/app-portal-access/a", body).await.is(200);
        tokens.push(access.text("token"));
    }
    world.clock.advance(Duration::from_secs(1));
    let body = json!({ "sessionIds": ["one", "three"], "expiry": 60 });
    world.post("/auth/app/a/expire-all", body).await.is(204);
    let is = async |token: &str, status| world.get("/app/a").token(token).await.is(status);
    is(&tokens[0], 200).await;
    world.clock.advance(Duration::from_secs(60));
    is(&tokens[0], 401).await;
    is(&tokens[1], 200).await;
}

#[tokio::test]
async fn what_expire_all_can_not_do_is_refused() {
    let world = World::new();
    world.application("a").await;
    for (body, place) in [
        (json!({ "expiry": 259_201 }), "body/expiry"),
        (json!({ "expiry": -1 }), "body/expiry"),
        (json!({ "sessionIds": ["a.b"] }), "body/sessionIds[0]"),
        (
            json!({ "sessionIds": ["x".repeat(65)] }),
            "body/sessionIds[0]",
        ),
        (json!({ "sessionIds": vec!["x"; 1_001] }), "body/sessionIds"),
    ] {
        let answer = world.post("/auth/app/a/expire-all", &body).await;
        assert_eq!(answer.broken(), [place], "{body}");
    }
    let nobody = world.post("/auth/app/nobody/expire-all", "{}").await;
    nobody.refuses(404, "not_found");
}

#[tokio::test]
async fn whoever_asks_is_told_who_they_are() {
    let world = World::new();
    let id = world.application("a").await;
    let organisation = world.get("/auth/whoami").await.is(200);
    assert_eq!(
        organisation.body,
        json!({
            "permissionSource": "SvixJwt", "envId": ORGANISATION_DEFAULT,
            "appId": null, "sessionId": null,
        })
    );
    let body = json!({ "sessionId": "s" });
    let access = world.post("/auth/app-portal-access/a", body).await.is(200);
    let portal = world.get("/auth/whoami").token(&access.text("token")).await;
    assert_eq!(
        (portal.text("appId"), portal.text("sessionId")),
        (id, "s".to_owned())
    );
    let key = api_key(&world, &[&"authentication:read".to_owned()]).await;
    let by_key = world.get("/auth/whoami").token(&key).await.is(200);
    assert_eq!(by_key.text("permissionSource"), "RegionalAuthToken");
    assert_eq!(by_key.body.get("role"), None);
    let viewers = api_key(&world, &[&"role:viewer".to_owned()]).await;
    for (token, role) in [
        (viewers, "viewer"),
        (world.token_as(Role::Operator), "operator"),
    ] {
        let limited = world.get("/auth/whoami").token(&token).await.is(200);
        assert_eq!(limited.text("role"), role);
    }
    let scopes = ["role:viewer", "endpoint:write"].map(str::to_owned);
    let more = api_key(&world, &scopes.iter().collect::<Vec<_>>()).await;
    let more = world.get("/auth/whoami").token(&more).await.is(200);
    assert_eq!(more.body.get("role"), None);
}

#[tokio::test]
async fn what_is_known_goes_on_to_hold_while_the_store_is_away() {
    let world = World::new();
    let revoked = revoked_token(&world).await;
    let key = api_key(&world, &[&"*".to_owned()]).await;
    world
        .faults
        .fail_commits(Some(store_sqlite::faults::CommitFault::Write));
    world.get("/app").token(&revoked).await.is(401);
    world.get("/auth/whoami").token(&key).await.is(200);
    let out = world.post("/auth/logout", "").await;
    out.refuses(503, "service_unavailable");
}

#[tokio::test]
async fn a_token_that_comes_too_often_is_told_when_to_come_again() {
    let world = World::with(app::Settings {
        requests_per_second_max: std::num::NonZeroU32::new(2),
        ..app::Settings::default()
    });
    let (token, other) = (world.token(), world.token());
    let ask = |token: &str| world.get("/auth/whoami").token(token);
    for status in [200, 200, 429] {
        ask(&token).await.is(status);
    }
    let refused = ask(&token).await;
    refused.refuses(429, "too_many_requests");
    assert_eq!(refused.headers["retry-after"], "1");
    ask(&other).await.is(200);
    world.clock.advance(Duration::from_secs(1));
    ask(&token).await.is(200);
    world.get("/health").without_token().await.is(200);
}
