//! Each kind by examples of what it is, and of what only looks like it.

use super::*;
use proptest::prelude::*;

const JWT: &str = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.c2lnbmF0dXJl";

fn check(found: Found, real: &[&str], false_ones: &[&str]) {
    for text in real {
        for around in [
            (*text).to_owned(),
            format!("see {text}, please"),
            format!("a={text}&b"),
            format!("\"{text}\""),
        ] {
            assert!(found.is_in(&around), "{found:?} is in {around:?}");
        }
    }
    for text in false_ones {
        assert!(!found.is_in(text), "{found:?} is not in {text:?}");
    }
}

#[test]
fn cards_are_known_by_beginning_length_and_check_digit() {
    let real = [
        "4242424242424242",
        "4242 4242 4242 4242",
        "4242-4242-4242-4242",
        "4222222222222",
        "378282246310005",
        "3782 822463 10005",
        "5555555555554444",
        "2223003122003222",
        "6011111111111117",
        "30569309025904",
        "3530111333300000",
        "6200000000000005",
        "6759649826438453",
        "2024-01-02 4242 4242 4242 4242",
    ];
    let false_ones = [
        "4242424242424241",
        "4242 4242-4242 4242",
        "4242  4242 4242 4242",
        "42424242424242421",
        "x4242424242424242",
        "4242424242424242x",
        "4242424242424242.5",
        "0.4242424242424242",
        "1732838400000",
        "1111111111111117",
        "0000000000000000",
        "4242 4242 4242",
        "+49 30 1234567",
        "424242424242424242424242424242424242",
        "",
    ];
    check(Found::CardNumber, &real, &false_ones);
}

#[test]
fn accounts_are_known_by_country_length_and_check_digits() {
    let real = [
        "DE89370400440532013000",
        "de89370400440532013000",
        "DE89 3704 0044 0532 0130 00",
        "GB82WEST12345698765432",
        "GB82 WEST 1234 5698 7654 32",
        "NO9386011117947",
        "FR1420041010050500013M02606",
        "MT84MALT011000012345MTLCAST001S",
    ];
    let false_ones = [
        "DE88370400440532013000",
        "DE8937040044053201300",
        "DE893704004405320130000",
        "XX89370400440532013000",
        "xDE89370400440532013000",
        "DE8937 0400 4405 3201 3000",
        "DE89",
        "",
    ];
    check(Found::Iban, &real, &false_ones);
}

#[test]
fn private_keys_are_known_by_their_first_line() {
    let real = [
        "-----BEGIN PRIVATE KEY-----\nMC4CAQ",
        "-----BEGIN RSA PRIVATE KEY-----",
        "-----BEGIN ENCRYPTED PRIVATE KEY-----",
        "-----BEGIN OPENSSH PRIVATE KEY-----",
        "-----BEGIN PGP PRIVATE KEY BLOCK-----",
    ];
    let false_ones = [
        "-----BEGIN PUBLIC KEY-----",
        "-----BEGIN CERTIFICATE-----",
        "-----BEGIN a private key",
        "PRIVATE KEY",
    ];
    check(Found::PrivateKey, &real, &false_ones);
}

#[test]
fn keys_of_services_are_known_by_how_they_begin_and_how_long_they_are() {
    let long = |beginning: &str, count: usize| format!("{beginning}{}", "A1b2".repeat(count / 4));
    let real = [
        "AKIAIOSFODNN7EXAMPLE".to_owned(),
        long("ghp_", 36),
        long("github_pat_", 80),
        long("sk_live_", 24),
        long("rk_test_", 24),
        long("whsec_", 32),
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".to_owned(),
        "xoxb-123456789012-123456789012-abcdefABCDEF".to_owned(),
        long("AIzaSyA", 32),
        long("glpat-", 20),
        long("npm_", 36),
        format!("SG.{}.{}", "a".repeat(22), "b".repeat(43)),
    ];
    let real: Vec<&str> = real.iter().map(String::as_str).collect();
    let false_ones = [
        "AKIAIOSFODNN7EXAMPL",
        "AKIAIOSFODNN7EXAMPLES",
        "xAKIAIOSFODNN7EXAMPLE",
        "akiaiosfodnn7example",
        "ghp_short",
        "sk_live_",
        "task_live_A1b2A1b2A1b2A1b2A1b2",
        "whsec_secret",
        "AIza",
    ];
    check(Found::ApiKey, &real, &false_ones);
}

