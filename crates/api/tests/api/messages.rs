//! Sending messages.

use crate::world::World;
use app::Settings;
use model::message::PayloadForm;
use model::security::SecurityKind;
use serde_json::{Value, json};
use std::time::Duration;
use store::change::{Change, ChangeRequest};
use store_sqlite::faults::CommitFault;

const DAY: Duration = Duration::from_secs(86_400);

fn message() -> Value {
    json!({ "eventType": "order.paid", "payload": { "total": 12 } })
}

/// The ids of the endpoints that got the message that was sent last, in any order.
fn receivers(world: &World) -> Vec<i64> {
    let endpoints = world.lanes.take();
    let mut endpoints: Vec<_> = endpoints
        .iter()
        .map(|handed| handed.claimed.delivery.endpoint.integer())
        .collect();
    endpoints.sort_unstable();
    endpoints
}

fn key_of(endpoint: &str) -> i64 {
    let id: model::id::EndpointId = endpoint.parse().expect("an endpoint's id");
    id.key().integer()
}

#[tokio::test]
async fn a_payload_is_handed_over_and_read_back_byte_for_byte() {
    let world = World::new();
    let app = world.application("acme").await;
    world.endpoint(&app, json!({})).await;
    let text = "{ \"b\" : 1.0,\"a\":[1e2 , \"\\u0041\"], \"b\":0 }";
    for name in ["payload", "data"] {
        let body = format!("{{\"eventType\":\"order.paid\",\"{name}\":{text}}}");
        let made = world.post(format!("/app/{app}/msg"), body).await.is(202);
        let id = made.text("id");
        let handed = world.lanes.take_one();
        assert_eq!(handed.payload, text.as_bytes());
        assert_eq!(handed.claimed.message.message.id.to_string(), id);
        drop(handed.place);
        assert_eq!(world.lanes.granted(), 0);
        assert!(made.text.contains(text), "{}", made.text);
        let read = world.get(format!("/app/acme/msg/{id}")).await;
        assert!(read.text.contains(text), "{}", read.text);
    }
}

#[tokio::test]
async fn an_answer_has_the_fields_that_clients_read() {
    let world = World::new();
    let app = world.application("acme").await;
    let body = json!({
        "eventType": "order.paid", "eventId": "order-1", "payload": { "a": 1 },
        "channels": ["b", "a"], "tags": ["t"], "unknown": [1],
    });
    let made = world.post(format!("/app/{app}/msg"), body).await.is(202);
    let expected = json!({
        "id": made["id"], "timestamp": "2026-01-01T00:30:00Z", "eventType": "order.paid",
        "eventId": "order-1", "payload": { "a": 1 }, "channels": ["a", "b"], "tags": ["t"],
    });
    assert_eq!(made.body, expected);
    let read = world.get(format!("/app/{app}/msg/order-1")).await;
    assert_eq!(read.is(200).body, expected);

    let path = format!("/app/{app}/msg?with_content=false");
    let made = world.post(path, message()).await.is(202);
    assert_eq!(
        (&made["payload"], &made["channels"]),
        (&json!({}), &Value::Null)
    );
    let read = world
        .get(format!("/app/{app}/msg/order-1?with_content=false"))
        .await;
    assert_eq!(read.is(200)["payload"], json!({}));
}

#[tokio::test]
async fn a_message_goes_to_the_endpoints_that_want_it() {
    let world = World::new();
    let app = world.application("acme").await;
    for name in ["order.paid", "order.lost"] {
        let body = json!({ "name": name, "description": "" });
        world.post("/event-type", body).await.is(201);
    }
    let all = key_of(&world.endpoint(&app, json!({})).await);
    let paid = key_of(
        &world
            .endpoint(&app, json!({ "eventTypes": ["order.paid"] }))
            .await,
    );
    let europe = key_of(
        &world
            .endpoint(&app, json!({ "channels": ["eu", "uk"] }))
            .await,
    );
    world.endpoint(&app, json!({ "disabled": true })).await;
    let cases = [
        (json!({}), vec![all, paid]),
        (json!({ "eventType": "order.lost" }), vec![all]),
        (json!({ "eventType": "of.no.known.type" }), vec![all]),
        (json!({ "channels": ["us"] }), vec![all, paid]),
        (json!({ "channels": ["us", "eu"] }), vec![all, paid, europe]),
    ];
    for (more, expected) in cases {
        world.message(&app, more.clone()).await;
        assert_eq!(receivers(&world), expected, "{more}");
    }
    assert_eq!(world.lanes.granted(), 0);
}

