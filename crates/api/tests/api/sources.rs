//! Sources: made, looked up, changed, given another URL and deleted; what of a configuration is
//! refused, and what is never shown.

use crate::tokens::api_key;
use crate::world::{World, merged};
use app::Settings;
use model::security::{SecurityKind, Subject, SubjectKind};
use serde_json::{Value, json};
use std::sync::Arc;

pub(crate) const SOURCES: &str = "/ingest/api/v1/source";

pub(crate) fn one(id: &str) -> String {
    format!("{SOURCES}/{id}")
}

pub(crate) fn stripe(uid: &str) -> Value {
    json!({
        "name": "Payments", "uid": uid, "type": "stripe",
        "config": { "secret": "whsec_of_stripe" }, "metadata": { "team": "billing" },
    })
}

pub(crate) async fn make(world: &World, body: &Value) -> Value {
    world.post(SOURCES, body).await.is(201).body
}

pub(crate) fn token(source: &Value) -> String {
    let url = source["ingestUrl"].as_str().expect("a URL");
    let token = url.strip_prefix("http://127.0.0.1:8071/in/");
    token.expect("below the public URL").to_owned()
}

#[tokio::test]
async fn a_source_is_shown_with_its_url_and_without_its_secrets() {
    let world = World::new();
    let made = world.post(SOURCES, stripe("pay")).await.is(201);
    let (id, token) = (made.text("id"), token(&made.body));
    assert!(id.starts_with("src_"), "{id}");
    assert!(token.len() == 64 && token.bytes().all(|byte| byte.is_ascii_hexdigit()));
    let expected = json!({
        "id": id, "uid": "pay", "name": "Payments", "type": "stripe", "config": {},
        "ingestUrl": format!("http://127.0.0.1:8071/in/{token}"), "replayProtection": "age",
        "metadata": { "team": "billing" },
        "createdAt": made["createdAt"], "updatedAt": made["updatedAt"],
    });
    assert_eq!(made.body, expected);
    for path in ["pay", &id] {
        assert_eq!(world.get(one(path)).await.is(200).body, expected);
    }
    let listed = world.get(SOURCES).await.is(200);
    assert_eq!(listed.rows(), [expected]);
    assert!(!listed.text.contains("whsec_of_stripe"));
    let found = world.app.source_by_token(&token).expect("it opens");
    let found = found.expect("it is known by its token");
    assert_eq!(found.config.secrets[0].expose(), b"whsec_of_stripe");
}

#[tokio::test]
async fn the_token_in_its_url_is_shown_to_whoever_may_write_sources() {
    let world = World::new();
    let made = make(&world, &stripe("pay")).await;
    let scopes: [(&[&str], bool); 7] = [
        (&["ingest:read"], false),
        (&["*:read"], false),
        (&["role:viewer"], false),
        (&["role:operator"], false),
        (&["role:viewer", "ingest:write"], true),
        (&["ingest:read", "ingest:write"], true),
        (&["role:admin"], true),
    ];
    for (scopes, shown) in scopes {
        let scopes: Vec<_> = scopes.iter().map(|scope| (*scope).to_owned()).collect();
        let key = api_key(&world, &scopes.iter().collect::<Vec<_>>()).await;
        let noted = reads(&world).await;
        let expected = match shown {
            true => made["ingestUrl"].clone(),
            false => Value::Null,
        };
        let one = world.get(one("pay")).token(&key).await.is(200);
        assert_eq!(one["ingestUrl"], expected, "{scopes:?}");
        let listed = world.get(SOURCES).token(&key).await.is(200);
        assert_eq!(listed.rows()[0]["ingestUrl"], expected, "{scopes:?}");
        let read = if shown { 2 } else { 0 };
        assert_eq!(reads(&world).await, noted + read, "{scopes:?}");
    }
}

/// How often the audit log says that such a token was shown.
async fn reads(world: &World) -> usize {
    let list = world.get("/audit?action=source.token_read&limit=250").await;
    list.is(200).rows().len()
}

