//! Operational webhooks: the operator's endpoints, what they can ask for, and what they are told.

use crate::auditing::seal_first;
use crate::call::Answer;
use crate::world::{World, merged};
use app::operational::Told;
use model::Timestamp;
use model::id::{ApplicationId, AttemptId, EndpointId, MessageId};
use model::operational::{
    AttemptNamed, CheckpointTold, Happened, NAMES, OperationalEvent, SecurityTold,
};
use model::security::{Severity, Subject, SubjectKind};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::Duration;

const OPERATORS: &str = "/operational-webhook/endpoint";

fn one(id: &str) -> String {
    format!("{OPERATORS}/{id}")
}

/// Makes one of the operator's endpoints, and forgets what came before.
async fn operator(world: &World, more: Value) -> String {
    let body = merged(json!({ "url": "https://ops.example.com/in" }), more);
    let made = world.post(OPERATORS, body).await.is(201);
    world.told.take();
    made.text("id")
}

/// Has made what was told, and gives back the payloads by age.
async fn payloads(world: &World) -> Vec<Value> {
    tell(world, &world.told.take()).await;
    let list = world.get("/app/operational-webhooks/msg").await.is(200);
    let rows = list.rows().iter().rev();
    rows.map(|row| row["payload"].clone()).collect()
}

async fn tell(world: &World, events: &[OperationalEvent]) -> usize {
    match world.app.tell_operators(events).await.expect("it writes") {
        Told::Messages(count) => count,
        Told::Nobody => panic!("there is somebody"),
    }
}

fn happened(world: &World, what: Happened) -> OperationalEvent {
    let at = world.app.clock.now();
    OperationalEvent { at, what }
}

#[tokio::test]
async fn an_operators_endpoint_is_shown_as_clients_know_it() {
    let world = World::new();
    assert_eq!(world.get(OPERATORS).await.is(200).rows(), [Value::Null; 0]);
    world.get(one("ops")).await.refuses(404, "not_found");
    world.get("/app/operational-webhooks").await.is(404);
    let body = json!({
        "url": "https://ops.example.com/in", "uid": "ops", "description": "Ops",
        "eventTypes": ["endpoint.disabled"], "throttleRate": 5, "metadata": { "team": "sre" },
        "headers": { "X-Desk": "one" },
    });
    let made = world.post(OPERATORS, body).await.is(201);
    let expected = json!({
        "id": made.text("id"), "uid": "ops", "url": "https://ops.example.com/in",
        "description": "Ops", "disabled": false, "eventTypes": ["endpoint.disabled"],
        "throttleRate": 5, "metadata": { "team": "sre" },
        "createdAt": made["createdAt"], "updatedAt": made["updatedAt"],
    });
    assert_eq!(made.body, expected);
    assert_eq!(world.get(one("ops")).await.is(200).body, expected);
    assert_eq!(world.get(OPERATORS).await.rows(), [expected]);
    let headers = world.get(one("ops/headers")).await.is(200);
    assert_eq!(headers["headers"], json!({ "X-Desk": "one" }));
    let own = world.get("/app/operational-webhooks").await.is(200);
    assert_eq!(own["name"], "Operational webhooks");
}

#[tokio::test]
async fn an_operators_endpoint_is_written_anew_given_another_secret_and_deleted() {
    let world = World::new();
    let id = operator(
        &world,
        json!({ "uid": "ops", "eventTypes": ["security.event"] }),
    )
    .await;
    let anew = json!({ "url": "https://ops.example.com/2", "uid": "ops" });
    let whole = world.put(one("ops"), anew).await.is(200);
    assert_eq!(whole.text("id"), id);
    assert_eq!(whole["eventTypes"], Value::Null);
    let headers = json!({ "headers": { "X-Desk": "two" } });
    world.put(one("ops/headers"), headers).await.is(204);
    let before = world.get(one("ops/secret")).await.is(200).text("key");
    world.post(one("ops/secret/rotate"), "{}").await.is(204);
    assert_ne!(world.get(one("ops/secret")).await.text("key"), before);
    world.delete(one("ops")).await.is(204);
    world.get(one("ops")).await.refuses(404, "not_found");
    let new = json!({ "url": "https://ops.example.com/3" });
    world.put(one("other"), new).await.is(201);
    assert_eq!(world.told.take_names(), [""; 0], "nobody hears of them");
}

