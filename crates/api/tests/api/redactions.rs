//! What event types and endpoints take from payloads: rules as they are set, what schemas mark, and
//! who may have it.

use crate::world::World;
use model::redaction::{TypeRedaction, paths, rules};
use serde_json::{Value, json};

const PATH: &str = "/event-type/a/redaction";

async fn world() -> World {
    let world = World::new();
    let body = json!({ "name": "a", "description": "" });
    world.post("/event-type", body).await.is(201);
    world
}

/// What whoever sends knows of it.
async fn known(world: &World) -> Option<TypeRedaction> {
    let event_type = "a".parse().expect("it is a word");
    let known = world.app.registry.redaction(&event_type).await;
    known.expect("it can be read").map(|known| (*known).clone())
}

fn of(rules_text: &str, marked: &str) -> Option<TypeRedaction> {
    Some(TypeRedaction {
        rules: rules(rules_text).expect("they are rules"),
        marked: paths(marked).expect("they are paths"),
    })
}

#[tokio::test]
async fn rules_are_shown_as_they_were_set_until_they_are_taken_away() {
    let world = world().await;
    world.get(PATH).await.is(404);
    world.delete(PATH).await.is(204);
    assert_eq!(known(&world).await, None);
    let set = json!({ "rules": [
        { "path": "/customer/email", "action": "mask", "keepLast": 4 },
        { "path": "$..ssn", "action": "drop" },
        { "path": "$['a b'][0]", "action": "hash" },
    ]});
    world.put(PATH, &set).await.is(204);
    assert_eq!(world.get(PATH).await.is(200).body, set);
    let expected = of("mask:4 /customer/email\ndrop $..ssn\nhash $['a b'][0]", "");
    assert_eq!(known(&world).await, expected);
    let other = json!({ "rules": [{ "path": "/x", "action": "mask", "keepLast": null }] });
    world.put(PATH, &other).await.is(204);
    let shown = json!({ "rules": [{ "path": "/x", "action": "mask", "keepLast": 0 }] });
    assert_eq!(world.get(PATH).await.is(200).body, shown);
    world.delete(PATH).await.is(204);
    world.get(PATH).await.is(404);
    assert_eq!(known(&world).await, None);
}

#[tokio::test]
async fn rules_that_cannot_be_obeyed_are_refused() {
    let world = world().await;
    let drop = |path: &str| json!({ "path": path, "action": "drop" });
    for (rules, broken) in [
        (json!([]), "body/rules"),
        (json!(vec![drop("/a"); 101]), "body/rules"),
        (json!([drop("a")]), "body/rules[0]/path"),
        (json!([drop("$")]), "body/rules[0]/path"),
        (json!([drop("$.a[?(@.b)]")]), "body/rules[0]/path"),
        (
            json!([drop("/a"), { "path": "/a", "action": "mask", "keepLast": 65 }]),
            "body/rules[1]/keepLast",
        ),
        (
            json!([{ "path": "/a", "action": "drop", "keepLast": 4 }]),
            "body/rules[0]/keepLast",
        ),
        (
            json!([{ "path": "/a", "action": "remove" }]),
            "body/rules[0]/action",
        ),
        (json!([{ "path": "/a" }]), "body/rules[0]"),
        (
            json!([{ "path": "/a", "action": "drop", "x": 1 }]),
            "body/rules[0]/x",
        ),
        (json!("/a"), "body/rules"),
    ] {
        let set = json!({ "rules": rules });
        assert_eq!(world.put(PATH, &set).await.broken(), [broken], "{set}");
    }
    world.put(PATH, json!({})).await.is(422);
    world
        .put(PATH, json!({ "rules": [drop("/a")], "other": 1 }))
        .await
        .is(422);
    world.get(PATH).await.is(404);
    let missing = "/event-type/b/redaction";
    world.get(missing).await.is(404);
    world
        .put(missing, json!({ "rules": [drop("/a")] }))
        .await
        .is(404);
    world.delete(missing).await.is(404);
}

#[tokio::test]
async fn rules_stay_while_their_event_type_is_written_anew_and_go_with_it() {
    let world = world().await;
    let set = json!({ "rules": [{ "path": "/a", "action": "drop" }] });
    world.put(PATH, &set).await.is(204);
    let anew = json!({ "description": "other", "schemas": null });
    world.put("/event-type/a", anew).await.is(200);
    world.delete("/event-type/a").await.is(204);
    assert_eq!(world.get(PATH).await.is(200).body, set);
    world.delete("/event-type/a?expunge=true").await.is(204);
    world.get(PATH).await.is(404);
    assert_eq!(known(&world).await, None);
}

fn schemas(newest: Value) -> Value {
    json!({ "schemas": { "1": { "properties": { "old": { "x-sensitive": true } } }, "2": newest } })
}

