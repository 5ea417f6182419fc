//! What the operator demands of endpoints: who may say so, what endpoints say that lack it, and
//! what applications' tokens can't undo.

use crate::world::World;
use serde_json::{Value, json};

const POLICY: &str = "/environment/policy";
const ENDPOINT: &str = "/app/a/endpoint/e";
const JWK: &str = r#"{"kty":"OKP","crv":"X25519","kid":"b",
    "x":"J_bYB6Kp7PRFm89Bg4SeAaMOPefnaPRtNuNH-ZjYbg8"}"#;
const PIN: &str = "sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

/// An endpoint that has nothing set, and a token of its application's.
async fn world() -> (World, String) {
    let world = World::new();
    let application = world.application("a").await;
    let url = "https://one.customer-site.net/in";
    let endpoint = json!({"uid": "e", "url": url, "eventTypes": ["order.paid"]});
    for name in ["order.paid", "order.sent"] {
        let event_type = json!({"name": name, "description": ""});
        world.post("/event-type", event_type).await.is(201);
    }
    world.endpoint("a", endpoint).await;
    let token = world.token_of(&application, &[]);
    (world, token)
}

async fn demand(world: &World, require: Value, event_types: Value) {
    let policy = json!({"require": require, "eventTypes": event_types});
    world.put(POLICY, &policy).await.is(204);
    assert_eq!(world.get(POLICY).await.is(200).body, policy);
}

/// Why nothing is sent, where it is for the policy; else nothing.
async fn unmet(world: &World) -> Option<String> {
    let held = world.get(ENDPOINT).await.is(200).body["held"].clone();
    let detail = held.as_object()?["detail"].as_str();
    assert_eq!(held["code"], "policy_unmet");
    detail.map(str::to_owned)
}

