//! Every row of the contract's table of tokens.

use super::*;
use crate::access::revocation;
use jsonwebtoken::Header;
use model::api_key::Scope;
use model::id::ApplicationId;
use model::role::Role;
use serde_json::{Value, json};
use store::access::{AccessRows, TokenFloor};

const SECRET: &str = "a secret of thirty-two characters";
const APPLICATION: &str = "app_2d2yYyBqcv3nhV6r8fZKGjvfhnG";
const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

struct Counting;

impl Entropy for Counting {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(0x5a);
    }
}

fn tokens(accept_foreign: bool) -> Tokens {
    let settings = TokenSettings {
        accept_foreign,
        ..TokenSettings::default()
    };
    Tokens::new(Secret::from(SECRET.to_owned()), settings)
}

fn application() -> Grant {
    Grant::Application {
        id: APPLICATION.parse::<ApplicationId>().expect("an id"),
        feature_flags: vec!["beta".parse().expect("a name")],
    }
}

/// What an organisation's token of this installation says, with changes; null takes a claim away.
fn claims(changes: Value) -> Value {
    let mut claims = json!({
        "iss": ISSUER, "aud": AUDIENCE, "sub": ORGANISATION_DEFAULT, "jti": "1",
        "iat": NOW.seconds(), "exp": NOW.seconds() + 60,
    });
    for (name, value) in changes.as_object().expect("changes") {
        claims[name] = value.clone();
    }
    claims
        .as_object_mut()
        .expect("claims")
        .retain(|_, value| !value.is_null());
    claims
}

fn signed_as(header: &Header, claims: &Value) -> String {
    encode(header, claims, &EncodingKey::from_secret(SECRET.as_bytes())).expect("it signs")
}

fn signed(changes: Value) -> String {
    signed_as(&Header::new(Algorithm::HS256), &claims(changes))
}

fn refusal(checked: Result<Checked, NotGood>) -> String {
    match checked.map_err(|not_good| not_good.error) {
        Ok(checked) => format!("passes as {:?}", checked.who),
        Err(AppError::Unauthenticated(detail)) => format!("401 {detail}"),
        Err(AppError::BadRequest { code, detail }) => format!("400 {code}: {detail}"),
        Err(other) => format!("{other:?}"),
    }
}

#[test]
fn minted_tokens_are_good_until_they_end() {
    let tokens = tokens(false);
    let token = tokens.mint(&Grant::Organisation, Lifetime::default(), NOW, &Counting);
    let checked = tokens.check(&token, NOW).expect("it was just minted");
    assert_eq!(
        (checked.who, checked.subject.as_str()),
        (Who::Organisation, ORGANISATION_DEFAULT)
    );
    let end = NOW.plus(LIFETIME_DEFAULT).plus(LEEWAY);
    assert!(
        tokens
            .check(&token, end.minus(Duration::from_secs(1)))
            .is_ok()
    );
    assert_eq!(refusal(tokens.check(&token, end)), "401 Invalid token");
}

#[test]
fn an_applications_token_carries_its_flags() {
    let tokens = tokens(false);
    let token = tokens.mint(&application(), Lifetime::default(), NOW, &Counting);
    let checked = tokens.check(&token, NOW).expect("it was just minted");
    let Grant::Application { id, feature_flags } = application() else {
        panic!("an application's grant");
    };
    assert_eq!(
        (checked.who, checked.subject.as_str()),
        (Who::Application { id, feature_flags }, APPLICATION)
    );
}

#[test]
fn a_token_that_never_ends_says_so_with_a_time() {
    let tokens = tokens(false);
    let token = tokens.mint(&Grant::Organisation, Lifetime::Never, NOW, &Counting);
    assert!(
        tokens
            .check(&token, NOW.plus(LIFETIME_DEFAULT * 400))
            .is_ok()
    );
}

#[test]
fn a_token_with_a_role_is_limited_to_it() {
    let tokens = tokens(false);
    for role in Role::ALL {
        let token = tokens.mint(&Grant::Role(role), Lifetime::default(), NOW, &Counting);
        let checked = tokens.check(&token, NOW).expect("it was just minted");
        assert_eq!(
            (checked.who, &checked.shown.limits),
            (Who::Organisation, &Limits::Scopes(vec![Scope::Role(role)]))
        );
    }
    let without = tokens.mint(&Grant::Organisation, Lifetime::default(), NOW, &Counting);
    let checked = tokens.check(&without, NOW).expect("it was just minted");
    assert_eq!(checked.shown.limits, Limits::Nothing);
}

