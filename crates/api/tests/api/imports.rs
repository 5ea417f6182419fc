//! Event types from OpenAPI documents, and back.

use crate::world::World;
use serde_json::{Value, json};

const IMPORT: &str = "/event-type/import/openapi";

fn document(webhooks: Value) -> Value {
    json!({
        "openapi": "3.1.0",
        "info": { "title": "t", "version": "1" },
        "webhooks": webhooks,
        "components": { "schemas": { "Pet": { "type": "object" } } },
    })
}

fn with_schema(description: &str) -> Value {
    let schema = json!({ "schema": { "$ref": "#/components/schemas/Pet" } });
    let body = json!({ "content": { "application/json": schema } });
    json!({ "post": { "description": description, "requestBody": body } })
}

async fn names(world: &World) -> Vec<String> {
    world.get("/event-type").await.is(200).column("name")
}

#[tokio::test]
async fn an_import_says_what_it_did_and_again_that_there_is_nothing_to_do() {
    let world = World::new();
    let old = json!({
        "name": "b", "description": "old", "featureFlags": ["f"], "groupName": "g",
        "schemas": { "1": true, "2": { "type": "array" } },
    });
    world.post("/event-type", old).await.is(201);
    world.delete("/event-type/b").await.is(204);
    let spec = document(json!({ "a": { "post": {} }, "b": with_schema("new") }));
    let imported = world.post(IMPORT, json!({ "spec": spec })).await.is(200);
    let data = json!({
        "modified": ["a", "b"], "to_modify": null,
        "created": ["a"], "updated": ["b"], "unchanged": [], "archived": [],
    });
    assert_eq!(imported["data"], data);
    let b = world.get("/event-type/b").await.is(200);
    for (field, value) in [
        ("description", json!("new")),
        ("archived", json!(false)),
        ("featureFlags", json!(["f"])),
        ("groupName", json!("g")),
        ("schemas", json!({ "1": true, "2": { "type": "object" } })),
    ] {
        assert_eq!(b[field], value, "{field}");
    }
    let text = spec.to_string();
    let again = world.post(IMPORT, json!({ "specRaw": text })).await.is(200);
    assert_eq!(again["data"]["unchanged"], json!(["a", "b"]));
    assert_eq!(again["data"]["modified"], json!([]));
    assert_eq!(world.get("/event-type/b").await.is(200).body, b.body);
}

#[tokio::test]
async fn a_dry_run_says_what_would_be_done_and_does_nothing() {
    let world = World::new();
    let kept = json!({ "name": "kept", "description": "" });
    world.post("/event-type", kept).await.is(201);
    let spec = document(json!({ "a": with_schema("It") }));
    let body = json!({ "spec": spec, "dryRun": true, "replaceAll": true });
    let foreseen = world.post(IMPORT, body).key("k").await.is(200);
    let data = json!({
        "modified": [], "created": ["a"], "updated": [], "unchanged": [], "archived": ["kept"],
        "to_modify": [{
            "name": "a", "description": "It", "deprecated": false,
            "schemas": { "1": { "type": "object" } }, "groupName": null, "featureFlags": null,
        }],
    });
    assert_eq!(foreseen["data"], data);
    assert_eq!(names(&world).await, ["kept"]);
}

#[tokio::test]
async fn what_is_not_in_the_document_is_archived_only_when_all_is_to_be_replaced() {
    let world = World::new();
    for name in ["a", "b", "c"] {
        let body = json!({ "name": name, "description": "" });
        world.post("/event-type", body).await.is(201);
    }
    let spec = document(json!({ "a": { "post": {} } }));
    world.post(IMPORT, json!({ "spec": spec })).await.is(200);
    assert_eq!(names(&world).await, ["a", "b", "c"]);
    let all = json!({ "spec": spec, "replaceAll": true });
    let imported = world.post(IMPORT, &all).await.is(200);
    assert_eq!(imported["data"]["archived"], json!(["b", "c"]));
    assert_eq!(names(&world).await, ["a"]);
}

#[tokio::test]
async fn an_import_that_is_sent_again_is_done_once() {
    let world = World::new();
    let body = json!({ "spec": document(json!({ "a": { "post": {} }, "b": { "post": {} } })) });
    world.post(IMPORT, &body).key("k").await.is(200);
    world.delete("/event-type/a").await.is(204);
    let again = world.post(IMPORT, &body).key("k").await.is(200);
    assert_eq!(again["data"]["modified"], json!(["a", "b"]));
    assert_eq!(names(&world).await, ["b"], "nothing was done again");
    let other = json!({ "spec": document(json!({ "c": { "post": {} } })) });
    world
        .post(IMPORT, other)
        .key("k")
        .await
        .refuses(409, "conflict");
    assert_eq!(names(&world).await, ["b"]);
}

