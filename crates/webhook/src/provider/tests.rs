//! What no vector says: replays that were made another request, ids that would reach too far,
//! forms, bodies that two readers would read differently, and secrets that are none.

use super::*;
use crate::Refused;
use crate::refused::Carried;
use proptest::prelude::*;

const NOW: i64 = 1_764_000_000;

const SENT: Outgoing<'_> = Outgoing {
    method: "POST",
    url: "https://example.com/hooks?a=1",
    id: "msg_1",
    timestamp: NOW,
    body: br#"{"id":"evt_1"}"#,
};

type Headers = Vec<(String, String)>;

fn provider(name: &str) -> Provider {
    Provider::named(name).expect("known")
}

fn signed(name: &str, sent: Outgoing<'_>) -> Headers {
    provider(name).sign(&["sesame"], &sent).expect("signed")
}

/// What is said of a request that is genuine, and the key by which its replay is told.
fn told(
    name: &str,
    headers: &Headers,
    sent: Outgoing<'_>,
) -> Result<(Option<String>, String), Refused> {
    let verifier = provider(name).verifier(&["sesame"]).expect("a secret");
    let headers: Vec<_> = headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_bytes()))
        .collect();
    let request = Request {
        method: sent.method,
        url: sent.url,
        headers: &headers,
        body: sent.body,
    };
    let genuine = verifier.verify(&request, NOW, 300)?;
    let id = genuine.id.map(|id| id.text.into_owned());
    Ok((id, format!("{:?}", genuine.replay_key)))
}

#[test]
fn another_unsigned_id_makes_no_other_request() {
    for name in ["github", "shopify", "woocommerce", "twilio", "gitlab"] {
        let mut headers = signed(name, SENT);
        let (id, key) = told(name, &headers, SENT).expect("genuine");
        assert_eq!(id.as_deref(), Some("msg_1"), "{name}");
        let header = provider(name).headers().id.expect("it has one");
        let mut others = headers.iter_mut();
        let found = others
            .find(|(other, _)| other == header)
            .expect("it is sent");
        found.1 = "msg_2".to_owned();
        let (id, again) = told(name, &headers, SENT).expect("genuine");
        assert_eq!(id.as_deref(), Some("msg_2"), "{name}");
        assert_eq!(again, key, "{name}");
        headers.retain(|(other, _)| other != header);
        assert_eq!(told(name, &headers, SENT), Ok((None, key)), "{name}");
    }
}