#[tokio::test]
async fn all_that_can_happen_can_be_asked_for_and_nothing_else() {
    let world = World::new();
    operator(&world, json!({ "eventTypes": NAMES })).await;
    let own = json!({ "name": "order.paid", "description": "" });
    world.post("/event-type", own).await.is(201);
    let body = json!({ "url": "https://ops.example.com/", "eventTypes": ["order.paid"] });
    let refused = world.post(OPERATORS, body).await;
    assert_eq!(refused.broken(), ["body/eventTypes"]);
    let types = world.get("/event-type").await.is(200);
    assert_eq!(types.column("name"), ["order.paid"]);
    let acme = world.application("acme").await;
    let body = json!({ "url": "https://example.com/", "eventTypes": ["endpoint.created"] });
    let refused = world.post(format!("/app/{acme}/endpoint"), body).await;
    assert_eq!(refused.broken(), ["body/eventTypes"]);
}

/// Whoever got a token of an application of this name would hear of all others.
#[tokio::test]
async fn nobody_gives_an_application_the_operators_uid() {
    let world = World::new();
    let body = json!({ "name": "x", "uid": "operational-webhooks" });
    let brought = json!({
        "eventType": "a", "payload": {}, "application": body,
    });
    let acme = world.application("acme").await;
    let uid = json!({ "uid": "operational-webhooks" });
    for (refused, place) in [
        (world.post("/app", &body).await, "body/uid"),
        (world.put("/app/nobody", &body).await, "body/uid"),
        (world.patch(format!("/app/{acme}"), uid).await, "body/uid"),
        (
            world.post("/app/operational-webhooks/msg", brought).await,
            "body/application/uid",
        ),
    ] {
        assert_eq!(refused.broken(), [place]);
    }
    assert_eq!(world.get("/app").await.rows().len(), 1);
}

#[tokio::test]
async fn what_happens_to_an_endpoint_is_told_with_what_it_is_called() {
    let world = World::new();
    operator(&world, json!({})).await;
    let app = world.application("acme").await;
    let endpoint = world.endpoint(&app, json!({ "uid": "hook" })).await;
    let path = format!("/app/{app}/endpoint/hook");
    for disabled in [true, false] {
        let patch = json!({ "disabled": disabled });
        world.patch(&path, patch).await.is(200);
    }
    let headers = json!({ "headers": { "X-Desk": "two" } });
    world.put(format!("{path}/headers"), headers).await.is(204);
    let rotate = format!("{path}/secret/rotate");
    world.post(rotate, "{}").await.is(200);
    world.delete(&path).await.is(204);
    let data = json!({
        "appId": app, "appUid": "acme", "endpointId": endpoint, "endpointUid": "hook",
    });
    let told = |name: &str| json!({ "type": name, "data": data });
    let disabled = merged(data.clone(), json!({ "failSince": null }));
    assert_eq!(
        payloads(&world).await,
        [
            told("endpoint.created"),
            told("endpoint.updated"),
            json!({ "type": "endpoint.disabled", "data": disabled }),
            told("endpoint.updated"),
            told("endpoint.enabled"),
            told("endpoint.updated"),
            told("endpoint.deleted"),
        ]
    );
}

#[tokio::test]
async fn what_is_asked_twice_with_one_key_is_told_once() {
    let world = World::new();
    operator(&world, json!({})).await;
    let path = format!("/app/{}/endpoint", world.application("acme").await);
    for _ in 0..2 {
        let body = json!({ "url": "https://example.com/hook" });
        world.post(&path, body).key("k").await.is(201);
    }
    assert_eq!(world.told.take_names(), ["endpoint.created"]);
}

#[tokio::test]
async fn a_sources_endpoints_are_told_of_too() {
    let world = World::new();
    operator(&world, json!({})).await;
    let source = json!({ "name": "Payments", "type": "stripe", "config": { "secret": "s" } });
    let source = world.post("/ingest/api/v1/source", source).await.is(201);
    let path = format!("/ingest/api/v1/source/{}/endpoint", source.text("id"));
    let body = json!({ "url": "https://example.com/hook" });
    world.post(path, body).await.is(201);
    let told = payloads(&world).await;
    assert_eq!(told[0]["type"], "endpoint.created");
    assert_eq!(told[0]["data"]["appUid"], source["id"]);
    assert_eq!(told[0]["data"]["endpointUid"], Value::Null);
}