#[tokio::test]
async fn sources_are_listed_by_age_and_in_pages() {
    let world = World::new();
    let mut ids = Vec::new();
    for uid in ["a", "b", "c"] {
        let made = make(&world, &stripe(uid)).await;
        ids.push(made["id"].as_str().expect("an id").to_owned());
    }
    let first = world.get(format!("{SOURCES}?limit=2")).await.is(200);
    assert_eq!(first.column("id"), ids[..2]);
    let next = format!("{SOURCES}?limit=2&iterator={}", first.text("iterator"));
    let second = world.get(next).await.is(200);
    assert_eq!(second.column("id"), ids[2..]);
    assert_eq!(second["done"], true);
    let newest = format!("{SOURCES}?order=descending&limit=1");
    assert_eq!(world.get(newest).await.column("id"), ids[2..]);
}

#[tokio::test]
async fn the_same_request_makes_one_source_and_is_answered_the_same() {
    let world = World::new();
    let post = || world.post(SOURCES, stripe("pay")).key("k");
    let first = post().await.is(201);
    assert_eq!(post().await.is(201).body, first.body);
    assert_eq!(world.get(SOURCES).await.rows().len(), 1);
    world.post(SOURCES, stripe("other")).key("k").await.is(409);
    world.post(SOURCES, stripe("pay")).await.is(409);
}

#[tokio::test]
async fn a_source_written_anew_keeps_its_url_and_nothing_else() {
    let world = World::new();
    let made = make(&world, &stripe("pay")).await;
    let body = json!({ "name": "Code", "type": "github", "config": {
        "secret": "another", "rateLimit": 10, "allowAddresses": ["192.0.2.7", "2001:db8::/32"],
        "eventType": { "header": "X-GitHub-Event" },
    }});
    let put = world.put(one("pay"), &body).await.is(200);
    assert_eq!(
        (&put["id"], &put["ingestUrl"]),
        (&made["id"], &made["ingestUrl"])
    );
    assert_eq!((&put["uid"], &put["metadata"]), (&Value::Null, &json!({})));
    assert_eq!(
        (put.text("name"), put.text("type")),
        ("Code".into(), "github".into())
    );
    assert_eq!(put.text("replayProtection"), "memory");
    let config = json!({
        "rateLimit": 10, "allowAddresses": ["192.0.2.7/32", "2001:db8::/32"],
        "eventType": { "header": "X-GitHub-Event" },
    });
    assert_eq!(put["config"], config);
    world.get(one("pay")).await.is(404);
    let new = world.put(one("pay"), stripe("elsewhere")).await.is(201);
    assert_ne!(new["id"], made["id"]);
    world.get(one("elsewhere")).await.is(200);
}

#[tokio::test]
async fn a_patch_changes_names_and_notes_alone() {
    let world = World::new();
    let made = make(&world, &stripe("pay")).await;
    let patch = json!({ "name": "Money", "uid": null, "metadata": {} });
    let patched = world.patch(one("pay"), patch).await.is(200);
    let expected = merged(
        made,
        json!({
            "name": "Money", "uid": null, "metadata": {}, "updatedAt": patched["updatedAt"],
        }),
    );
    assert_eq!(patched.body, expected);
    let id = patched.text("id");
    let kept = world.patch(one(&id), "{}").await.is(200);
    assert_eq!(kept["name"], "Money");
    for wrong in [
        json!({ "name": "x" }),
        json!({ "uid": "src_x" }),
        json!({ "uid": "a.b" }),
        json!({ "uid": "x".repeat(61) }),
        json!({ "name": null }),
    ] {
        world.patch(one(&id), wrong).await.is(422);
    }
    world
        .patch(one("nobody"), "{}")
        .await
        .refuses(404, "not_found");
}

