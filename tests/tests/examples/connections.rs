//! Who connects, and to whom: credentials, access tokens, certificates and pins.

use crate::shop::{CREDENTIALS, HANDSHAKE, PINS, Shop, TOKENS, calls, judge, with_header};
use crate::tokens::Tokens;
use crate::{credentials, handshake, pins};
use e2e::examples::Judged;
use e2e::{Answer, Asks, Authority, Example, Front, Received, Receiver, Shown};
use http::HeaderMap;
use rcgen::{CertificateParams, DnType};
use serde_json::{Value, json};
use std::sync::Mutex;
use tokio::time::Instant;

const HOST: &str = "localhost";

#[tokio::test]
async fn credentials_admit_who_has_them_alone() {
    let shop = Shop::open().await;
    let basic = json!({"type": "basic", "username": "postrider", "password": "open sesame"});
    let bearer = json!({"type": "bearer", "token": "a-token"});
    let key = json!({"type": "apiKey", "in": "header", "name": "X-Key", "value": "a-key"});
    let rust: [fn(&HeaderMap) -> bool; 3] = [
        |headers| credentials::has_password(headers, "postrider", "open sesame"),
        |headers| credentials::has_token(headers, "a-token"),
        |headers| credentials::has_key(headers, "X-Key", "a-key"),
    ];
    let python = [
        "has_password(headers, 'postrider', 'open sesame')",
        "has_token(headers, 'a-token')",
        "has_key(headers, 'X-Key', 'a-key')",
    ];
    let node = [
        "hasPassword(headers, 'postrider', 'open sesame')",
        "hasToken(headers, 'a-token')",
        "hasKey(headers, 'X-Key', 'a-key')",
    ];
    for (index, auth) in [basic, bearer, key].into_iter().enumerate() {
        let name = ["authorization", "authorization", "x-key"][index];
        let uid = format!("e-{index}");
        let parts = [("auth", auth)];
        shop.endpoint(&uid, &shop.receiver.url("/"), &parts).await;
        let request = shop.arrives(&uid, &json!({})).await;
        let longer = format!("{}x", request.header(name));
        let mut without = request.clone();
        without.headers.remove(name);
        let requests: [Judged; 4] = [
            (with_header(&request, name, &longer), Value::Null),
            (with_header(&request, name, ""), Value::Null),
            (without, Value::Null),
            (request, true.into()),
        ];
        let both = calls(python[index], node[index], json!({}));
        judge(CREDENTIALS, both, &requests).await;
        for (request, gives) in &requests {
            assert_eq!(
                rust[index](&request.headers),
                !gives.is_null(),
                "{request:?}"
            );
        }
    }
}

/// The receiver that the example in Rust is a part of.
async fn giving_tokens() -> Receiver {
    let tokens = Mutex::new(Tokens::default());
    let answer = move |request: &Received| {
        let mut tokens = tokens.lock().expect("nobody panics with it");
        let now = Instant::now().into_std();
        if request.path != "/token" {
            let is_admitted = tokens.admit(&request.headers, now);
            return Answer::status(if is_admitted { 200 } else { 401 });
        }
        match tokens.give(&request.headers, now) {
            None => Answer::status(401).body(json!({"error": "invalid_client"}).to_string()),
            Some(token) => Answer::status(200).body(
                json!({"access_token": token, "token_type": "Bearer", "expires_in": 3600})
                    .to_string(),
            ),
        }
    };
    Receiver::start(answer).await
}

#[tokio::test]
async fn receivers_that_give_tokens_admit_deliveries_that_bring_them() {
    let shop = Shop::open().await;
    let rust = giving_tokens().await;
    let mut urls = vec![("rust", rust.url(""))];
    let mut running = Vec::new();
    for language in ["python", "js"] {
        let example = Example::find(TOKENS.0, TOKENS.1, language);
        let served = example.serves(8090, &[]).await;
        urls.push((language, format!("http://127.0.0.1:{}", served.port)));
        running.push(served);
    }
    for (language, url) in urls {
        let client = |secret| {
            let client = json!({
                "tokenUrl": format!("{url}/token"), "clientId": "postrider",
                "authMethod": "clientSecretBasic", "clientSecret": secret,
                "grantType": "clientCredentials",
            });
            [("oauth", client)]
        };
        let hook = format!("{url}/in");
        let [good, bad, none] = ["good", "bad", "none"].map(|name| format!("{language}-{name}"));
        shop.endpoint(&good, &hook, &client("open-sesame")).await;
        shop.endpoint(&bad, &hook, &client("guessed")).await;
        shop.endpoint(&none, &hook, &[]).await;
        assert_eq!(shop.answers(&good).await, 200, "{language}");
        assert_eq!(
            shop.answers(&bad).await,
            0,
            "{language}: there is no token to send"
        );
        assert_eq!(shop.answers(&none).await, 401, "{language}");
    }
}

