//! Vectors and odd input for signing and verifying.

use super::*;
use serde::Deserialize;

#[derive(Deserialize)]
struct Vector {
    id: String,
    provider: String,
    secret: String,
    secret_key_for_signing: Option<String>,
    headers: Vec<(String, String)>,
    body: String,
    now_unix: i64,
    tolerance_seconds: Option<u32>,
    valid: bool,
    why: String,
}

fn vectors() -> Vec<(Scheme, Vector)> {
    let described = |name: &str| match HmacScheme::known(name) {
        Some(scheme) => Some(Scheme::Hmac(scheme)),
        None => standard(name).map(Scheme::Standard),
    };
    let text = include_str!("../../../../../conformance/providers.json");
    let all: Vec<Vector> = serde_json::from_str(text).expect("the vectors are well-formed");
    let known = |vector: Vector| Some((described(&vector.provider)?, vector));
    all.into_iter().filter_map(known).collect()
}

fn standard(name: &str) -> Option<Standard> {
    STANDARD.into_iter().find(|scheme| scheme.name == name)
}

fn secret(text: &str) -> Secret {
    Secret::from(text.to_owned())
}

fn verdict(scheme: &Scheme, vector: &Vector) -> Verdict {
    let headers = vector.headers.iter();
    let lines: Vec<_> = headers
        .map(|(name, value)| format!("{name}: {value}\r\n"))
        .collect();
    let lines = lines.concat();
    let request = Request {
        headers: &read_headers(lines.as_bytes()).unwrap(),
        body: vector.body.as_bytes(),
        now: vector.now_unix,
    };
    let tolerance = vector.tolerance_seconds.unwrap_or_default();
    let verdict = scheme.judge(&secret(&vector.secret), &request, tolerance);
    verdict.unwrap()
}

#[test]
fn every_vector_is_judged_as_it_says_and_told_without_its_secret() {
    let mut judged = 0;
    for (scheme, vector) in vectors() {
        let verdict = verdict(&scheme, &vector);
        let name = format!("{}: {}", vector.id, vector.why);
        assert_eq!(verdict.is_genuine(), vector.valid, "{name}");
        let (text, json) = (verdict.text(), verdict.json());
        assert_eq!(text == "genuine", vector.valid, "{name}");
        assert_eq!(text.starts_with("refused: "), !vector.valid, "{name}");
        assert_eq!(json["genuine"], vector.valid, "{name}");
        assert_eq!(json["check"].is_null(), vector.valid, "{name}");
        let encoded = vector.secret.rsplit('_').next().unwrap();
        assert!(!text.contains(encoded), "{name}");
        assert!(!json.to_string().contains(encoded), "{name}");
        judged += 1;
    }
    assert_eq!(judged, 152);
}

#[test]
fn what_was_signed_once_is_signed_again_byte_for_byte() {
    let official = |(scheme, vector): (Scheme, Vector)| match scheme {
        Scheme::Standard(scheme) if vector.why.starts_with("official vector") => {
            Some((scheme, vector))
        }
        _ => None,
    };
    let valid = vectors().into_iter().filter_map(official);
    let mut signed = 0;
    for (scheme, vector) in valid.filter(|(_, vector)| vector.valid) {
        let text = vector.secret_key_for_signing.as_ref();
        let keys = scheme.signing_keys(&secret(text.unwrap_or(&vector.secret)));
        let header = |place: usize| vector.headers[place].1.as_str();
        let when = (header(0), header(1).parse().unwrap());
        let headers = scheme.sign(&keys.unwrap(), when, vector.body.as_bytes());
        for ((name, value), expected) in headers.iter().zip(&vector.headers) {
            assert_eq!(
                (name.as_str(), value),
                (expected.0.as_str(), &expected.1),
                "{}",
                vector.id
            );
        }
        signed += 1;
    }
    assert_eq!(signed, 5);
}

