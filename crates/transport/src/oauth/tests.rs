//! What a token server is asked, how long its tokens are used, and servers that misbehave.

use std::time::Duration;

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use model::Secret;
use model::address::AddressPolicy;
use model::oauth::{AssertionKey, ClientAuthentication, Grant, OauthConfig};
use serde_json::{Value, json};
use url::form_urlencoded;

use super::*;
use crate::fetch::fake::{Counting, Fake, Still};

const TOKEN_URL: &str = "https://login.customer-site.net/token?tenant=1";
const SECRET: &str = "s3cr3t-ä:+/&";
const GRANTED: &str = r#"{"access_token":"t1","token_type":"bearer","expires_in":3600}"#;
const SECOND: &str = r#"{"access_token":"t2","token_type":"Bearer","expires_in":3600}"#;

fn config(authentication: ClientAuthentication) -> OauthConfig {
    OauthConfig {
        token_url: TOKEN_URL.to_owned(),
        client_id: "a client".to_owned(),
        authentication,
        grant: Grant::ClientCredentials,
        scopes: vec!["read".to_owned(), "hooks:write".to_owned()],
        extra_params: vec![("audience".to_owned(), "https://api".to_owned())],
        extra_headers: vec![("X-Tenant".to_owned(), "7".to_owned())],
    }
}

fn secret(text: &str) -> Secret {
    Secret::from(text.to_owned())
}

fn basic() -> OauthConfig {
    config(ClientAuthentication::SecretBasic(secret(SECRET)))
}

fn post() -> OauthConfig {
    config(ClientAuthentication::SecretPost(secret(SECRET)))
}

fn client(config: &OauthConfig) -> OauthClient {
    let client = OauthClient::new(config, &AddressPolicy::default());
    client.map_err(|error| error.to_string()).expect("a client")
}

fn refusal(config: &OauthConfig) -> String {
    let client = OauthClient::new(config, &AddressPolicy::default());
    client.err().expect("refused").for_tenant().into_owned()
}

fn keeper(server: &Arc<Fake>) -> TokenKeeper {
    TokenKeeper::new(server.clone(), Arc::new(Still), Arc::<Counting>::default())
}

/// The token that a request would carry, or what its tenant reads.
async fn token(keeper: &TokenKeeper, client: &OauthClient) -> Result<String, String> {
    match keeper.token(client).await {
        Ok(token) => {
            let value = token.authorization();
            Ok(value.to_str().expect("text").to_owned())
        }
        Err(error) => Err(error.for_tenant().into_owned()),
    }
}

/// What the server is asked with this configuration: the `authorization` header, and the form.
async fn asked(config: &OauthConfig) -> (Option<String>, Vec<(String, String)>) {
    let server = Fake::answering([(200, GRANTED)]);
    let token = token(&keeper(&server), &client(config)).await;
    assert_eq!(token.as_deref(), Ok("Bearer t1"));
    let request = server.last();
    assert_eq!(request.purpose, crate::Purpose::OauthToken);
    assert_eq!(request.target.url().to_string(), TOKEN_URL);
    assert_eq!(request.method, "POST");
    let header = |name| request.headers.get(name)?.to_str().ok();
    assert_eq!(
        header("content-type"),
        Some("application/x-www-form-urlencoded")
    );
    assert_eq!(header("accept"), Some("application/json"));
    assert_eq!(header("x-tenant"), Some("7"));
    let form = form_urlencoded::parse(&request.body).into_owned().collect();
    (header("authorization").map(str::to_owned), form)
}

fn pairs<const N: usize>(pairs: [(&str, &str); N]) -> Vec<(String, String)> {
    pairs
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
}

#[tokio::test]
async fn secret_by_basic_is_escaped_as_the_standard_says_and_not_in_the_form() {
    let (authorization, form) = asked(&basic()).await;
    // a+client:s3cr3t-%C3%A4%3A%2B%2F%26
    let expected = "Basic YStjbGllbnQ6czNjcjN0LSVDMyVBNCUzQSUyQiUyRiUyNg==";
    assert_eq!(authorization.as_deref(), Some(expected));
    let expected = [
        ("grant_type", "client_credentials"),
        ("scope", "read hooks:write"),
        ("audience", "https://api"),
    ];
    assert_eq!(form, pairs(expected));
}

