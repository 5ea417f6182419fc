//! Erasure: what was sent of somebody goes, in all applications, and nothing else does.

use crate::world::World;
use serde_json::{Value, json};

const ADA: &str = "ada@example.com";

/// Does all of it that there is to do; how many slices that took.
async fn erase(world: &World) -> usize {
    let mut slices = 0;
    while world.app.work_outside().await.expect("it works") {
        slices += 1;
    }
    slices
}

async fn of(world: &World, app: &str, customer: &str, more: Value) -> String {
    let payload = json!({ "payload": { "customer": { "email": customer }, "n": [1, 20.50] } });
    world
        .message(app, crate::world::merged(payload, more))
        .await
}

async fn is_there(world: &World, app: &str, message: &str) -> bool {
    let found = world.get(format!("/app/{app}/msg/{message}")).await.is(200);
    !found["payload"]["expired"].as_bool().unwrap_or_default()
}

async fn ended(world: &World, id: &str) -> Value {
    let task = world.get(format!("/background-task/{id}")).await.is(200);
    assert_eq!(task["task"], "application.purge_content");
    assert_eq!(task["status"], "finished");
    task["data"].clone()
}

#[tokio::test]
async fn what_was_sent_of_somebody_goes_from_all_applications_and_nothing_else() {
    let world = World::new();
    let mut ids = Vec::new();
    for app in ["north", "south", "west", "gone"] {
        ids.push(world.application(app).await);
    }
    world.endpoint("north", json!({})).await;
    let north = of(&world, "north", ADA, json!({})).await;
    let south = of(&world, "south", ADA, json!({})).await;
    let again = of(&world, "south", ADA, json!({})).await;
    let bob = of(&world, "north", "bob@example.com", json!({})).await;
    let elsewhere = json!({ "payload": { "email": ADA } });
    let elsewhere = world.message("west", elsewhere).await;
    of(&world, "gone", ADA, json!({})).await;
    world.delete("/app/gone").await.is(204);

    let body = json!({ "where": { "path": "/customer/email", "value": ADA } });
    let begun = world.post("/message/expunge", &body).key("once").await;
    let id = begun.is(202).text("id");
    let late = of(&world, "north", ADA, json!({})).await;
    let repeated = world.post("/message/expunge", &body).key("once").await;
    assert_eq!(repeated.is(202).text("id"), id);
    erase(&world).await;

    for (app, message, expected) in [
        ("north", &north, false),
        ("south", &south, false),
        ("south", &again, false),
        ("north", &bob, true),
        ("west", &elsewhere, true),
        ("north", &late, true),
    ] {
        assert_eq!(
            is_there(&world, app, message).await,
            expected,
            "{app} {message}"
        );
    }
    let attempts = world.get(format!(
        "/app/north/attempt/msg/{north}?expanded_statuses=true"
    ));
    let attempts = attempts.await.is(200);
    assert_eq!(attempts.rows()[0]["statusText"], "canceled");
    let applications = json!({ ids[0].clone(): 1, ids[1].clone(): 2 });
    let expected = json!({
        "messagesLookedAt": 6, "messagesPurged": 3, "messagesUnreadable": 1,
        "applications": applications,
    });
    assert_eq!(ended(&world, &id).await, expected);
}

#[tokio::test]
async fn what_has_a_tag_goes_and_many_go_slice_by_slice() {
    const MANY: usize = 250;
    let world = World::new();
    let app = world.application("acme").await;
    for number in 0..MANY {
        let tags = json!({ "tags": ["customer-7", "x"], "eventId": format!("e-{number}") });
        of(&world, "acme", ADA, tags).await;
    }
    let other = of(&world, "acme", ADA, json!({ "tags": ["customer-77"] })).await;
    let body = json!({ "tag": "customer-7" });
    let id = world
        .post("/message/expunge", body)
        .await
        .is(202)
        .text("id");
    assert!(erase(&world).await > 2, "a slice keeps to its limit");
    for number in [0, 99, 100, MANY - 1] {
        assert!(!is_there(&world, "acme", &format!("e-{number}")).await);
    }
    assert!(is_there(&world, "acme", &other).await);
    let expected = json!({
        "messagesLookedAt": MANY + 1, "messagesPurged": MANY, "messagesUnreadable": 0,
        "applications": { app: MANY },
    });
    assert_eq!(ended(&world, &id).await, expected);
}

#[tokio::test]
async fn what_is_not_there_is_not_found_and_numbers_are_as_they_were_written() {
    let world = World::new();
    world.application("acme").await;
    let body = |path: &str, value: &str| json!({ "where": { "path": path, "value": value } });
    for (path, value, found) in [
        ("n.1", "20.50", 1),
        ("n.1", "20.5", 1),
        ("n.*", "1", 1),
        ("n.0", "2", 0),
        ("customer", ADA, 0),
        ("customer.*", ADA, 1),
    ] {
        let raw = "{\"eventType\": \"a\", \"payload\": {\"customer\": {\"email\": \
                   \"ada@example.com\"}, \"n\": [1, 20.50]}}";
        let raw = if value == "20.5" {
            raw.replace("20.50", "20.5")
        } else {
            raw.to_owned()
        };
        world.post("/app/acme/msg", raw).await.is(202);
        let id = world.post("/message/expunge", body(path, value)).await;
        let id = id.is(202).text("id");
        erase(&world).await;
        let report = ended(&world, &id).await;
        assert_eq!(report["messagesPurged"], found, "{path} {value}");
        world
            .post("/app/acme/msg/expunge-all-contents", "")
            .await
            .is(202);
        world.work().await;
    }
}

#[tokio::test]
async fn only_the_organisation_erases_and_only_what_it_names_clearly() {
    let world = World::new();
    let app = world.application("acme").await;
    let token = world.token_of(&app, &[]);
    let body = json!({ "tag": "a" });
    let refused = world.post("/message/expunge", &body).token(&token).await;
    refused.is(403);
    let at = |path: &str, value: &str| json!({ "where": { "path": path, "value": value } });
    for (body, place) in [
        (json!({}), "body"),
        (json!({ "where": null, "tag": null }), "body"),
        (
            json!({ "where": { "path": "/a", "value": "b" }, "tag": "c" }),
            "body",
        ),
        (json!({ "tag": "a b" }), "body/tag"),
        (json!({ "tag": 5 }), "body/tag"),
        (at("", "b"), "body/where/path"),
        (at("a..b", "b"), "body/where/path"),
        (at("/a~", "b"), "body/where/path"),
        (at(&"a".repeat(2_001), "b"), "body/where/path"),
        (at("a", ""), "body/where/value"),
        (at("a", &"b".repeat(1_001)), "body/where/value"),
        (json!({ "where": { "path": "a" } }), "body/where"),
    ] {
        let refused = world.post("/message/expunge", &body).await;
        let broken = refused.broken();
        assert!(
            broken.len() == 1 && broken[0].starts_with(place),
            "{body}: {broken:?}"
        );
    }
    assert_eq!(erase(&world).await, 0);
}