#[tokio::test]
async fn the_url_before_leads_nowhere_once_there_is_another() {
    let world = World::new();
    let made = make(&world, &stripe("pay")).await;
    let rotate = || world.post(one("pay/token/rotate"), "").key("k");
    let rotated = rotate().await.is(200);
    assert_ne!(rotated["ingestUrl"], made["ingestUrl"]);
    let known = |url: &Value| {
        let token = token(&json!({ "ingestUrl": url }));
        world
            .app
            .source_by_token(&token)
            .expect("it opens")
            .is_some()
    };
    assert!(!known(&made["ingestUrl"]) && known(&rotated["ingestUrl"]));
    assert_eq!(rotate().await.is(200).body, rotated.body);
    let shown = world.get(one("pay")).await.is(200);
    assert_eq!(shown["ingestUrl"], rotated["ingestUrl"]);
    let id = made["id"].as_str().expect("an id");
    let told = world.events.take();
    let told: Vec<_> = told
        .iter()
        .map(|event| (event.kind, &event.subject))
        .collect();
    let subject = Subject::new(SubjectKind::Source, id);
    assert_eq!(told, [(SecurityKind::SecretRotated, &subject)]);
}

#[tokio::test]
async fn a_deleted_source_takes_its_own_application_with_it_and_no_other() {
    let world = World::new();
    let app = world.application("acme").await;
    let own = make(&world, &stripe("own")).await;
    let config = json!({ "config": { "secret": "s", "appId": "acme" } });
    let named = make(&world, &merged(stripe("named"), config)).await;
    assert_eq!(named["appId"], app.as_str());
    let hook = json!({ "url": "https://example.com/hook" });
    for uid in ["own", "named"] {
        world.post(one(uid) + "/endpoint", &hook).await.is(201);
    }
    let own = own["id"].as_str().expect("an id");
    let endpoints = world.get(format!("/app/{own}/endpoint")).await.is(200);
    assert_eq!(endpoints.rows().len(), 1);
    for uid in ["own", "named"] {
        world.delete(one(uid)).await.is(204);
        world.get(one(uid)).await.refuses(404, "not_found");
        world.delete(one(uid)).await.refuses(404, "not_found");
    }
    world.get(format!("/app/{own}")).await.is(404);
    let endpoints = world.get("/app/acme/endpoint").await.is(200);
    assert_eq!(endpoints.rows().len(), 1);
    assert!(
        world
            .app
            .source_by_token(&token(&named))
            .is_ok_and(|none| none.is_none())
    );
}

#[tokio::test]
async fn a_sources_endpoints_are_those_of_its_application() {
    let world = World::new();
    world.application("acme").await;
    let config = json!({ "config": { "secret": "s", "appId": "acme" } });
    make(&world, &merged(stripe("pay"), config)).await;
    let at = |path: &str| format!("{}/endpoint{path}", one("pay"));
    let body = json!({
        "url": "https://example.com/hook", "uid": "hook", "throttleRate": 5,
        "headers": { "x-tenant": "7", "x-api-key": "sesame" },
    });
    let made = world.post(at(""), &body).await.is(201);
    let expected = json!({
        "id": made["id"], "uid": "hook", "url": "https://example.com/hook", "description": "",
        "disabled": false, "throttleRate": 5, "metadata": {},
        "createdAt": made["createdAt"], "updatedAt": made["updatedAt"],
    });
    assert_eq!(made.body, expected);
    assert_eq!(world.get(at("/hook")).await.is(200).body, expected);
    assert_eq!(world.get(at("")).await.is(200).rows(), [expected]);
    let there = world.get("/app/acme/endpoint/hook").await.is(200);
    assert_eq!(there["id"], made["id"]);
    let headers = world.get(at("/hook/headers")).await.is(200);
    let there = world.get("/app/acme/endpoint/hook/headers").await.is(200);
    assert_eq!(headers.body, there.body);
    let other = json!({ "headers": { "x-other": "1" } });
    world.put(at("/hook/headers"), &other).await.is(204);
    let headers = world.get(at("/hook/headers")).await.is(200);
    assert_eq!(headers["headers"], other["headers"]);
    let secret = world.get(at("/hook/secret")).await.is(200).text("key");
    world.post(at("/hook/secret/rotate"), "{}").await.is(204);
    let next = world.get("/app/acme/endpoint/hook/secret").await.is(200);
    assert_ne!(next.text("key"), secret);
    let moved = json!({ "url": "https://example.com/other", "uid": "hook" });
    let put = world.put(at("/hook"), &moved).await.is(200);
    assert_eq!(
        (&put["url"], &put["throttleRate"]),
        (&moved["url"], &Value::Null)
    );
    world.delete(at("/hook")).await.is(204);
    world.get(at("/hook")).await.is(404);
}

