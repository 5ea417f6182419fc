//! Templates that come apart in one way only, rotation, and what is no scheme and no secret.

use super::generic::{GenericError, GenericScheme};
use super::key::TextSecretError;
use super::sign::HmacKeys;
use super::template::{Template, TemplateError};
use super::verify::HmacVerifier;
use super::*;
use crate::Refused;
use crate::refused::Carried;
use proptest::prelude::*;

const PLAIN: GenericScheme<'_> = GenericScheme {
    header: "X-Signature",
    hash: "sha256",
    encoding: "hex",
    prefix: "",
    template: "{body}",
    timestamp_header: None,
};

fn generic(template: &str) -> HmacScheme {
    HmacScheme::generic(GenericScheme { template, ..PLAIN }).expect("a scheme")
}

fn all() -> Vec<HmacScheme> {
    let known = HmacScheme::KNOWN.map(|name| HmacScheme::known(name).expect("known"));
    let mut all = Vec::from(known);
    all.push(generic("{id}.{timestamp}.{body}"));
    all.push(generic("{body}.{id}/{timestamp}"));
    all
}

#[test]
fn templates_that_could_be_cut_elsewhere_are_refused() {
    for template in [
        "{body}",
        "v0:{timestamp}:{body}",
        "{id}.{timestamp}.{body}",
        "{timestamp}.{id}.{body}",
        "{body}.{timestamp}",
        "{body}/.{id} {timestamp}end",
        "é{body}é",
    ] {
        assert!(Template::parse(template).is_ok(), "{template}");
    }
    let long = "x".repeat(300) + "{body}";
    for (template, error) in [
        ("", TemplateError::NoBody),
        ("{id}.{timestamp}", TemplateError::NoBody),
        ("{body}{body}", TemplateError::Twice),
        ("{id}.{id}.{body}", TemplateError::Twice),
        ("{payload}.{body}", TemplateError::UnknownName),
        ("{{body}}", TemplateError::UnknownName),
        ("{body}}", TemplateError::UnknownName),
        ("{timestamp}{body}", TemplateError::Ambiguous),
        ("{id}:{body}", TemplateError::Ambiguous),
        ("{timestamp}7{body}", TemplateError::Ambiguous),
        ("{id}{timestamp}.{body}", TemplateError::Ambiguous),
        ("{body}{timestamp}", TemplateError::Ambiguous),
        ("{body}-{id}", TemplateError::Ambiguous),
        ("{body}.{timestamp}{id}", TemplateError::Ambiguous),
        (&long, TemplateError::TooLong),
    ] {
        assert_eq!(Template::parse(template), Err(error), "{template}");
    }
}

#[test]
fn what_is_no_scheme_names_the_part_that_is_wrong() {
    let header = |header| GenericScheme { header, ..PLAIN };
    let hash = |hash| GenericScheme { hash, ..PLAIN };
    let encoding = |encoding| GenericScheme { encoding, ..PLAIN };
    let prefix = |prefix| GenericScheme { prefix, ..PLAIN };
    let signed = |template, described| GenericScheme {
        template,
        ..described
    };
    let time = |name| GenericScheme {
        timestamp_header: Some(name),
        ..PLAIN
    };
    let timed = "{timestamp}.{body}";
    let twice = GenericError::Template(TemplateError::Twice);
    for (described, error) in [
        (header(""), GenericError::Header),
        (header("a b"), GenericError::Header),
        (hash("md5"), GenericError::Hash),
        (encoding("Hex"), GenericError::Encoding),
        (prefix("a\n"), GenericError::Prefix),
        (prefix(" a"), GenericError::Prefix),
        (signed("{body}{body}", PLAIN), twice),
        (time("X-Time"), GenericError::UnsignedTime),
        (
            signed(timed, time("x-signature")),
            GenericError::TimestampHeader,
        ),
        (
            signed(timed, header("Webhook-Timestamp")),
            GenericError::TimestampHeader,
        ),
        (
            signed("{id}.{body}", header("Webhook-Id")),
            GenericError::Header,
        ),
        (
            signed("{id}.{timestamp}.{body}", time("webhook-id")),
            GenericError::TimestampHeader,
        ),
    ] {
        assert_eq!(HmacScheme::generic(described), Err(error), "{described:?}");
    }
    assert_eq!(HmacScheme::known("gitlab"), None);
}

#[test]
fn a_secret_is_any_text_that_is_one_and_no_key_of_another_kind() {
    let scheme = HmacScheme::known("github").expect("known");
    for text in ["x", "It's a Secret to Eve", "whsec_AAAA", "gh-secret-öäü"] {
        assert!(scheme.key(text).is_ok(), "{text}");
    }
    for (text, error) in [
        ("", TextSecretError::Empty),
        (&*"x".repeat(1_025), TextSecretError::TooLong),
        ("two\nlines", TextSecretError::ControlCharacters),
        ("whsk_AAAA", TextSecretError::AnotherKind),
        ("whpk_AAAA", TextSecretError::AnotherKind),
    ] {
        assert_eq!(scheme.key(text).err(), Some(error), "{text}");
    }
}

