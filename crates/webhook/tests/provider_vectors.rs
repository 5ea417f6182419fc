//! The vectors of `conformance/providers.json`, all of them, each by its provider's name: whether
//! it is taken, why it is not, and that each valid one of a provider that signs is signed again,
//! byte for byte.

use std::collections::BTreeMap;

use serde::Deserialize;
use webhook::provider::{Genuine, Outgoing, Provider, ReplayGuard, ReplayKey, Request, SignError};
use webhook::{Refused, is_valid_id};

/// How many vectors there are: one that is no longer read must not go unnoticed.
const VECTORS: usize = 415;
/// How many of them are signed again.
const SIGNED_AGAIN: usize = 82;

/// Those whose vectors are `more_providers.json`'s, beside this file.
const ELSEWHERE: [&str; 14] = [
    "adobe-sign",
    "airwallex",
    "checkbook",
    "docusign",
    "easypost",
    "meta",
    "nango",
    "panda-doc",
    "port-io",
    "rutter",
    "segment",
    "tailscale",
    "telnyx",
    "veriff",
];

#[derive(Deserialize)]
struct Vector {
    id: String,
    provider: String,
    secret: String,
    secret_key_for_signing: Option<String>,
    method: String,
    url: String,
    headers: Vec<(String, String)>,
    body: String,
    now_unix: i64,
    timestamp_unix: Option<i64>,
    tolerance_seconds: Option<u32>,
    valid: bool,
    why: String,
}

impl Vector {
    fn provider(&self) -> Provider {
        let named = Provider::named(&self.provider);
        named.unwrap_or_else(|| panic!("{}: nobody is called {}", self.id, self.provider))
    }

    fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        let found = headers.find(|(other, _)| other.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// Judges it with these secrets, its headers' names written by `recase`.
    fn judge(&self, secrets: &[&str], recase: fn(&str) -> String) -> Result<Seen, Refused> {
        let provider = self.provider();
        let verifier = provider.verifier(secrets).expect("the secrets are sound");
        let headers = self.headers.iter();
        let headers: Vec<_> = headers.map(|(name, value)| (recase(name), value)).collect();
        let headers: Vec<_> = headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_bytes()))
            .collect();
        let request = Request {
            method: &self.method,
            url: &self.url,
            headers: &headers,
            body: self.body.as_bytes(),
        };
        let tolerance = self.tolerance_seconds;
        let tolerance = tolerance.unwrap_or(provider.tolerance_seconds());
        let genuine = verifier.verify(&request, self.now_unix, tolerance);
        genuine.map(|genuine| Seen::new(&genuine))
    }
}

/// What is said of a genuine request.
#[derive(PartialEq, Debug)]
struct Seen {
    signed_at: Option<i64>,
    key: usize,
    id: Option<(String, bool)>,
    replay_key: String,
}

impl Seen {
    fn new(genuine: &Genuine<'_>) -> Self {
        let id = genuine.id.as_ref();
        Self {
            signed_at: genuine.signed_at,
            key: genuine.key,
            id: id.map(|id| (id.text.to_string(), id.is_signed)),
            replay_key: match &genuine.replay_key {
                ReplayKey::Id(id) => id.to_string(),
                ReplayKey::Content(digest) => format!("{digest:?}"),
            },
        }
    }
}

fn vectors() -> Vec<Vector> {
    let text = include_str!("../../../conformance/providers.json");
    serde_json::from_str(text).expect("the vectors are well-formed")
}

/// The kind of reason for which a forged request is refused, by what its vector says of it: the
/// first line of which a part stands there. Some forgeries leave one scheme nothing to read and
/// another something that doesn't match; which one it is must not be anything else.
const REASONS: [(&str, &[&str]); 32] = [
    ("raw r||s", &["unusable", "mismatch"]),
    ("malformed header", &["missing", "unusable"]),
    ("wrong separator", &["unusable", "time"]),
    ("empty header", &["unusable", "missing"]),
    ("empty message id", &["id"]),
    ("empty token", &["token"]),
    ("empty signature", &["unusable"]),
    ("duplicate", &["twice"]),
    ("in another header", &["missing"]),
    ("token prefix", &["token"]),
    ("token with suffix", &["token"]),
    ("token compare", &["token"]),
    ("wrong token", &["token"]),
    ("missing", &["missing", "unusable"]),
    ("only the", &["missing"]),
    ("no timestamp", &["missing"]),
    ("no webhookTimestamp", &["missing"]),
    ("no version prefix", &["unusable"]),
    ("no items", &["unusable"]),
    ("no h1", &["unusable"]),
    ("unknown version", &["unusable"]),
    ("only v0", &["unusable"]),
    ("confusion", &["unusable"]),
    ("presented as v1", &["unusable"]),
    ("SHA-1 digest inside", &["unusable"]),
    ("not the documented encoding", &["unusable"]),
    ("63", &["unusable"]),
    ("not hex", &["unusable"]),
    ("malformed", &["unusable"]),
    ("truncated", &["unusable", "mismatch"]),
    ("not match bodySHA256", &["digest"]),
    ("future", &["early"]),
];

/// The same for what is mostly a number: an age, or a time that is none.
const REASONS_OF_TIME: [(&str, &str); 7] = [
    ("not a number", "time"),
    ("not a plain integer", "time"),
    ("stale", "late"),
    ("s old", "late"),
    ("s later", "late"),
    ("one hour old", "late"),
    ("60 s old", "late"),
];

fn expected(vector: &Vector) -> Vec<&'static str> {
    let why = vector.why.as_str();
    let of_kind = REASONS.iter().find(|(part, _)| why.contains(part));
    let of_time = || REASONS_OF_TIME.iter().find(|(part, _)| why.contains(part));
    match of_kind {
        Some((_, kinds)) => kinds.to_vec(),
        None => vec![of_time().map_or("mismatch", |(_, kind)| kind)],
    }
}