#[tokio::test]
async fn secret_by_post_is_in_the_form_and_so_is_a_refresh_token() {
    let mut config = post();
    config.grant = Grant::RefreshToken(secret("r1"));
    config.scopes.clear();
    let (authorization, form) = asked(&config).await;
    assert_eq!(authorization, None);
    let expected = [
        ("grant_type", "refresh_token"),
        ("refresh_token", "r1"),
        ("audience", "https://api"),
        ("client_id", "a client"),
        ("client_secret", SECRET),
    ];
    assert_eq!(form, pairs(expected));
}

fn assertion_key(key: Vec<u8>) -> ClientAuthentication {
    ClientAuthentication::PrivateKeyJwt(AssertionKey {
        key: Secret::new(key),
        key_id: Some("k1".to_owned()),
        lifetime: Duration::from_secs(120),
    })
}

#[tokio::test]
async fn assertion_is_signed_for_this_server_and_a_short_time() {
    let pair = KeyPair::generate(KeySize::Rsa2048).expect("a key");
    let der = pair.as_der().expect("its encoding").as_ref().to_vec();
    let body = base64::prelude::BASE64_STANDARD.encode(&der);
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----\n");
    for key in [der, pem.into_bytes()] {
        let (authorization, form) = asked(&config(assertion_key(key))).await;
        assert_eq!(authorization, None);
        let value = |name| {
            form.iter()
                .find(|pair| pair.0 == name)
                .expect(name)
                .1
                .as_str()
        };
        assert_eq!(value("client_id"), "a client");
        let kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
        assert_eq!(value("client_assertion_type"), kind);
        let (signed, signature) = value("client_assertion").rsplit_once('.').expect("a JWT");
        let decoded = |text| BASE64_URL_SAFE_NO_PAD.decode(text).expect("base64url");
        UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, pair.public_key().as_ref())
            .verify(signed.as_bytes(), &decoded(signature))
            .expect("the key's signature");
        let (header, claims) = signed.split_once('.').expect("a JWT");
        let parsed = |text| serde_json::from_slice::<Value>(&decoded(text)).expect("JSON");
        assert_eq!(
            parsed(header),
            json!({ "alg": "RS256", "typ": "JWT", "kid": "k1" })
        );
        let expected = json!({
            "iss": "a client", "sub": "a client", "aud": TOKEN_URL,
            "iat": 1_795_000_000, "exp": 1_795_000_120,
            "jti": BASE64_URL_SAFE_NO_PAD.encode([1; 16]),
        });
        assert_eq!(parsed(claims), expected);
    }
}

#[test]
fn what_is_wrong_with_a_configuration_is_said_without_its_secrets() {
    type Change = fn(&mut OauthConfig);
    let changes: [(Change, &str); 15] = [
        (
            |config| config.token_url = "https://10.0.0.1/".to_owned(),
            "IP range are blocked",
        ),
        (
            |config| config.token_url = "https://me:pw@login.site.net/".to_owned(),
            "no password",
        ),
        (
            |config| config.token_url = "ftp://login.site.net/".to_owned(),
            "ftp",
        ),
        (|config| config.client_id.clear(), "client id"),
        (
            |config| config.authentication = ClientAuthentication::SecretBasic(secret("")),
            "secret",
        ),
        (
            |config| config.authentication = ClientAuthentication::SecretPost(secret("")),
            "secret",
        ),
        (
            |config| config.authentication = assertion_key(SECRET.into()),
            "RSA",
        ),
        (
            |config| config.authentication = assertion_key(vec![]),
            "RSA",
        ),
        (
            |config| config.grant = Grant::RefreshToken(secret("")),
            "refresh token",
        ),
        (
            |config| config.extra_params[0].0 = "client_secret".to_owned(),
            "`client_secret`",
        ),
        (
            |config| config.extra_params[0].1 = "x".repeat(40_000),
            "bytes",
        ),
        (
            |config| config.extra_headers[0].0 = "Authorization".to_owned(),
            "`Authorization`",
        ),
        (
            |config| config.extra_headers[0].0 = "x y".to_owned(),
            "`x y`",
        ),
        (
            |config| config.extra_headers[0].1 = "7\r\nx: 1".to_owned(),
            "`X-Tenant`",
        ),
        (
            |config| config.extra_headers = vec![config.extra_headers[0].clone(); 51],
            "at most",
        ),
    ];
    for (change, said) in changes {
        let mut config = basic();
        change(&mut config);
        let text = refusal(&config);
        assert!(text.contains(said), "{said}: {text}");
        assert!(!text.contains(SECRET) && !text.contains("pw"), "{text}");
    }
}

