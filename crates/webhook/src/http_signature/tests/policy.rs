//! What a verifier demands beyond a signature that matches, and what a signer refuses to sign.

use super::*;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use proptest::prelude::*;

const NOW: i64 = 1_764_000_000;
const BODY: &[u8] = br#"{"order":7}"#;
const URI: &str = "https://hooks.example.com/in/7?tenant=a%20b";
const MOMENT: Moment = Moment {
    created: NOW,
    lifetime_seconds: 300,
    nonce: [5; 16],
};

fn headers() -> Vec<(&'static str, &'static [u8])> {
    vec![
        ("Content-Type", b"application/json"),
        ("webhook-id", b"msg_2KWPBgLlAfxdpx2AI54pPJ85f4W"),
        ("webhook-timestamp", b"1764000000"),
        ("webhook-event-type", b"order.paid"),
    ]
}

fn request<'r>(headers: &'r [(&'r str, &'r [u8])]) -> Request<'r> {
    Request {
        method: "POST",
        target_uri: URI,
        headers,
    }
}

fn ed25519() -> SigningKey {
    SigningKey::generate_ed25519(&[7; 32])
}

#[test]
fn a_key_without_a_name_goes_by_its_thumbprint() {
    // RFC 8037, A.1 and A.3.
    let seed = "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A";
    let seed = URL_SAFE_NO_PAD.decode(seed).unwrap();
    let key = SigningKey::from_ed25519_seed(&seed).unwrap();
    assert_eq!(key_id(&key), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    let shared = |byte| SigningKey::from_hmac_secret(&[byte; 32]).unwrap();
    assert_eq!(key_id(&shared(1)), key_id(&shared(1)));
    assert_ne!(key_id(&shared(1)), key_id(&shared(2)));
    assert!(SigningKey::from_ed25519_seed(&[1; 31]).is_err());
    assert!(SigningKey::from_hmac_secret(&[1; 23]).is_err());
}

fn known_as(id: &str, key: &SigningKey) -> KnownKey {
    KnownKey::parse(id, key.receiver_text().expose()).unwrap()
}

fn verifier(keys: &[KnownKey]) -> Verifier<'_> {
    Verifier {
        keys,
        required: &WEBHOOK_COMPONENTS,
        tag: Some(TAG),
        tolerance_seconds: 300,
    }
}

/// A signed request, to be changed before it is verified.
struct Sent {
    method: &'static str,
    target_uri: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    now: i64,
}

impl Sent {
    fn new(signer: &Signer) -> Self {
        let signed = signer.sign(request(&headers()), BODY, MOMENT).unwrap();
        let own = headers();
        let own = own
            .iter()
            .map(|(name, value)| (*name, str::from_utf8(value).unwrap()));
        let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        Self {
            method: "POST",
            target_uri: URI.to_owned(),
            headers: own.chain(signed.headers()).map(owned).collect(),
            body: BODY.to_vec(),
            now: NOW,
        }
    }

    fn header(&mut self, name: &str) -> &mut String {
        let mut headers = self.headers.iter_mut();
        &mut headers
            .find(|(other, _)| other == name)
            .expect("the header is there")
            .1
    }

    fn judged(&self, verifier: Verifier<'_>) -> Result<Verified, Refused> {
        let headers: Headers<'_> = self
            .headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_bytes()))
            .collect();
        let message = Message::Request(Request {
            method: self.method,
            target_uri: &self.target_uri,
            headers: &headers,
        });
        verifier.verify(&message, &self.body, self.now)
    }
}

fn sent() -> Sent {
    Sent::new(&Signer::new(&ed25519(), "key-1", &[]).unwrap())
}

/// The verdict about a request that was changed on its way.
fn changed(change: impl FnOnce(&mut Sent)) -> Result<Verified, Refused> {
    let mut sent = sent();
    change(&mut sent);
    sent.judged(verifier(&[known_as("key-1", &ed25519())]))
}

#[test]
fn what_is_signed_is_verified_with_either_kind_of_key() {
    for key in [ed25519(), SigningKey::generate_hmac(&[8; 24])] {
        let signer = Signer::new(&key, "key \"1\"\\", &["webhook-event-type", "@query"]).unwrap();
        let sent = Sent::new(&signer);
        let keys = [known_as("other", &ed25519()), known_as("key \"1\"\\", &key)];
        let required = [&WEBHOOK_COMPONENTS[..], &["webhook-event-type", "@query"]].concat();
        let verifier = Verifier {
            required: &required,
            ..verifier(&keys)
        };
        let expected = Verified {
            key: 1,
            label: "sig1".to_owned(),
            created: NOW,
            nonce: Some("BQUFBQUFBQUFBQUFBQUFBQ".to_owned()),
        };
        assert_eq!(sent.judged(verifier), Ok(expected));
    }
}

