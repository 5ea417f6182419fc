//! What is signed, by whichever scheme, and that receivers can verify it with what they have.

use crate::network::{Sent, answer};
use crate::world::{PAYLOAD, Plan, SECRET, World};
use engine::EngineConfig;
use http::HeaderMap;
use model::endpoint::SigningSecrets;
use model::protection::{
    Auth, Credential, GenericSignature, HttpSignatureAlgorithm, Protection, Sender, Signature,
};
use model::{Clock, Secret};
use std::time::Duration;
use store::Lane;
use webhook::http_signature::{
    self, KnownKey, Message, Request, TAG, Verified, WEBHOOK_COMPONENTS,
};
use webhook::{GenericScheme, HeaderFamily, HmacScheme, HmacVerifier, Refused, SigningKey};

const OLD: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
const URL: &str = "https://a.example/in?tenant=7";

fn secret(text: &str) -> Secret {
    Secret::from(text.to_owned())
}

fn pairs(headers: &HeaderMap) -> Vec<(&str, &[u8])> {
    let headers = headers.iter();
    headers
        .map(|(name, value)| (name.as_str(), value.as_bytes()))
        .collect()
}

async fn lane(world: &World, plan: Plan<'_>) -> Lane {
    let application = world.application(None).await;
    world.endpoint(application, plan).await
}

/// What an endpoint gets that is planned so.
async fn sent(world: &World, plan: Plan<'_>) -> Sent {
    let lane = lane(world, plan).await;
    let mut node = world.start(EngineConfig::default()).await;
    world.send(&node, &[lane]).await;
    node.until_recorded(1).await;
    world.network.sent().pop().expect("it was sent")
}

fn signed_by(signature: Signature) -> Protection {
    Protection {
        signature: Some(signature),
        ..Protection::default()
    }
}

fn verify(sent: &Sent, scheme: &HmacScheme, text: &str) -> Result<(), Refused> {
    let verifier = HmacVerifier {
        scheme,
        keys: &[scheme.key(text).expect("a secret")],
        tolerance_seconds: 5,
    };
    let headers = pairs(&sent.headers);
    let verified = verifier.verify(headers.iter().copied(), &sent.body, sent.at.seconds())?;
    assert!(verified.id.is_none_or(|id| id == sent.id));
    Ok(())
}

fn generic() -> (Signature, HmacScheme) {
    let described = GenericSignature {
        header: "X-Acme-Signature".to_owned(),
        hash: "sha512".to_owned(),
        encoding: "base64".to_owned(),
        prefix: "v1=".to_owned(),
        template: "{id}.{timestamp}.{body}".to_owned(),
        timestamp_header: Some("X-Acme-Time".to_owned()),
    };
    let scheme = HmacScheme::generic(GenericScheme {
        header: &described.header,
        hash: &described.hash,
        encoding: &described.encoding,
        prefix: &described.prefix,
        template: &described.template,
        timestamp_header: described.timestamp_header.as_deref(),
    });
    let scheme = scheme.expect("a scheme");
    (Signature::Generic(described), scheme)
}