#[test]
fn a_role_that_is_none_is_refused_and_never_passed_over() {
    let bad = "401 Invalid token (`role`: a role is `viewer`, `operator` or `admin`).";
    let beside = "401 Invalid token (`role` can't be beside `capabilities`).";
    let elsewhere = "401 Invalid token (`role` can only be in a token of the organization).";
    let of_application = json!({
        "sub": APPLICATION, "org": ORGANISATION_DEFAULT, "role": "admin",
    });
    let cases = [
        (json!({"role": "viewer"}), "passes as Organisation"),
        (json!({"role": "Viewer"}), bad),
        (json!({"role": "viewer "}), bad),
        (json!({"role": ""}), bad),
        (json!({"role": 1}), "401 Invalid token"),
        (json!({"role": ["admin"]}), "401 Invalid token"),
        (
            json!({"role": "admin", "capabilities": ["ViewBase"]}),
            beside,
        ),
        (of_application, elsewhere),
    ];
    for (changes, expected) in cases {
        for accept_foreign in [false, true] {
            let checked = tokens(accept_foreign).check(&signed(changes.clone()), NOW);
            assert_eq!(refusal(checked), expected, "{changes}");
        }
    }
    let mut null = claims(json!({}));
    null["role"] = Value::Null;
    let token = signed_as(&Header::new(Algorithm::HS256), &null);
    assert_eq!(
        refusal(tokens(true).check(&token, NOW)),
        "401 Invalid token"
    );
}

#[test]
fn claims_are_checked_as_the_contract_says() {
    let now = NOW.seconds();
    let cases = [
        (json!({}), "passes as Organisation"),
        (json!({"sub": null}), "401 Invalid token (missing `sub`)."),
        (json!({"iss": null}), "401 Invalid token (missing `iss`)."),
        (json!({"aud": null}), "401 Invalid token (missing `aud`)."),
        (json!({"iat": null}), "401 Invalid token (missing `iat`)."),
        (json!({"jti": null}), "401 Invalid token (missing `jti`)."),
        (json!({"exp": null}), "401 Invalid token (missing `exp`)."),
        (json!({"aud": ["x", AUDIENCE]}), "passes as Organisation"),
        (
            json!({"aud": "x"}),
            "401 Invalid token (it was not issued for this API).",
        ),
        (
            json!({"iss": "x"}),
            "401 Invalid token (it was not issued for this API).",
        ),
        (
            json!({"sub": "org_2"}),
            "401 Invalid token (it is for another organization).",
        ),
        (
            json!({"sub": APPLICATION, "org": "org_2"}),
            "401 Invalid token (it is for another organization).",
        ),
        (
            json!({"sub": "user_1"}),
            "400 bad_token: `sub` is not a valid organization id.",
        ),
        (
            json!({"sub": "org_1", "org": ORGANISATION_DEFAULT}),
            "400 bad token: `sub` is not a valid application id",
        ),
        (
            json!({"sub": "app_1", "org": ORGANISATION_DEFAULT}),
            "400 bad token: `sub` is not a valid application id",
        ),
        (
            json!({"sub": APPLICATION, "org": "team_1"}),
            "400 bad token: `org` is not a valid organization id",
        ),
        (
            json!({"sub": APPLICATION, "org": ORGANISATION_DEFAULT, "feature_flags": ["a b"]}),
            "401 Invalid token",
        ),
        (json!({"exp": now - 901}), "401 Invalid token"),
        (json!({"exp": now - 899}), "passes as Organisation"),
        (
            json!({"exp": f64::from(u32::MAX) + 0.5}),
            "passes as Organisation",
        ),
        (json!({"exp": "soon"}), "401 Invalid token"),
        (json!({"nbf": now + 901}), "401 Invalid token"),
        (json!({"nbf": now + 899}), "passes as Organisation"),
        (json!({"iat": now + 901}), "401 Invalid token"),
    ];
    for (changes, expected) in cases {
        let checked = tokens(false).check(&signed(changes.clone()), NOW);
        assert_eq!(refusal(checked), expected, "{changes}");
    }
}

#[test]
fn foreign_tokens_pass_only_while_a_migration_says_so() {
    let long_ago = json!({
        "iss": "svix-server", "aud": null, "jti": null, "exp": null, "sub": "org_2",
        "iat": NOW.seconds() - 1_000_000_000,
    });
    let token = signed(long_ago);
    assert!(tokens(false).check(&token, NOW).is_err());
    assert_eq!(
        refusal(tokens(true).check(&token, NOW)),
        "passes as Organisation"
    );
    let ended = signed(json!({"exp": NOW.seconds() - 901}));
    assert!(tokens(true).check(&ended, NOW).is_err());
}

