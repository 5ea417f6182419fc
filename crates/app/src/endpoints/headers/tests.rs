//! Which headers may be set, by tables.

use super::*;

fn judged(headers: &[(&str, &str)]) -> Result<(), AppError> {
    let headers = headers
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let mut judge = Judge::new(&[]);
    HeadersInput(headers.collect()).judge(&mut judge);
    judge.finish()
}

#[test]
fn names_that_a_request_needs_for_itself_are_refused() {
    let forbidden = FORBIDDEN.iter().copied();
    let more = [
        "Host",
        "WEBHOOK-ID",
        "webhook-signature",
        "svix-id",
        "X-Svix-Anything",
        "x-amz-date",
        "X-Amzn-Trace-Id",
        "x-google-thing",
        "x-goog-signature",
        "x-gfe-x",
        "x-azure-ref",
        "X-FD-HealthProbe",
        "User-Agent",
        "Content-Type",
    ];
    for name in forbidden.chain(more) {
        assert!(judged(&[(name, "x")]).is_err(), "{name}");
    }
    for name in [
        "accept",
        "Connection",
        "Authorization",
        "X-Api-Key",
        "x-webhook",
        "cookie",
        "hostess",
    ] {
        assert!(judged(&[(name, "x")]).is_ok(), "{name}");
    }
}

#[test]
fn names_and_values_must_be_legal_http() {
    let long = "x".repeat(VALUE_BYTES_MAX);
    let cases = [
        ("x-a", "", true),
        ("x-a", "a b\tc ~", true),
        ("x-a", long.as_str(), true),
        ("x-a", &format!("{long}x"), false),
        ("x-a", "a\r\nx-b: c", false),
        ("x-a", "a\nb", false),
        ("x-a", "a\0b", false),
        ("x-a", "é", false),
        ("", "a", false),
        ("x a", "a", false),
        ("x:a", "a", false),
        ("x\r\na", "a", false),
        ("é", "a", false),
        (&long, "a", false),
    ];
    for (name, value, fine) in cases {
        assert_eq!(
            judged(&[(name, value)]).is_ok(),
            fine,
            "{name:?}: {value:?}"
        );
    }
}

#[test]
fn one_name_in_two_spellings_is_refused() {
    assert!(judged(&[("X-A", "1"), ("x-a", "2")]).is_err());
}

#[test]
fn faults_are_told_as_the_contract_has_it() {
    let Err(AppError::Invalid(broken)) = judged(&[("host", "x"), ("x-a", "a\nb")]) else {
        panic!("both are wrong");
    };
    assert_eq!(broken.len(), 2);
    for violation in broken {
        assert_eq!(violation.location, ["body", "headers"]);
        assert_eq!(violation.kind, "value_error.jsondecode");
    }
}

#[test]
fn too_many_are_refused() {
    let names: Vec<String> = (0..=HEADERS_MAX)
        .map(|index| format!("x-{index}"))
        .collect();
    let all: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "1")).collect();
    assert!(judged(&all).is_err());
    assert!(judged(&all[1..]).is_ok());
}

#[test]
fn a_patch_deletes_first_and_then_sets_whatever_the_spelling() {
    let mut headers = CustomHeaders::default();
    for name in ["X-Kept", "X-Gone", "X-Null", "X-Changed"] {
        headers.set(name.to_owned(), Secret::from("old".to_owned()));
    }
    let patch = HeadersPatch {
        headers: BTreeMap::from([
            ("x-null".to_owned(), None),
            ("x-changed".to_owned(), Some("new".to_owned())),
            ("x-added".to_owned(), Some("new".to_owned())),
        ]),
        delete: vec![
            "x-gone".to_owned(),
            "x-added".to_owned(),
            "x-unknown".to_owned(),
        ],
    };
    let mut judge = Judge::new(&[]);
    patch.judge(&mut judge).apply(&mut headers);
    assert!(judge.finish().is_ok());
    let after: Vec<(String, String)> = headers
        .iter()
        .map(|(name, value)| {
            (
                name.to_owned(),
                String::from_utf8_lossy(value.expose()).into_owned(),
            )
        })
        .collect();
    let expected = [("X-Kept", "old"), ("x-added", "new"), ("x-changed", "new")];
    let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(after, expected);
}
