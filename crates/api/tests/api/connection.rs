//! How an endpoint's connections are verified, and what they show.

use crate::world::World;
use serde_json::{Value, json};

const CA: &str = "/app/a/endpoint/e/ca";
const MTLS: &str = "/app/a/endpoint/e/mtls";
const CONFIG: &str = "/app/a/endpoint/e/mtls-config";
const PINS: &str = "/app/a/endpoint/e/pins";

const CERTIFICATES: &str = include_str!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../conformance/spki.json"
));
const PKCS12: &str = include_str!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../conformance/pkcs12.json"
));

async fn world() -> World {
    let world = World::new();
    world.application("a").await;
    world.endpoint("a", json!({"uid": "e"})).await;
    world
}

fn text(name: &str, field: &str) -> String {
    let vectors: Value = serde_json::from_str(CERTIFICATES).expect("JSON");
    let text = vectors["certs"][name][field].as_str();
    text.expect("there is one").to_owned()
}

fn pem(names: &[&str]) -> String {
    names.iter().map(|name| text(name, "pem")).collect()
}

/// A client certificate with its issuer and its key.
pub(crate) fn identity() -> Value {
    let chain = pem(&["leaf-p256", "intermediate"]);
    json!({"identity": chain + &text("leaf-p256", "private_key_pkcs8_pem")})
}

#[tokio::test]
async fn authorities_and_the_oldest_tls_are_set_shown_and_taken_away() {
    let world = world().await;
    world.get(CA).await.refuses(404, "not_found");
    let root = pem(&["root"]);
    for (given, shown) in [
        (
            json!({"cert": root}),
            json!({"cert": root, "minTlsVersion": "1.2"}),
        ),
        (
            json!({"minTlsVersion": "1.3"}),
            json!({"cert": null, "minTlsVersion": "1.3"}),
        ),
        (
            json!({"cert": root, "minTlsVersion": "1.3"}),
            json!({"cert": root, "minTlsVersion": "1.3"}),
        ),
    ] {
        world.put(CA, given).await.is(204);
        assert_eq!(world.get(CA).await.is(200).body, shown);
    }
    for usual in [
        json!({}),
        json!({"cert": null}),
        json!({"minTlsVersion": "1.2"}),
    ] {
        world.put(CA, json!({"cert": root})).await.is(204);
        world.put(CA, usual).await.is(204);
        world.get(CA).await.refuses(404, "not_found");
    }
    world.put(CA, json!({"cert": root})).await.is(204);
    world.delete(CA).await.is(204);
    world.get(CA).await.refuses(404, "not_found");
}

#[tokio::test]
async fn who_can_not_be_trusted_is_refused() {
    let world = world().await;
    let with_key = pem(&["root"]) + &text("leaf-p256", "private_key_pkcs8_pem");
    let damaged = pem(&["root"]).replace("MII", "MIJ");
    for cert in ["", "nobody", &with_key, &damaged, &pem(&["root"; 51])] {
        let answer = world.put(CA, json!({"cert": cert})).await;
        assert_eq!(answer.broken(), ["body/cert"], "{cert}");
    }
    for body in [
        json!({"minTlsVersion": "1.1"}),
        json!({"cert": pem(&["root"]), "verify": false}),
    ] {
        assert_eq!(world.put(CA, body).await.status, 422);
    }
    world.get(CA).await.refuses(404, "not_found");
}

#[tokio::test]
async fn a_client_certificate_is_shown_without_its_key() {
    let world = world().await;
    world.get(MTLS).await.refuses(404, "not_found");
    assert_eq!(
        world.get(CONFIG).await.is(200).body,
        json!({"enabled": false})
    );
    world.put(MTLS, identity()).await.is(204);
    let shown = world.get(MTLS).await.is(200).body;
    assert_eq!(shown["identity"], "***");
    let pins = |shown: &Value| {
        let certificates = shown["certificates"].as_array().expect("a list").clone();
        certificates
            .iter()
            .map(|one| one["pin"].clone())
            .collect::<Vec<_>>()
    };
    let expected = ["leaf-p256", "intermediate"].map(|name| Value::from(text(name, "spki_pin")));
    assert_eq!(pins(&shown), expected);
    assert!(shown["certificates"][0]["expiresAt"].is_string(), "{shown}");
    let config = world.get(CONFIG).await.is(200).body;
    assert_eq!(config, json!({"enabled": true, "config": shown}));
    assert!(!config.to_string().contains("PRIVATE"), "{config}");

    let vectors: Value = serde_json::from_str(PKCS12).expect("JSON");
    let until = "2093-01-01T00:00:00Z";
    let pkcs12 = json!({
        "identity": vectors["files"]["aes-256"], "password": "opén", "previousExpiresAt": until,
    });
    world.put(MTLS, pkcs12).await.is(204);
    let shown = world.get(MTLS).await.is(200).body;
    assert_eq!(pins(&shown), expected);
    assert_eq!(shown["previousExpiresAt"], until);

    world.delete(MTLS).await.is(204);
    world.get(MTLS).await.refuses(404, "not_found");
}