#[tokio::test]
async fn the_portal_opens_for_the_sources_application() {
    let world = World::new();
    let made = make(&world, &stripe("pay")).await;
    let body = json!({ "expiry": 3_600, "readOnly": true });
    let access = world.post(one("pay/dashboard"), body).await.is(200);
    let own = made["id"].as_str().expect("an id");
    let there = format!("/app/{own}/endpoint");
    let token = access.text("token");
    world.get(&there).token(&token).await.is(200);
    let hook = json!({ "url": "https://example.com/hook" });
    let refused = world.post(&there, hook).token(&token).await;
    refused.refuses(403, "insufficient access");
    world.get(one("pay")).token(&token).await.is(403);
}

/// Each configuration of a type is refused, with this place.
async fn refused(source_type: &str, cases: &[(Value, &str)]) {
    let world = World::new();
    for (config, place) in cases {
        let body = json!({ "name": "one", "type": source_type, "config": config });
        let refused = world.post(SOURCES, &body).await.is(422);
        let broken = refused["detail"].as_array().expect("broken rules").iter();
        let place_of = |one: &Value| {
            let names = one["loc"].as_array().expect("names").iter();
            let names: Vec<_> = names.filter_map(Value::as_str).collect();
            names[1..].join(".")
        };
        let places: Vec<_> = broken.map(place_of).collect();
        assert!(places.iter().any(|one| one == place), "{body}: {refused:?}");
    }
    assert_eq!(world.get(SOURCES).await.rows(), [] as [Value; 0]);
}

#[tokio::test]
async fn nothing_is_taken_unverified_by_mistake() {
    let cases = [
        (json!({}), "config.unverified"),
        (json!({ "rateLimit": 5 }), "config.unverified"),
        (json!({ "unverified": false }), "config.unverified"),
        (
            json!({ "secret": "a", "unverified": true }),
            "config.unverified",
        ),
        (json!({ "secret": "" }), "config.secrets"),
        (json!({ "secrets": vec!["secret"; 11] }), "config.secrets"),
        (json!({ "secret": "a", "secrets": ["b"] }), "config.secret"),
        (json!({ "secret": "a", "colour": "red" }), "config.colour"),
    ];
    refused("stripe", &cases).await;
    refused(
        "generic-webhook",
        &[(json!({ "secret": "a" }), "config.signature")],
    )
    .await;
    refused("meta", &[(json!({ "secret": "a" }), "config.verifyToken")]).await;
    refused(
        "svix",
        &[(json!({ "secret": "no base64" }), "config.secret")],
    )
    .await;
    refused("nobody", &[(json!({}), "type")]).await;
}