#[test]
fn secret_goes_over_plain_http_within_this_machine_only() {
    let mut plain = basic();
    plain.token_url = "http://login.customer-site.net/".to_owned();
    let client = OauthClient::new(&plain, &AddressPolicy::development());
    let error = client.err().expect("refused").for_tenant().into_owned();
    assert!(error.contains("plain HTTP"), "{error}");
    plain.token_url = "http://127.0.0.1:8080/".to_owned();
    assert!(OauthClient::new(&plain, &AddressPolicy::development()).is_ok());
}

#[test]
fn tokens_are_kept_by_all_that_they_are_asked_for_with() {
    type Change = fn(&mut OauthConfig);
    let changes: [Change; 9] = [
        |_| (),
        |config| config.token_url.push('0'),
        |config| config.client_id.push('0'),
        |config| config.authentication = ClientAuthentication::SecretBasic(secret("other")),
        |config| config.authentication = ClientAuthentication::SecretPost(secret(SECRET)),
        |config| config.grant = Grant::RefreshToken(secret("r1")),
        |config| config.scopes.truncate(1),
        |config| config.extra_params.clear(),
        |config| config.extra_headers.clear(),
    ];
    let fingerprint = |change: &Change| {
        let mut config = basic();
        change(&mut config);
        client(&config).fingerprint
    };
    let mut fingerprints: Vec<_> = changes.iter().map(fingerprint).collect();
    assert_eq!(fingerprint(&changes[0]), fingerprints[0]);
    fingerprints.sort_unstable();
    fingerprints.dedup();
    assert_eq!(fingerprints.len(), changes.len());
}

#[tokio::test(start_paused = true)]
async fn token_is_used_until_a_minute_before_it_expires() {
    let server = Fake::answering([(200, GRANTED), (200, SECOND)]);
    let (keeper, client) = (keeper(&server), client(&basic()));
    for (after, expected) in [(0, "Bearer t1"), (3_539, "Bearer t1"), (2, "Bearer t2")] {
        tokio::time::advance(Duration::from_secs(after)).await;
        assert_eq!(token(&keeper, &client).await.as_deref(), Ok(expected));
    }
    assert_eq!(server.asked(), 2);
}

#[tokio::test(start_paused = true)]
async fn lifetime_counts_from_before_the_server_was_asked() {
    let server = Fake::answering([(200, GRANTED), (200, SECOND)]);
    let (keeper, client) = (Arc::new(keeper(&server)), Arc::new(client(&basic())));
    server.shut();
    let (slow, waiting) = (client.clone(), keeper.clone());
    let first = tokio::spawn(async move { token(&waiting, &slow).await });
    while server.asked() == 0 {
        tokio::task::yield_now().await;
    }
    tokio::time::advance(Duration::from_secs(9)).await;
    server.open();
    assert_eq!(first.await.expect("no panic").as_deref(), Ok("Bearer t1"));
    tokio::time::advance(Duration::from_secs(3_532)).await;
    assert_eq!(token(&keeper, &client).await.as_deref(), Ok("Bearer t2"));
}

#[tokio::test(start_paused = true)]
async fn refused_token_is_replaced_once_and_never_used_again() {
    let server = Fake::answering([(200, GRANTED), (200, SECOND)]);
    let (keeper, client) = (keeper(&server), client(&basic()));
    let first = keeper.token(&client).await.expect("a token");
    assert!(keeper.refused(&client, &first));
    let second = keeper.token(&client).await.expect("a token");
    assert_eq!(second.authorization(), "Bearer t2");
    // A receiver that refuses everything does not make us ask without end.
    assert!(!keeper.refused(&client, &second));
    assert_eq!(token(&keeper, &client).await.as_deref(), Ok("Bearer t2"));
    assert_eq!(server.asked(), 2);
    tokio::time::advance(Duration::from_secs(30)).await;
    assert!(keeper.refused(&client, &second));
    let error = token(&keeper, &client).await.expect_err("nobody is there");
    let said = "no access token from the token server: no connection could be made";
    assert_eq!(error, said);
}

