//! The vectors of `more_providers.json`, all of them, each by its provider's name. They were made
//! by Python's `hmac` and `cryptography`, and so by nothing of this crate.

use std::collections::BTreeMap;

use serde::Deserialize;
use webhook::Refused;
use webhook::provider::{Outgoing, Provider, Request, SignError};

/// How many vectors there are: one that is no longer read must not go unnoticed.
const VECTORS: usize = 118;

#[derive(Deserialize)]
struct Vector {
    id: String,
    provider: String,
    secret: String,
    method: String,
    url: String,
    headers: Vec<(String, String)>,
    body: String,
    now_unix: i64,
    timestamp_unix: Option<i64>,
    valid: bool,
    /// The kind of reason why it is refused, if it is.
    refused: Option<String>,
    why: String,
    event_type: Option<String>,
    message_id: Option<String>,
}

fn vectors() -> Vec<Vector> {
    let text = include_str!("more_providers.json");
    serde_json::from_str(text).expect("the vectors are well-formed")
}

fn kind(refused: Refused) -> &'static str {
    match refused {
        Refused::Missing(_) => "missing",
        Refused::Duplicate(_) => "twice",
        Refused::MalformedTimestamp => "time",
        Refused::NoUsableSignature => "unusable",
        Refused::TooManySignatures => "many",
        Refused::WrongSignature => "mismatch",
        Refused::WrongToken => "token",
        Refused::TooOld { .. } => "late",
        Refused::FromTheFuture { .. } => "early",
        _ => "another",
    }
}

#[test]
fn every_vector_is_judged_as_it_says_and_for_the_reason_that_it_says() {
    let mut judged = BTreeMap::new();
    for vector in vectors() {
        let told = format!("{}: {}", vector.id, vector.why);
        let provider = Provider::named(&vector.provider).expect("known");
        let verifier = provider.verifier(&[&vector.secret]).expect("sound");
        let headers: Vec<_> = vector
            .headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_bytes()))
            .collect();
        let request = Request {
            method: &vector.method,
            url: &vector.url,
            headers: &headers,
            body: vector.body.as_bytes(),
        };
        match verifier.verify(&request, vector.now_unix, 300) {
            Ok(genuine) => {
                assert!(vector.valid, "{told}");
                assert_eq!(genuine.signed_at, vector.timestamp_unix, "{told}");
                let id = genuine.id.map(|id| id.text.into_owned());
                assert_eq!(id, vector.message_id, "{told}");
                let event_type = provider.manners().event_type(&request);
                assert_eq!(
                    event_type.as_deref(),
                    vector.event_type.as_deref(),
                    "{told}"
                );
            }
            Err(refused) => {
                let expected = vector.refused.as_deref();
                assert_eq!(expected, Some(kind(refused)), "{told}: {refused}");
            }
        }
        *judged.entry(vector.provider).or_insert(0) += 1;
    }
    assert_eq!(judged.values().sum::<usize>(), VECTORS);
}

#[test]
fn valid_vectors_are_signed_again_where_the_secret_signs() {
    for vector in vectors().into_iter().filter(|vector| vector.valid) {
        let provider = Provider::named(&vector.provider).expect("known");
        let request = Outgoing {
            method: &vector.method,
            url: &vector.url,
            id: "msg_1",
            timestamp: vector.timestamp_unix.unwrap_or(1),
            body: vector.body.as_bytes(),
        };
        let headers = provider.sign(&[&vector.secret], &request);
        if ["checkbook", "panda-doc", "telnyx"].contains(&provider.name()) {
            assert_eq!(headers, Err(SignError::OnlyVerified), "{}", vector.id);
            continue;
        }
        let sent: Vec<_> = vector.headers.iter().map(|(_, value)| value).collect();
        for (name, value) in headers.expect("the secret signs") {
            let parts: Vec<_> = value.split(',').collect();
            let is_there = |sent: &&String| parts.iter().all(|part| sent.contains(part));
            assert!(sent.iter().any(is_there), "{}: {name}", vector.id);
        }
    }
}