#[tokio::test]
async fn a_message_that_nobody_wants_is_accepted() {
    let world = World::new();
    let app = world.application("acme").await;
    let id = world.message(&app, json!({})).await;
    assert!(world.lanes.take().is_empty());
    world.get(format!("/app/{app}/msg/{id}")).await.is(200);
}

#[tokio::test]
async fn what_has_no_place_waits_in_the_store() {
    let world = World::new();
    let app = world.application("acme").await;
    world.endpoint(&app, json!({})).await;
    world.lanes.limit(0);
    world.message(&app, json!({})).await;
    assert!(world.lanes.take().is_empty());
    let waiting = std::mem::take(&mut world.lanes.lock().waiting);
    let [(lane, due)] = waiting[..] else {
        panic!("{waiting:?}")
    };
    let claimed = world.app.store.claim(lane, due, 10).await.unwrap();
    assert_eq!(claimed.len(), 1);
}

#[tokio::test]
async fn a_message_is_first_due_when_its_sender_says() {
    let world = World::new();
    let app = world.application("acme").await;
    world.endpoint(&app, json!({})).await;
    let at = "2026-01-03T12:00:00Z";
    let body = json!({ "eventType": "a", "payload": {}, "deliverAt": "2026-01-03T13:00:00+01:00" });
    let made = world.post(format!("/app/{app}/msg"), body).await.is(202);
    assert_eq!(made["deliverAt"], at);
    assert!(world.lanes.take().is_empty());
    let waiting = std::mem::take(&mut world.lanes.lock().waiting);
    assert_eq!(waiting[0].1.seconds(), 1_767_441_600);

    let body = json!({ "eventType": "a", "payload": {}, "deliverAt": "2026-02-01T00:00:00Z" });
    let refused = world.post(format!("/app/{app}/msg"), body).await;
    assert_eq!(refused.broken(), ["body/deliverAt"]);
    world
        .message(&app, json!({ "deliverAt": "2020-01-01T00:00:00Z" }))
        .await;
    world.lanes.take_one();
}

#[tokio::test]
async fn a_fan_out_beyond_the_limit_goes_on_after_the_commit() {
    let world = World::with(Settings {
        deliveries_max: 2,
        ..Settings::default()
    });
    let app = world.application("acme").await;
    for _ in 0..5 {
        world.endpoint(&app, json!({})).await;
    }
    world.lanes.lock().work = 0;
    let id = world.message(&app, json!({})).await;
    assert_eq!(world.lanes.take().len(), 2);
    assert_eq!(world.lanes.lock().work, 1);
    world.work().await;
    let page = world
        .get(format!("/app/{app}/msg/{id}/endpoint"))
        .await
        .is(200);
    assert_eq!(page.rows().len(), 5);
}

#[tokio::test]
async fn an_endpoint_that_another_node_made_just_now_is_not_missed() {
    let world = World::new();
    let app = world.application("acme").await;
    world.endpoint(&app, json!({})).await;
    world.message(&app, json!({})).await;
    let tenant = store::rows::ApplicationRef::Uid("acme".parse().unwrap());
    let mut row = world
        .app
        .store
        .registry(&tenant)
        .await
        .unwrap()
        .unwrap()
        .endpoints
        .remove(0);
    row.endpoint.id = model::id::EndpointId::new(row.endpoint.id.key(), [1; 12]);
    let change = Change::CreateEndpoint {
        endpoint: row.endpoint,
        sealed: row.sealed,
        endpoints_max: 10,
    };
    world
        .app
        .store
        .change(ChangeRequest {
            change,
            idempotency: None,
            audit: None,
        })
        .await
        .unwrap();
    world.lanes.take();
    world.message(&app, json!({})).await;
    assert_eq!(world.lanes.take().len(), 2);
}

#[tokio::test]
async fn only_the_organisation_sends() {
    let world = World::new();
    let app = world.application("acme").await;
    for path in [format!("/app/{app}/msg"), "/app/nobody/msg".to_owned()] {
        for path in [path.clone(), format!("{path}/batch")] {
            let token = world.token_of(&app, &[]);
            let answer = world.post(&path, "nonsense").token(&token).await;
            answer.refuses(403, "insufficient access");
            let answer = world.post(&path, "nonsense").without_token().await;
            answer.refuses(401, "authentication_failed");
        }
    }
    let kind = SecurityKind::AuthenticationFailed.as_str();
    assert_eq!(world.events.take_kinds(), [kind; 4]);
}