#[tokio::test]
async fn an_attempt_is_told_once_with_its_time_and_nulls_where_nothing_is_known() {
    let world = World::new();
    operator(&world, json!({})).await;
    let ids = [
        "app_1srOrx2ZWZBpBUvZwXKQmoEYga2",
        "ep_1srOrx2ZWZBpBUvZwXKQmoEYga2",
        "msg_1srOrx2ZWZBpBUvZwXKQmoEYga2",
        "atmpt_1srOrx2ZWZBpBUvZwXKQmoEYga2",
    ];
    let attempt: AttemptId = ids[3].parse().expect("an id");
    let named = AttemptNamed {
        application: ids[0].parse::<ApplicationId>().expect("an id"),
        application_uid: None,
        endpoint: ids[1].parse::<EndpointId>().expect("an id"),
        message: ids[2].parse::<MessageId>().expect("an id"),
        event_id: None,
        attempt,
        status: 503,
    };
    let event = happened(&world, Happened::AttemptExhausted(named));
    assert_eq!(tell(&world, std::slice::from_ref(&event)).await, 1);
    assert_eq!(tell(&world, &[event]).await, 0, "it was told before");
    let told = payloads(&world).await;
    let timestamp = &told[0]["data"]["lastAttempt"]["timestamp"];
    let time = timestamp.as_str().expect("a time");
    assert!(time.starts_with("2021-") && time.ends_with('Z'), "{time}");
    assert_eq!(
        told,
        [json!({ "type": "message.attempt.exhausted", "data": {
            "appId": ids[0], "appUid": null, "msgId": ids[2], "msgEventId": null,
            "endpointId": ids[1],
            "lastAttempt": { "id": ids[3], "responseStatusCode": 503, "timestamp": timestamp },
        }})]
    );
}

#[tokio::test]
async fn background_work_is_told_as_it_is_listed() {
    let world = World::new();
    operator(&world, json!({})).await;
    let body = json!({ "eventType": "news", "payload": {} });
    world.application("acme").await;
    let begun = world.post("/msg/broadcast", body).await.is(202);
    while world.app.work_outside().await.expect("it works") {}
    let task = world.get(format!("/background-task/{}", begun.text("id")));
    let task = task.await.is(200);
    assert_eq!(
        payloads(&world).await,
        [json!({ "type": "background_task.finished", "data": {
            "taskId": task["id"], "task": "message.broadcast", "status": "finished",
            "data": task["data"],
        }})],
        "and the operator's endpoints don't get what is sent to all applications"
    );
}

fn security(world: &World, (kind, id): (SubjectKind, &str), count: u64) -> OperationalEvent {
    let told = SecurityTold {
        id: Some("sec_1".to_owned()),
        kind: "delivery.pin_mismatch",
        severity: Severity::Critical,
        subject: Subject {
            kind,
            id: id.to_owned(),
        },
        remote_address: None,
        count,
        first_seen: Timestamp::from_seconds(1_795_000_000),
        last_seen: Timestamp::from_seconds(1_795_000_001),
        description: "it is another".to_owned(),
    };
    happened(world, Happened::Security(told))
}

#[tokio::test]
async fn a_security_event_is_told_as_the_list_shows_it_and_again_when_it_went_on() {
    let world = World::new();
    operator(&world, json!({})).await;
    let told = [1, 1, 7].map(|count| security(&world, (SubjectKind::Endpoint, "ep_x"), count));
    assert_eq!(tell(&world, &told).await, 2);
    let told = payloads(&world).await;
    assert_eq!(
        told[1],
        json!({ "type": "security.event", "data": {
            "id": "sec_1", "kind": "delivery.pin_mismatch", "severity": "critical",
            "subject": { "type": "endpoint", "id": "ep_x" }, "count": 7,
            "firstSeen": "2026-11-18T11:06:40Z", "lastSeen": "2026-11-18T11:06:41Z",
            "description": "it is another",
        }})
    );
    let shown = world.get("/security/event").await.is(200);
    let fields = |row: &Value| {
        let row = row.as_object().expect("an object");
        row.keys().cloned().collect::<Vec<_>>()
    };
    if let Some(row) = shown.rows().first() {
        assert_eq!(fields(&told[1]["data"]), fields(row));
    }
}

#[tokio::test]
async fn what_happens_to_the_operators_own_endpoints_is_told_to_nobody() {
    let world = World::new();
    let id = operator(&world, json!({})).await;
    let own = world.get("/app/operational-webhooks").await.text("id");
    let told = [
        security(&world, (SubjectKind::Endpoint, &id), 1),
        security(&world, (SubjectKind::Application, &own), 2),
    ];
    assert_eq!(tell(&world, &told).await, 0);
}

