//! Each check by itself, and all of them together.

use super::*;
use model::protection::{Credential, GenericSignature, HttpSignatureAlgorithm, KeyPlace};
use model::security::SecurityKind;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use webhook::SigningKey;
use webhook::http_signature::{self, Moment, Signer, key_id};
use webhook::jwe::{Context, PublicJwk, RANDOM_BYTES, Recipient};
use webhook::provider::{Outgoing, Provider};

const NOW: i64 = 1_764_000_000;
const URL: &str = "https://in.example/in/token?tenant=7";
const FIRST: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const SECOND: &str = "whsec_VGhpcyBpcyBhbm90aGVyIHNlY3JldCBrZXkh";
const BODY: &[u8] = br#"{"type":"order.paid","order":7}"#;

type Headers = Vec<(String, String)>;

fn secret(text: &str) -> Secret {
    Secret::from(text.to_owned())
}

fn with_secrets(secrets: &[&str]) -> SourceConfig {
    SourceConfig {
        secrets: secrets.iter().map(|text| secret(text)).collect(),
        ..SourceConfig::default()
    }
}

fn with_auth(auth: AuthDemanded) -> SourceConfig {
    SourceConfig {
        auth: Some(auth),
        ..SourceConfig::default()
    }
}

fn with_credential(credential: Credential) -> SourceConfig {
    with_auth(AuthDemanded::Credential(credential))
}

fn checks(source_type: &str, config: &SourceConfig) -> Checks {
    let made = Checks::new(source_type, config, true);
    made.unwrap_or_else(|wrong| panic!("{wrong:?}"))
}

fn signed_as(provider: &str, secret: &str, body: &[u8]) -> Headers {
    let provider = Provider::named(provider).expect("known");
    let outgoing = Outgoing {
        method: "POST",
        url: URL,
        id: "msg_1",
        timestamp: NOW,
        body,
    };
    provider.sign(&[secret], &outgoing).expect("it signs")
}

fn signed(secret: &str, body: &[u8]) -> Headers {
    signed_as("standard-webhooks", secret, body)
}

fn headers(pairs: &[(&str, &str)]) -> Headers {
    let pairs = pairs.iter();
    let pairs = pairs.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    pairs.collect()
}

/// What comes of a request at this URL.
fn at(checks: &Checks, url: &str, headers: &Headers, body: &[u8]) -> Result<Vec<Came>, Refusal> {
    let headers = headers.iter();
    let headers: Vec<_> = headers
        .map(|(name, value)| (name.as_str(), value.as_bytes()))
        .collect();
    let request = Request {
        method: "POST",
        url,
        headers: &headers,
        body,
    };
    let arrived = Arrived {
        request,
        address: Some("192.0.2.7".parse().expect("an address")),
        certificates: &[],
    };
    match checks.verify(&arrived, NOW)? {
        Verified::Came(came) => Ok(came),
        Verified::Handshake(_) => panic!("no handshake"),
    }
}

fn verify(checks: &Checks, headers: &Headers, body: &[u8]) -> Result<Vec<Came>, Refusal> {
    at(checks, URL, headers, body)
}

fn kind(outcome: Result<Vec<Came>, Refusal>) -> Option<SecurityKind> {
    outcome.err().map(|refusal| refusal.kind())
}

fn wrong(source_type: &str, config: &SourceConfig) -> Vec<&'static str> {
    let refused = Checks::new(source_type, config, false).err();
    let refused = refused.unwrap_or_default().into_iter();
    refused.map(|error| error.field).collect()
}

#[test]
fn any_of_the_secrets_may_have_signed_and_no_other() {
    let both = checks("standard-webhooks", &with_secrets(&[FIRST, SECOND]));
    for secret in [FIRST, SECOND] {
        let came = verify(&both, &signed(secret, BODY), BODY).unwrap_or_default();
        let [one] = came.as_slice() else {
            panic!("{} came", came.len())
        };
        assert_eq!(one.id.as_deref(), Some("msg_1"));
        assert_eq!(one.event_type.as_deref(), Some("order.paid"));
        assert_eq!(one.replay_key, Some(ReplayKey::Id("msg_1".into())));
        assert!(one.is_id_signed && one.payload.is_none());
    }
    let one = checks("standard-webhooks", &with_secrets(&[FIRST]));
    let other = verify(&one, &signed(SECOND, BODY), BODY);
    assert_eq!(kind(other), Some(SecurityKind::IngestSignatureInvalid));
    let changed = verify(&one, &signed(FIRST, BODY), b"{}");
    assert_eq!(kind(changed), Some(SecurityKind::IngestSignatureInvalid));
    let unsigned = verify(&one, &Headers::new(), BODY);
    assert_eq!(kind(unsigned), Some(SecurityKind::IngestSignatureInvalid));
}

