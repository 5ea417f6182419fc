//! API keys, and tokens that are revoked.

use crate::watching::{HOSTILE, link};
use crate::world::World;
use model::role::Role;

const KEYS: &str = "/dashboard/keys";

#[tokio::test]
async fn a_key_is_made_and_its_token_shown_once() {
    let world = World::new();
    let admin = world.signed_in(Role::Admin).await;
    admin
        .get("/dashboard/keys/new")
        .await
        .is(200)
        .shows("name=\"may\"");
    let fields = [("name", HOSTILE.0), ("may", "operator")];
    let made = admin.post(KEYS, &fields).await;
    made.is(200).shows("never again").shows("role:operator");
    assert_eq!(made.header("cache-control"), "no-store");
    let begin = made.text().find("<code>").expect("it is shown") + "<code>".len();
    let token: String = made.text()[begin..]
        .chars()
        .take_while(|c| *c != '<')
        .collect();
    world.app.sign_in(&token, None).await.expect("it is good");
    let list = admin.get(KEYS).await;
    list.is(200).hides(&token).hides(HOSTILE.0).shows(HOSTILE.1);
    list.shows(&token[token.len() - 4..]).shows("role:operator");
}

#[tokio::test]
async fn a_key_that_is_refused_is_asked_for_again_with_what_was_typed() {
    let world = World::new();
    let admin = world.signed_in(Role::Admin).await;
    let fields = [("name", "mine"), ("may", "scopes"), ("scopes", "moon:read")];
    let refused = admin.post(KEYS, &fields).await;
    refused
        .is(422)
        .shows("value=\"mine\"")
        .shows("moon:read")
        .shows("no such noun");
    let before = admin.get(KEYS).await;
    before.is(200).hides("mine");
    let fields = [
        ("name", "mine"),
        ("may", "scopes"),
        ("scopes", "message:read\ningest:write"),
    ];
    admin.post(KEYS, &fields).await.is(200);
    admin.get(KEYS).await.shows("message:read, ingest:write");
}

#[tokio::test]
async fn a_key_is_changed_and_ended() {
    let world = World::new();
    let admin = world.signed_in(Role::Admin).await;
    let token = world.key_of(Role::Viewer).await;
    let list = admin.get(KEYS).await;
    let at = list.text().find("viewer 1").expect("it is there");
    let at = list.text()[..at].rfind("<tr>").expect("in a row");
    let key = link(&list.text()[at..], "/dashboard/keys/key_").to_owned();
    let fields = [("name", "reports"), ("may", "operator"), ("scopes", "")];
    let saved = admin.post(&key, &fields).await;
    assert_eq!(saved.leads_to(), format!("{key}?done=saved"));
    let page = admin.get(&key).await;
    page.is(200)
        .shows("value=\"reports\"")
        .shows("<option value=\"operator\" selected>");
    let end = format!("{key}/end");
    let refused = admin.post(&end, &[("expiry", "soon")]).await;
    refused
        .is(422)
        .shows("is no time")
        .shows("value=\"reports\"");
    world
        .app
        .sign_in(&token, None)
        .await
        .expect("it is good still");
    let ended = admin.post(&end, &[("expiry", "")]).await;
    assert_eq!(ended.leads_to(), format!("{key}?done=ended"));
    world
        .app
        .sign_in(&token, None)
        .await
        .err()
        .expect("it has ended");
    admin.get(&key).await.is(200).shows("ended");
}

#[tokio::test]
async fn whoever_may_only_look_is_offered_nothing_that_changes_keys() {
    let world = World::new();
    for role in [Role::Viewer, Role::Operator] {
        let visitor = world.signed_in(role).await;
        let list = visitor.get(KEYS).await;
        list.is(200).hides("/dashboard/keys/new").hides("revoke");
        let page = visitor.get(link(list.text(), "/dashboard/keys/key_")).await;
        page.is(200).hides("Save").hides("/end\"");
        visitor
            .post(KEYS, &[("name", "x"), ("may", "viewer")])
            .await
            .is(403);
    }
}

#[tokio::test]
async fn a_token_is_revoked_by_its_id() {
    let world = World::new();
    let admin = world.signed_in(Role::Admin).await;
    let revoke = "/dashboard/keys/revoke";
    admin.get(revoke).await.is(200);
    admin
        .post(revoke, &[("jti", "")])
        .await
        .is(422)
        .shows("of a token");
    let token = world.token();
    let caller = world
        .app
        .authenticate(Some(&token), None)
        .expect("it is good");
    let shown = caller.shown.as_deref().expect("it showed a token");
    let revoked = admin.post(revoke, &[("jti", &shown.id)]).await;
    assert_eq!(revoked.leads_to(), "/dashboard/keys?done=ended");
    assert!(world.app.authenticate(Some(&token), None).is_err());
}