#[tokio::test]
async fn what_a_configuration_says_has_bounds_and_a_meaning() {
    let cases = [
        (json!({ "rateLimit": 0 }), "config.rateLimit"),
        (
            json!({ "toleranceSeconds": 86_401 }),
            "config.toleranceSeconds",
        ),
        (
            json!({ "replayWindowSeconds": 7_776_001 }),
            "config.replayWindowSeconds",
        ),
        (
            json!({ "allowAddresses": ["192.0.2.0/24", "x"] }),
            "config.allowAddresses[1]",
        ),
        (json!({ "appId": "nobody" }), "config.appId"),
        (json!({ "eventType": {} }), "config.eventType"),
        (
            json!({ "eventType": { "header": "a", "always": "b" } }),
            "config.eventType",
        ),
        (
            json!({ "eventType": { "pointer": "x" } }),
            "config.eventType",
        ),
        (
            json!({ "eventType": { "header": "a b" } }),
            "config.eventType",
        ),
        (json!({ "encryption": {} }), "config.encryption.privateJwks"),
        (
            json!({ "encryption": { "privateJwk": {} } }),
            "config.encryption",
        ),
        // Of other types.
        (
            json!({ "timestampGraceSeconds": 5 }),
            "config.timestampGraceSeconds",
        ),
        (json!({ "schedule": "* * * * *" }), "config.schedule"),
        (json!({ "verifyToken": "a" }), "config.verifyToken"),
        (json!({ "publicKey": "a" }), "config.publicKey"),
        (json!({ "clientId": "a" }), "config.clientId"),
    ];
    let secret = json!({ "secret": "a" });
    let cases = cases.map(|(config, place)| (merged(secret.clone(), config), place));
    refused("stripe", &cases).await;
}