#[test]
fn what_is_genuine_and_too_old_is_stale_by_the_source_s_own_tolerance() {
    let verify_at = |tolerance, now| {
        let config = SourceConfig {
            tolerance_seconds: Some(tolerance),
            ..with_secrets(&[FIRST])
        };
        let headers = signed(FIRST, BODY);
        let headers = headers.iter();
        let headers: Vec<_> = headers
            .map(|(name, value)| (name.as_str(), value.as_bytes()))
            .collect();
        let arrived = Arrived {
            request: Request {
                method: "POST",
                url: URL,
                headers: &headers,
                body: BODY,
            },
            address: None,
            certificates: &[],
        };
        let verified = checks("standard-webhooks", &config).verify(&arrived, now);
        verified.err().map(|refusal| refusal.kind())
    };
    let stale = Some(SecurityKind::IngestTimestampStale);
    assert_eq!(verify_at(60, NOW + 60), None);
    assert_eq!(verify_at(60, NOW + 61), stale);
    assert_eq!(verify_at(60, NOW - 61), stale);
    assert_eq!(verify_at(600, NOW + 600), None);
}

#[test]
fn only_allowed_addresses_are_heard_and_before_anything_else() {
    let config = |network: &str| SourceConfig {
        allow_addresses: vec![network.parse().expect("a network")],
        ..with_secrets(&[FIRST])
    };
    let inside = checks("standard-webhooks", &config("192.0.2.0/24"));
    assert!(verify(&inside, &signed(FIRST, BODY), BODY).is_ok());
    let outside = checks("standard-webhooks", &config("198.51.100.0/24"));
    for headers in [signed(FIRST, BODY), Headers::new()] {
        let refused = verify(&outside, &headers, BODY).err();
        assert_eq!(refused, Some(Refusal::Address));
    }
}

/// A name and a password, a token, a key in a header, and one in the URL.
fn credentials() -> [Credential; 4] {
    let basic = Credential::Basic {
        username: "us".to_owned(),
        password: secret("p:ss"),
    };
    let bearer = Credential::Bearer {
        token: secret("token"),
    };
    let key = |place| Credential::ApiKey {
        place,
        name: "X-Key".to_owned(),
        value: secret("k y"),
    };
    [basic, bearer, key(KeyPlace::Header), key(KeyPlace::Query)]
}

#[test]
fn credentials_have_to_be_there_once_and_be_the_right_ones() {
    let [basic, bearer, header, query] = credentials();
    let (good, bad) = (
        "https://in.example/in/t?X-Key=k+y",
        "https://in.example/in/t",
    );
    for (credential, url, pairs, is_taken) in [
        (
            &basic,
            bad,
            vec![("Authorization", "bASIC dXM6cDpzcw==")],
            true,
        ),
        (
            &basic,
            bad,
            vec![("authorization", "Basic dXM6cDpzdA==")],
            false,
        ),
        (&basic, bad, vec![("authorization", "Basic !")], false),
        (
            &basic,
            bad,
            vec![("authorization", "Bearer dXM6cDpzcw==")],
            false,
        ),
        (&basic, bad, vec![], false),
        (&bearer, bad, vec![("authorization", "Bearer token")], true),
        (
            &bearer,
            bad,
            vec![("authorization", "Bearer token2")],
            false,
        ),
        (&bearer, bad, vec![("authorization", "Bearer")], false),
        (
            &bearer,
            bad,
            vec![
                ("authorization", "Bearer token"),
                ("Authorization", "Bearer token"),
            ],
            false,
        ),
        (&header, bad, vec![("x-key", "k y")], true),
        (&header, good, vec![("x-key", "k")], false),
        (&query, good, vec![], true),
        (&query, bad, vec![("x-key", "k y")], false),
        (
            &query,
            "https://in.example/in/t?X-Key=k+y&X-Key=k+y",
            vec![],
            false,
        ),
    ] {
        let checks = checks(GENERIC, &with_credential(credential.clone()));
        let outcome = at(&checks, url, &headers(&pairs), BODY);
        let expected = (!is_taken).then_some(SecurityKind::IngestCredentialsInvalid);
        assert_eq!(kind(outcome), expected, "{url} {pairs:?}");
    }
}