#[tokio::test]
async fn a_path_that_names_nothing_is_refused_before_anything_else() {
    let world = World::new();
    for path in ["/app/a%20b/msg", "/app/a%20b/msg/batch"] {
        let answer = world.post(path, "").without_token().await;
        assert_eq!(answer.broken(), ["path/app_id_or_uid/__all__"]);
    }
    let path = "/app/acme/msg?with_content=yes";
    let answer = world.post(path, "").without_token().await;
    answer.refuses(400, "generic_error");
}

#[tokio::test]
async fn a_message_brings_the_application_that_it_needs() {
    let world = World::new();
    let with =
        |application: Value| json!({ "eventType": "a", "payload": {}, "application": application });
    let absent = world.post("/app/acme/msg", message()).await;
    let detail = absent.refuses(404, "not_found");
    assert_eq!(detail, "Application not found");

    let refusals = [
        (with(json!({ "name": "Acme" })), "application_uid_missing"),
        (
            with(json!({ "name": "Acme", "uid": "other" })),
            "application_uid_mismatch",
        ),
    ];
    for (body, kind) in refusals {
        let answer = world.post("/app/acme/msg", body).await;
        assert_eq!(answer.broken(), ["body/application/uid"]);
        assert_eq!(answer["detail"][0]["type"], kind);
    }

    let body = with(json!({ "name": "Acme", "uid": "acme" }));
    world.post("/app/acme/msg", body).await.is(202);
    assert_eq!(world.get("/app/acme").await.is(200)["name"], "Acme");
    let body = with(json!({ "name": "Other", "uid": "other" }));
    world.post("/app/acme/msg", body).await.is(202);
    assert_eq!(world.get("/app/acme").await.is(200)["name"], "Acme");
    world.get("/app/other").await.is(404);
    let answer = world
        .post("/app/acme/msg", with(json!({ "name": "" })))
        .await;
    assert_eq!(answer.broken(), ["body/application/name"]);
}

#[tokio::test]
async fn every_broken_rule_is_told() {
    let world = World::new();
    let app = world.application("acme").await;
    let body = json!({
        "eventType": "a b", "payload": [], "channels": [], "application": { "name": "" },
    });
    let answer = world.post(format!("/app/{app}/msg"), body).await;
    let expected = [
        "body/eventType/__all__",
        "body/channels",
        "body/payload",
        "body/application/name",
    ];
    assert_eq!(answer.broken(), expected);
    for body in [
        "",
        "{",
        "[]",
        "null",
        "{\"eventType\":\"a\",\"payload\":{}} x",
    ] {
        assert_eq!(
            world.post(format!("/app/{app}/msg"), body).await.broken(),
            ["body//"],
            "{body}"
        );
    }
}

#[tokio::test]
async fn a_payload_beyond_the_limit_is_too_large() {
    let world = World::with(Settings {
        payload_bytes_max: 100,
        ..Settings::default()
    });
    let app = world.application("acme").await;
    let body = json!({ "eventType": "a", "payload": { "a": "x".repeat(100) } });
    let answer = world.post(format!("/app/{app}/msg"), body).await;
    answer.refuses(413, "payload_too_large");
    assert!(answer.text.contains("100 bytes"), "{}", answer.text);
    let world = World::new();
    let app = world.application("acme").await;
    let body = format!("{{\"x\":\"{}\"}}", "x".repeat(2 << 20));
    let answer = world.post(format!("/app/{app}/msg"), body).await;
    answer.refuses(413, "payload_too_large");
}

#[tokio::test]
async fn an_event_id_is_taken_once() {
    let world = World::new();
    let (app, other) = (
        world.application("acme").await,
        world.application("other").await,
    );
    world.message(&app, json!({ "eventId": "order-1" })).await;
    world.message(&other, json!({ "eventId": "order-1" })).await;
    let body = json!({ "eventType": "a", "payload": {}, "eventId": "order-1" });
    let answer = world.post(format!("/app/{app}/msg"), body).await;
    answer.refuses(409, "conflict");
    assert_eq!(world.lanes.granted(), 0);
}

