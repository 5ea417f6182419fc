//! How an endpoint's deliveries come by an access token.

use crate::world::{World, merged};
use serde_json::{Value, json};

const PATH: &str = "/app/a/endpoint/e/oauth";
const STATE: &str = "/app/a/endpoint/e/oauth-config";
const SECRET: &str = "0123456789-s3cr3t";

async fn world() -> World {
    let world = World::new();
    world.application("a").await;
    world.endpoint("a", json!({"uid": "e"})).await;
    world
}

fn config() -> Value {
    json!({
        "tokenUrl": "https://login.customer-site.net/token", "clientId": "postrider",
        "authMethod": "clientSecretBasic", "clientSecret": SECRET,
        "grantType": "clientCredentials",
    })
}

fn with(fields: Value) -> Value {
    merged(config(), fields)
}

#[tokio::test]
async fn a_client_is_shown_with_its_secrets_masked() {
    let world = world().await;
    world.get(PATH).await.refuses(404, "not_found");
    let off = json!({"enabled": false, "config": null});
    assert_eq!(world.get(STATE).await.is(200).body, off);

    let given = with(json!({
        "authMethod": "clientSecretPost", "grantType": "refreshToken", "refreshToken": "short",
        "scopes": ["hooks", "read"], "extraParams": {"audience": "hooks"},
        "extraHeaders": {"X-Shop": "1", "X-Api-Key": SECRET},
    }));
    world.put(PATH, given.clone()).await.is(204);
    let mut shown = given;
    shown["clientSecret"] = "***cr3t".into();
    shown["refreshToken"] = "***".into();
    shown["extraHeaders"]["X-Api-Key"] = "***cr3t".into();
    assert_eq!(world.get(PATH).await.is(200).body, shown);
    let on = json!({"enabled": true, "config": shown});
    assert_eq!(world.get(STATE).await.is(200).body, on);

    // What it does not use is not kept.
    let nulls = json!({"scopes": null, "extraParams": null, "extraHeaders": null});
    let given = with(json!({"refreshToken": "unused", "jwtParams": null}));
    let given = merged(given, nulls);
    world.put(PATH, given).await.is(204);
    let mut shown = with(json!({"scopes": [], "extraParams": {}, "extraHeaders": {}}));
    shown["clientSecret"] = "***cr3t".into();
    assert_eq!(world.get(PATH).await.is(200).body, shown);

    world.delete(PATH).await.is(204);
    world.get(PATH).await.refuses(404, "not_found");
    assert_eq!(world.get(STATE).await.is(200).body, off);
}

#[tokio::test]
async fn the_client_before_is_kept_for_as_long_as_is_said() {
    let world = world().await;
    let until = json!("2093-01-01T00:00:00Z");
    let overlapping = with(json!({"previousExpiresAt": until}));
    // There is none before the first.
    for (given, kept) in [
        (overlapping.clone(), Value::Null),
        (overlapping, until),
        (
            with(json!({"previousExpiresAt": "2001-01-01T00:00:00Z"})),
            Value::Null,
        ),
        (config(), Value::Null),
    ] {
        world.put(PATH, given).await.is(204);
        assert_eq!(world.get(PATH).await["previousExpiresAt"], kept);
    }
}

#[tokio::test]
async fn what_no_token_can_be_asked_for_with_is_refused_without_repeating_a_secret() {
    let world = world().await;
    let key = |text: &str| json!({"secretBase64": text, "signingAlgorithm": "RS256"});
    let url = "body/tokenUrl";
    let jwt = "clientSecretJwt";
    let in_key = "body/jwtParams/secretBase64";
    let cases = [
        (json!({"tokenUrl": "http://login.customer-site.net/"}), url),
        (
            json!({"tokenUrl": "https://a:b@login.customer-site.net/"}),
            url,
        ),
        (json!({"tokenUrl": "https://169.254.169.254/"}), url),
        (json!({"tokenUrl": "https://private.example.com/"}), url),
        (json!({"tokenUrl": "token"}), url),
        (json!({"clientId": ""}), "body/clientId"),
        (json!({"clientSecret": null}), "body/clientSecret"),
        (json!({"clientSecret": ""}), "body/clientSecret"),
        (json!({"grantType": "refreshToken"}), "body/refreshToken"),
        (json!({"authMethod": jwt}), "body/jwtParams"),
        (json!({"authMethod": jwt, "jwtParams": key(SECRET)}), in_key),
        (
            json!({"authMethod": jwt, "jwtParams": key("MDEyMzQ1Njc4OQ==")}),
            in_key,
        ),
        (
            json!({"extraParams": {"client_secret": "x"}}),
            "body/extraParams",
        ),
        (
            json!({"extraHeaders": {"authorization": "x"}}),
            "body/extraHeaders",
        ),
        (json!({"extraHeaders": {"x": "a\nb"}}), "body/extraHeaders"),
        (json!({"scopes": ["x".repeat(40_000)]}), "body"),
    ];
    for (fields, location) in cases {
        let answer = world.put(PATH, with(fields.clone())).await;
        assert_eq!(answer.broken(), [location], "{fields}");
        let text = answer.body.to_string();
        assert!(!text.contains(SECRET), "{text}");
    }
    for fields in [
        json!({"authMethod": "none"}),
        json!({"grantType": "password"}),
        json!({"jwtParams": {"secretBase64": "", "signingAlgorithm": "none"}}),
        json!({"more": 1}),
        json!({"clientId": null}),
    ] {
        assert_eq!(world.put(PATH, with(fields)).await.status, 422);
    }
    world.get(PATH).await.refuses(404, "not_found");
}

#[tokio::test]
async fn a_token_server_whose_name_does_not_resolve_yet_is_taken() {
    let world = world().await;
    let unknown = json!({"tokenUrl": "https://unknown.example.com/"});
    world.put(PATH, with(unknown)).await.is(204);
}

#[tokio::test]
async fn an_attempts_headers_name_the_authorization() {
    let world = world().await;
    world.put(PATH, config()).await.is(204);
    let message = world.message("a", json!({})).await;
    world.succeed().await;
    let attempts = world.get(format!("/app/a/attempt/msg/{message}")).await;
    let attempt = attempts.column("id").remove(0);
    let headers = world.get(format!("/app/a/msg/{message}/attempt/{attempt}/headers"));
    let headers = headers.await.is(200);
    let sensitive = headers["sensitive"].as_array().expect("names");
    assert!(sensitive.contains(&json!("authorization")), "{headers:?}");
}