#[test]
fn a_signature_and_credentials_must_both_be_good() {
    let bearer = Credential::Bearer {
        token: secret("token"),
    };
    let config = SourceConfig {
        secrets: vec![secret(FIRST)],
        ..with_credential(bearer)
    };
    let checks = checks("standard-webhooks", &config);
    let token = headers(&[("authorization", "Bearer token")]);
    let both = [signed(FIRST, BODY), token.clone()].concat();
    assert!(verify(&checks, &both, BODY).is_ok());
    let without_token = kind(verify(&checks, &signed(FIRST, BODY), BODY));
    assert_eq!(without_token, Some(SecurityKind::IngestCredentialsInvalid));
    let without_signature = kind(verify(&checks, &token, BODY));
    assert_eq!(
        without_signature,
        Some(SecurityKind::IngestSignatureInvalid)
    );
}

/// Signs as deliveries are that have such an `auth`.
fn request_signed(key: &SigningKey, url: &str, body: &[u8]) -> Headers {
    let plain = headers(&[
        ("content-type", "application/json"),
        ("webhook-id", "msg_9"),
        ("webhook-timestamp", "1764000000"),
    ]);
    let bytes: Vec<_> = plain
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_bytes()))
        .collect();
    let request = http_signature::Request {
        method: "POST",
        target_uri: url,
        headers: &bytes,
    };
    let moment = Moment {
        created: NOW,
        lifetime_seconds: 300,
        nonce: [9; 16],
    };
    let signer = Signer::new(key, &key_id(key), &[]).expect("a signer");
    let made = signer.sign(request, body, moment).expect("it signs");
    let made = made
        .headers()
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
    [plain, made.to_vec()].concat()
}

#[test]
fn a_signature_over_the_request_covers_body_url_and_id() {
    let key = SigningKey::generate_ed25519(&[7; 32]);
    let demanded = |text: &str| {
        with_credential(Credential::HttpSignature {
            algorithm: HttpSignatureAlgorithm::Ed25519,
            key: secret(text),
            components: Vec::new(),
        })
    };
    for text in [key.to_text(), key.receiver_text()] {
        let checks = checks(GENERIC, &demanded(text.expose()));
        assert_eq!(checks.replay_protection(), ReplayProtection::Age);
        let good = request_signed(&key, URL, BODY);
        let came = verify(&checks, &good, BODY).unwrap_or_default();
        assert_eq!(came[0].replay_key, Some(ReplayKey::Id("msg_9".into())));
        let mut other_id = good.clone();
        other_id[1].1 = "msg_8".to_owned();
        for refused in [
            verify(&checks, &good, b"{}"),
            at(&checks, "https://in.example/in/token", &good, BODY),
            verify(&checks, &other_id, BODY),
            verify(&checks, &good[..3].to_vec(), BODY),
        ] {
            assert_eq!(kind(refused), Some(SecurityKind::IngestCredentialsInvalid));
        }
    }
    assert_eq!(wrong(GENERIC, &demanded(key.to_text().expose())), ["type"]);
}

const JWK: &str = r#"{
    "kty": "OKP", "crv": "X25519", "kid": "2026-11",
    "x": "H3aIKQpVxwtX1_AbE1_KeL5YLB0ZraC2lKspX4RUzWk",
    "d": "qPlnYgbDllK7rdYVApgLRIGHaOihM4hS6NwKbyqx_U0"
}"#;

fn encrypted(id: &str, timestamp: i64) -> String {
    let private = PrivateJwk::parse(JWK).expect("a key");
    let public = PublicJwk::parse(&private.public_json()).expect("a key");
    let context = Context {
        id,
        timestamp,
        event_type: "order.sealed",
        content_type: "application/json",
    };
    let recipient = Recipient::new(&public, None).expect("a recipient");
    recipient
        .encrypt(context, BODY, &[7; RANDOM_BYTES])
        .expect("it encrypts")
}

#[test]
fn a_source_with_a_key_takes_what_was_encrypted_for_this_message_alone() {
    let config = SourceConfig {
        encryption: vec![secret(JWK)],
        ..with_secrets(&[FIRST])
    };
    let checks = checks("standard-webhooks", &config);
    let body = encrypted("msg_1", NOW);
    let headers = signed(FIRST, body.as_bytes());
    let came = verify(&checks, &headers, body.as_bytes()).unwrap_or_default();
    assert_eq!(came[0].payload.as_deref(), Some(BODY));
    assert_eq!(came[0].event_type.as_deref(), Some("order.sealed"));
    let failed = Some(SecurityKind::IngestDecryptionFailed);
    for other in [
        String::from_utf8_lossy(BODY).into_owned(),
        encrypted("msg_2", NOW),
        encrypted("msg_1", NOW - 1),
    ] {
        let headers = signed(FIRST, other.as_bytes());
        assert_eq!(kind(verify(&checks, &headers, other.as_bytes())), failed);
    }
    let unsigned = SourceConfig {
        encryption: vec![secret(JWK)],
        unverified: true,
        ..SourceConfig::default()
    };
    assert_eq!(wrong(GENERIC, &unsigned), ["encryption"]);
}