#[test]
fn keys_are_shared_between_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<Signer>();
    shared::<KnownKey>();
}

#[test]
fn the_parameters_are_written_as_agreed() {
    let mut sent = sent();
    assert_eq!(
        sent.header("signature-input"),
        "sig1=(\"@method\" \"@target-uri\" \"content-type\" \"content-digest\" \"webhook-id\" \
         \"webhook-timestamp\");created=1764000000;expires=1764000300;keyid=\"key-1\";\
         nonce=\"BQUFBQUFBQUFBQUFBQUFBQ\";tag=\"webhook\";alg=\"ed25519\""
    );
}

#[test]
fn nothing_that_is_covered_can_be_changed() {
    let wrong = Err(Refused::WrongSignature);
    assert_eq!(changed(|sent| sent.method = "PUT"), wrong);
    assert_eq!(changed(|sent| sent.target_uri.push('c')), wrong);
    for name in [
        "Content-Type",
        "webhook-id",
        "webhook-timestamp",
        "content-digest",
    ] {
        assert_eq!(changed(|sent| sent.header(name).push('0')), wrong, "{name}");
        let twice = |sent: &mut Sent| sent.headers.push((name.to_owned(), "0".to_owned()));
        assert_eq!(changed(twice), wrong, "{name}");
    }
    for (from, to) in [
        ("1764000300", "1764009999"),
        ("created=1764000000", "created=1764000001"),
        ("BQUF", "AQUF"),
    ] {
        let swap = |sent: &mut Sent| {
            let input = sent.header("signature-input");
            *input = input.replace(from, to);
        };
        assert_eq!(changed(swap), wrong, "{from}");
    }
    assert!(changed(|sent| *sent.header("webhook-event-type") = "x".to_owned()).is_ok());
}

#[test]
fn the_body_must_be_the_one_that_the_digest_is_of() {
    assert_eq!(
        changed(|sent| sent.body.push(b' ')),
        Err(Refused::WrongDigest)
    );
    assert_eq!(changed(|sent| sent.body.clear()), Err(Refused::WrongDigest));
}

#[test]
fn a_signature_that_covers_less_than_is_required_is_refused() {
    let keys = [known_as("key-1", &ed25519())];
    for (required, name) in [
        ("@path", "@path"),
        ("authorization", "authorization"),
        ("x-own", "a component that is not well known"),
    ] {
        let verifier = Verifier {
            required: &[required],
            ..verifier(&keys)
        };
        assert_eq!(sent().judged(verifier), Err(Refused::Uncovered(name)));
    }
    // With a parameter, a component is another one.
    let response = |sent: &mut Sent| {
        let input = sent.header("signature-input");
        *input = input.replace("\"webhook-id\"", "\"webhook-id\";sf");
    };
    assert_eq!(changed(response), Err(Refused::Uncovered("webhook-id")));
}

#[test]
fn it_is_taken_while_it_is_fresh_and_not_expired() {
    let at = |now| changed(|sent| sent.now = now).map(|verified| verified.created);
    assert_eq!(at(NOW + 300), Ok(NOW));
    assert_eq!(at(NOW + 301), Err(Refused::Expired { seconds: 1 }));
    assert_eq!(at(NOW - 300), Ok(NOW));
    assert_eq!(at(NOW - 301), Err(Refused::FromTheFuture { seconds: 301 }));

    let keys = [known_as("key-1", &ed25519())];
    let impatient = Verifier {
        tolerance_seconds: 10,
        ..verifier(&keys)
    };
    let mut sent = sent();
    sent.now = NOW + 11;
    assert_eq!(sent.judged(impatient), Err(Refused::TooOld { seconds: 11 }));
}

#[test]
fn the_keys_record_says_the_algorithm_not_the_request() {
    let hmac = SigningKey::generate_hmac(&[8; 24]);
    let keys = [known_as("key-1", &hmac)];
    assert_eq!(sent().judged(verifier(&keys)), Err(Refused::OtherAlgorithm));

    // Without `alg`, or with that of the key, a signature of another kind matches nothing.
    for (from, to) in [(";alg=\"ed25519\"", ""), ("\"ed25519\"", "\"hmac-sha256\"")] {
        let mut sent = sent();
        let input = sent.header("signature-input");
        *input = input.replace(from, to);
        assert_eq!(sent.judged(verifier(&keys)), Err(Refused::WrongSignature));
    }
    assert_eq!(sent().judged(verifier(&[])), Err(Refused::NoKey));
    let other = [known_as("key-2", &ed25519())];
    assert_eq!(sent().judged(verifier(&other)), Err(Refused::UnknownKey));
    let replaced = [known_as("key-1", &hmac), known_as("key-1", &ed25519())];
    assert_eq!(
        sent()
            .judged(verifier(&replaced))
            .map(|verified| verified.key),
        Ok(1)
    );
}