#[tokio::test]
async fn schemas_are_not_larger_with_an_import_than_they_may_be() {
    let world = World::new();
    let large = json!({ "title": "x".repeat(1_000_000) });
    let schemas = json!({ "1": large, "2": large, "3": true });
    let event_type = json!({ "name": "a", "description": "", "schemas": schemas });
    let there = json!({ "eventTypes": [event_type] });
    world.post("/environment/import", there).await.is(204);
    let before = world.get("/event-type/a").await.is(200);
    let schema = json!({ "schema": { "title": "x".repeat(500_000) } });
    let body = json!({ "requestBody": { "content": { "application/json": schema } } });
    let spec = document(json!({ "a": { "post": body }, "0": { "post": {} } }));
    for dry_run in [true, false] {
        let import = json!({ "spec": spec, "dryRun": dry_run });
        let refused = world.post(IMPORT, import).await;
        assert_eq!(refused.broken(), ["body/spec/webhooks/a"]);
    }
    assert_eq!(world.get("/event-type/a").await.body, before.body);
    world.get("/event-type/0").await.is(404);
}

#[tokio::test]
async fn nothing_is_written_of_a_document_with_anything_wrong_in_it() {
    let world = World::new();
    for (webhooks, broken) in [
        (
            json!({ "a": { "post": {} }, "b": 1 }),
            vec!["body/spec/webhooks/b"],
        ),
        (
            json!({ "a": { "post": {} }, "b": { "post": { "x-group-name": "no name" } } }),
            vec!["body/spec/webhooks/b/groupName/__all__"],
        ),
        (
            json!({ "a": { "post": { "requestBody": { "content": {
                "application/json": { "schema": { "type": "thing" } },
            } } } } }),
            vec!["body/spec/webhooks/a/schemas"],
        ),
    ] {
        let body = json!({ "spec": document(webhooks) });
        assert_eq!(world.post(IMPORT, body).await.broken(), broken);
    }
    for (text, broken) in [
        ("a: [", "body/specRaw"),
        ("[]", "body/specRaw"),
        ("", "body/specRaw"),
    ] {
        let body = json!({ "specRaw": text });
        assert_eq!(world.post(IMPORT, body).await.broken(), [broken], "{text}");
    }
    for body in [json!({}), json!({ "spec": {}, "specRaw": "" })] {
        world.post(IMPORT, body).await.refuses(400, "invalid_spec");
    }
    assert!(names(&world).await.is_empty());
}

#[tokio::test]
async fn an_export_is_background_work_whose_document_makes_the_same_event_types() {
    let world = World::new();
    let pet = json!({
        "type": "object",
        "properties": { "parent": { "$ref": "#/definitions/Pet" } },
        "definitions": { "Pet": { "type": "object" } },
        "examples": [{ "name": "Rex" }],
    });
    let whole = json!({
        "name": "pet.new", "description": "A pet", "deprecated": true, "schemas": { "1": pet },
        "featureFlags": ["f", "g"], "groupName": "pets",
    });
    world.post("/event-type", whole).await.is(201);
    let least = json!({ "name": "pet", "description": "", "archived": true });
    world.post("/event-type", least).await.is(201);

    let begun = world
        .post("/event-type/export/openapi", "")
        .key("k")
        .await
        .is(202);
    assert_eq!(
        (&begun["status"], &begun["task"]),
        (&json!("running"), &json!("sdk.generate"))
    );
    let again = world
        .post("/event-type/export/openapi", "")
        .key("k")
        .await
        .is(202);
    assert_eq!(again["id"], begun["id"]);
    while world.app.work_outside().await.expect("it works") {}
    let path = format!("/background-task/{}", begun.text("id"));
    let task = world.get(path).await.is(200);
    assert_eq!(task["status"], "finished");
    let spec = &task["data"]["spec"];
    assert_eq!(
        spec["webhooks"].as_object().map(serde_json::Map::len),
        Some(1)
    );
    let listed = world
        .get("/background-task?task=sdk.generate")
        .await
        .is(200);
    assert_eq!(listed.rows().len(), 1);

    let import = json!({ "spec": spec });
    let unchanged = world.post(IMPORT, &import).await.is(200);
    assert_eq!(unchanged["data"]["unchanged"], json!(["pet.new"]));
    let other = World::new();
    other.post(IMPORT, &import).await.is(200);
    let (there, here) = (
        other.get("/event-type/pet.new").await.is(200),
        world.get("/event-type/pet.new").await.is(200),
    );
    for field in [
        "description",
        "deprecated",
        "schemas",
        "featureFlags",
        "groupName",
    ] {
        assert_eq!(there[field], here[field], "{field}");
    }
}