#[tokio::test]
async fn a_checkpoint_is_told_byte_for_byte_and_once() {
    let world = World::new();
    operator(&world, json!({})).await;
    let line = r#"{"z":1,"a":"x"}"#.to_owned();
    let told = happened(&world, Happened::AuditCheckpoint(CheckpointTold { line }));
    assert_eq!(tell(&world, &[told.clone(), told]).await, 1);
    let handed = world.lanes.take_one();
    let expected = br#"{"type":"audit.checkpoint","data":{"z":1,"a":"x"}}"#;
    assert_eq!(&handed.payload[..], expected);
    assert!(
        handed.claimed.message.message.hops.next().is_spent(),
        "no installation takes it again"
    );
}

#[tokio::test]
async fn without_an_endpoint_of_the_operators_nothing_is_made_nor_later() {
    let world = World::new();
    let one_of = || [security(&world, (SubjectKind::Endpoint, "ep_x"), 1)];
    let before = one_of();
    let nobody = world.app.tell_operators(&before).await;
    assert_eq!(nobody.expect("it reads"), Told::Nobody);
    world.clock.advance(Duration::from_secs(1));
    operator(&world, json!({ "uid": "ops" })).await;
    assert_eq!(tell(&world, &before).await, 0, "it was before its time");
    assert_eq!(tell(&world, &one_of()).await, 1);
    world.delete(one("ops")).await.is(204);
    let nobody = world.app.tell_operators(&one_of()).await;
    assert_eq!(nobody.expect("it reads"), Told::Nobody);
}

async fn send_example(world: &World, name: &str) -> Answer {
    let body = json!({ "eventType": name });
    world.post(one("ops/send-example"), body).await
}

#[tokio::test]
async fn an_example_is_told_to_one_endpoint_alone_whatever_that_wants_to_hear() {
    let world = World::new();
    operator(&world, json!({ "uid": "other" })).await;
    let picky = json!({ "uid": "ops", "eventTypes": ["endpoint.deleted"] });
    operator(&world, picky).await;
    for name in NAMES {
        let sent = send_example(&world, name).await.is(202);
        assert_eq!(sent["eventType"], name);
        assert_eq!(sent["eventId"], Value::Null);
        let handed = world.lanes.take_one();
        let payload: Value = serde_json::from_slice(&handed.payload).expect("it is JSON");
        assert_eq!(payload["type"], name);
        assert!(
            handed.claimed.message.message.hops.next().is_spent(),
            "no installation takes it, as none takes what happens in truth"
        );
        let path = format!("/app/operational-webhooks/msg/{}/endpoint", sent.text("id"));
        assert_eq!(world.get(path).await.column("uid"), ["ops"]);
    }
    assert_eq!(world.told.take_names(), [""; 0], "nothing has happened");
}

/// The names of all that is in it, at any depth.
fn shape(value: &Value) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for (name, inner) in value.as_object().into_iter().flatten() {
        names.insert(name.clone());
        names.extend(shape(inner).iter().map(|below| format!("{name}/{below}")));
    }
    names
}

/// Makes everything happen, and gives what is told of it.
async fn all_that_can_happen(world: &World) -> Vec<Value> {
    let app = world.application("acme").await;
    let endpoint = world.endpoint(&app, json!({ "uid": "hook" })).await;
    let path = format!("/app/{app}/endpoint/hook");
    for disabled in [true, false] {
        let patch = json!({ "disabled": disabled });
        world.patch(&path, patch).await.is(200);
    }
    let since = json!({ "since": "2026-01-01T00:00:00Z" });
    let begun = world.post(format!("{path}/recover"), since).await;
    let task = begun.is(202).text("id").parse().expect("an id");
    world.work().await;
    world.delete(&path).await.is(204);
    seal_first(world).await;
    let mut signed = world.get("/audit/checkpoint").await.is(200).body;
    signed.as_object_mut().expect("it is one").remove("at");
    let line = signed.to_string();
    let attempt = |id: &str| AttemptNamed {
        application: app.parse().expect("an id"),
        application_uid: None,
        endpoint: endpoint.parse().expect("an id"),
        message: "msg_1srOrx2ZWZBpBUvZwXKQmoEYga2".parse().expect("an id"),
        event_id: None,
        attempt: id.parse().expect("an id"),
        status: 0,
    };
    let mut told = vec![security(world, (SubjectKind::Endpoint, &endpoint), 1)];
    let attempts = [
        Happened::AttemptFailing(attempt("atmpt_1srOrx2ZWZBpBUvZwXKQmoEYga2")),
        Happened::AttemptExhausted(attempt("atmpt_1srOrx2ZWZBpBUvZwXKQmoEYga3")),
        Happened::AttemptRecovered(attempt("atmpt_1srOrx2ZWZBpBUvZwXKQmoEYga4")),
    ];
    told.extend(attempts.map(|what| happened(world, what)));
    // Whoever does the work, and whoever seals, tells of it: neither is here.
    told.push(happened(world, Happened::TaskFinished(task)));
    let checkpoint = Happened::AuditCheckpoint(CheckpointTold { line });
    told.push(happened(world, checkpoint));
    tell(world, &told).await;
    payloads(world).await
}