fn kind(refused: Refused) -> &'static str {
    match refused {
        Refused::Missing(_) | Refused::MissingHeader(_) => "missing",
        Refused::Duplicate(_) | Refused::DuplicateHeader(_) => "twice",
        Refused::MalformedId => "id",
        Refused::MalformedTimestamp => "time",
        Refused::NoUsableSignature => "unusable",
        Refused::WrongSignature => "mismatch",
        Refused::WrongToken => "token",
        Refused::WrongUrlDigest(_) => "digest",
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
        for recase in [str::to_owned, str::to_ascii_uppercase] {
            match vector.judge(&[&vector.secret], recase) {
                Ok(seen) => {
                    assert!(vector.valid, "{told}");
                    assert_eq!(seen.signed_at, vector.timestamp_unix, "{told}");
                }
                Err(refused) => {
                    assert!(!vector.valid, "{told}: {refused}");
                    let (kind, expected) = (kind(refused), expected(&vector));
                    assert!(expected.contains(&kind), "{told}: {kind}, not {expected:?}");
                }
            }
        }
        *judged.entry(vector.provider).or_insert(0) += 1;
    }
    assert_eq!(judged.values().sum::<usize>(), VECTORS);
    for provider in Provider::all() {
        let is_elsewhere = ELSEWHERE.contains(&provider.name());
        assert_ne!(
            judged.contains_key(provider.name()),
            is_elsewhere,
            "{provider:?}"
        );
    }
}

#[test]
fn any_of_several_secrets_may_have_signed_and_none_accepts_nothing() {
    for vector in vectors().iter().filter(|vector| vector.valid) {
        // The same key may be written in two ways.
        let bare = |one: &Vector| one.secret.trim_start_matches("whsec_").to_owned();
        let is_other = |one: &Vector| one.provider == vector.provider && bare(one) != bare(vector);
        let other = vectors().into_iter().find(is_other);
        let other = other.map_or(vector.secret.clone(), |one| one.secret);
        let alone = vector.judge(&[&vector.secret], str::to_owned);
        let mut rotated = vector.judge(&[&other, &vector.secret], str::to_owned);
        if other != vector.secret {
            let seen = rotated.as_mut().expect("the second secret signed");
            assert_eq!(std::mem::take(&mut seen.key), 1, "{}", vector.id);
        }
        assert_eq!(rotated, alone, "{}", vector.id);
        let none = vector.judge(&[], str::to_owned);
        assert_eq!(none, Err(Refused::NoKey), "{}", vector.id);
    }
}

#[test]
fn valid_vectors_are_signed_again_byte_for_byte() {
    let mut signed = 0;
    for vector in vectors().into_iter().filter(|vector| vector.valid) {
        let provider = vector.provider();
        let id = provider.headers().id.and_then(|name| vector.header(name));
        let secret = vector.secret_key_for_signing.as_ref();
        let request = Outgoing {
            method: &vector.method,
            url: &vector.url,
            id: id.unwrap_or("msg_1"),
            timestamp: vector.timestamp_unix.unwrap_or(1),
            body: vector.body.as_bytes(),
        };
        let headers = provider.sign(&[secret.unwrap_or(&vector.secret)], &request);
        let only_verified = ["adyen", "discord", "mailgun", "sendgrid"];
        if only_verified.contains(&provider.name())
            || (secret.is_none() && vector.secret.starts_with("whpk_"))
        {
            assert!(headers.is_err(), "{}", vector.id);
            continue;
        }
        for (name, value) in headers.expect("the secret signs") {
            let Some(expected) = vector.header(&name) else {
                assert_eq!(Some(&*name), provider.headers().id, "{}", vector.id);
                continue;
            };
            // A vector of a rotation has more signatures than that of one secret.
            let separators = [' ', ',', ';'];
            let expected: Vec<_> = expected.split(separators).collect();
            let mut parts = value.split(separators);
            let is_there = parts.all(|part| expected.contains(&part));
            assert!(is_there, "{}: {name} is {value}", vector.id);
        }
        signed += 1;
    }
    assert_eq!(signed, SIGNED_AGAIN);
}

#[test]
fn what_can_only_be_verified_says_so() {
    for name in ["adyen", "discord", "mailgun", "sendgrid"] {
        let provider = Provider::named(name).expect("known");
        let request = Outgoing {
            method: "POST",
            url: "https://example.com/",
            id: "msg_1",
            timestamp: 1,
            body: b"{}",
        };
        let refused = provider.sign(&["any"], &request);
        assert_eq!(refused, Err(SignError::OnlyVerified), "{name}");
    }
}

#[test]
fn a_replay_key_is_a_signed_id_or_else_what_was_signed() {
    for vector in vectors().into_iter().filter(|vector| vector.valid) {
        let provider = vector.provider();
        let seen = vector.judge(&[&vector.secret], str::to_owned);
        let seen = seen.expect("the vector is valid");
        let signs_time = vector.timestamp_unix.is_some();
        assert_eq!(
            provider.guard(),
            match (provider.name(), signs_time) {
                ("gitlab" | "telegram", _) => ReplayGuard::Nothing,
                (_, true) => ReplayGuard::ByAge,
                (_, false) => ReplayGuard::ByMemory,
            },
            "{}",
            vector.id
        );
        match seen.id {
            Some((id, is_signed)) => {
                assert!(is_valid_id(&id), "{}", vector.id);
                assert_eq!(is_signed, seen.replay_key == id, "{}", vector.id);
            }
            None => assert!(seen.replay_key.starts_with('['), "{}", vector.id),
        }
    }
}
