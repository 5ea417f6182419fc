//! Messages against the JSON Schemas of their event types, where the installation is set to it.

use crate::call::Answer;
use crate::world::World;
use serde_json::{Value, json};

const SETTINGS: &str = "/environment/settings";

/// An installation that enforces schemas, an application `acme` with an endpoint `hook`, and an
/// event type `order.paid`, whose second version asks for an `id` that is a text.
async fn world() -> World {
    let world = World::new();
    let app = world.application("acme").await;
    world.endpoint(&app, json!({ "uid": "hook" })).await;
    let newest = json!({
        "type": "object", "required": ["id"],
        "properties": { "id": { "type": "string" }, "lines": { "items": { "minimum": 1 } } },
        "examples": [{ "id": 7 }],
    });
    let schemas = json!({ "1": { "required": ["old"] }, "2": newest });
    put_type(&world, json!({ "schemas": schemas })).await;
    enforce(&world, true).await;
    world
}

async fn put_type(world: &World, more: Value) {
    let body = crate::world::merged(json!({ "description": "" }), more);
    let put = world.put("/event-type/order.paid", body).await;
    assert!(matches!(put.status, 200 | 201), "{put:?}");
}

async fn enforce(world: &World, on: bool) {
    world
        .patch(SETTINGS, json!({ "enforceEventTypeSchemas": on }))
        .await
        .is(200);
}

fn paid(payload: Value) -> Value {
    json!({ "eventType": "order.paid", "payload": payload })
}

async fn send(world: &World, body: Value) -> Answer {
    world.post("/app/acme/msg", body).await
}

#[tokio::test]
async fn a_payload_that_does_not_match_is_refused_with_each_place() {
    let world = world().await;
    send(&world, paid(json!({ "id": "1", "lines": [1] })))
        .await
        .is(202);
    let refused = send(&world, paid(json!({ "id": 1, "lines": [0, 2, -1] }))).await;
    let expected = json!({ "detail": [
        {
            "loc": ["body", "payload", "id"], "type": "value_error",
            "msg": "must be of type string, not integer",
        },
        {
            "loc": ["body", "payload", "lines", "0"], "type": "value_error",
            "msg": "must be at least 1",
        },
        {
            "loc": ["body", "payload", "lines", "2"], "type": "value_error",
            "msg": "must be at least 1",
        },
    ]});
    assert_eq!((refused.status, &refused.body), (422, &expected));
    let missing = send(&world, paid(json!({}))).await;
    assert_eq!(missing.broken(), ["body/payload/id"]);
}

#[tokio::test]
async fn nothing_is_refused_where_it_is_off_or_there_is_no_schema() {
    let world = world().await;
    let wrong = || paid(json!({ "id": 1 }));
    send(&world, wrong()).await.is(422);
    send(&world, json!({ "eventType": "unknown", "payload": {} }))
        .await
        .is(202);
    enforce(&world, false).await;
    send(&world, wrong()).await.is(202);
    enforce(&world, true).await;
    send(&world, wrong()).await.is(422);
    world.delete("/event-type/order.paid").await.is(204);
    send(&world, wrong()).await.is(202);
    put_type(&world, json!({ "schemas": null })).await;
    send(&world, wrong()).await.is(202);
}

#[tokio::test]
async fn a_schema_holds_from_the_answer_on_that_says_it_is_saved() {
    let world = world().await;
    for (kind, status) in [
        ("integer", 202),
        ("string", 422),
        ("integer", 202),
        ("null", 422),
    ] {
        let schema = json!({ "properties": { "id": { "type": kind } } });
        put_type(&world, json!({ "schemas": { "1": schema } })).await;
        send(&world, paid(json!({ "id": 1 }))).await.is(status);
    }
    world
        .delete("/event-type/order.paid?expunge=true")
        .await
        .is(204);
    send(&world, paid(json!({ "id": 1 }))).await.is(202);
}

#[tokio::test]
async fn of_a_batch_only_what_does_not_match_is_refused() {
    let world = world().await;
    let messages = [
        paid(json!({ "id": "1" })),
        paid(json!({})),
        paid(json!({ "id": "2" })),
    ];
    let answer = world
        .post("/app/acme/msg/batch", json!({ "messages": messages }))
        .await;
    let answer = answer.is(202);
    let results = answer["results"].as_array().expect("results");
    let statuses: Vec<_> = results.iter().map(|result| &result["status"]).collect();
    assert_eq!(statuses, [202, 422, 202]);
    let detail = results[1]["error"]["detail"].as_str().expect("a text");
    assert!(detail.contains("body.payload.id: is missing"), "{detail}");
}

