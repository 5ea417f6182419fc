//! Each reason to refuse a request, with its answer and its event; and that nothing else is told.

use crate::sender::{BODY, FIRST, SECOND, Sending, secret, with_secrets};
use crate::world::{At, PUBLIC_URL, SENDER, World};
use ingest::Peer;
use model::protection::Credential;
use model::security::SubjectKind;
use model::source::{AuthDemanded, SourceConfig};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use std::sync::Arc;

/// It is refused so, once, and nothing is kept of it.
async fn refused(world: &World, sending: &Sending, (status, code): (u16, &str)) {
    let answer = world.take(sending).await;
    answer.refused(status, code);
    assert!(
        !answer.text.contains("MfKQ9r8G"),
        "a secret: {}",
        answer.text
    );
    let events = world.events.take();
    let [event] = events.as_slice() else {
        panic!("{} events of {code}", events.len())
    };
    assert_eq!(event.kind.as_str(), format!("ingest.{code}"));
    assert_eq!(event.subject.kind, SubjectKind::Source);
    assert_eq!(event.remote_address, Some(SENDER));
    assert!(!event.description.is_empty() && !event.description.contains("order"));
    assert!(world.messages().await.is_empty(), "{code}");
}

#[tokio::test]
async fn what_is_not_signed_with_the_source_s_secret_is_refused() {
    let world = World::new();
    let at = world
        .source("standard-webhooks", with_secrets(&[FIRST]))
        .await;
    let now = world.now();
    let good = world.standard(&at, "msg_1");
    let mut changed = good.clone();
    changed.body = BODY.replace('7', "8");
    let by = |secret| Sending::to(&at, BODY).signed("standard-webhooks", secret, ("msg_1", now));
    let twice = good.clone().header("Webhook-Id", "msg_1");
    for forged in [Sending::to(&at, BODY), changed, by(SECOND), twice] {
        refused(&world, &forged, (401, "signature_invalid")).await;
    }
    world.take(&good).await.accepted();
}

#[tokio::test]
async fn what_was_signed_too_long_ago_or_in_the_future_is_stale() {
    let world = World::new();
    let at = world
        .source("standard-webhooks", with_secrets(&[FIRST]))
        .await;
    for seconds in [-301, 301] {
        let moment = ("msg_1", world.now() + seconds);
        let stale = Sending::to(&at, BODY).signed("standard-webhooks", FIRST, moment);
        refused(&world, &stale, (401, "timestamp_stale")).await;
    }
    let moment = ("msg_1", world.now() - 300);
    let fresh = Sending::to(&at, BODY).signed("standard-webhooks", FIRST, moment);
    world.take(&fresh).await.accepted();
}

fn with_token() -> SourceConfig {
    SourceConfig {
        auth: Some(AuthDemanded::Credential(Credential::Bearer {
            token: secret("sesame"),
        })),
        ..with_secrets(&[FIRST])
    }
}

#[tokio::test]
async fn what_lacks_its_credentials_is_refused() {
    let world = World::new();
    let at = world.source("standard-webhooks", with_token()).await;
    let good = world.standard(&at, "msg_1");
    let wrong = good.clone().header("authorization", "Bearer open");
    for sending in [good.clone(), wrong] {
        refused(&world, &sending, (401, "credentials_invalid")).await;
    }
    let both = good.header("authorization", "Bearer sesame");
    world.take(&both).await.accepted();
}

#[tokio::test]
async fn what_comes_from_elsewhere_is_refused() {
    let world = World::new();
    let config = SourceConfig {
        allow_addresses: vec!["198.51.100.0/24".parse().expect("a network")],
        ..with_secrets(&[FIRST])
    };
    let at = world.source("standard-webhooks", config).await;
    let sending = world.standard(&at, "msg_1");
    refused(&world, &sending, (401, "credentials_invalid")).await;
    let nowhere = world.send(None, sending.request()).await;
    nowhere.refused(401, "credentials_invalid");
    let allowed = Some("198.51.100.9".parse().expect("an address"));
    world.send(allowed, sending.request()).await.accepted();
}

#[tokio::test]
async fn what_is_plain_is_refused_where_a_key_is_configured() {
    let world = World::new();
    let config = SourceConfig {
        encryption: vec![secret(JWK)],
        ..with_secrets(&[FIRST])
    };
    let at = world.source("standard-webhooks", config).await;
    let plain = world.standard(&at, "msg_1");
    refused(&world, &plain, (400, "decryption_failed")).await;
}

/// With nobody's secret in it: it was made for this test.
const JWK: &str = r#"{
    "kty": "OKP", "crv": "X25519", "kid": "2026-11",
    "x": "H3aIKQpVxwtX1_AbE1_KeL5YLB0ZraC2lKspX4RUzWk",
    "d": "qPlnYgbDllK7rdYVApgLRIGHaOihM4hS6NwKbyqx_U0"
}"#;

