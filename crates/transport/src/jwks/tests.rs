//! Which key a payload is encrypted to, as sets change, go away and come back.

use model::address::{AddressPolicy, Refusal};
use webhook::jwe::{self, Context, PrivateJwk};

use super::*;
use crate::fetch::fake::Fake;

const PRIVATE: &str = r#"{
    "kty": "OKP", "crv": "X25519", "kid": "a",
    "x": "H3aIKQpVxwtX1_AbE1_KeL5YLB0ZraC2lKspX4RUzWk",
    "d": "qPlnYgbDllK7rdYVApgLRIGHaOihM4hS6NwKbyqx_U0"
}"#;

/// A set of keys with these `kid`s.
fn set<const N: usize>(key_ids: [&str; N]) -> String {
    let key = key_ids.map(|key_id| {
        let x = "H3aIKQpVxwtX1_AbE1_KeL5YLB0ZraC2lKspX4RUzWk";
        format!(r#"{{"kty":"OKP","crv":"X25519","use":"enc","kid":"{key_id}","x":"{x}"}}"#)
    });
    format!(r#"{{"keys":[{}]}}"#, key.join(","))
}

fn wanted(key_id: Option<&str>) -> WantedKey {
    let url = "https://keys.customer-site.net/jwks.json";
    let set = crate::fetch_target(url, &AddressPolicy::default());
    WantedKey {
        set: set.expect("a URL to fetch from"),
        key_id: key_id.map(str::to_owned),
        algorithm: None,
    }
}

/// The `kid` that would be encrypted to, or what its tenant reads.
async fn picked(sets: &KeySets, key_id: Option<&str>) -> Result<String, String> {
    match sets.recipient(&wanted(key_id)).await {
        Ok(recipient) => Ok(recipient.key_id().to_owned()),
        Err(error) => Err(error.for_tenant().into_owned()),
    }
}

async fn advance(seconds: u64) {
    tokio::time::advance(Duration::from_secs(seconds)).await;
}

#[tokio::test]
async fn what_is_encrypted_to_a_fetched_key_its_owner_decrypts() {
    let server = Fake::answering([(200, &set(["a"]))]);
    let recipient = KeySets::new(server.clone()).recipient(&wanted(None)).await;
    let recipient = recipient.map_err(|error| error.to_string()).expect("a key");
    let context = Context {
        id: "msg_1",
        timestamp: 1_795_000_000,
        event_type: "order.paid",
        content_type: "application/json",
    };
    let sealed = recipient.encrypt(context, b"{}", &[7; jwe::RANDOM_BYTES]);
    let private = PrivateJwk::parse(PRIVATE).expect("a key");
    let opened = jwe::decrypt(sealed.expect("a JWE").as_bytes(), &[private]);
    assert_eq!(opened.expect("its owner's").payload, b"{}");
    let request = server.last();
    assert_eq!(
        (request.purpose, request.method.as_str()),
        (Purpose::KeySet, "GET")
    );
    assert!(request.body.is_empty());
}

#[tokio::test(start_paused = true)]
async fn set_is_fetched_anew_after_ten_minutes_and_rules_from_then_on() {
    let server = Fake::answering([(200, &set(["a", "b"])), (200, &set(["b"]))]);
    let sets = KeySets::new(server.clone());
    for (after, key_id) in [(0, "a"), (599, "a"), (2, "b")] {
        advance(after).await;
        assert_eq!(picked(&sets, None).await.as_deref(), Ok(key_id));
    }
    assert_eq!(server.asked(), 2);
}

#[tokio::test(start_paused = true)]
async fn unknown_key_has_the_set_fetched_anew_every_thirty_seconds_at_most() {
    let server = Fake::answering([(200, &set(["a"])), (200, &set(["a", "b"]))]);
    let sets = KeySets::new(server.clone());
    assert_eq!(picked(&sets, Some("a")).await.as_deref(), Ok("a"));
    assert_eq!(picked(&sets, Some("b")).await.as_deref(), Ok("b"));
    for _ in 0..9 {
        let error = picked(&sets, Some("c")).await.expect_err("no such key");
        assert!(error.contains("no key with the `kid` \"c\""), "{error}");
    }
    assert_eq!(server.asked(), 2);
    advance(30).await;
    server.then([(200, &set(["c"]))]);
    assert_eq!(picked(&sets, Some("c")).await.as_deref(), Ok("c"));
}

#[tokio::test(start_paused = true)]
async fn key_that_was_seen_is_used_for_a_day_while_the_server_is_away() {
    let server = Fake::answering([(200, &set(["a"])), (500, ""), (404, "")]);
    let sets = KeySets::new(server.clone());
    for after in [0, 601, 11, 85_780] {
        advance(after).await;
        assert_eq!(picked(&sets, None).await.as_deref(), Ok("a"));
    }
    assert_eq!(server.asked(), 4);
    advance(10).await;
    let error = picked(&sets, None).await.expect_err("too old");
    assert_eq!(
        error,
        "the key set could not be fetched: no connection could be made"
    );
}

#[tokio::test(start_paused = true)]
async fn server_that_is_away_does_not_take_known_keys_from_those_who_want_them() {
    let server = Fake::answering([(200, &set(["a"]))]);
    let sets = KeySets::new(server);
    assert_eq!(picked(&sets, Some("a")).await.as_deref(), Ok("a"));
    picked(&sets, Some("b")).await.expect_err("no such key");
    assert_eq!(picked(&sets, Some("a")).await.as_deref(), Ok("a"));
}

/// A receiver whose keys' name leads inside the network, once it was looked at.
struct Turning(Arc<Fake>);

#[async_trait::async_trait]
impl Transport for Turning {
    async fn send(&self, request: Outgoing) -> Result<crate::Answer, crate::SendError> {
        if self.0.asked() > 0 {
            return Err(Refusal::NoAnswer("keys.customer-site.net".to_owned()).into());
        }
        self.0.send(request).await
    }
}

#[tokio::test(start_paused = true)]
async fn set_that_turns_into_an_internal_address_is_renewed_no_more() {
    let server = Fake::answering([(200, &set(["a"])), (200, &set(["evil"]))]);
    let sets = KeySets::new(Arc::new(Turning(server.clone())));
    for after in [0, 601, 80_000] {
        advance(after).await;
        assert_eq!(picked(&sets, None).await.as_deref(), Ok("a"));
    }
    advance(10_000).await;
    let error = picked(&sets, None).await.expect_err("too old");
    assert_eq!(
        error,
        format!("the key set could not be fetched: {}", Refusal::UNIFORM)
    );
    assert_eq!(server.asked(), 1);
}

#[tokio::test(start_paused = true)]
async fn answers_that_are_no_keys_are_errors() {
    let long = format!(r#"{{"keys":[],"x":"{}"}}"#, "x".repeat(10 << 20));
    let private = format!(r#"{{"keys":[{PRIVATE}]}}"#);
    for (status, body, said) in [
        (301, "", "it answered 301, a redirect"),
        (500, "", "it answered 500"),
        (200, &long, "longer than 65536 bytes"),
        (200, "<html>", "a JWKS is a JSON object"),
        (200, r#"{"keys":[]}"#, "no key to encrypt to"),
        (200, &private, "no key to encrypt to"),
    ] {
        let sets = KeySets::new(Fake::answering([(status, body)]));
        let error = picked(&sets, None).await.expect_err("no key");
        assert!(error.contains(said), "{error}");
    }
}
