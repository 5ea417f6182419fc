//! Whom an endpoint's payloads are encrypted to.

use crate::world::World;
use serde_json::{Value, json};

const PATH: &str = "/app/a/endpoint/e/encryption";
const X: &str = "9C08uigMrQ7srvvPbcvv7S3ClBevi5BhJg78qH6G8u4";
const Y: &str = "k2DM1b2ZTHMWXeanlp8kgrazT1x0y11og48blgNAbRo";
const D: &str = "2J2RT_oL7hpeAfe7YAiHoLi5N17fvUKGxbo_GNiPZO8";
const SET: &str = "https://keys.customer-site.net/jwks.json";

async fn world() -> World {
    let world = World::new();
    world.application("a").await;
    world.endpoint("a", json!({"uid": "e"})).await;
    world
}

fn ec() -> Value {
    json!({"kty": "EC", "crv": "P-256", "kid": "1", "x": X, "y": Y, "x5t": "passed over"})
}

#[tokio::test]
async fn a_key_or_a_set_is_set_shown_as_it_was_given_and_taken_away() {
    let world = world().await;
    world.get(PATH).await.refuses(404, "not_found");
    let okp = json!({
        "kty": "OKP", "crv": "X25519", "x": "J_bYB6Kp7PRFm89Bg4SeAaMOPefnaPRtNuNH-ZjYbg8",
    });
    for given in [
        json!({"jwk": ec()}),
        json!({"jwk": okp, "alg": "ECDH-ES"}),
        json!({"jwksUrl": SET}),
        json!({"jwksUrl": SET, "kid": "2026-11", "alg": "RSA-OAEP-256"}),
    ] {
        world.put(PATH, given.clone()).await.is(204);
        let mut shown = given;
        shown["enc"] = "A256GCM".into();
        assert_eq!(world.get(PATH).await.is(200).body, shown);
        world.put(PATH, shown).await.is(204);
    }
    world.delete(PATH).await.is(204);
    world.get(PATH).await.refuses(404, "not_found");
}

#[tokio::test]
async fn what_can_not_be_encrypted_to_is_refused() {
    let world = world().await;
    let with = |name: &str, value: Value| {
        let mut jwk = ec();
        jwk[name] = value;
        jwk
    };
    let jwk = "body/jwk";
    let cases = [
        (json!({}), jwk),
        (json!({"jwk": ec(), "jwksUrl": SET}), "body/jwksUrl"),
        (json!({"jwk": ec(), "kid": "1"}), "body/kid"),
        (json!({"jwk": ec(), "alg": "RSA-OAEP-256"}), "body/alg"),
        (json!({"jwk": ec(), "alg": "ECDH-ES+A128KW"}), "body/alg"),
        (json!({"jwk": ec(), "alg": "none"}), "body/alg"),
        (json!({"jwk": ec(), "enc": "A128GCM"}), "body/enc"),
        (json!({"jwk": with("d", json!(D))}), jwk),
        (json!({"jwk": with("y", json!(X))}), jwk),
        (json!({"jwk": with("use", json!("sig"))}), jwk),
        (json!({"jwk": with("key_ops", json!(["sign"]))}), jwk),
        (json!({"jwk": with("crv", json!("P-521"))}), jwk),
        (
            json!({"jwk": {"kty": "RSA", "e": "AQAB", "n": "A".repeat(171)}}),
            jwk,
        ),
        (json!({"jwk": {"kty": "oct", "k": D}}), jwk),
        (json!({"jwk": "text"}), jwk),
        (json!({"jwk": null}), jwk),
        (json!({"jwksUrl": SET, "kid": ""}), "body/kid"),
        (
            json!({"jwksUrl": "http://keys.customer-site.net/"}),
            "body/jwksUrl",
        ),
        (
            json!({"jwksUrl": "https://a:b@keys.customer-site.net/"}),
            "body/jwksUrl",
        ),
        (
            json!({"jwksUrl": "https://169.254.169.254/"}),
            "body/jwksUrl",
        ),
        (json!({"jwksUrl": "jwks"}), "body/jwksUrl"),
    ];
    for (body, location) in cases {
        let answer = world.put(PATH, body.clone()).await;
        assert_eq!(answer.broken(), [location], "{body}");
    }
    for body in [json!({"jwksUrl": null}), json!({"jwk": ec(), "more": 1})] {
        assert_eq!(world.put(PATH, body).await.status, 422);
    }
    world.get(PATH).await.refuses(404, "not_found");
}

#[tokio::test]
async fn a_private_key_is_refused_in_a_sentence_that_does_not_repeat_it() {
    let world = world().await;
    let mut jwk = ec();
    jwk["d"] = D.into();
    let answer = world.put(PATH, json!({"jwk": jwk})).await;
    let text = answer.body.to_string();
    assert!(text.contains("nobody but the receiver may have"), "{text}");
    assert!(!text.contains(D), "{text}");
}

#[tokio::test]
async fn an_application_moves_its_endpoint_and_its_payloads_stay_encrypted() {
    let world = World::new();
    let application = world.application("a").await;
    let url = "https://one.customer-site.net/in";
    world.endpoint("a", json!({"uid": "e", "url": url})).await;
    let token = world.token_of(&application, &[]);
    world
        .put(PATH, json!({"jwk": ec()}))
        .token(&token)
        .await
        .is(204);
    let url = json!({"url": "https://two.customer-site.net/in"});
    let moved = world
        .patch("/app/a/endpoint/e", url)
        .token(&token)
        .await
        .is(200);
    assert_eq!(moved["held"], Value::Null);
    assert_eq!(world.get(PATH).await["jwk"], ec());
}