#[tokio::test]
async fn a_repeated_message_is_answered_again_whatever_its_schema_says_by_now() {
    let world = world().await;
    let body = paid(json!({ "id": "1" }));
    let first = world.post("/app/acme/msg", &body).key("k").await.is(202);
    put_type(&world, json!({ "schemas": { "1": false } })).await;
    let again = world.post("/app/acme/msg", &body).key("k").await.is(202);
    assert_eq!(again["id"], first["id"]);
    world
        .post("/app/acme/msg", &body)
        .key("other")
        .await
        .is(422);
    let other = paid(json!({ "id": "2" }));
    world
        .post("/app/acme/msg", other)
        .key("k")
        .await
        .refuses(409, "conflict");
}

#[tokio::test]
async fn a_refused_message_makes_no_application() {
    let world = world().await;
    let body = json!({
        "eventType": "order.paid", "payload": {},
        "application": { "name": "New", "uid": "new" },
    });
    world.post("/app/new/msg", body).await.is(422);
    world.get("/app/new").await.is(404);
}

#[tokio::test]
async fn a_raw_payload_must_be_json_that_matches() {
    let world = world().await;
    let raw = |text: &str| {
        json!({
            "eventType": "order.paid", "payload": {},
            "transformationsParams": { "rawPayload": text, "headers": { "content-type": "a/b" } },
        })
    };
    send(&world, raw(r#"{"id":"1"}"#)).await.is(202);
    let wrong = send(&world, raw(r#"{"id":1}"#)).await;
    assert_eq!(wrong.broken(), ["body/payload/id"]);
    let text = send(&world, raw("<id>1</id>")).await;
    assert_eq!(text.broken(), ["body/transformationsParams/rawPayload"]);
}

#[tokio::test]
async fn an_example_or_a_test_attempt_must_match_too() {
    let world = world().await;
    let path = "/app/acme/endpoint/hook/send-example";
    let example = world.post(path, json!({ "eventType": "order.paid" })).await;
    // The example of the first version is sent, which has none.
    example.refuses(400, "invalid_scheme");
    let schema = json!({ "required": ["id"], "examples": [{}] });
    put_type(&world, json!({ "schemas": { "1": schema } })).await;
    let example = world.post(path, json!({ "eventType": "order.paid" })).await;
    let detail = example.refuses(400, "invalid_scheme");
    assert!(detail.contains("body.payload.id: is missing"), "{detail}");
    let path = "/app/acme/endpoint/hook/msg/test-attempt";
    let tried = world.post(path, paid(json!({}))).await;
    assert_eq!(tried.broken(), ["body/payload/id"]);
    let broadcast = world.post("/msg/broadcast", paid(json!({}))).await;
    assert_eq!(broadcast.broken(), ["body/payload/id"]);
}

#[tokio::test]
async fn a_payload_that_can_not_be_judged_is_refused_with_the_reason() {
    let world = world().await;
    let body = |payload: &str| format!(r#"{{"eventType":"order.paid","payload":{payload}}}"#);
    let deep = format!(
        "{{\"id\":\"1\",\"a\":{}{}}}",
        "[".repeat(200),
        "]".repeat(200)
    );
    for payload in [r#"{"id":"1","a":1e999}"#, &deep] {
        let refused = world.post("/app/acme/msg", body(payload)).await;
        assert_eq!(refused.broken(), ["body/payload"], "{payload}");
    }
    let double =
        json!([{ "items": { "$ref": "#" } }, { "type": "array", "items": { "$ref": "#" } }]);
    let schema = json!({ "properties": { "a": { "$ref": "#/definitions/d" } },
        "definitions": { "d": { "$id": "d", "anyOf": double.clone(), "allOf": double } } });
    put_type(&world, json!({ "schemas": { "1": schema } })).await;
    let nested = format!("{{\"a\":{}{}}}", "[".repeat(60), "]".repeat(60));
    let refused = world.post("/app/acme/msg", body(&nested)).await;
    assert_eq!(refused.broken(), ["body/payload"]);
}

#[tokio::test]
async fn schemas_that_lead_outside_or_cost_too_much_are_not_saved() {
    let world = World::new();
    for schema in [
        json!({ "$ref": "https://example.com/schema.json" }),
        json!({ "properties": { "a": { "$ref": "file:///etc/passwd" } } }),
        json!({ "$ref": "#" }),
        json!({ "pattern": "^(?=a)b" }),
        json!({ "title": "x".repeat(1_100_000) }),
    ] {
        let body = json!({ "name": "a", "description": "", "schemas": { "1": schema } });
        let refused = world.post("/event-type", body).await;
        assert_eq!(refused.broken(), ["body/schemas"]);
    }
}
