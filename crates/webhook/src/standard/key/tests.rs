//! Claims about key texts: what is read, what is refused and why, and that keys don't print.

use super::*;
use proptest::prelude::*;

const HMAC_SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

fn text(prefix: &str, bytes: &[u8]) -> String {
    format!("{prefix}{}", STANDARD.encode(bytes))
}

#[test]
fn broken_signing_secrets_are_refused_with_the_reason() {
    let ed25519 = SigningKey::generate_ed25519(&[7; 32]).to_text();
    let mut halves = STANDARD.decode(&ed25519.expose()["whsk_".len()..]).unwrap();
    halves[63] ^= 1;
    let length = |prefix, expected, actual| KeyError::WrongLength {
        prefix,
        expected,
        actual,
    };
    let table = [
        ("".to_owned(), KeyError::NoPrefix),
        (
            "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".to_owned(),
            KeyError::NoPrefix,
        ),
        (
            "WHSEC_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".to_owned(),
            KeyError::NoPrefix,
        ),
        (format!(" {HMAC_SECRET}"), KeyError::NoPrefix),
        (text("whpk_", &[1; 32]), KeyError::PublicKeyCannotSign),
        (
            format!("{HMAC_SECRET} "),
            KeyError::NotBase64 { prefix: "whsec_" },
        ),
        (
            format!("{HMAC_SECRET}="),
            KeyError::NotBase64 { prefix: "whsec_" },
        ),
        (
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLa-w".to_owned(),
            KeyError::NotBase64 { prefix: "whsec_" },
        ),
        (
            text("whsec_", &[1; 25]).replace('=', ""),
            KeyError::NotBase64 { prefix: "whsec_" },
        ),
        ("whsec_".to_owned(), length("whsec_", "24 to 75", 0)),
        (text("whsec_", &[1; 23]), length("whsec_", "24 to 75", 23)),
        (text("whsec_", &[1; 76]), length("whsec_", "24 to 75", 76)),
        ("whsk_!".to_owned(), KeyError::NotBase64 { prefix: "whsk_" }),
        (text("whsk_", &[1; 31]), length("whsk_", "64", 31)),
        (text("whsk_", &[1; 32]), length("whsk_", "64", 32)),
        (text("whsk_", &[1; 63]), length("whsk_", "64", 63)),
        (text("whsk_", &[1; 65]), length("whsk_", "64", 65)),
        (text("whsk_", &halves), KeyError::HalvesDisagree),
    ];
    for (text, expected) in table {
        assert_eq!(SigningKey::parse(&text).err(), Some(expected), "{text}");
    }
}

#[test]
fn broken_verifying_keys_are_refused_with_the_reason() {
    let length = |prefix, expected, actual| KeyError::WrongLength {
        prefix,
        expected,
        actual,
    };
    let table = [
        (text("whsk_", &[1; 64]), KeyError::SecretKeyToVerifyWith),
        (text("whpk_", &[1; 31]), length("whpk_", "32", 31)),
        (text("whpk_", &[1; 64]), length("whpk_", "32", 64)),
        ("whpk_?".to_owned(), KeyError::NotBase64 { prefix: "whpk_" }),
        ("".to_owned(), length("whsec_", "24 to 75", 0)),
        ("whsec_".to_owned(), length("whsec_", "24 to 75", 0)),
        (text("", &[1; 23]), length("whsec_", "24 to 75", 23)),
        (
            "a secret".to_owned(),
            KeyError::NotBase64 { prefix: "whsec_" },
        ),
    ];
    for (text, expected) in table {
        assert_eq!(VerifyingKey::parse(&text).err(), Some(expected), "{text}");
    }
}

#[test]
fn errors_never_repeat_what_they_were_given() {
    for text in [
        "hunter2hunter2",
        "whsec_hunter2",
        "whsk_hunter2=",
        "whpk_hunter2",
    ] {
        for error in [
            SigningKey::parse(text).err(),
            VerifyingKey::parse(text).err(),
        ] {
            let error = error.expect("none of these is a key");
            assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}");
        }
    }
}

#[test]
fn a_published_secret_is_what_its_text_says() {
    let secret = concat!(
        "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9l",
        "MicMFs6Kvg=="
    );
    let key = SigningKey::parse(secret).expect("the key is published");
    assert_eq!(key.to_text().expose(), secret);
    let public = "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=";
    assert_eq!(key.public_text().as_deref(), Some(public));
    assert_eq!(key.receiver_text().expose(), public);
}

#[test]
fn generated_secrets_have_the_customary_length() {
    let hmac = SigningKey::generate_hmac(&[0xfb; 24]);
    assert_eq!(
        hmac.to_text().expose(),
        format!("whsec_{}", "+/v7".repeat(8))
    );
    assert_eq!(hmac.public_text(), None);
    assert_eq!(hmac.receiver_text().expose(), hmac.to_text().expose());

    let ed25519 = SigningKey::generate_ed25519(&[1; 32]);
    assert_eq!(ed25519.to_text().expose().len(), "whsk_".len() + 88);
}

proptest! {
    #[test]
    fn hmac_texts_are_read_back(secret in prop::collection::vec(any::<u8>(), 24..=75)) {
        let text = text("whsec_", &secret);
        let key = SigningKey::parse(&text).expect("24 to 75 bytes are a secret");
        prop_assert!(key.to_text().expose() == text);
        prop_assert!(VerifyingKey::parse(&text).is_ok());
        prop_assert!(VerifyingKey::parse(&text["whsec_".len()..]).is_ok());
    }

    #[test]
    fn ed25519_texts_are_read_back(seed: [u8; 32]) {
        let key = SigningKey::generate_ed25519(&seed);
        let text = key.to_text();
        let again = SigningKey::parse(text.expose()).expect("the text came from a key");
        prop_assert!(again.to_text().expose() == text.expose());
        let public = key.public_text().expect("an ed25519 key has a public key");
        prop_assert!(VerifyingKey::parse(&public).is_ok());
    }

    #[test]
    fn no_text_makes_parsing_panic(text in "(whsec_|whsk_|whpk_|)\\PC{0,120}") {
        let _ = (SigningKey::parse(&text).is_ok(), VerifyingKey::parse(&text).is_ok());
    }
}

/// Compiles only while none of the named types implements `Debug` or `Display`: if one did, the
/// choice of `A` would be ambiguous.
mod keys_do_not_print {
    use super::super::*;
    use std::fmt;

    trait Printless<A> {
        const CHECKED: () = ();
    }
    struct ByDebug;
    struct ByDisplay;
    impl<T> Printless<()> for T {}
    impl<T: fmt::Debug> Printless<ByDebug> for T {}
    impl<T: fmt::Display> Printless<ByDisplay> for T {}

    const _: () = <SecretText as Printless<_>>::CHECKED;
    const _: () = <SigningKey as Printless<_>>::CHECKED;
    const _: () = <VerifyingKey as Printless<_>>::CHECKED;
}
