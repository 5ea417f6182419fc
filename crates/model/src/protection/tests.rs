//! What is written of a protection is read again, and nothing else is.

use super::*;
use crate::clock::Timestamp;
use crate::oauth::{AssertionKey, ClientAuthentication, Grant};
use crate::pin::Pin;
use proptest::prelude::*;
use std::time::Duration;

/// A credential that can be printed: which kind, a text and the bytes of its secret.
type Told = (u8, String, Vec<u8>);
/// A client of a token server, likewise, with pairs of texts.
type ToldClient = (Told, Vec<(String, String)>);
/// What may have one before it.
type Chained<T> = Option<(T, Option<(i64, T)>)>;
/// Whom to encrypt to: a key or a URL, which key of a set, and an algorithm.
type Key = (bool, String, Option<String>, Option<String>);
/// What is told of connections: authorities, the least TLS, pins with their mode, and client
/// certificates.
type Connection = (
    Option<(Option<String>, bool)>,
    Option<(Vec<[u8; 32]>, u8)>,
    Chained<Told>,
);
/// A protection that can be printed: its credentials, its client, its connections, whom to encrypt
/// to, a signature by its kind and texts, how many rules and allowed paths it has and whether it is
/// thin, and what was withdrawn.
type Plan = (
    Chained<Told>,
    Chained<ToldClient>,
    Connection,
    Option<Key>,
    Option<(u8, [String; 2])>,
    (Option<(u8, u8)>, Option<bool>),
    Vec<bool>,
);

fn plan() -> impl Strategy<Value = Plan> {
    any::<Plan>()
}

fn rotated<T, U>(chained: Chained<T>, one: fn(T) -> U) -> Option<Rotated<U>> {
    chained.map(|(current, previous)| Rotated {
        current: one(current),
        previous: previous.map(|(until, before)| (Timestamp::from_micros(until), one(before))),
    })
}

fn client(((kind, text, bytes), pairs): ToldClient) -> OauthConfig {
    let secret = Secret::new(bytes);
    OauthConfig {
        token_url: text.clone(),
        client_id: text.clone(),
        authentication: match kind % 4 {
            0 => ClientAuthentication::SecretBasic(secret.clone()),
            1 => ClientAuthentication::SecretPost(secret.clone()),
            kind => ClientAuthentication::PrivateKeyJwt(AssertionKey {
                key: secret.clone(),
                key_id: (kind == 2).then_some(text),
                lifetime: Duration::from_secs(pairs.len() as u64),
            }),
        },
        grant: match kind < 128 {
            true => Grant::ClientCredentials,
            false => Grant::RefreshToken(secret),
        },
        scopes: pairs.iter().map(|(name, _)| name.clone()).collect(),
        extra_headers: pairs.iter().take(1).cloned().collect(),
        extra_params: pairs,
    }
}

fn signature((kind, [header, template]): (u8, [String; 2])) -> Signature {
    match Sender::ALL.get(usize::from(kind % 7)) {
        Some(sender) => Signature::Of(*sender),
        None if kind % 7 == 4 => Signature::StandardWebhooks,
        None => Signature::Generic(GenericSignature {
            timestamp_header: (kind % 7 == 5).then(|| header.clone()),
            header,
            hash: "sha256".to_owned(),
            encoding: "hex".to_owned(),
            prefix: String::new(),
            template,
        }),
    }
}

fn credential((kind, text, bytes): Told) -> Credential {
    let secret = Secret::new(bytes);
    match kind % 5 {
        0 => Credential::Basic {
            username: text,
            password: secret,
        },
        1 => Credential::Bearer { token: secret },
        2 => Credential::HttpSignature {
            algorithm: HttpSignatureAlgorithm::Ed25519,
            key: secret,
            components: vec![text.clone(), text],
        },
        kind => Credential::ApiKey {
            place: match kind {
                3 => KeyPlace::Header,
                _ => KeyPlace::Query,
            },
            name: text,
            value: secret,
        },
    }
}

fn redaction((rules, allowed): (u8, u8)) -> EndpointRedaction {
    let all = crate::redaction::rules("drop /a\nmask:4 $..b\nhash $['c d']");
    let paths = crate::redaction::paths("/a\n$..b");
    let (all, paths) = (all.expect("they are rules"), paths.expect("they are paths"));
    EndpointRedaction {
        rules: all.into_iter().take(usize::from(rules % 4)).collect(),
        allowed: paths.into_iter().take(usize::from(allowed % 3)).collect(),
    }
}

fn encryption((is_given, text, key_id, algorithm): Key) -> Encryption {
    let key = match is_given {
        true => EncryptionKey::Given(text),
        false => EncryptionKey::Published { url: text, key_id },
    };
    Encryption { key, algorithm }
}

fn identity((_, certificates, key): Told) -> Identity {
    let key = Secret::new(key);
    Identity { certificates, key }
}