#[test]
fn a_refusal_names_the_check_and_what_would_have_had_to_be_signed() {
    let of = |id: &str| {
        let all = vectors().into_iter();
        let (scheme, vector) = all.into_iter().find(|(_, one)| one.id == id).unwrap();
        verdict(&scheme, &vector).text()
    };
    for (id, check) in [
        ("standard-webhooks-03", "age"),
        ("standard-webhooks-08", "signature"),
        ("standard-webhooks-13", "headers"),
        ("standard-webhooks-22", "timestamp"),
        ("standard-webhooks-34", "id"),
        ("standard-webhooks-35", "headers"),
        ("standard-webhooks-ed25519-05", "signature"),
    ] {
        let text = of(id);
        let line = text.lines().find(|line| line.starts_with("  check"));
        let line = line.unwrap_or_else(|| panic!("{id}: {text}"));
        assert!(line.ends_with(check), "{id}: {text}");
    }
    let text = of("standard-webhooks-03");
    for part in [
        "refused: signed 301 s ago",
        "id         msg_p5jXN8AQM9LWM0D4loKWxJek",
        "body       20 bytes, SHA-256 ",
        "signed     msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.{\"test\": 2432232314}",
    ] {
        assert!(text.contains(part), "no {part:?} in {text}");
    }
    assert!(of("standard-webhooks-09").contains("without the line break at its end"));
}

#[test]
fn nothing_that_was_received_steers_a_terminal() {
    let headers = b"webhook-id: a\x1b[2J\nwebhook-timestamp: 1\xff\nWebhook-Signature: v1,\n\
        X-GitHub-Delivery: \x1b[2J\nX-Hub-Signature-256: sha256=00\n";
    let request = Request {
        headers: &read_headers(headers).unwrap(),
        body: b"\x1b[1m",
        now: 1,
    };
    let github = HmacScheme::known("github").unwrap();
    for (scheme, signed) in [
        (Scheme::Standard(STANDARD[0]), "not shown"),
        (Scheme::Hmac(github), "a part of it is missing"),
    ] {
        let key = secret("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        let verdict = scheme.judge(&key, &request, 300).unwrap();
        let (text, json) = (verdict.text(), verdict.json().to_string());
        assert!(
            !text.contains('\u{1b}') && !json.contains('\u{1b}'),
            "{text:?}"
        );
        assert!(text.contains(signed), "{text}");
    }
}

#[test]
fn schemes_and_secrets_that_do_not_fit_are_misuse() {
    let is_misuse = |text: String, failure: Failure, part: &str| {
        let Failure::Misuse(error) = failure else {
            panic!("{text}");
        };
        assert!(error.to_string().contains(part), "{text}: {error}");
        assert!(
            text.len() < 6 || !error.to_string().contains(&text),
            "{error}"
        );
    };
    let [standard, ed25519, _] = STANDARD;
    let hmac = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    for (scheme, text, part) in [
        (standard, "", "no secret"),
        (standard, "whsec_sesame", "base64"),
        (standard, "whsk_sesame", "public key"),
        (ed25519, hmac, "takes `whpk_…`"),
        (ed25519, "whsk_sesame", "public key"),
    ] {
        let refused = scheme.verifying_keys(&secret(text)).err();
        is_misuse(text.into(), refused.unwrap(), part);
    }
    let refused = ed25519.signing_keys(&secret(hmac)).err();
    is_misuse(hmac.into(), refused.unwrap(), "takes `whsk_…`");
    let two = standard.verifying_keys(&secret(&format!("{hmac}\n\n{hmac}\n")));
    assert_eq!(two.unwrap().len(), 2);
    for line in ["nothing", ": x", "a b: x", "\u{e9}: x"] {
        let text = format!("a: b\r\n\r\n{line}\n");
        let refused = read_headers(text.as_bytes()).err();
        is_misuse(line.into(), refused.unwrap(), "line 3");
    }
}