fn described(template: &str) -> SourceConfig {
    SourceConfig {
        signature: Some(GenericSignature {
            header: "x-signature".to_owned(),
            hash: "sha256".to_owned(),
            encoding: "hex".to_owned(),
            prefix: String::new(),
            template: template.to_owned(),
            timestamp_header: None,
        }),
        ..with_secrets(&["hush"])
    }
}

#[test]
fn by_what_replays_are_kept_out_is_said() {
    let window = |seconds, config| SourceConfig {
        replay_window_seconds: Some(seconds),
        ..config
    };
    let unverified = SourceConfig {
        unverified: true,
        ..SourceConfig::default()
    };
    let month = u64::from(REPLAY_WINDOW_SECONDS);
    for (source_type, config, word, seconds) in [
        ("stripe", with_secrets(&["whsec_hush"]), "age", 660),
        (
            "stripe",
            window(900, with_secrets(&["whsec_hush"])),
            "age",
            900,
        ),
        ("github", with_secrets(&["hush"]), "memory", month),
        ("github", window(0, with_secrets(&["hush"])), "none", 0),
        ("gitlab", with_secrets(&["a token"]), "none", month),
        (GENERIC, described("{timestamp}.{body}"), "age", 660),
        (GENERIC, described("{body}"), "memory", month),
        (GENERIC, unverified.clone(), "none", 0),
    ] {
        let checks = checks(source_type, &config);
        assert_eq!(checks.replay_protection().as_str(), word, "{source_type}");
        assert_eq!(checks.remembered_seconds(), seconds, "{source_type}");
    }
}

#[test]
fn what_is_wrong_is_said_with_its_member() {
    let bad_key = SourceConfig {
        encryption: vec![secret("{}")],
        ..with_secrets(&["hush"])
    };
    let bad_authorities = with_auth(AuthDemanded::Certificate {
        authorities: "PEM".to_owned(),
        subjects: Vec::new(),
    });
    let no_secret = SourceConfig {
        secrets: Vec::new(),
        ..described("{body}")
    };
    for (source_type, config, fields) in [
        ("github", SourceConfig::default(), vec!["unverified"]),
        (GENERIC, SourceConfig::default(), vec!["unverified"]),
        (CRON, SourceConfig::default(), vec![]),
        ("nobody", with_secrets(&["hush"]), vec!["type"]),
        ("vgs", with_secrets(&["hush"]), vec!["type"]),
        ("standard-webhooks", with_secrets(&["hush"]), vec!["secret"]),
        ("square", with_secrets(&["hush"]), vec!["type"]),
        ("github", described("{body}"), vec!["signature"]),
        (GENERIC, with_secrets(&["hush"]), vec!["signature"]),
        (GENERIC, described("body"), vec!["signature"]),
        (GENERIC, no_secret, vec!["secret"]),
        (GENERIC, bad_authorities, vec!["auth"]),
        ("github", bad_key, vec!["encryption"]),
    ] {
        assert_eq!(wrong(source_type, &config), fields, "{source_type}");
    }
}

#[test]
fn a_client_certificate_has_to_be_of_the_authority_and_of_a_good_name() {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().expect("a key");
    let authority = CertifiedIssuer::self_signed(params, key).expect("an authority");
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "Bank");
    let key = KeyPair::generate().expect("a key");
    let client = params.signed_by(&key, &authority).expect("a certificate");
    let shown = [client.der().to_vec()];
    for (subjects, certificates, is_taken) in [
        (vec![], &shown[..], true),
        (vec!["other".to_owned(), "bank".to_owned()], &shown, true),
        (vec!["other".to_owned()], &shown, false),
        (vec![], &[], false),
    ] {
        let demanded = AuthDemanded::Certificate {
            authorities: authority.pem(),
            subjects,
        };
        let checks = checks(GENERIC, &with_auth(demanded));
        let arrived = Arrived {
            request: Request {
                method: "POST",
                url: URL,
                headers: &[],
                body: BODY,
            },
            address: None,
            certificates,
        };
        assert_eq!(checks.verify(&arrived, NOW).is_ok(), is_taken);
    }
}