#[tokio::test(start_paused = true)]
async fn a_receiver_verifies_by_the_scheme_that_it_has() {
    let known = |sender: Sender| {
        let scheme = HmacScheme::known(sender.as_str()).expect("known");
        (Signature::Of(sender), scheme)
    };
    let all = Sender::ALL.map(known).into_iter().chain([generic()]);
    for (signature, scheme) in all {
        // The secret that the receiver has from the sender before, in that one's form.
        for text in [SECRET, "It's a Secret"] {
            let world = World::new();
            let plan = Plan {
                protection: signed_by(signature.clone()),
                secrets: SigningSecrets::new(secret(text)),
                ..Plan::new(URL)
            };
            let sent = sent(&world, plan).await;
            assert_eq!(verify(&sent, &scheme, text), Ok(()), "{signature:?}");
            let wrong = verify(&sent, &scheme, "another");
            assert_eq!(wrong, Err(Refused::WrongSignature));
            assert_eq!(sent.headers["webhook-id"], sent.id);
            let time = sent.at.seconds().to_string();
            assert_eq!(sent.headers["webhook-timestamp"], time);
            assert!(!sent.headers.contains_key("webhook-signature"));
            assert_eq!(sent.body, PAYLOAD);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn in_a_rotation_both_secrets_sign_where_a_request_can_carry_that() {
    let pair = SigningKey::generate_ed25519(&[3; 32]).to_text();
    for (sender, both) in [(Sender::Stripe, true), (Sender::Github, false)] {
        let world = World::new();
        let now = world.clock.now();
        let until = now.plus(Duration::from_secs(60));
        // One of them is of a kind that the scheme has no use for: it signed by another one.
        let mut secrets = SigningSecrets::new(secret(pair.expose()));
        secrets.rotate(secret(OLD), until, now);
        secrets.rotate(secret(SECRET), until, now);
        let plan = Plan {
            protection: signed_by(Signature::Of(sender)),
            secrets,
            ..Plan::new(URL)
        };
        let sent = sent(&world, plan).await;
        let scheme = HmacScheme::known(sender.as_str()).expect("known");
        assert_eq!(verify(&sent, &scheme, SECRET), Ok(()));
        assert_eq!(verify(&sent, &scheme, OLD).is_ok(), both, "{sender:?}");
    }
}

fn http_signed(key: &SigningKey, components: &[&str]) -> Credential {
    let algorithm = match key.public_text() {
        Some(_) => HttpSignatureAlgorithm::Ed25519,
        None => HttpSignatureAlgorithm::HmacSha256,
    };
    Credential::HttpSignature {
        algorithm,
        key: secret(key.to_text().expose()),
        components: components.iter().map(ToString::to_string).collect(),
    }
}

fn authenticated_by(current: Credential) -> Protection {
    let previous = None;
    Protection {
        auth: Some(Auth { current, previous }),
        ..Protection::default()
    }
}

fn verify_http(
    sent: &Sent,
    key: &SigningKey,
    required: &[&str],
    target_uri: &str,
) -> Result<Verified, Refused> {
    let text = key.receiver_text();
    let id = http_signature::key_id(key);
    let verifier = http_signature::Verifier {
        keys: &[KnownKey::parse(&id, text.expose()).expect("a key")],
        required: &[&WEBHOOK_COMPONENTS, required].concat(),
        tag: Some(TAG),
        tolerance_seconds: 5,
    };
    let request = Message::Request(Request {
        method: "POST",
        target_uri,
        headers: &pairs(&sent.headers),
    });
    verifier.verify(&request, &sent.body, sent.at.seconds())
}

#[tokio::test(start_paused = true)]
async fn a_request_is_signed_as_it_is_sent() {
    let keys = [
        SigningKey::generate_ed25519(&[3; 32]),
        SigningKey::generate_hmac(&[4; 24]),
    ];
    for key in keys {
        let world = World::new();
        let protection = Protection {
            auth: authenticated_by(http_signed(&key, &["x-tenant", "@authority"])).auth,
            signature: Some(Signature::Of(Sender::Github)),
            ..Protection::default()
        };
        let plan = Plan {
            protection,
            headers: &[("X-Tenant", "acme"), ("Content-Digest", "of the headers")],
            ..Plan::new(URL)
        };
        let lane = lane(&world, plan).await;
        let config = EngineConfig {
            header_family: HeaderFamily::Svix,
            ..EngineConfig::default()
        };
        let mut node = world.start(config).await;
        for _ in 0..2 {
            world.send(&node, &[lane]).await;
            node.until_recorded(1).await;
        }
        let required = ["x-tenant", "@authority", "content-digest"];
        let nonces = world.network.sent().into_iter().map(|sent| {
            let verified = verify_http(&sent, &key, &required, URL).expect("genuine");
            assert_eq!(verified.created, sent.at.seconds());
            let elsewhere = verify_http(&sent, &key, &required, "https://a.example/in");
            assert_eq!(elsewhere, Err(Refused::WrongSignature));
            let mut other = sent.clone();
            other.body = "{}".into();
            let changed = verify_http(&other, &key, &required, URL);
            assert_eq!(changed, Err(Refused::WrongDigest));
            let github = HmacScheme::known("github").expect("known");
            assert_eq!(verify(&sent, &github, SECRET), Ok(()), "beside the scheme");
            verified.nonce.expect("one")
        });
        let nonces: Vec<String> = nonces.collect();
        assert_ne!(nonces[0], nonces[1]);
    }
}

#[tokio::test(start_paused = true)]
async fn the_key_before_signs_where_the_new_one_is_refused() {
    let world = World::new();
    let [new, old] = [5, 6].map(|seed| SigningKey::generate_ed25519(&[seed; 32]));
    let until = world.clock.now().plus(Duration::from_secs(60));
    let auth = Auth {
        current: http_signed(&new, &[]),
        previous: Some((until, http_signed(&old, &[]))),
    };
    let plan = Plan {
        protection: Protection {
            auth: Some(auth),
            ..Protection::default()
        },
        ..Plan::new(URL)
    };
    world.network.host("a.example", |nth| match nth {
        0 => answer(401),
        _ => answer(200),
    });
    sent(&world, plan).await;
    let sent = world.network.sent();
    let by = |sent, key| verify_http(sent, key, &[], URL).is_ok();
    assert_eq!((by(&sent[0], &new), by(&sent[0], &old)), (true, false));
    assert_eq!((by(&sent[1], &new), by(&sent[1], &old)), (false, true));
}

#[tokio::test(start_paused = true)]
async fn a_signature_over_less_than_was_asked_for_is_not_made() {
    let world = World::new();
    let key = SigningKey::generate_ed25519(&[3; 32]);
    let plan = Plan {
        protection: authenticated_by(http_signed(&key, &["x-tenant"])),
        ..Plan::new(URL)
    };
    let lane = lane(&world, plan).await;
    let mut node = world.start(EngineConfig::default()).await;
    world.send(&node, &[lane]).await;
    node.until_recorded(1).await;
    assert_eq!(world.network.sent(), []);
    let attempts = world.attempts(lane).await;
    let excerpt = world.excerpt(lane, &attempts[0]).await.expect("a reason");
    assert!(excerpt.contains("is to cover `x-tenant`"), "{excerpt}");
    assert_eq!(world.endpoint_row(lane).await.failing_since, None);
}
