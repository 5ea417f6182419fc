//! The ways in and out.

use crate::world::World;
use app::api_keys::ApiKeyPatch;
use app::portal::PortalInput;
use app::{ListInput, Patch};
use model::role::Role;

#[tokio::test]
async fn a_token_opens_a_session_that_its_cookie_carries_and_signing_out_ends() {
    let world = World::new();
    let stranger = world.stranger();
    stranger.get("/dashboard/sign-in").await.is(200);
    let token = world.token();
    let fields = [("token", token.as_str()), ("next", "/dashboard?x=1")];
    let entered = stranger.post_bare("/dashboard/sign-in", &fields).await;
    assert_eq!(entered.leads_to(), "/dashboard?x=1");
    let cookie = entered.header("set-cookie");
    for part in [
        "__Host-postrider=",
        "Path=/; Secure; HttpOnly; SameSite=Lax",
    ] {
        assert!(cookie.contains(part), "{cookie}");
    }
    let admin = world.signed_in(Role::Admin).await;
    let page = admin.get("/dashboard").await;
    page.is(200).shows(&format!(
        r#"name="form-token" value="{}""#,
        admin.form_token()
    ));
    let out = admin.post("/dashboard/sign-out", &[]).await;
    assert_eq!(out.leads_to(), "/dashboard/sign-in");
    assert!(out.header("set-cookie").contains("Max-Age=0"));
    admin.get("/dashboard").await.is(303);
}

#[tokio::test]
async fn a_session_may_no_more_than_the_key_that_opened_it_may_by_now() {
    let world = World::new();
    let (app, admin) = (&world.app, world.admin());
    let organisation = app.tokens.organisation().to_owned();
    let operator = world.signed_in(Role::Operator).await;
    operator.get("/dashboard").await.shows(">operator</span>");
    let all = ListInput::default();
    let keys = app.api_keys(&admin, &organisation, &all);
    let key = keys.await.expect("it is there").data[0].id.to_string();
    for (scope, shown) in [
        ("role:viewer", Some(">viewer</span>")),
        ("message:read", None),
    ] {
        let patch = ApiKeyPatch {
            scopes: Patch::Set(Some(vec![scope.to_owned()])),
            ..ApiKeyPatch::default()
        };
        let path = (organisation.as_str(), key.as_str(), &["message"][..]);
        let patched = app.patch_api_key(&admin, path, patch).await;
        patched.expect("it is changed");
        let page = operator.get("/dashboard").await;
        match shown {
            Some(text) => page.is(200).shows(text),
            None => page.is(303),
        };
    }
}

#[tokio::test]
async fn what_is_no_token_opens_nothing() {
    let world = World::new();
    let stranger = world.stranger();
    let refused = stranger
        .post_bare("/dashboard/sign-in", &[("token", "x")])
        .await;
    refused.is(401).shows("Sign in");
    assert_eq!(refused.header("set-cookie"), "");
    let reported = world.events.take();
    let texts: Vec<_> = reported
        .iter()
        .map(|one| one.description.as_str())
        .collect();
    let expected = "an attempt to sign in to the pages was refused: Invalid token";
    assert_eq!(texts, [expected]);
}

#[tokio::test]
async fn a_link_leads_into_the_portal_once_and_looking_at_it_takes_nothing() {
    let world = World::new();
    world.application("acme").await;
    let link = world.link("acme", PortalInput::default()).await;
    let (stranger, path) = (world.stranger(), format!("/portal/open/{link}"));
    for _ in 0..2 {
        let asked = stranger.get(&path).await;
        asked.is(200).shows("Open");
        assert_eq!(asked.header("referrer-policy"), "no-referrer");
    }
    let entered = stranger.post_bare(&path, &[]).await;
    assert_eq!(entered.leads_to(), "/portal");
    let cookie = entered.header("set-cookie");
    assert!(
        cookie.contains("Secure; HttpOnly; SameSite=None; Partitioned"),
        "{cookie}"
    );
    let again = stranger.post_bare(&path, &[]).await;
    again.is(401).shows("used before");
}

#[tokio::test]
async fn whoever_leaves_is_forgotten_by_the_browser_also_where_nothing_can_be_written() {
    let world = World::new();
    world.application("acme").await;
    let (admin, tenant) = (
        world.signed_in(Role::Admin).await,
        world.in_portal("acme", None).await,
    );
    world.lose_the_store();
    for (visitor, path, cookie) in [
        (&admin, "/dashboard/sign-out", "__Host-postrider=;"),
        (&tenant, "/portal/sign-out", "__Host-postrider-portal=;"),
    ] {
        let out = visitor.post(path, &[]).await;
        out.is(503);
        let left = out.header("set-cookie");
        assert!(left.starts_with(cookie), "{path}: {left}");
        assert!(left.contains("Max-Age=0"), "{path}: {left}");
    }
}

#[tokio::test]
async fn every_answer_forbids_what_pages_do_not_need() {
    let world = World::new();
    let stranger = world.stranger();
    for path in ["/dashboard/sign-in", "/dashboard/none", "/portal"] {
        let page = stranger.get(path).await;
        let policy = page.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none';"), "{policy}");
        assert!(policy.ends_with("frame-ancestors 'none'"), "{policy}");
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(page.header("x-frame-options"), "DENY");
        assert_eq!(page.header("cache-control"), "no-store");
        assert_eq!(page.header("x-content-type-options"), "nosniff");
    }
}