#[tokio::test]
async fn what_the_newest_schema_marks_is_known_to_whoever_sends() {
    let world = world().await;
    let email = json!({ "type": "string", "x-sensitive": true });
    let customer = json!({ "properties": { "email": email, "name": {} } });
    let marking = schemas(json!({ "properties": { "customer": customer } }));
    world.patch("/event-type/a", &marking).await.is(200);
    let expected = of("", "$['customer']['email']");
    assert_eq!(known(&world).await, expected);
    world
        .patch("/event-type/a", json!({ "description": "x" }))
        .await
        .is(200);
    assert_eq!(known(&world).await, expected);
    world
        .patch("/event-type/a", schemas(json!({})))
        .await
        .is(200);
    assert_eq!(known(&world).await, None);

    let imported = crate::world::merged(json!({ "name": "a", "description": "" }), marking);
    world
        .post("/environment/import", json!({ "eventTypes": [imported] }))
        .await
        .is(204);
    assert_eq!(known(&world).await, expected);
}

#[tokio::test]
async fn a_mark_that_cannot_be_obeyed_is_refused_with_its_schema() {
    let world = world().await;
    let wrong = schemas(json!({ "x-sensitive": "yes" }));
    let refused = world.patch("/event-type/a", wrong).await;
    assert_eq!(refused.broken(), ["body/schemas"]);
    let text = refused.body.to_string();
    assert!(text.contains("must be `true` or `false`"), "{text}");
}

const OWN: &str = "/app/acme/endpoint/hook/redaction";

/// An endpoint, and a token of its application's.
async fn with_endpoint() -> (World, String) {
    let world = World::new();
    let application = world.application("acme").await;
    let url = "https://one.customer-site.net/in";
    let endpoint = json!({ "uid": "hook", "url": url });
    world.endpoint("acme", endpoint).await;
    let token = world.token_of(&application, &[]);
    (world, token)
}

fn allowing(paths: &[&str]) -> Value {
    let rules = json!([{ "path": "/payment", "action": "hash" }]);
    json!({ "rules": rules, "allowSensitive": paths })
}

#[tokio::test]
async fn an_endpoints_rules_are_shown_as_they_were_set_until_they_are_taken_away() {
    let (world, token) = with_endpoint().await;
    world.get(OWN).await.is(404);
    let set = allowing(&["/a", "$..b"]);
    world.put(OWN, &set).await.is(204);
    assert_eq!(world.get(OWN).token(&token).await.is(200).body, set);
    world.put(OWN, json!({ "rules": [] })).await.is(204);
    let nothing = json!({ "rules": [], "allowSensitive": [] });
    assert_eq!(world.get(OWN).await.is(200).body, nothing);
    world.delete(OWN).token(&token).await.is(204);
    world.get(OWN).await.is(404);
    for (set, broken) in [
        (
            json!({ "rules": [], "allowSensitive": ["b"] }),
            "body/allowSensitive[0]",
        ),
        (
            json!({ "rules": [], "allowSensitive": "/b" }),
            "body/allowSensitive",
        ),
        (
            json!({ "rules": [{ "path": "b", "action": "drop" }] }),
            "body/rules[0]/path",
        ),
        (json!({ "rules": [], "x": 1 }), "body/x"),
        (json!({}), "body//"),
    ] {
        assert_eq!(world.put(OWN, &set).await.broken(), [broken], "{set}");
    }
}

#[tokio::test]
async fn an_applications_token_may_not_allow_its_endpoints_more() {
    let (world, token) = with_endpoint().await;
    let put = |paths: &[&str]| world.put(OWN, allowing(paths)).token(&token);
    put(&["/a"]).await.is(403);
    put(&[]).await.is(204);
    world.put(OWN, allowing(&["/a", "/b"])).await.is(204);
    put(&["/b", "/a"]).await.is(204);
    put(&["/b", "/a/c"]).await.is(403);
    put(&["/b"]).await.is(204);
    put(&["/b", "/a"]).await.is(403);
}

#[tokio::test]
async fn what_an_endpoint_may_have_does_not_follow_to_another_origin() {
    let (world, token) = with_endpoint().await;
    world.put(OWN, allowing(&["/a"])).await.is(204);
    let moved = |path: &str| {
        let url = format!("https://{path}");
        world.patch("/app/acme/endpoint/hook", json!({ "url": url }))
    };
    moved("one.customer-site.net/other")
        .token(&token)
        .await
        .is(200);
    assert_eq!(world.get(OWN).await.is(200).body, allowing(&["/a"]));
    moved("two.customer-site.net/in").await.is(200);
    assert_eq!(world.get(OWN).await.is(200).body, allowing(&["/a"]));
    moved("three.customer-site.net/in")
        .token(&token)
        .await
        .is(200);
    assert_eq!(world.get(OWN).await.is(200).body, allowing(&[]));
}