#[tokio::test]
async fn a_source_publishes_the_public_halves_of_its_keys() {
    let world = World::new();
    let config = SourceConfig {
        encryption: vec![secret(JWK)],
        ..with_secrets(&[FIRST])
    };
    let sealed = world.source("standard-webhooks", config).await;
    let plain = world
        .source("standard-webhooks", with_secrets(&[FIRST]))
        .await;
    let keys = |at: &At| Sending {
        method: "GET",
        path: format!("/in/{}/jwks.json", at.token),
        headers: Vec::new(),
        body: String::new(),
    };
    let shown = world.take(&keys(&sealed)).await;
    assert_eq!(shown.status, 200);
    assert_eq!(shown.headers["content-type"], "application/jwk-set+json");
    let key = &shown.json()["keys"][0];
    assert_eq!(key["kid"], "2026-11");
    assert_eq!(key.get("d"), None);
    world.take(&keys(&plain)).await.refused(404, "not_found");
}

#[tokio::test]
async fn a_client_has_to_show_a_certificate_of_the_source_s_authority() {
    let world = World::new();
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().expect("a key");
    let authority = CertifiedIssuer::self_signed(params, key).expect("an authority");
    let key = KeyPair::generate().expect("a key");
    let client = CertificateParams::new(["bank.example".to_owned()]).expect("a name");
    let client = client.signed_by(&key, &authority).expect("a certificate");
    let demanded = |subject: &str| SourceConfig {
        auth: Some(AuthDemanded::Certificate {
            authorities: authority.pem(),
            subjects: vec![subject.to_owned()],
        }),
        ..SourceConfig::default()
    };
    let peer = Peer {
        address: Some(SENDER),
        certificates: Arc::new([client.der().to_vec()]),
        ..Peer::default()
    };
    let bank = world
        .source("generic-webhook", demanded("bank.example"))
        .await;
    let sending = Sending::to(&bank, BODY);
    refused(&world, &sending, (401, "credentials_invalid")).await;
    world
        .send_as(peer.clone(), sending.request())
        .await
        .accepted();
    let other = world
        .source("generic-webhook", demanded("shop.example"))
        .await;
    let answer = world
        .send_as(peer, Sending::to(&other, BODY).request())
        .await;
    answer.refused(401, "credentials_invalid");
}

#[tokio::test]
async fn a_source_that_is_not_there_is_answered_as_a_forgery_is() {
    let world = World::new();
    let at = world
        .source("standard-webhooks", with_secrets(&[FIRST]))
        .await;
    let nobody = At {
        token: "0".repeat(32),
        ..at.clone()
    };
    let (there, not_there) = (Sending::to(&at, BODY), Sending::to(&nobody, BODY));
    for change in [
        |_: &mut Sending| (),
        |sending: &mut Sending| sending.method = "GET",
        |sending: &mut Sending| sending.method = "HEAD",
        |sending: &mut Sending| sending.method = "PUT",
        |sending: &mut Sending| sending.body = "a".repeat(65 * 1_024),
        |sending: &mut Sending| sending.headers.push(("webhook-hops".into(), "x".into())),
        |sending: &mut Sending| sending.path += "/jwks.json",
        |sending: &mut Sending| sending.path += "/",
    ] {
        let (mut there, mut not_there) = (there.clone(), not_there.clone());
        change(&mut there);
        change(&mut not_there);
        let (one, other) = (world.take(&there).await, world.take(&not_there).await);
        assert_eq!((one.status, &one.text), (other.status, &other.text));
        assert_eq!(one.headers, other.headers);
    }
    world.events.take();
    world
        .take(&not_there)
        .await
        .refused(401, "signature_invalid");
    assert_eq!(world.events.take()[0].subject.id, "*");
}

#[tokio::test]
async fn the_signed_url_is_the_configured_one_whatever_the_request_says() {
    let world = World::new();
    let at = world.source("square", with_secrets(&["hush"])).await;
    let mut sending = Sending::to(&at, BODY);
    sending.path += "?tenant=7";
    let sending = sending.signed("square", "hush", ("msg_1", world.now()));
    let mut elsewhere = sending.clone();
    elsewhere.path = elsewhere.path.replace("tenant=7", "tenant=8");
    let elsewhere = elsewhere.header("host", PUBLIC_URL.trim_start_matches("https://"));
    refused(&world, &elsewhere, (401, "signature_invalid")).await;
    let sending = sending.header("host", "evil.example");
    let sending = sending.header("x-forwarded-host", "evil.example");
    world.take(&sending).await.accepted();
}

#[tokio::test]
async fn a_source_that_makes_its_messages_itself_receives_none() {
    let world = World::new();
    let at = world.source("cron", SourceConfig::default()).await;
    refused(&world, &Sending::to(&at, BODY), (401, "signature_invalid")).await;
}