#[tokio::test]
async fn what_is_no_client_certificate_is_refused_and_not_repeated() {
    let world = world().await;
    let key = text("leaf-p256", "private_key_pkcs8_pem");
    let other = text("leaf-ed25519", "private_key_pkcs8_pem");
    let in_one_line = (pem(&["leaf-p256"]) + &key).replace('\n', " ");
    let vectors: Value = serde_json::from_str(PKCS12).expect("JSON");
    let pkcs12 = vectors["files"]["aes-256"].as_str().expect("base64");
    for identity in [
        "",
        "nothing",
        "c2VzYW1l",
        &key,
        &pem(&["leaf-p256"]),
        &(pem(&["leaf-p256"]) + &other),
        &in_one_line,
        pkcs12,
    ] {
        let body = json!({"identity": identity, "password": "another"});
        let answer = world.put(MTLS, body).await;
        assert_eq!(answer.broken(), ["body/identity"], "{identity}");
        let told = answer.body.to_string();
        for line in key.lines().filter(|line| line.len() > 40) {
            assert!(!told.contains(&line[..40]), "{told}");
        }
    }
    world.get(MTLS).await.refuses(404, "not_found");
}

#[tokio::test]
async fn pins_are_set_shown_and_taken_away() {
    let world = world().await;
    world.get(PINS).await.refuses(404, "not_found");
    let (one, two) = (text("leaf-p256", "spki_pin"), text("root", "spki_pin"));
    for (given, is_advised) in [
        (json!({"pins": [one, two], "mode": "enforce"}), false),
        (json!({"pins": [one], "mode": "report"}), true),
        (json!({"pins": [], "mode": "firstUse"}), false),
    ] {
        world.put(PINS, given.clone()).await.is(204);
        let mut shown = world.get(PINS).await.is(200).body;
        let fields = shown.as_object_mut().expect("an object");
        assert_eq!(fields.remove("advice").is_some(), is_advised, "{given}");
        assert_eq!(fields.remove("seen"), Some(json!([])));
        assert_eq!(shown, given);
    }
    world.put(PINS, json!({"mode": "firstUse"})).await.is(204);
    world.delete(PINS).await.is(204);
    world.get(PINS).await.refuses(404, "not_found");
}

#[tokio::test]
async fn what_is_no_pin_is_refused() {
    let world = world().await;
    let pin = text("leaf-p256", "spki_pin");
    let many: Vec<String> = (0..21)
        .map(|n| pin.replacen("tT", &format!("{n:02}"), 1))
        .collect();
    for pins in [
        json!([]),
        json!([""]),
        json!(["sha1/AAAAAAAAAAAAAAAAAAAAAAAAAAA="]),
        json!([pin, pin]),
        json!(many),
    ] {
        let answer = world
            .put(PINS, json!({"pins": pins, "mode": "enforce"}))
            .await;
        assert_eq!(answer.broken(), ["body/pins"], "{pins}");
    }
    for body in [
        json!({"pins": [pin]}),
        json!({"mode": "enforce"}),
        json!({"pins": [pin], "mode": "off"}),
        json!({"pins": [pin], "mode": "enforce", "more": 1}),
    ] {
        assert_eq!(world.put(PINS, body).await.status, 422);
    }
    world.get(PINS).await.refuses(404, "not_found");
}

#[tokio::test]
async fn another_origin_gets_no_client_certificate_until_it_is_set_again() {
    let world = World::new();
    let application = world.application("a").await;
    let url = "https://one.customer-site.net/in";
    world.endpoint("a", json!({"uid": "e", "url": url})).await;
    let token = world.token_of(&application, &[]);
    let root = json!({"cert": pem(&["root"])});
    let pin = json!({"pins": [text("root", "spki_pin")], "mode": "firstUse"});
    for (path, body) in [(MTLS, identity()), (CA, root), (PINS, pin)] {
        world.put(path, body).token(&token).await.is(204);
    }
    let url = json!({"url": "https://two.customer-site.net/in"});
    let moved = world.patch("/app/a/endpoint/e", url).token(&token).await;
    assert_eq!(moved.is(200)["held"]["code"], "credentials_withdrawn");
    world.get(MTLS).await.refuses(404, "not_found");
    world.get(CA).await.is(200);
    assert_eq!(world.get(PINS).await["pins"], json!([]), "it is taken anew");
    world.put(MTLS, identity()).token(&token).await.is(204);
    let endpoint = world.get("/app/a/endpoint/e").await;
    assert_eq!(endpoint["held"], Value::Null);
}
