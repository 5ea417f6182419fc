//! Vectors and odd input for signing and verifying.

use super::*;
use serde::Deserialize;

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
    tolerance_seconds: Option<u32>,
    valid: bool,
    why: String,
}

fn vectors() -> Vec<(Scheme, Vector)> {
    let text = include_str!("../../../../../conformance/providers.json");
    let all: Vec<Vector> = serde_json::from_str(text).expect("the vectors are well-formed");
    let all = all.into_iter();
    all.map(|vector| (known(&vector.provider), vector))
        .collect()
}

fn known(name: &str) -> Scheme {
    Scheme::Known(Provider::named(name).expect("known"))
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
        method: &vector.method,
        url: &vector.url,
        headers: &read_headers(lines.as_bytes()).unwrap(),
        body: vector.body.as_bytes(),
        now: vector.now_unix,
    };
    let verdict = scheme.judge(&secret(&vector.secret), &request, vector.tolerance_seconds);
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
        // Twilio's short one is a part of what it signs.
        let is_shown = vector.body.contains(encoded);
        assert_eq!(
            is_shown,
            vector.provider == "twilio" && vector.body.len() > 40
        );
        assert!(is_shown || !text.contains(encoded), "{name}");
        assert!(is_shown || !json.to_string().contains(encoded), "{name}");
        judged += 1;
    }
    assert_eq!(judged, 415);
}

#[test]
fn what_was_signed_once_is_signed_again_byte_for_byte() {
    let mut signed = 0;
    let official = |(_, vector): &(_, Vector)| vector.valid && vector.why == "official vector";
    for (scheme, vector) in vectors().into_iter().filter(official) {
        let header = |name: &str| {
            let mut headers = vector.headers.iter();
            let found = headers.find(|(other, _)| other.eq_ignore_ascii_case(name));
            found.map(|(_, value)| value.as_str())
        };
        let id = header("webhook-id").or(header("svix-id"));
        let text = vector.secret_key_for_signing.as_ref();
        let request = Outgoing {
            method: &vector.method,
            url: &vector.url,
            id: id.unwrap_or("msg_1"),
            timestamp: vector.now_unix,
            body: vector.body.as_bytes(),
        };
        let text = secret(text.unwrap_or(&vector.secret));
        let Ok(headers) = scheme.sign(&text, &request) else {
            assert!(["adyen", "sendgrid"].contains(&&*vector.provider));
            continue;
        };
        for (name, value) in headers {
            let expected = header(&name).unwrap_or("msg_1");
            assert_eq!(value, expected, "{}: {name}", vector.id);
        }
        signed += 1;
    }
    assert_eq!(signed, 10);
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
        ("gitlab-08", "token"),
        ("twilio-10", "body"),
        ("linear-02", "age"),
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
    assert!(of("telegram-08").contains("signed     nothing"));
    assert!(of("square-03").contains("signed     https://example.com/webhook"));
}

#[test]
fn nothing_that_was_received_steers_a_terminal() {
    let headers = b"webhook-id: a\x1b[2J\nwebhook-timestamp: 1\xff\nWebhook-Signature: v1,\n\
        X-GitHub-Delivery: \x1b[2J\nX-Hub-Signature-256: sha256=00\n";
    let request = Request {
        method: "POST",
        url: "",
        headers: &read_headers(headers).unwrap(),
        body: b"\x1b[1m",
        now: 1,
    };
    for (scheme, signed) in [
        (known("standard-webhooks"), "not shown"),
        (known("github"), "a part of it is missing"),
    ] {
        let key = secret("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        let verdict = scheme.judge(&key, &request, None).unwrap();
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
    let hmac = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let request = Request {
        method: "POST",
        url: "",
        headers: &[],
        body: b"",
        now: 0,
    };
    for (scheme, text, part) in [
        ("standard-webhooks", "", "no secret"),
        ("standard-webhooks", "whsec_sesame", "base64"),
        ("standard-webhooks", "whsk_sesame", "public key"),
        ("standard-webhooks-ed25519", hmac, "takes `whpk_…`"),
        ("standard-webhooks-ed25519", "whsk_sesame", "public key"),
        ("discord", "sesame-open", "64 hexadecimal digits"),
    ] {
        let refused = known(scheme).judge(&secret(text), &request, None).err();
        is_misuse(text.into(), refused.unwrap(), part);
    }
    let outgoing = Outgoing {
        method: "POST",
        url: "",
        id: "msg_1",
        timestamp: 0,
        body: b"",
    };
    for (scheme, part) in [
        ("standard-webhooks-ed25519", "takes `whsk_…`"),
        ("adyen", "--scheme: this scheme can be verified only"),
    ] {
        let refused = known(scheme).sign(&secret(hmac), &outgoing).err();
        is_misuse(hmac.into(), refused.unwrap(), part);
    }
    let two = secret(&format!("{hmac}\n\n{hmac}\n"));
    assert_eq!(lines(&two).unwrap(), [hmac, hmac]);
    for line in ["nothing", ": x", "a b: x", "\u{e9}: x"] {
        let text = format!("a: b\r\n\r\n{line}\n");
        let refused = read_headers(text.as_bytes()).err();
        is_misuse(line.into(), refused.unwrap(), "line 3");
    }
}