#[tokio::test]
async fn the_same_request_again_is_answered_again_and_done_once() {
    let world = World::new();
    let app = world.application("acme").await;
    world.endpoint(&app, json!({})).await;
    let path = format!("/app/{app}/msg");
    let body = json!({ "eventType": "a", "payload": { "a": 1 }, "eventId": "e" });
    let send = |body: Value| world.post(&path, body).key("auto_1");
    let first = send(body.clone()).await.is(202);
    world.clock.advance(Duration::from_secs(600));
    let again = send(body.clone()).await.is(202);
    assert_eq!(again.body, first.body);
    world.lanes.take_one();
    assert_eq!(world.lanes.granted(), 0);

    let other = send(json!({ "eventType": "b", "payload": {} })).await;
    other.refuses(409, "conflict");
    let quiet = world.post(format!("{path}?with_content=false"), &body);
    let quiet = quiet.key("auto_1").await.is(202);
    assert_eq!(
        (&quiet["id"], &quiet["payload"]),
        (&first["id"], &json!({}))
    );
}

#[tokio::test]
async fn raw_payloads_go_out_as_they_are_with_their_content_type() {
    let world = World::new();
    let app = world.application("acme").await;
    world.endpoint(&app, json!({})).await;
    let cases = [
        (
            "<a>\u{e9}</a>",
            Some("application/xml"),
            json!({ "expired": true }),
        ),
        ("[1, 2]", None, json!([1, 2])),
        ("", Some("text/plain"), json!({ "expired": true })),
    ];
    for (text, content_type, shown) in cases {
        let headers = content_type.map(|content_type| json!({ "content-type": content_type }));
        let params = json!({ "rawPayload": text, "headers": headers });
        let id = world
            .message(&app, json!({ "transformationsParams": params }))
            .await;
        let handed = world.lanes.take_one();
        assert_eq!(handed.payload, text.as_bytes());
        let content_type = content_type.map(str::to_owned);
        assert_eq!(
            handed.claimed.message.message.form,
            PayloadForm::Raw { content_type }
        );
        let read = world.get(format!("/app/{app}/msg/{id}")).await.is(200);
        assert_eq!(read["payload"], shown, "{text}");
    }
}

#[tokio::test]
async fn nothing_is_acknowledged_while_nothing_can_be_stored() {
    let world = World::new();
    let app = world.application("acme").await;
    world.endpoint(&app, json!({})).await;
    world.faults.fail_commits(Some(CommitFault::Write));
    let answer = world.post(format!("/app/{app}/msg"), message()).await;
    answer.refuses(503, "service_unavailable");
    let body = json!({ "messages": [message()] });
    let answer = world.post(format!("/app/{app}/msg/batch"), body).await;
    answer.refuses(503, "service_unavailable");
    assert!(world.lanes.take().is_empty());
    assert_eq!(world.lanes.granted(), 0);
    world.get(format!("/app/{app}/msg")).await.is(200);
}

#[tokio::test]
async fn payloads_that_are_not_encrypted_read_back_all_the_same() {
    let world = World::with(Settings {
        encrypt_payloads: false,
        ..Settings::default()
    });
    let app = world.application("acme").await;
    let id = world.message(&app, json!({})).await;
    let read = world.get(format!("/app/{app}/msg/{id}")).await.is(200);
    assert_eq!(read["payload"], json!({ "total": 12 }));
}

#[tokio::test]
async fn a_payload_is_gone_when_its_time_has_come_removed_or_not() {
    let world = World::new();
    let app = world.application("acme").await;
    let hours = world
        .message(&app, json!({ "payloadRetentionHours": 2 }))
        .await;
    let days = world
        .message(&app, json!({ "payloadRetentionPeriod": 5 }))
        .await;
    let shown =
        async |id: &str| world.get(format!("/app/{app}/msg/{id}")).await.is(200)["payload"].clone();
    let limits = store::work::SweepLimits {
        keep_since: model::Timestamp::MIN,
        rows_max: 100,
    };
    world.clock.advance(DAY);
    assert_eq!(shown(&hours).await, json!({ "expired": true }));
    world.app.store.sweep(limits).await.unwrap();
    assert_eq!(shown(&hours).await, json!({ "expired": true }));
    assert_eq!(shown(&days).await, json!({ "total": 12 }));
}