/// A request of a scheme, as it is verified.
fn verified(
    scheme: &HmacScheme,
    headers: &[(&str, String)],
    (body, now): (&[u8], i64),
    secret: &str,
) -> Result<Option<i64>, Refused> {
    let keys = [scheme.key("another secret"), scheme.key(secret)];
    let keys = keys.map(|key| key.expect("a secret"));
    let verifier = HmacVerifier {
        scheme,
        keys: &keys,
        tolerance_seconds: 300,
    };
    let headers = headers
        .iter()
        .map(|(name, value)| (*name, value.as_bytes()));
    let verified = verifier.verify(headers, body, now)?;
    assert_eq!(verified.key, 1);
    assert!(verified.id.is_none_or(|id| id == "msg_1"));
    Ok(verified.timestamp)
}

#[test]
fn what_is_signed_is_verified_and_grows_old_where_its_time_is_signed() {
    for scheme in all() {
        let key = scheme.key("sesame").expect("a secret");
        let keys = HmacKeys {
            current: &key,
            before: &[],
        };
        let headers = scheme.sign(keys, ("msg_1", 1_000), b"body");
        let time = scheme.signs_time().then_some(1_000);
        let check = |body: &[u8], now| verified(&scheme, &headers, (body, now), "sesame");
        let ids = headers.iter().filter(|(_, value)| value == "msg_1");
        assert_eq!(ids.count(), usize::from(scheme.id_header().is_some()));
        assert_eq!(check(b"body", 1_300), Ok(time), "{scheme:?}");
        assert_eq!(check(b"bodY", 1_000), Err(Refused::WrongSignature));
        let later = match time {
            Some(_) => Err(Refused::TooOld { seconds: 301 }),
            None => Ok(None),
        };
        assert_eq!(check(b"body", 1_301), later, "{scheme:?}");
        let twice = [headers.clone(), headers.clone()].concat();
        let refused = verified(&scheme, &twice, (b"body", 1_000), "sesame");
        assert_eq!(refused, Err(Refused::Duplicate(Carried::Signature)));
        for place in 0..headers.len() {
            let mut fewer = headers.clone();
            let (name, _) = fewer.remove(place);
            let refused = verified(&scheme, &fewer, (b"body", 1_000), "sesame");
            let is_signed = scheme.signed.has_id() || scheme.id_header() != Some(name);
            assert_eq!(refused.is_err(), is_signed, "{scheme:?} without {name}");
        }
    }
}

#[test]
fn a_rotation_carries_both_signatures_where_the_scheme_can() {
    for scheme in all() {
        let [new, old] = ["new", "old"].map(|text| scheme.key(text).expect("a secret"));
        let keys = HmacKeys {
            current: &new,
            before: &[&old],
        };
        let headers = scheme.sign(keys, ("msg_1", 1_000), b"body");
        let check = |secret| verified(&scheme, &headers, (b"body", 1_000), secret);
        assert!(check("new").is_ok(), "{scheme:?}");
        assert_eq!(check("old").is_ok(), scheme.carries_several(), "{scheme:?}");
    }
    assert!(HmacScheme::known("stripe").is_some_and(|stripe| stripe.carries_several()));
}

#[test]
fn a_header_with_more_pairs_than_an_honest_sender_has_keys_is_refused() {
    let scheme = HmacScheme::known("stripe").expect("known");
    let mut value = "t=1000".to_owned();
    for _ in 0..=crate::SIGNATURES_MAX {
        value.push_str(",v1=00");
    }
    let refused = verified(&scheme, &[("Stripe-Signature", value)], (b"", 1_000), "s");
    assert_eq!(refused, Err(Refused::TooManySignatures));
    let twice = "t=1000,t=1000,v1=00".to_owned();
    let refused = verified(&scheme, &[("Stripe-Signature", twice)], (b"", 1_000), "s");
    assert_eq!(refused, Err(Refused::Duplicate(Carried::Timestamp)));
}

proptest! {
    /// Whatever template is taken: two requests that differ are never signed alike.
    #[test]
    fn two_requests_are_never_signed_alike(
        before in "(\\{id\\}|\\{timestamp\\}|[.:a1]){0,4}",
        behind in "(\\{id\\}|\\{timestamp\\}|[.:a1]){0,4}",
        ids in ["[a1:]{1,3}", "[a1:]{1,3}"],
        times in [0_i64..200, 0_i64..200],
        bodies in ["[a1:.]{0,6}", "[a1:.]{0,6}"],
    ) {
        let template = format!("{before}{{body}}{behind}");
        let Ok(signed) = Template::parse(&template) else {
            return Ok(());
        };
        let texts = [0, 1].map(|nth: usize| {
            let time = times[nth].to_string();
            let values = template::Values {
                id: ids[nth].as_bytes(),
                timestamp: time.as_bytes(),
                target: template::Target::default(),
                body: bodies[nth].as_bytes(),
            };
            signed.pieces(values).collect::<Vec<_>>().concat()
        });
        let differ = bodies[0] != bodies[1]
            || (signed.has_id() && ids[0] != ids[1])
            || (signed.has_timestamp() && times[0] != times[1]);
        prop_assert_eq!(differ, texts[0] != texts[1], "{}", template);
    }

    #[test]
    fn any_header_is_judged(value in prop::collection::vec(any::<u8>(), 0..80)) {
        for scheme in all() {
            let keys = [scheme.key("sesame").expect("a secret")];
            let verifier = HmacVerifier { scheme: &scheme, keys: &keys, tolerance_seconds: 300 };
            let time = scheme.timestamp_header().map(|name| (name, &b"1"[..]));
            let headers = [(scheme.header(), &value[..])].into_iter().chain(time);
            prop_assert!(verifier.verify(headers, b"body", 1).is_err());
        }
    }
}