#[test]
fn headers_must_say_hs256_and_jwt() {
    let types = [
        (None, true),
        (Some("JWT"), true),
        (Some("at+jwt"), true),
        (Some("JOSE"), false),
    ];
    for (header_type, good) in types {
        let mut header = Header::new(Algorithm::HS256);
        header.typ = header_type.map(str::to_owned);
        let token = signed_as(&header, &claims(json!({})));
        assert_eq!(
            tokens(false).check(&token, NOW).is_ok(),
            good,
            "{header_type:?}"
        );
    }
    let other = signed_as(&Header::new(Algorithm::HS384), &claims(json!({})));
    assert_eq!(
        refusal(tokens(false).check(&other, NOW)),
        "401 Invalid token"
    );
}

#[test]
fn what_is_no_token_is_refused() {
    let tokens = tokens(false);
    let mut changed = tokens.mint(&Grant::Organisation, Lifetime::default(), NOW, &Counting);
    let last = changed.pop().expect("a signature");
    changed.push(if last == 'A' { 'B' } else { 'A' });
    // {"alg":"none","typ":"JWT"} with no signature.
    let unsigned = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.e30.";
    for text in ["", "x", "a.b.c", &changed, unsigned, &"x".repeat(100_000)] {
        assert_eq!(refusal(tokens.check(text, NOW)), "401 Invalid token");
    }
    assert!(refusal(tokens.check(SECRET, NOW)).contains("signing secret is not a token"));
}

#[test]
fn a_token_from_the_cache_still_ends() {
    let tokens = tokens(false);
    let token = tokens.mint(&Grant::Organisation, Lifetime::For(LEEWAY), NOW, &Counting);
    assert!(tokens.check(&token, NOW).is_ok());
    assert!(tokens.check(&token, NOW).is_ok());
    assert!(tokens.check(&token, NOW.plus(LEEWAY * 3)).is_err());
}

/// What is known after this was written.
fn knows(tokens: &Tokens, rows: AccessRows) {
    let version = tokens.known.version() + 1;
    tokens.known.take(AccessRows { version, ..rows }, NOW);
}

#[test]
fn a_revoked_token_is_not_good_and_says_whose_it_was() {
    let tokens = tokens(false);
    let minted = tokens.mint_with_id(&application(), Lifetime::default(), NOW, &Counting);
    let checked = tokens
        .check(&minted.token, NOW)
        .expect("it was just minted");
    assert_eq!(checked.shown.id, minted.id);
    let revoked = vec![revocation(minted.id)];
    knows(
        &tokens,
        AccessRows {
            revoked,
            ..AccessRows::default()
        },
    );
    let refused = tokens.check(&minted.token, NOW).expect_err("it is revoked");
    assert_eq!(refused.ended.as_deref(), Some(APPLICATION));
    assert_eq!(refused.error.to_string(), "Invalid token");
}

#[test]
fn a_floor_ends_what_was_issued_a_microsecond_before_it() {
    let tokens = tokens(false);
    let before = NOW.minus(Duration::from_micros(1));
    let mint = |now| tokens.mint(&application(), Lifetime::default(), now, &Counting);
    let (old, new) = (mint(before), mint(NOW.plus(Duration::from_micros(1))));
    let floor = TokenFloor {
        application: APPLICATION.parse::<ApplicationId>().expect("an id").key(),
        session: None,
        issued_before: NOW,
        holds_from: NOW,
        ends_at: FOREVER,
    };
    knows(
        &tokens,
        AccessRows {
            floors: vec![floor],
            ..AccessRows::default()
        },
    );
    assert!(tokens.check(&old, NOW).is_err());
    assert!(tokens.check(&new, NOW).is_ok());
    // What a claim of its own says beyond its second is not believed.
    let forged = json!({
        "sub": APPLICATION, "org": ORGANISATION_DEFAULT,
        "iat": NOW.seconds() - 5, "iat_us": NOW.micros() + 1,
    });
    assert!(tokens.check(&signed(forged), NOW).is_err());
}

#[test]
fn a_foreign_token_without_an_id_is_revoked_by_its_hash() {
    let tokens = tokens(true);
    let token = signed(json!({"jti": null}));
    let id = tokens
        .check(&token, NOW)
        .expect("it passes")
        .shown
        .id
        .clone();
    assert!(id.starts_with("sha256-"), "{id}");
    let revoked = vec![revocation(id)];
    knows(
        &tokens,
        AccessRows {
            revoked,
            ..AccessRows::default()
        },
    );
    assert!(tokens.check(&token, NOW).is_err());
}

#[test]
fn no_api_key_looks_like_a_jwt() {
    let jwt = tokens(false).mint(&Grant::Organisation, Lifetime::Never, NOW, &Counting);
    assert!(!jwt.starts_with(API_KEY_PREFIX));
    let key = crate::api_keys::new_token([0xab; 32]);
    assert!(
        key.starts_with(API_KEY_PREFIX) && !key.contains('.'),
        "{key}"
    );
    assert_eq!(refusal(tokens(false).check(&key, NOW)), "401 Invalid token");
}