#[test]
fn an_id_in_a_signed_body_is_signed_and_a_text_that_is_none_is_no_id() {
    for (body, id) in [
        (&br#"{"id":"evt_1"}"#[..], Some("evt_1")),
        (br#"{"id":17}"#, Some("17")),
        (br#"{"id":"a b"}"#, None),
        (br#"{"id":null}"#, None),
        (br#"["id"]"#, None),
        (b"id=evt_1", None),
    ] {
        let sent = Outgoing { body, ..SENT };
        let (found, key) = told("stripe", &signed("stripe", sent), sent).expect("genuine");
        assert_eq!(found.as_deref(), id);
        assert_eq!(key.starts_with("Id("), id.is_some(), "{key}");
    }
}

#[test]
fn nothing_of_a_body_can_be_moved_into_an_id_that_nothing_ends() {
    // One signed text that comes apart in two ways: a body with a date in it, and an id that goes
    // on until there.
    let forged = Outgoing {
        id: "msg_12025-11-24T16:00:00Z{\"at\":\"",
        body: b"\"}",
        ..SENT
    };
    let mut headers = signed("twitch", forged);
    let refused = told("twitch", &headers, forged);
    assert_eq!(refused, Err(Refused::MalformedId));
    headers[0].1 = "msg_1".to_owned();
    headers[1].1 = "2025-11-24T16:00:00Z".to_owned();
    let body = br#"{"at":"2025-11-24T16:00:00.000000000Z"}"#;
    assert!(told("twitch", &headers, Outgoing { body, ..forged }).is_ok());
}

#[test]
fn a_url_and_a_method_are_signed_where_the_scheme_says_so() {
    for name in ["hubspot-v2", "hubspot-v3", "square", "twilio"] {
        let headers = signed(name, SENT);
        assert!(told(name, &headers, SENT).is_ok(), "{name}");
        let url = "https://example.com/hooks?a=2";
        let moved = Outgoing { url, ..SENT };
        assert!(provider(name).signs_url(), "{name}");
        let refused = told(name, &headers, moved);
        assert_eq!(refused, Err(Refused::WrongSignature), "{name}");
        let put = Outgoing {
            method: "PUT",
            ..SENT
        };
        let is_refused = told(name, &headers, put).is_err();
        assert_eq!(is_refused, provider(name).signs_method(), "{name}");
    }
}

#[test]
fn hubspots_escapes_are_undone_once_and_its_versions_are_not_taken_for_each_other() {
    let url = "https://example.com/?a=%3a%2F%253A%20%e2%82%ac";
    let undone = "https://example.com/?a=:/%253A%20%e2%82%ac";
    let headers = signed("hubspot-v3", Outgoing { url, ..SENT });
    for url in [url, undone] {
        assert!(told("hubspot-v3", &headers, Outgoing { url, ..SENT }).is_ok());
    }
    let headers = signed("hubspot-v1", SENT);
    let version = Refused::OtherVersion("X-HubSpot-Signature-Version");
    assert_eq!(told("hubspot-v2", &headers, SENT), Err(version));
    let unnamed = headers[1..].to_vec();
    let refused = Refused::MissingHeader("X-HubSpot-Signature-Version");
    assert_eq!(told("hubspot-v1", &unnamed, SENT), Err(refused));
}

#[test]
fn fields_of_a_form_are_signed_in_their_order_with_their_escapes_undone() {
    let form = |body| Outgoing { body, ..SENT };
    let headers = signed("twilio", form(b"b=%2B1&a=x+y&c=100%&a=x+y&d"));
    for same in [
        &b"a=x%20y&b=%2b1&c=100%25&d="[..],
        b"&d&c=100%&b=%2B1&&a=x+y",
    ] {
        assert!(told("twilio", &headers, form(same)).is_ok());
    }
    for other in [&b"a=x%20y&b=+1&c=100%25&d="[..], b"a=x%20y&b=%2b1&c=100%25"] {
        let refused = told("twilio", &headers, form(other));
        // Without an escape, a plus is a space; a field that is left away is missing.
        assert_eq!(refused, Err(Refused::WrongSignature));
    }
    let url = "https://example.com/?bodySHA256=00";
    let refused = provider("twilio").sign(&["sesame"], &Outgoing { url, ..SENT });
    assert_eq!(refused, Err(SignError::NoBodyDigest));
}

#[test]
fn a_field_that_is_there_twice_is_refused_where_the_signature_stands_in_the_body() {
    let verify = |name: &str, secret: &str, body: &str| {
        let verifier = provider(name).verifier(&[secret]).expect("a secret");
        let request = Request {
            method: "POST",
            url: SENT.url,
            headers: &[],
            body: body.as_bytes(),
        };
        verifier.verify(&request, NOW, 300).err()
    };
    let token = "e0b5477167110d68991efc6b9f89f0a11066af27834600e123";
    let mailgun = |members: &str| {
        let body = format!(r#"{{"signature":{{"timestamp":"1764000000",{members}}}}}"#);
        verify("mailgun", "mg-signing-key", &body)
    };
    let good = format!(
        r#""token":"{token}","signature":"dcbfd2101e03e84ed42f93744fcd5d1e592cf7630807f12bf443840d2c78c50e""#
    );
    assert_eq!(mailgun(&good), None);
    let twice = mailgun(&format!(r#"{good},"token":"{token}""#));
    assert!(
        matches!(twice, Some(Refused::MalformedBody(_))),
        "{twice:?}"
    );
    // A digit that was the time's.
    let moved = format!(r#"{{"signature":{{"timestamp":"176400000",{good}}}}}"#);
    let moved = moved.replace(token, &format!("0{token}"));
    let refused = verify("mailgun", "mg-signing-key", &moved);
    assert_eq!(refused, Some(Refused::MalformedId));

    let item =
        r#"{"NotificationRequestItem":{"amount":{"value":1,"currency":"EUR"},"success":"true"}}"#;
    let adyen = |items: &str| {
        verify(
            "adyen",
            "00ff",
            &format!(r#"{{"notificationItems":[{items}]}}"#),
        )
    };
    assert_eq!(adyen(item), Some(Refused::Missing(Carried::Signature)));
    let twice = item.replace(r#""success""#, r#""success":"false","success""#);
    assert!(matches!(adyen(&twice), Some(Refused::MalformedBody(_))));
    let many = vec![item; crate::SIGNATURES_MAX + 1].join(",");
    assert_eq!(adyen(&many), Some(Refused::TooManySignatures));
}

#[test]
fn secrets_that_are_none_are_refused_without_being_repeated() {
    for (name, secret, part) in [
        ("github", "", "empty"),
        ("gitlab", "two\nlines", "control characters"),
        ("telegram", "", "empty"),
        ("hubspot-v1", "", "empty"),
        ("adyen", "sesame", "hexadecimal"),
        ("discord", "abcd", "64 hexadecimal"),
        ("sendgrid", "c2VzYW1l", "P-256"),
        ("telnyx", "c2VzYW1l", "base64 of 32 bytes"),
        ("svix", "whsec_sesame", "base64"),
        ("standard-webhooks", "whsk_sesame", "public key"),
        (
            "standard-webhooks-ed25519",
            "whsec_sesame",
            "takes `whpk_…`",
        ),
        ("gitlab-signing", "whpk_sesame", "takes `whsec_…`"),
    ] {
        let refused = provider(name).verifier(&[secret]).err();
        let refused = refused.expect("it is none").to_string();
        assert!(refused.contains(part), "{name}: {refused}");
        assert!(secret.is_empty() || !refused.contains(secret), "{refused}");
    }
}

#[test]
fn names_are_told_apart_and_lead_back_to_their_providers() {
    let mut names: Vec<_> = Provider::all().map(|provider| provider.name()).collect();
    for name in &names {
        assert_eq!(Provider::named(name).map(|one| one.name()), Some(*name));
    }
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), ALL.len());
    assert!(Provider::named("GitHub").is_none());
}

proptest! {
    #[test]
    fn any_request_is_judged(
        value in prop::collection::vec(any::<u8>(), 0..80),
        body in prop::collection::vec(any::<u8>(), 0..80),
        url in "[ -~€]{0,40}",
    ) {
        let secrets = [
            "sesame!!",
            "00ff",
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=",
            "a6fbf9fc39e1cd92a49b2e6860095d34a9047319ddd56904792e428da60f901b",
            "1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=",
        ];
        for provider in Provider::all() {
            let mut verifiers = secrets.iter().filter_map(|text| provider.verifier(&[text]).ok());
            let Some(verifier) = verifiers.next() else {
                prop_assert_eq!(provider.name(), "sendgrid");
                continue;
            };
            let names = provider.headers();
            let headers: Vec<_> = [(names.id, &b"msg_1"[..]), (names.timestamp, b"1764000000")]
                .into_iter()
                .chain([(names.signature, &value[..])])
                .filter_map(|(name, value)| Some((name?, value)))
                .collect();
            let request = Request { method: "POST", url: &url, headers: &headers, body: &body };
            prop_assert!(verifier.verify(&request, NOW, 300).is_err());
            let _ = verifier.content(&request);
            let manners = provider.manners();
            let _ = (manners.event_type(&request), manners.accepted(&request, "msg_1", true));
            let asked = Request { method: "GET", ..request };
            prop_assert_eq!(manners.open_handshake(&asked, &[]), None);
        }
    }
}