#[tokio::test]
async fn credentials_that_nobody_could_show_are_refused() {
    let key = |key: &str| json!({ "type": "httpSignature", "algorithm": "ed25519", "key": key });
    let cases = [
        (
            json!({ "type": "basic", "username": "a:b", "password": "c" }),
            "config.auth.username",
        ),
        (
            json!({ "type": "bearer", "token": "a b" }),
            "config.auth.token",
        ),
        (json!({ "type": "mtls", "ca": "none" }), "config.auth.ca"),
        (
            key("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
            "config.auth.key",
        ),
        (key("whpk_x"), "config.auth.key"),
        (json!({ "type": "magic" }), "config.auth.type"),
    ];
    let cases = cases.map(|(auth, place)| (json!({ "auth": auth }), place));
    refused("stripe", &cases).await;
}

#[tokio::test]
async fn a_schedule_that_makes_nothing_is_refused() {
    let minutely = |payload: &str| json!({ "schedule": "* * * * *", "payload": payload });
    let cases = [
        (
            json!({ "schedule": "* * * *", "payload": "{}" }),
            "config.schedule",
        ),
        (
            json!({ "schedule": "0 0 30 2 *", "payload": "{}" }),
            "config.schedule",
        ),
        (json!({ "payload": "{}" }), "config.schedule"),
        (json!({ "schedule": "* * * * *" }), "config.payload"),
        (minutely(""), "config.payload"),
        (minutely("no JSON"), "config.payload"),
        (
            merged(minutely("x"), json!({ "contentType": "a\nb" })),
            "config.contentType",
        ),
        (
            merged(minutely("{}"), json!({ "secret": "a" })),
            "config.secrets",
        ),
        (
            merged(minutely("{}"), json!({ "eventType": { "header": "a" } })),
            "config.eventType",
        ),
    ];
    refused("cron", &cases).await;
}

#[tokio::test]
async fn a_type_whose_scheme_is_not_known_says_so() {
    let world = World::new();
    let body = json!({ "name": "one", "type": "vgs", "config": { "secret": "a" } });
    let told = world
        .post(SOURCES, body)
        .await
        .refuses(501, "not_implemented");
    assert!(told.contains("generic-webhook"), "{told}");
    let body = json!({ "name": "one", "type": "twilio", "config": { "secret": "a" } });
    world.post(SOURCES, &body).await.is(422);
    let settings = Settings {
        public_url: Some("https://hooks.example.com".to_owned()),
        ..Settings::default()
    };
    World::with(settings).post(SOURCES, &body).await.is(201);
}

#[tokio::test]
async fn every_part_of_a_configuration_is_shown_as_far_as_it_is_no_secret() {
    let world = World::new();
    let signature = json!({
        "scheme": "generic", "header": "x-signature", "hash": "sha256", "encoding": "hex",
        "prefix": "sha256=", "template": "{timestamp}.{body}", "timestampHeader": "x-time",
    });
    let config = json!({
        "signature": merged(signature.clone(), json!({ "secret": "sesame-1" })),
        "secrets": ["sesame-1", "sesame-2"], "toleranceSeconds": 60,
        "replayWindowSeconds": 3_600, "keepRefused": true,
        "auth": { "type": "apiKey", "in": "header", "name": "x-key", "value": "sesame-3-and-much-more" },
        "eventType": { "pointer": "/kind" },
    });
    let body = json!({ "name": "Own", "type": "generic-webhook", "config": config });
    let made = world.post(SOURCES, body).await.is(201);
    let expected = json!({
        "signature": signature, "toleranceSeconds": 60, "replayWindowSeconds": 3_600,
        "keepRefused": true, "eventType": { "pointer": "/kind" },
        "auth": { "type": "apiKey", "in": "header", "name": "x-key", "value": "***more" },
    });
    assert_eq!(made["genericConfig"], expected);
    assert!(!made.text.contains("sesame"), "{}", made.text);
    let open =
        json!({ "name": "Open", "type": "generic-webhook", "config": { "unverified": true } });
    let made = world.post(SOURCES, open).await.is(201);
    assert_eq!(
        (&made["unverified"], &made["genericConfig"]),
        (&json!(true), &json!({}))
    );
    // The published crate refuses to read a `config` of this type.
    assert!(made.body.get("config").is_none(), "{}", made.text);
    assert_eq!(made["replayProtection"], "none");
}

#[tokio::test]
async fn what_the_contract_names_otherwise_is_taken_by_its_name() {
    let world = World::new();
    let key = "e4zSoRjUGzfA8dzGSPmS6HBDVbQfPR6+y1ZxWIrpU4Y=";
    for (source_type, config, shown) in [
        ("adobe-sign", json!({ "clientId": "a" }), json!({})),
        (
            "telnyx",
            json!({ "publicKey": key }),
            json!({ "publicKey": key }),
        ),
        (
            "tailscale",
            json!({ "secret": "a", "timestampGraceSeconds": 60 }),
            json!({ "toleranceSeconds": 60 }),
        ),
        (
            "meta",
            json!({ "secret": "a", "verifyToken": "b" }),
            json!({}),
        ),
    ] {
        let body = json!({ "name": "one", "type": source_type, "config": config });
        let made = world.post(SOURCES, &body).await.is(201);
        assert_eq!(made["config"], shown, "{source_type}");
    }
}

#[tokio::test]
async fn a_schedule_has_no_url() {
    let world = World::new();
    let config = json!({ "schedule": "0 3 * * *", "payload": "{}", "contentType": "text/plain" });
    let body = json!({ "name": "Nightly", "uid": "night", "type": "cron", "config": config });
    let made = world.post(SOURCES, &body).await.is(201);
    assert_eq!(
        (&made["config"], &made["ingestUrl"]),
        (&config, &Value::Null)
    );
    let rotated = world.post(one("night/token/rotate"), "").await;
    rotated.refuses(400, "no_ingest_url");
}

#[tokio::test]
async fn a_source_that_can_not_be_used_any_more_says_why_and_can_be_deleted() {
    let settings = Settings {
        public_url: Some("https://hooks.example.com".to_owned()),
        ..Settings::default()
    };
    let mut world = World::with(settings);
    let body = json!({ "name": "Calls", "type": "twilio", "config": { "secret": "a" } });
    let made = world.post(SOURCES, body).await.is(201);
    assert_eq!(made["unusable"], Value::Null);
    world.app.settings = Arc::default();
    world.door = api::open(world.app.clone(), api::ApiConfig::default());
    let listed = world.get(SOURCES).await.is(200);
    let why = listed["data"][0]["unusable"].as_str().expect("a reason");
    assert!(why.contains("--public-url"), "{why}");
    world.delete(one(&made.text("id"))).await.is(204);
}