fn protection(plan: Plan) -> Protection {
    let (auth, oauth, (ca, pins, mtls), key, signed, (of_payloads, thin), withdrawn) = plan;
    let withdrawn = Withdrawn::ALL.into_iter().zip(withdrawn);
    Protection {
        auth: rotated(auth, credential),
        oauth: rotated(oauth, client),
        encryption: key.map(encryption),
        redaction: of_payloads.map(redaction),
        payload: thin.map(|thin| match thin {
            true => PayloadMode::Thin,
            false => PayloadMode::Full,
        }),
        signature: signed.map(signature),
        ca: ca.map(|(authorities, tls13_only)| Trust {
            authorities,
            tls13_only,
        }),
        pins: pins.map(|(pins, mode)| Pinning {
            pins: pins.into_iter().map(Pin::new).collect(),
            mode: match mode % 3 {
                0 => PinningMode::Enforce,
                1 => PinningMode::Report,
                _ => PinningMode::FirstUse,
            },
        }),
        mtls: rotated(mtls, identity),
        withdrawn: withdrawn
            .filter(|(_, is)| *is)
            .map(|(one, _)| one)
            .collect(),
    }
}

proptest! {
    #[test]
    fn what_was_written_is_read_again(plan in plan()) {
        let protection = protection(plan);
        let stored = protection.to_stored();
        let read = Protection::from_stored(stored.expose()).expect("its own form");
        let again = read.to_stored();
        prop_assert_eq!(again.expose(), stored.expose());
        prop_assert_eq!(read.is_empty(), protection.is_empty());
    }

    #[test]
    fn what_is_cut_short_is_refused(plan in plan(), cut in 1_usize..50) {
        let stored = protection(plan).to_stored();
        let whole = stored.expose();
        let kept = whole.len().saturating_sub(cut);
        let read = Protection::from_stored(&whole[..kept]);
        // Where whole fields are cut off, others may be left that make sense.
        if let Ok(read) = read {
            let again = read.to_stored();
            prop_assert_eq!(again.expose(), &whole[..kept]);
        }
    }

    #[test]
    fn no_bytes_are_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = Protection::from_stored(&bytes);
    }
}

#[test]
fn a_part_that_is_not_known_is_refused() {
    let mut fields = Fields::default();
    fields.put_text("tomorrow", "demanded");
    assert!(Protection::from_stored(fields.to_stored().expose()).is_err());
}

#[test]
fn what_was_thin_is_thin_when_it_is_read() {
    for mode in [PayloadMode::Full, PayloadMode::Thin] {
        let protection = Protection {
            payload: Some(mode),
            ..Protection::default()
        };
        assert!(!protection.is_empty());
        let stored = protection.to_stored();
        let read = Protection::from_stored(stored.expose()).expect("its own form");
        assert_eq!(read.payload, Some(mode));
    }
    let mut fields = Fields::default();
    fields.put_text("payload", "");
    fields.put_text("payload.mode", "fat");
    assert!(Protection::from_stored(fields.to_stored().expose()).is_err());
}

#[test]
fn credentials_do_not_follow_to_another_origin() {
    let told = (1, "t".to_owned(), b"s".to_vec());
    let mut protection = Protection {
        auth: rotated(Some((told.clone(), None)), credential),
        oauth: rotated(Some(((told, Vec::new()), None)), client),
        redaction: Some(redaction((1, 1))),
        ..Protection::default()
    };
    protection.leave_origin();
    assert!(protection.auth.is_none() && protection.oauth.is_none());
    assert_eq!(protection.redaction, Some(redaction((1, 0))));
    let both = [Withdrawn::Auth, Withdrawn::Oauth].into();
    assert_eq!(protection.withdrawn, both);
    let nothing = &mut Protection::default();
    nothing.leave_origin();
    assert!(nothing.is_empty());
}

#[test]
fn a_client_certificate_stays_behind_and_pins_of_first_use_are_taken_anew() {
    let pinning = |mode| Pinning {
        pins: vec![Pin::new([1; 32])],
        mode,
    };
    for (mode, kept) in [
        (PinningMode::Enforce, 1),
        (PinningMode::Report, 1),
        (PinningMode::FirstUse, 0),
    ] {
        let mut protection = Protection {
            mtls: Some(Mtls {
                current: identity(Told::default()),
                previous: None,
            }),
            pins: Some(pinning(mode)),
            ..Protection::default()
        };
        protection.leave_origin();
        assert!(protection.mtls.is_none());
        assert_eq!(protection.withdrawn, [Withdrawn::Mtls].into());
        let pins = protection.pins.expect("pins go by the endpoint");
        assert_eq!(pins.pins.len(), kept, "{mode:?}");
        assert_eq!(pins.awaits_first_use(), kept == 0);
    }
}