/// A client certificate with this name, and its key.
fn client(authority: &Authority, name: &str) -> (&'static str, Value) {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.use_authority_key_identifier_extension = true;
    (
        "mtls",
        json!({"identity": authority.show_with(params).pem()}),
    )
}

#[tokio::test]
async fn receivers_of_a_private_authority_hear_the_clients_that_they_know() {
    let shop = Shop::open().await;
    let [own, clients, others] = ["own", "clients'", "others'"].map(Authority::new);
    let (certificate, key) = own.issue_until(HOST, 2099);
    let issuer = clients.pem();
    let files = [
        ("receiver.pem", certificate.as_str()),
        ("receiver.key", key.as_str()),
        ("clients.pem", issuer.as_str()),
    ];
    let home = tempfile::tempdir().expect("a directory");
    for (name, text) in files {
        std::fs::write(home.path().join(name), text).expect("it can be written");
    }
    let acceptor = handshake::acceptor(home.path()).expect("the files are good");
    let rust = Front::accepting(shop.receiver.address(), acceptor).await;
    let mut urls = vec![("rust", rust.url(HOST))];
    let mut running = Vec::new();
    for language in ["python", "js"] {
        let example = Example::find(HANDSHAKE.0, HANDSHAKE.1, language);
        let served = example.serves(8443, &files).await;
        urls.push((language, format!("https://{HOST}:{}", served.port)));
        running.push(served);
    }
    for (language, url) in urls {
        let trusted = || ("ca", json!({"cert": own.pem()}));
        // In Rust, the example ends with the handshake: the name is the caller's to look at.
        let unknown = if language == "rust" { 200 } else { 403 };
        let cases = [
            ("known", Some(client(&clients, "postrider")), 200),
            ("unknown", Some(client(&clients, "somebody")), unknown),
            ("foreign", Some(client(&others, "postrider")), 0),
            ("nobody", None, 0),
        ];
        for (name, shown, status) in cases {
            let uid = format!("{language}-{name}");
            let parts: Vec<_> = shown.into_iter().chain([trusted()]).collect();
            shop.endpoint(&uid, &url, &parts).await;
            assert_eq!(shop.answers(&uid).await, status, "{uid}");
        }
    }
}

/// The file of the key alone.
fn key_of(shown: &Shown) -> &str {
    let begins = shown.pem().find("-----BEGIN PRIVATE KEY");
    &shown.pem()[begins.expect("the key is behind the certificate")..]
}

#[tokio::test]
async fn pins_of_the_key_and_of_the_next_one_outlast_its_change() {
    let shop = Shop::open().await;
    let authority = Authority::new("the receiver's");
    let [current, next] = [(); 2].map(|()| authority.show(HOST));
    let told = [&current, &next].map(|shown| {
        let pin = pins::pin(key_of(shown)).expect("it is a key");
        assert_eq!(pin, shown.pin());
        pin
    });
    let front = Front::accepting(shop.receiver.address(), current.acceptor(Asks::default()));
    let front = front.await;
    let parts = [
        ("ca", json!({"cert": authority.pem()})),
        ("pins", json!({"mode": "enforce", "pins": told})),
    ];
    shop.endpoint("e", &front.url(HOST), &parts).await;
    let request = shop.arrives("e", &json!({})).await;
    front.exchange(next.acceptor(Asks::default()));
    shop.arrives("e", &json!({})).await;
    front.exchange(authority.show(HOST).acceptor(Asks::default()));
    assert_eq!(shop.answers("e").await, 0, "nobody told of this key");

    for (shown, pin) in [&current, &next].into_iter().zip(told) {
        let both = calls(
            "pin(KEY.encode())",
            "pin(KEY)",
            json!({"KEY": key_of(shown)}),
        );
        judge(PINS, both, &[(request.clone(), pin.into())]).await;
    }
}