#[test]
fn tokens_are_known_by_their_two_objects() {
    let unsigned = "eyJhbGciOiJub25lIn0.eyJzdWIiOiIxMjM0NTY3ODkwIn0.";
    let real = [JWT, unsigned];
    let false_ones = [
        "eyJhbGciOiJIUzI1NiJ9",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0",
        "eyJhbGciOiJIUzI1NiJ9.c2lnbmF0dXJl.x",
        "eyJ.eyJ.x",
        "a.b.c",
    ];
    check(Found::Jwt, &real, &false_ones);
}

#[test]
fn addresses_are_known_by_name_and_domain() {
    let real = [
        "ada@example.com",
        "ada.lovelace+tag@mail.example.co.uk",
        "a@b.io",
        "<ada@example.com>",
    ];
    let false_ones = [
        "ada@example",
        "@example.com",
        "ada@",
        "ada@.com",
        "lodash@4.17.21",
        "logo@2x.png",
        "ada @ example.com",
        "ada@-example.com",
        "@@@@",
        "",
    ];
    check(Found::EmailAddress, &real, &false_ones);
}

fn told(payload: &str) -> Vec<(Found, String)> {
    let findings = scan(payload.as_bytes());
    let told = findings
        .iter()
        .map(|finding| (finding.found, finding.pointer()));
    told.collect()
}

#[test]
fn what_is_found_is_told_by_kind_and_place() {
    let payload = r#"{"a":[{"card":4242424242424242},"ada\u0040example.com"],"b/c":"-----BEGIN PRIVATE KEY-----",
        "n":-1.5,"x@y.org":{"iban":"DE89 3704 0044 0532 0130 00"},"t":true}"#;
    let expected = [
        (Found::CardNumber, "/a/0/card"),
        (Found::EmailAddress, "/a/1"),
        (Found::PrivateKey, "/b~1c"),
        (Found::EmailAddress, "/*"),
        (Found::Iban, "/*/iban"),
    ];
    let expected = expected.map(|(found, place)| (found, place.to_owned()));
    assert_eq!(told(payload), expected);
}

#[test]
fn several_kinds_in_one_text_are_told_once_each() {
    let text = format!(r#"{{"a":"ada@example.com bob@example.com {JWT}"}}"#);
    let place = || "/a".to_owned();
    assert_eq!(
        told(&text),
        [(Found::Jwt, place()), (Found::EmailAddress, place())]
    );
}

#[test]
fn what_is_not_json_is_looked_at_as_a_text() {
    let place = String::new;
    assert_eq!(
        told("<a>ada@example.com</a>"),
        [(Found::EmailAddress, place())]
    );
    assert_eq!(
        told("{\"a\": 4242424242424242,}"),
        [(Found::CardNumber, place())]
    );
    assert_eq!(told("nothing"), []);
}

#[test]
fn there_are_no_more_findings_than_may_be() {
    let many = vec!["\"ada@example.com\""; 2 * FINDINGS_MAX].join(",");
    assert_eq!(told(&format!("[{many}]")).len(), FINDINGS_MAX);
}

proptest! {
    #[test]
    fn nothing_makes_it_panic(text in any::<Vec<u8>>()) {
        scan(&text);
    }

    #[test]
    fn texts_of_what_it_looks_for_never_make_it_panic(
        text in "[0-9 \\-.@a-zA-Z_{}\\[\\]\",:é\\\\]{0,200}",
    ) {
        for found in Found::ALL {
            found.is_in(&text);
        }
        scan(text.as_bytes());
    }

    #[test]
    fn no_finding_tells_a_value(name in "[a-z]{1,8}", digits in "[0-9]{3}") {
        let address = format!("{name}{digits}@example.com");
        let payload = format!(r#"{{"{address}":["{address}"]}}"#);
        for (_, place) in told(&payload) {
            prop_assert!(!place.contains(&name), "{}", place);
        }
    }
}
