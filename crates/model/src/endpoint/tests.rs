//! Matching, rotation, and the stored forms.

use super::*;
use crate::id::{ApplicationKey, EndpointKey};

fn endpoint(event_types: Option<&[&str]>, channels: Option<&[&str]>) -> Endpoint {
    let set = |names: &[&str]| names.iter().map(|name| name.parse().unwrap()).collect();
    Endpoint {
        id: EndpointId::new(EndpointKey::from_integer(1), [0; 12]),
        application: ApplicationKey::from_integer(1),
        uid: None,
        url: "https://example.com/".into(),
        description: String::new(),
        disabled: false,
        event_types: event_types.map(set),
        channels: channels.map(set),
        rate_limit: None,
        metadata: Metadata::new(),
        version: 1,
        created_at: Timestamp::default(),
        updated_at: Timestamp::default(),
    }
}

#[test]
fn a_message_reaches_whom_it_is_for() {
    type Names = &'static [&'static str];
    let cases: [(Option<Names>, Option<Names>, Names, bool); 8] = [
        (None, None, &[], true),
        (None, None, &["eu"], true),
        (Some(&["paid"]), None, &[], true),
        (Some(&["refunded"]), None, &[], false),
        (None, Some(&["eu"]), &[], false),
        (None, Some(&["eu"]), &["eu", "us"], true),
        (None, Some(&["eu"]), &["us"], false),
        (Some(&["refunded"]), Some(&["eu"]), &["eu"], false),
    ];
    for (types, wanted, channels, expected) in cases {
        let channels = channels.iter().map(|name| name.parse().unwrap()).collect();
        let event_type = "paid".parse().unwrap();
        let mut endpoint = endpoint(types, wanted);
        assert_eq!(
            endpoint.wants(&event_type, &channels),
            expected,
            "{types:?} {wanted:?}"
        );
        endpoint.disabled = true;
        assert!(!endpoint.wants(&event_type, &channels));
    }
}

fn exposed<'a>(secrets: impl Iterator<Item = &'a Secret>) -> Vec<&'a [u8]> {
    secrets.map(Secret::expose).collect()
}

#[test]
fn old_secrets_sign_until_they_expire_and_survive_the_store() {
    let at = Timestamp::from_seconds;
    let mut secrets = SigningSecrets::new(Secret::from("one".to_owned()));
    secrets.rotate(Secret::from("two".to_owned()), at(300), at(0));
    secrets.rotate(Secret::from("three".to_owned()), at(200), at(0));
    let secrets = SigningSecrets::from_stored(secrets.to_stored().expose()).unwrap();
    assert_eq!(
        exposed(secrets.signing_at(at(100))),
        [b"three".as_slice(), b"two", b"one"]
    );
    assert_eq!(
        exposed(secrets.signing_at(at(200))),
        [b"three".as_slice(), b"one"]
    );
    assert_eq!(exposed(secrets.signing_at(at(300))), [b"three".as_slice()]);
}

#[test]
fn a_rotation_without_grace_drops_the_old_secret_at_once() {
    let mut secrets = SigningSecrets::new(Secret::from("one".to_owned()));
    let now = Timestamp::from_seconds(10);
    secrets.rotate(Secret::from("two".to_owned()), now, now);
    assert!(secrets.old.is_empty());
}

#[test]
fn header_names_match_without_regard_to_case() {
    let mut headers = CustomHeaders::default();
    headers.set("X-Key".into(), Secret::from("a: b".to_owned()));
    headers.set("x-key".into(), Secret::from("c".to_owned()));
    headers.set("X-Other".into(), Secret::from(String::new()));
    let headers = CustomHeaders::from_stored(headers.to_stored().expose()).unwrap();
    let seen: Vec<_> = headers
        .iter()
        .map(|(name, value)| (name, value.expose()))
        .collect();
    assert_eq!(seen, [("x-key", b"c".as_slice()), ("X-Other", b"")]);
}

#[test]
fn credentials_of_the_url_are_kept_beside_the_headers() {
    let mut headers = CustomHeaders {
        url_credentials: Some(Secret::from("user:a:b".to_owned())),
        ..CustomHeaders::default()
    };
    assert!(!headers.is_empty());
    headers.set("X-Key".into(), Secret::from("c".to_owned()));
    let headers = CustomHeaders::from_stored(headers.to_stored().expose()).unwrap();
    let credentials = headers.url_credentials.as_ref().map(Secret::expose);
    assert_eq!(credentials, Some(b"user:a:b".as_slice()));
    assert_eq!(headers.iter().count(), 1);
}

#[test]
fn texts_of_another_form_are_refused() {
    assert!(SigningSecrets::from_stored(b"one\nnonsense").is_err());
    assert!(SigningSecrets::from_stored(b"one\nx two").is_err());
    assert!(CustomHeaders::from_stored(b"no colon").is_err());
}