/// Each part that can be demanded, with a body that meets the demand.
fn parts() -> [(&'static str, Value); 4] {
    let jwk: Value = serde_json::from_str(JWK).expect("it is JSON");
    [
        ("encryption", json!({"jwk": jwk})),
        ("auth", json!({"type": "bearer", "token": "sesame"})),
        ("pins", json!({"pins": [PIN], "mode": "enforce"})),
        (
            "redaction",
            json!({"rules": [{"path": "/email", "action": "drop"}]}),
        ),
    ]
}

#[tokio::test]
async fn a_policy_is_shown_as_it_was_set_and_there_is_none_at_first() {
    let (world, token) = world().await;
    let none = json!({"require": [], "eventTypes": {}});
    assert_eq!(world.get(POLICY).await.is(200).body, none);
    world.put(POLICY, json!({})).await.is(204);
    assert_eq!(world.get(POLICY).await.is(200).body, none);
    demand(
        &world,
        json!(["encryption", "auth", "pins", "verification", "redaction"]),
        json!({"not.there": ["pins"], "order.paid": []}),
    )
    .await;
    for refused in [
        world.get(POLICY).token(&token).await,
        world.put(POLICY, json!({})).token(&token).await,
    ] {
        refused.refuses(403, "insufficient access");
    }
}

#[tokio::test]
async fn what_can_not_be_demanded_is_refused() {
    let (world, _) = world().await;
    let mut many = serde_json::Map::new();
    for number in 0..=1_000 {
        many.insert(format!("type.{number}"), json!([]));
    }
    for (policy, broken) in [
        (json!({"require": ["tls"]}), "body/require[0]"),
        (json!({"require": "pins"}), "body/require"),
        (
            json!({"eventTypes": {"x": ["Pins"]}}),
            "body/eventTypes/x[0]",
        ),
        (
            json!({"eventTypes": {"a b": []}}),
            "body/eventTypes/a b/__all__",
        ),
        (json!({"eventTypes": many}), "body/eventTypes"),
        (json!({"required": ["pins"]}), "body/required"),
    ] {
        let refused = world.put(POLICY, &policy).await;
        assert_eq!(refused.broken(), [broken], "{policy}");
    }
}

#[tokio::test]
async fn an_endpoint_says_what_it_lacks_until_it_has_it() {
    let (world, token) = world().await;
    assert_eq!(unmet(&world).await, None);
    for (part, body) in parts() {
        demand(&world, json!([part]), json!({})).await;
        let detail = unmet(&world).await.expect("it lacks something");
        assert!(detail.contains(&format!("not have: {part}:")), "{detail}");
        let path = format!("{ENDPOINT}/{part}");
        world.put(&path, body).token(&token).await.is(204);
        assert_eq!(unmet(&world).await, None);
    }
    let all = json!(["encryption", "auth", "pins", "redaction"]);
    demand(
        &world,
        json!([]),
        json!({"order.sent": all, "order.paid": all}),
    )
    .await;
    assert_eq!(unmet(&world).await, None);
    world.delete(format!("{ENDPOINT}/pins")).await.is(204);
    let detail = unmet(&world).await.expect("it lacks something");
    let lacks = "not have: pins for messages of type order.paid: ";
    assert!(detail.contains(lacks), "{detail}");
}

#[tokio::test]
async fn any_way_to_authenticate_will_do_and_pins_that_are_only_reported_will_not() {
    let (world, _) = world().await;
    demand(&world, json!(["auth", "pins"]), json!({})).await;
    let oauth = json!({
        "tokenUrl": "https://login.customer-site.net/", "grantType": "clientCredentials",
        "clientId": "c", "authMethod": "clientSecretBasic", "clientSecret": "sesame",
    });
    world.put(format!("{ENDPOINT}/oauth"), oauth).await.is(204);
    let path = format!("{ENDPOINT}/pins");
    let report = json!({"pins": [PIN], "mode": "report"});
    world.put(&path, report).await.is(204);
    let detail = unmet(&world).await.expect("it lacks something");
    assert!(detail.contains("not have: pins:"), "{detail}");
    world.put(&path, json!({"mode": "firstUse"})).await.is(204);
    assert_eq!(unmet(&world).await, None);
}

#[tokio::test]
async fn an_application_s_token_can_not_undo_what_is_demanded() {
    let (world, token) = world().await;
    for (part, body) in parts() {
        let path = format!("{ENDPOINT}/{part}");
        world.put(path, body).await.is(204);
    }
    let rules = |rules: &[&str]| {
        let rule = |path: &&str| json!({"path": path, "action": "drop"});
        json!({"rules": rules.iter().map(rule).collect::<Vec<_>>()})
    };
    let weaker = [
        ("pins", json!({"pins": [PIN], "mode": "report"})),
        ("redaction", rules(&[])),
        ("redaction", rules(&["/other"])),
        (
            "redaction",
            json!({"rules": [{"path": "/email", "action": "mask", "keepLast": 60}]}),
        ),
    ];
    // For some messages only: it holds for the endpoint all the same.
    let some = json!({"order.refunded": ["encryption", "auth", "pins", "redaction"]});
    demand(&world, json!([]), some).await;
    for (part, body) in weaker.clone() {
        let put = world.put(format!("{ENDPOINT}/{part}"), &body);
        let refused = put.token(&token).await;
        refused.refuses(409, "demanded_by_policy");
    }
    for (part, body) in parts() {
        let path = format!("{ENDPOINT}/{part}");
        let refused = world.delete(&path).token(&token).await;
        refused.refuses(409, "demanded_by_policy");
        // The same again is no weaker, and keys and credentials are their owner's to change.
        world.put(&path, body).token(&token).await.is(204);
    }
    let more = rules(&["/name", "/email"]);
    let path = format!("{ENDPOINT}/redaction");
    world.put(&path, more).token(&token).await.is(204);
    // What an organisation does is done, and what nobody demands is the application's own.
    for (part, body) in weaker {
        world.put(format!("{ENDPOINT}/{part}"), body).await.is(204);
    }
    demand(&world, json!([]), json!({})).await;
    for (part, _) in parts() {
        let path = format!("{ENDPOINT}/{part}");
        world.delete(&path).token(&token).await.is(204);
    }
}

#[tokio::test]
async fn what_is_demanded_is_in_memory_as_it_was_written() {
    let (world, _) = world().await;
    let paid = "order.paid".parse().expect("it is a name");
    let demanded = async |world: &World| {
        let policy = world.app.registry.policy().await;
        policy.expect("it can be read").demanded(&paid).to_string()
    };
    assert_eq!(demanded(&world).await, "");
    demand(&world, json!(["pins"]), json!({"order.paid": ["auth"]})).await;
    assert_eq!(demanded(&world).await, "auth, pins");
    demand(&world, json!([]), json!({})).await;
    assert_eq!(demanded(&world).await, "");
}
