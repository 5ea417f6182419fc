//! Endpoints that nothing is sent to: what one loses when an application's token makes its URL lead
//! elsewhere, and a signature that is to cover what is not there.

use crate::world::World;
use serde_json::{Value, json};

const ENDPOINT: &str = "/app/a/endpoint/e";
const AUTH: &str = "/app/a/endpoint/e/auth";
const OAUTH: &str = "/app/a/endpoint/e/oauth";
const HEADERS: &str = "/app/a/endpoint/e/headers";

/// An endpoint with credentials, and a token of its application's.
async fn world() -> (World, String) {
    let world = World::new();
    let application = world.application("a").await;
    let url = "https://one.customer-site.net/in";
    world.endpoint("a", json!({"uid": "e", "url": url})).await;
    let auth = json!({"type": "bearer", "token": "sesame"});
    world.put(AUTH, auth).await.is(204);
    world.put(OAUTH, oauth()).await.is(204);
    let headers = json!({"headers": {"X-Api-Key": "sesame", "X-Shop": "1"}});
    world.put(HEADERS, headers).await.is(204);
    let token = world.token_of(&application, &[]);
    (world, token)
}

fn oauth() -> Value {
    json!({
        "tokenUrl": "https://login.customer-site.net/", "grantType": "clientCredentials",
        "clientId": "c", "authMethod": "clientSecretBasic", "clientSecret": "sesame",
    })
}

async fn held(world: &World) -> Value {
    let one = world.get(ENDPOINT).await.is(200).body["held"].clone();
    let all = world.get("/app/a/endpoint").await.is(200).body;
    assert_eq!(all["data"][0]["held"], one);
    one
}

#[tokio::test]
async fn another_origin_gets_no_credentials_until_they_are_set_again() {
    let (world, token) = world().await;
    let url = json!({"url": "https://two.customer-site.net/in"});
    let moved = world.patch(ENDPOINT, url).token(&token).await.is(200);
    assert_eq!(moved["held"]["code"], "credentials_withdrawn");
    let detail = moved["held"]["detail"].as_str().expect("a sentence");
    assert!(detail.contains("(auth, oauth, headers)"), "{detail}");
    for part in [AUTH, OAUTH] {
        world.get(part).await.refuses(404, "not_found");
    }
    assert_eq!(world.get(HEADERS).await["headers"], json!({"X-Shop": "1"}));

    let auth = json!({"type": "bearer", "token": "other"});
    world.put(AUTH, auth).token(&token).await.is(204);
    assert_eq!(held(&world).await["code"], "credentials_withdrawn");
    world.put(OAUTH, oauth()).token(&token).await.is(204);
    let headers = json!({"headers": {"X-Api-Key": "other"}});
    world.patch(HEADERS, headers).token(&token).await.is(204);
    assert_eq!(held(&world).await, Value::Null);
}

#[tokio::test]
async fn what_is_not_needed_elsewhere_is_deleted() {
    let (world, token) = world().await;
    let url = json!({"url": "https://one.customer-site.net:8443/in"});
    world.patch(ENDPOINT, url).token(&token).await.is(200);
    for part in [AUTH, OAUTH] {
        world.delete(part).token(&token).await.is(204);
    }
    let headers = json!({"headers": {}});
    world.put(HEADERS, headers).token(&token).await.is(204);
    assert_eq!(held(&world).await, Value::Null);
}

#[tokio::test]
async fn the_same_origin_and_the_organisation_keep_them() {
    let (world, token) = world().await;
    let url = json!({"url": "https://one.customer-site.net/elsewhere?q=1"});
    world.patch(ENDPOINT, url).token(&token).await.is(200);
    let url = json!({"uid": "e", "url": "https://two.customer-site.net/in"});
    world.put(ENDPOINT, url).await.is(200);
    assert_eq!(held(&world).await, Value::Null);
    for part in [AUTH, OAUTH] {
        world.get(part).await.is(200);
    }
}

#[tokio::test]
async fn an_endpoint_whose_signature_would_cover_what_is_not_there_is_shown_as_held() {
    let (world, _) = world().await;
    world.delete(OAUTH).await.is(204);
    let sign = async |components: Value| {
        let auth = json!({
            "type": "httpSignature", "algorithm": "ed25519", "components": components,
        });
        world.put(AUTH, auth).await.is(204);
    };
    let ours = [
        "@query",
        "accept",
        "content-type",
        "user-agent",
        "webhook-hops",
        "webhook-id",
        "webhook-signature",
        "x-shop",
    ];
    sign(json!(ours)).await;
    assert_eq!(held(&world).await, Value::Null);
    for missing in [
        "authorization",
        "svix-id",
        "x-hub-signature-256",
        "x-tenant",
    ] {
        sign(json!(["x-shop", missing])).await;
        let held = held(&world).await;
        assert_eq!(held["code"], "signature_incomplete", "{missing}");
        let detail = held["detail"].as_str().expect("a sentence");
        assert!(detail.contains(&format!("`{missing}`")), "{detail}");
    }
    let headers = json!({"headers": {"X-Tenant": "1"}});
    world.patch(HEADERS, headers).await.is(204);
    assert_eq!(held(&world).await, Value::Null, "now it is there");

    // What requests carry besides counts too.
    sign(json!(["authorization", "x-hub-signature-256"])).await;
    assert_eq!(held(&world).await["code"], "signature_incomplete");
    world.put(OAUTH, oauth()).await.is(204);
    let github = json!({"scheme": "github"});
    world
        .put("/app/a/endpoint/e/signature", github)
        .await
        .is(204);
    assert_eq!(held(&world).await, Value::Null);
    sign(json!(["webhook-signature"])).await;
    assert_eq!(held(&world).await["code"], "signature_incomplete");
}