#[tokio::test]
async fn an_example_has_the_shape_of_what_is_told_in_truth() {
    let world = World::new();
    operator(&world, json!({ "uid": "ops" })).await;
    let told = all_that_can_happen(&world).await;
    for name in NAMES {
        let real = told.iter().find(|payload| payload["type"] == name);
        let real = real.unwrap_or_else(|| panic!("{name} did not happen: {told:?}"));
        let sent = send_example(&world, name).await.is(202);
        let path = format!("/app/operational-webhooks/msg/{}", sent.text("id"));
        let example = world.get(path).await.is(200);
        assert_eq!(shape(&example["payload"]), shape(real), "{name}");
    }
}

#[tokio::test]
async fn an_example_that_can_not_be_sent_is_refused() {
    let world = World::new();
    send_example(&world, NAMES[0])
        .await
        .refuses(404, "not_found");
    operator(&world, json!({ "uid": "other" })).await;
    send_example(&world, NAMES[0])
        .await
        .refuses(404, "not_found");
    operator(&world, json!({ "uid": "ops" })).await;
    for name in ["svix.ping", "order.paid", ""] {
        let refused = send_example(&world, name).await;
        assert_eq!(refused.broken(), ["body/eventType"]);
    }
    let disabled = json!({ "url": "https://ops.example.com/", "uid": "ops", "disabled": true });
    world.put(one("ops"), disabled).await.is(200);
    let refused = send_example(&world, NAMES[0]).await;
    refused.refuses(400, "endpoint_disabled");
    assert_eq!(world.lanes.take().len(), 0);
}

#[tokio::test]
async fn an_example_is_sent_as_often_as_it_is_asked_for_and_once_by_one_key() {
    let world = World::new();
    operator(&world, json!({ "uid": "ops" })).await;
    let first = send_example(&world, "endpoint.created").await.is(202);
    let second = send_example(&world, "endpoint.created").await.is(202);
    assert_ne!(first["id"], second["id"]);
    let keyed = |name: &str| {
        let body = json!({ "eventType": name });
        world.post(one("ops/send-example"), body).key("k")
    };
    let made = keyed("endpoint.created").await.is(202);
    let again = keyed("endpoint.created").await.is(202);
    assert_eq!(made.body, again.body);
    keyed("endpoint.deleted").await.refuses(409, "conflict");
    assert_eq!(world.lanes.take().len(), 3);
}

/// Nothing of a refused endpoint is left: not the application that it would have been the first of.
#[tokio::test]
async fn a_first_endpoint_that_is_refused_leaves_no_application() {
    let world = World::new();
    let good = json!({ "url": "https://ops.example.com/in" });
    let masked = "https://***:***@ops.example.com/in";
    for (wrong, place) in [
        (json!({ "url": "ftp://ops.example.com/" }), "body/url"),
        (json!({ "url": "https://127.0.0.1/" }), "body/url"),
        (json!({ "url": masked }), "body/url"),
        (json!({ "eventTypes": ["order.paid"] }), "body/eventTypes"),
        (json!({ "secret": "x" }), "body/secret"),
    ] {
        let body = merged(good.clone(), wrong);
        let made = world.post(OPERATORS, &body).await;
        assert_eq!(made.broken(), [place]);
        assert_eq!(world.put(one("ops"), &body).await.broken(), [place]);
    }
    world.put(one("a%20b"), &good).await.is(404);
    assert_eq!(world.get("/app").await.rows(), [Value::Null; 0]);

    world.post(OPERATORS, &good).key("k").await.is(201);
    world.delete("/app/operational-webhooks").await.is(204);
    let again = world.post(OPERATORS, &good).key("k").await;
    again.refuses(409, "conflict");
    assert_eq!(world.get("/app").await.rows(), [Value::Null; 0]);
}

#[tokio::test]
async fn nothing_is_made_for_a_path_that_can_be_no_name() {
    let world = World::new();
    let body = json!({ "url": "https://ops.example.com/" });
    let put = world.put("/operational-webhook/endpoint/a%20b", body);
    put.await.refuses(404, "not_found");
    let list = world.get("/operational-webhook/endpoint").await.is(200);
    assert_eq!(list.rows().len(), 0);
}