/// Even where it was really signed like that, and another key of the same name is of that kind.
#[test]
fn a_signer_that_names_another_algorithm_than_its_own_is_refused() {
    let mut sent = sent();
    let input = sent.header("signature-input");
    *input = input.replace("\"ed25519\"", "\"hmac-sha256\"");
    let covered = parse_lists(input.as_bytes()).unwrap().remove(0).1;
    let digest = sent.header("content-digest").clone();
    let mut own = headers();
    own.push(("content-digest", digest.as_bytes()));
    let base = signature_base(&Message::Request(request(&own)), &covered).unwrap();
    use base64::Engine;
    let signature = Signing::new(&ed25519()).sign(&base);
    let signature = base64::engine::general_purpose::STANDARD.encode(signature);
    *sent.header("signature") = format!("sig1=:{signature}:");

    let hmac = known_as("key-1", &SigningKey::generate_hmac(&[8; 24]));
    let keys = [hmac, known_as("key-1", &ed25519())];
    assert_eq!(sent.judged(verifier(&keys)), Err(Refused::WrongSignature));
}

#[test]
fn headers_that_are_missing_misshapen_or_doubled_are_named() {
    for name in ["signature", "signature-input"] {
        let without = changed(|sent| sent.headers.retain(|(other, _)| other != name));
        assert_eq!(without, Err(Refused::MissingHeader(name)));
        let broken = changed(|sent| sent.header(name).push_str(" x y"));
        assert_eq!(broken, Err(Refused::MalformedHeader(name)));
        let twice = changed(|sent| {
            let value = sent.header(name).clone();
            sent.headers.push((name.to_ascii_uppercase(), value));
        });
        assert_eq!(twice, Err(Refused::DuplicateHeader(name)));
    }
    let malformed = Err(Refused::MalformedHeader("signature-input"));
    for (from, to, expected) in [
        (
            "created=1764000000;",
            "",
            Err(Refused::MissingParameter("created")),
        ),
        (
            "keyid=\"key-1\";",
            "",
            Err(Refused::MissingParameter("keyid")),
        ),
        ("keyid=\"key-1\"", "keyid=key-1", malformed.clone()),
        (
            "created=1764000000",
            "created=\"1764000000\"",
            malformed.clone(),
        ),
        ("expires=1764000300", "expires", malformed.clone()),
        ("alg=\"ed25519\"", "alg=ed25519", malformed),
        ("\"webhook\"", "\"login\"", Err(Refused::OtherTag)),
        (";tag=\"webhook\"", "", Err(Refused::OtherTag)),
        ("sig1", "sig2", Err(Refused::NoUsableSignature)),
        (
            "(",
            "(\"x-none\" ",
            Err(Refused::Unavailable("a component that is not well known")),
        ),
        ("(", "(\"@method\" ", Err(Refused::Unavailable("@method"))),
        ("(", "(\"@status\" ", Err(Refused::Unavailable("@status"))),
        (
            "(",
            "(\"@method\";req ",
            Err(Refused::Unavailable("@method")),
        ),
        (
            "(",
            "(\"@query-param\";name=\"no\" ",
            Err(Refused::Unavailable("@query-param")),
        ),
        (
            "(",
            "(\"Date\" ",
            Err(Refused::Unavailable("a component that is not well known")),
        ),
    ] {
        let judged = changed(|sent| {
            let input = sent.header("signature-input");
            *input = input.replacen(from, to, 1);
        });
        assert_eq!(judged, expected, "{from} {to}");
    }
    let no_bytes = changed(|sent| *sent.header("signature") = "sig1=7".to_owned());
    assert_eq!(no_bytes, Err(Refused::NoUsableSignature));
}

#[test]
fn others_signatures_beside_it_are_passed_over() {
    let beside = |sent: &mut Sent| {
        sent.header("signature-input")
            .insert_str(0, "proxy=(\"via\");created=1;tag=\"cdn\", ");
        sent.header("signature").insert_str(0, "proxy=:AAAA:, ");
    };
    assert_eq!(
        changed(beside).map(|verified| verified.label),
        Ok("sig1".to_owned())
    );
    let flood = |sent: &mut Sent| {
        for place in 0..crate::SIGNATURES_MAX {
            sent.header("signature-input")
                .push_str(&format!(", a{place}=()"));
        }
    };
    assert_eq!(changed(flood), Err(Refused::TooManySignatures));
}

