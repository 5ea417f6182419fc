//! Clients' certificates and keys, as they are given.

use base64::prelude::{BASE64_STANDARD, Engine as _};
use model::{Chain, Secret};
use serde_json::Value;
use transport::{ClientIdentity, IdentityError};

const CERTIFICATES: &str = include_str!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../conformance/spki.json"
));
const PKCS12: &str = include_str!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../conformance/pkcs12.json"
));

fn certificate(name: &str, field: &str) -> String {
    let vectors: Value = serde_json::from_str(CERTIFICATES).expect("JSON");
    vectors["certs"][name][field]
        .as_str()
        .expect("PEM")
        .to_owned()
}

fn leaf() -> (String, String) {
    let part = |field| certificate("leaf-p256", field);
    (part("pem"), part("private_key_pkcs8_pem"))
}

#[test]
fn certificate_and_key_must_belong_together_and_be_readable() {
    let (own, key) = leaf();
    let issuer = certificate("intermediate", "pem");
    let other = certificate("leaf-ed25519", "private_key_pkcs8_pem");
    let read = |certificates: &str, key: &str| {
        ClientIdentity::from_pem(certificates.as_bytes(), key.as_bytes())
    };
    let identity = read(&format!("{own}{issuer}"), &key).map_err(|error| error.to_string());
    let identity = identity.expect("they belong together");
    let subjects: Vec<_> = identity
        .certificates()
        .into_iter()
        .map(|one| one.subject)
        .collect();
    assert_eq!(
        subjects,
        ["CN=hooks.customer-site.net", "CN=Test Intermediate"]
    );

    let encrypted = key.replace("PRIVATE", "ENCRYPTED PRIVATE");
    for (certificates, key, expected) in [
        (own.clone(), other, "is not that of the first certificate"),
        (
            format!("{issuer}{own}"),
            key.clone(),
            "is not that of the first certificate",
        ),
        (String::new(), key.clone(), "no `BEGIN CERTIFICATE` block"),
        (own.repeat(11), key.clone(), "more than 10 certificates"),
        (own.clone(), own.clone(), "no `BEGIN PRIVATE KEY` block"),
        (own.clone(), encrypted, "the private key is encrypted"),
        (own.clone(), key.replace("MIGH", "MIG!"), "not valid PEM"),
        (own.replace("MIIB", "AAAA"), key.clone(), "can't be used"),
    ] {
        let error: IdentityError = read(&certificates, &key).map(|_| ()).expect_err(expected);
        assert!(error.to_string().contains(expected), "{error}");
    }
}

#[test]
fn what_todays_tools_write_is_opened_and_what_is_no_longer_secure_is_refused() {
    let vectors: Value = serde_json::from_str(PKCS12).expect("JSON");
    let (own, key) = leaf();
    let whole = format!("{own}{}", certificate("intermediate", "pem"));
    let plain = ClientIdentity::from_pem(whole.as_bytes(), key.as_bytes());
    let plain = plain
        .map_err(|error| error.to_string())
        .expect("they belong together");
    for case in vectors["cases"].as_array().expect("cases") {
        let file = case["file"].as_str().expect("a name");
        let der = vectors["files"][file].as_str().expect("base64");
        let der = BASE64_STANDARD.decode(der).expect("base64");
        let password = Secret::from(case["password"].as_str().expect("a text").to_owned());
        let opened = ClientIdentity::from_pkcs12(&der, &password);
        match (opened, case["refused"].as_str()) {
            (Ok(identity), None) => {
                assert_eq!(identity.certificates(), plain.certificates(), "{file}");
                assert_eq!(
                    identity.certificates_pem(),
                    plain.certificates_pem(),
                    "{file}"
                );
                let certificates = identity.certificates_pem();
                let key = identity.key_pem().expose();
                let again = ClientIdentity::from_pem(certificates.as_bytes(), key);
                assert!(again.is_ok(), "{file}");
            }
            (Err(error), Some(expected)) => {
                let text = Chain(&error).to_string();
                assert!(text.contains(expected), "{file}: {text}");
            }
            (Ok(_), Some(expected)) => panic!("{file} was opened: {expected}"),
            (Err(error), None) => panic!("{file}: {}", Chain(&error)),
        }
    }
}

#[test]
fn no_part_or_twist_of_a_file_makes_its_reading_panic() {
    let vectors: Value = serde_json::from_str(PKCS12).expect("JSON");
    let der = vectors["files"]["plain"].as_str().expect("base64");
    let der = BASE64_STANDARD.decode(der).expect("base64");
    let password = Secret::from("opén".to_owned());
    for place in 0..der.len() {
        assert!(ClientIdentity::from_pkcs12(&der[..place], &password).is_err());
        let mut twisted = der.clone();
        twisted[place] ^= 0xff;
        let _ = ClientIdentity::from_pkcs12(&twisted, &password);
    }
}