#[tokio::test(start_paused = true)]
async fn dead_token_server_is_asked_every_three_seconds_at_most() {
    let server = Fake::answering([(503, "")]);
    let (keeper, client) = (keeper(&server), client(&basic()));
    for asked in [1, 1, 1, 2, 2, 2] {
        token(&keeper, &client).await.expect_err("no token");
        assert_eq!(server.asked(), asked);
        tokio::time::advance(Duration::from_millis(1_050)).await;
    }
    // What concerns one configuration does not hold up another.
    server.then([(200, SECOND)]);
    let other = self::client(&post());
    assert_eq!(token(&keeper, &other).await.as_deref(), Ok("Bearer t2"));
}

#[tokio::test(start_paused = true)]
async fn answers_of_hostile_servers_are_errors_that_repeat_nothing() {
    let echo = format!(r#"{{"error":"{SECRET}","error_description":"{SECRET}"}}"#);
    let long = format!(r#"{{"access_token":"{}"}}"#, "t".repeat(10 << 20));
    let control = format!(r#"{{"access_token":"t\r\nx-evil: {SECRET}"}}"#);
    for (status, body, said) in [
        (
            302,
            "",
            "it answered 302, a redirect, which is not followed",
        ),
        (500, "<html>", "it answered 500"),
        (
            401,
            r#"{"error":"invalid_client"}"#,
            "it answered 401 (invalid_client)",
        ),
        (400, &echo, "it answered 400"),
        (
            200,
            &echo,
            "its answer is no JSON object with a text `access_token`",
        ),
        (200, "<html>Sign in</html>", "its answer is no JSON object"),
        (200, &long, "its answer is longer than 65536 bytes"),
        (
            200,
            &control,
            "its token is empty, longer than 16384 bytes, or not visible",
        ),
        (
            200,
            r#"{"access_token":"t","token_type":"mac"}"#,
            "is not `Bearer`",
        ),
        (204, "", "its answer is no JSON object"),
    ] {
        let server = Fake::answering([(status, body)]);
        let (keeper, client) = (keeper(&server), client(&basic()));
        let Err(error) = keeper.token(&client).await else {
            panic!("a token of {status} {body:.60}");
        };
        let text = error.for_tenant();
        assert!(text.contains(said), "{text}");
        for text in [
            &*text,
            &model::Chain(&error).to_string(),
            &format!("{error:?}"),
        ] {
            assert!(!text.contains("s3cr3t"), "{text}");
        }
        assert_eq!(server.asked(), 1, "no other URL is asked");
        assert!(!format!("{:?}", server.last()).contains("s3cr3t"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_server_that_asks_to_wait_is_left_alone_for_as_long_and_not_for_ever() {
    let most = crate::fetch::WAIT_MAX.as_secs();
    let long = (most * 2).to_string();
    for (asks, held) in [("1", 3), ("20", 20), (long.as_str(), most), ("soon", 3)] {
        let server = Fake::answering([(503, "{}"), (200, GRANTED)]);
        server.ask_to_wait(asks);
        let (keeper, client) = (keeper(&server), client(&basic()));
        let refused = keeper.token(&client).await.err().expect("refused");
        let wait = refused.fetch_error().and_then(FetchError::asks_to_wait);
        let told = asks.parse().ok().map(|seconds: u64| seconds.min(most));
        assert_eq!(wait, told.map(Duration::from_secs), "{asks}");
        tokio::time::advance(Duration::from_secs(held) - Duration::from_millis(1)).await;
        assert!(token(&keeper, &client).await.is_err(), "{asks}");
        assert_eq!(server.asked(), 1, "{asks}");
        tokio::time::advance(Duration::from_millis(1)).await;
        assert_eq!(token(&keeper, &client).await.as_deref(), Ok("Bearer t1"));
    }
}