#[test]
fn a_signer_refuses_what_can_not_be_covered() {
    let signer = |key_id: &str, additional: &[&str]| Signer::new(&ed25519(), key_id, additional);
    for name in [
        "Date",
        "",
        "a b",
        "@status",
        "@signature-params",
        "signature",
        "connection",
        "@x",
    ] {
        let refused = signer("k", &[name]).err();
        assert_eq!(refused, Some(SignerError::Component(name.to_owned())));
    }
    for key_id in ["", "\u{e9}", "a\n", &"k".repeat(257)] {
        assert_eq!(
            signer(key_id, &[]).err(),
            Some(SignerError::KeyId),
            "{key_id:?}"
        );
    }
    let many = vec!["date"; 33];
    assert_eq!(
        signer("k", &many).err(),
        Some(SignerError::TooManyComponents)
    );
    assert!(signer("k", &["@method", "date", "date", "@path"]).is_ok());
}

#[test]
fn a_request_without_what_has_to_be_covered_is_not_signed() {
    let signer = Signer::new(&ed25519(), "k", &["x-trace"]).unwrap();
    let sign = |headers: &[(&str, &[u8])]| signer.sign(request(headers), BODY, MOMENT).err();
    let unavailable = |name: &str| Some(SignError::Unavailable(name.to_owned()));

    assert_eq!(sign(&headers()), unavailable("x-trace"));
    let mut whole = headers();
    whole.push(("X-Trace", b"7"));
    assert_eq!(sign(&whole), None);
    assert_eq!(sign(&whole[1..]), unavailable("content-type"));
    whole.push(("x-trace", b"\xff"));
    assert_eq!(sign(&whole), unavailable("x-trace"));
    for name in ["Signature", "signature-input", "Content-Digest"] {
        let mut doubled = headers();
        doubled.push((name, b""));
        let lower = name.to_ascii_lowercase();
        assert!(matches!(sign(&doubled), Some(SignError::AlreadyThere(made)) if made == lower));
    }
    let relative = Request {
        target_uri: "/in/7",
        ..request(&whole[..4])
    };
    let plain = Signer::new(&ed25519(), "k", &[]).unwrap();
    let refused = plain.sign(relative, BODY, MOMENT).err();
    assert_eq!(refused, unavailable("@target-uri"));
}

#[test]
fn a_public_key_is_for_its_own_algorithm_only() {
    let vectors = vectors();
    let der = |id: &str| {
        use base64::Engine;
        let pem = vectors.keys[id].public_pem_spki.as_ref().unwrap();
        let base64: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
        base64::engine::general_purpose::STANDARD
            .decode(base64)
            .unwrap()
    };
    let algorithms = [
        Algorithm::Ed25519,
        Algorithm::EcdsaP256Sha256,
        Algorithm::RsaPssSha512,
    ];
    let ids = ["test-key-ed25519", "test-key-ecc-p256", "test-key-rsa-pss"];
    for (place, id) in ids.into_iter().enumerate() {
        for (other, algorithm) in algorithms.into_iter().enumerate() {
            let key = KnownKey::from_public_der("k", algorithm, &der(id));
            assert_eq!(key.is_ok(), place == other, "{id} {algorithm}");
        }
        assert!(KnownKey::from_public_der("k", Algorithm::HmacSha256, &der(id)).is_err());
        assert!(KnownKey::from_public_der("k", algorithms[place], &der(id)[1..]).is_err());
    }
    assert!(KnownKey::from_public_der("k", Algorithm::Ed25519, &[1; 32]).is_err());
    assert!(KnownKey::parse("k", ed25519().to_text().expose()).is_err());
}

proptest! {
    #[test]
    fn nothing_that_comes_in_causes_a_panic(
        input in "[ -~]{0,80}",
        signature in "[ -~]{0,80}",
        target in "[ -~]{0,40}",
        list in "sig1=\\((\"[@a-z-]{1,12}\"(;[a-z]{1,4})? ?){0,4}\\)",
    ) {
        let keys = [known_as("key-1", &ed25519())];
        let lax = Verifier { required: &[], tag: None, ..verifier(&keys) };
        let list = format!("{list};created=1764000000;keyid=\"key-1\"");
        for input in [&input, &list] {
            let mut sent = sent();
            *sent.header("signature-input") = input.clone();
            prop_assert!(sent.judged(lax).is_err());
            *sent.header("signature") = signature.clone();
            sent.target_uri = target.clone();
            prop_assert!(sent.judged(lax).is_err());
        }
    }
}
