//! Deliveries to receivers that want an access token: with a token server, over real sockets. Of
//! what is secret, nothing is found where it should not be.

use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD, Engine as _};
use e2e::command::postrider;
use e2e::{Answer, Api, Options, Received, Receiver, Server, eventually};
use serde_json::{Value, json};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

const SECRET: &str = "open-sesame-0123";
const OAUTH: &str = "/app/shop/endpoint/e/oauth";

/// A token server that gives `token-0`, `token-1` and so on.
async fn token_server() -> Receiver {
    let given = AtomicUsize::new(0);
    Receiver::start(move |_| {
        let token = format!("token-{}", given.fetch_add(1, Ordering::Relaxed));
        let body = json!({"access_token": token, "token_type": "bearer", "expires_in": 3600});
        Answer::status(200).body(body.to_string())
    })
    .await
}

/// A receiver that takes the token of this number alone.
async fn receiver(current: &Arc<AtomicUsize>) -> Receiver {
    let current = current.clone();
    Receiver::start(move |request| {
        let wanted = format!("Bearer token-{}", current.load(Ordering::Relaxed));
        match request.header("authorization") == wanted {
            true => Answer::status(200),
            false => Answer::status(401),
        }
    })
    .await
}

async fn server() -> Server {
    // Each is later than a failure of the token server is the answer for.
    let schedule = "4,4,4,4,4";
    Server::start(Options::dev().option("--retry-schedule", schedule)).await
}

/// An application with an endpoint at `url`.
async fn shop(api: &Api, url: &str) {
    api.application("shop").await;
    let endpoint = json!({"uid": "e", "url": url});
    api.endpoint("shop", &endpoint).await;
}

fn config(token_url: &str) -> Value {
    json!({
        "tokenUrl": token_url, "clientId": "postrider", "authMethod": "clientSecretPost",
        "clientSecret": SECRET, "grantType": "clientCredentials", "scopes": ["hooks"],
    })
}

/// How a message stands with its endpoints, once one attempt has this status.
async fn attempts(api: &Api, message: &str, status: u16) -> Value {
    let path = format!("/app/shop/attempt/msg/{message}");
    eventually(format!("{status} for {message}"), || async {
        let list = api.get(&path).await.expect(200).json();
        let rows = list["data"].as_array().expect("a list");
        let is = rows.iter().any(|row| row["responseStatusCode"] == status);
        is.then(|| list.clone()).ok_or_else(|| list.to_string())
    })
    .await
}

fn form(request: &Received) -> Vec<String> {
    let text = std::str::from_utf8(&request.body).expect("a form");
    text.split('&').map(str::to_owned).collect()
}

/// Whether any file below holds this.
fn holds(directory: &Path, text: &str) -> bool {
    let entries = std::fs::read_dir(directory).expect("a directory");
    entries
        .map(|entry| entry.expect("an entry").path())
        .any(|path| {
            if path.is_dir() {
                return holds(&path, text);
            }
            // What is gone by now, such as a log of the store's, holds nothing.
            let bytes = std::fs::read(&path).unwrap_or_default();
            bytes
                .windows(text.len())
                .any(|window| window == text.as_bytes())
        })
}

#[tokio::test]
async fn one_token_serves_many_is_replaced_where_it_is_refused_and_leaves_no_trace() {
    let current = Arc::new(AtomicUsize::new(0));
    let (login, receiver) = (token_server().await, receiver(&current).await);
    let mut server = server().await;
    let api = server.api().await;
    shop(&api, &receiver.url("/")).await;
    api.put(OAUTH, &config(&login.url("/token")))
        .await
        .expect(204);
    for n in 0..5 {
        api.send("shop", "order.paid", &json!({"n": n})).await;
    }
    for request in receiver.take(5).await {
        assert_eq!(request.header("authorization"), "Bearer token-0");
    }
    let asked = login.next().await;
    let secret = format!("client_secret={SECRET}");
    assert!(form(&asked).contains(&secret), "{asked:?}");
    assert!(login.rest().await.is_empty(), "one token is for all");

    current.store(1, Ordering::Relaxed);
    let message = api.send("shop", "order.paid", &json!({})).await;
    let shown = receiver.take(2).await;
    let shown = shown.iter().map(|request| request.header("authorization"));
    assert_eq!(
        shown.collect::<Vec<_>>(),
        ["Bearer token-0", "Bearer token-1"]
    );
    let list = attempts(&api, &message, 200).await;
    assert_eq!(list["data"].as_array().map(Vec::len), Some(1), "{list}");

    let answers = [
        list.to_string(),
        api.get(OAUTH).await.expect(200).json().to_string(),
        api.get("/app/shop/endpoint/e")
            .await
            .expect(200)
            .json()
            .to_string(),
        api.get("/security/event")
            .await
            .expect(200)
            .json()
            .to_string(),
    ];
    assert!(
        answers[1].contains(r#""clientSecret":"***0123""#),
        "{}",
        answers[1]
    );
    assert!(server.terminate().await.success());
    for secret in [SECRET, "token-0", "token-1"] {
        assert!(!answers.concat().contains(secret), "{answers:?}");
        assert!(!server.log().contains(secret));
        assert!(!holds(server.data_dir(), secret), "{secret}");
    }
}

#[tokio::test]
async fn without_a_token_nothing_is_sent_and_nothing_is_lost() {
    let body = json!({"error": "invalid_client", "error_description": SECRET}).to_string();
    let refusing = Answer::status(401).body(body.clone());
    let elsewhere = Receiver::willing().await;
    let redirecting = Answer::status(302).header("location", elsewhere.url("/"));
    let token = json!({"access_token": "token-0"}).to_string();
    let login = Receiver::in_turn([
        refusing,
        redirecting,
        Answer::status(500).body(body),
        Answer::status(200).body("x".repeat(10 << 20)),
        Answer::status(200).body(token),
    ])
    .await;
    let (receiver, other) = (Receiver::willing().await, Receiver::willing().await);
    let mut server = server().await;
    let api = server.api().await;
    shop(&api, &receiver.url("/")).await;
    api.endpoint("shop", &json!({"url": other.url("/")})).await;
    api.put(OAUTH, &config(&login.url("/token")))
        .await
        .expect(204);
    let message = api.send("shop", "order.paid", &json!({})).await;
    other.next().await;

    let delivered = receiver.next().await;
    assert_eq!(delivered.header("authorization"), "Bearer token-0");
    assert_eq!(delivered.id(), message);
    assert!(
        login
            .take(5)
            .await
            .iter()
            .all(|asked| asked.path == "/token")
    );
    assert!(
        elsewhere.rest().await.is_empty(),
        "a redirect is not followed"
    );
    let list = eventually("the attempt that succeeded", || async {
        let path = "/app/shop/attempt/endpoint/e";
        let list = api.get(path).await.expect(200).json();
        let is = list["data"][0]["responseStatusCode"] == 200;
        is.then(|| list.clone()).ok_or_else(|| list.to_string())
    })
    .await;
    let text = list.to_string();
    for said in [
        " answered 401 (invalid_client)",
        " answered 302, a redirect",
        " answered 500",
        "s answer is longer than 65536 bytes",
    ] {
        let said = format!("no access token from the token server: it{said}");
        assert!(text.contains(&said), "{said}: {text}");
    }
    assert!(!text.contains(SECRET), "{text}");
    assert!(!server.log().contains(SECRET));
}

#[tokio::test]
async fn a_client_proves_who_it_is_by_a_key_that_is_never_shown() {
    let current = Arc::new(AtomicUsize::new(0));
    let (login, receiver) = (token_server().await, receiver(&current).await);
    let mut server = server().await;
    let api = server.api().await;
    shop(&api, &receiver.url("/")).await;
    let pair = rcgen::KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).expect("a key");
    let key = BASE64_STANDARD.encode(pair.serialize_der());
    let mut config = config(&login.url("/token"));
    config["authMethod"] = "clientSecretJwt".into();
    config["jwtParams"] = json!({
        "secretBase64": key, "secretId": "k1", "signingAlgorithm": "RS256",
    });

    let file = server.home().join("oauth.json");
    std::fs::write(&file, config.to_string()).expect("a file can be written");
    let token = server.home().join("token");
    std::fs::write(&token, server.token().await).expect("a file can be written");
    let url = server.url();
    let [file, token] = [&file, &token].map(|path| path.to_str().expect("a path in UTF-8"));
    let on = ["--app", "shop", "e"];
    let door = ["--server", &url, "--token-file", token];
    let set = ["endpoint", "set-oauth"];
    let done = postrider(&[&set[..], &on, &[file], &door].concat()).await;
    done.expect(0);
    let shown = postrider(&[&["endpoint", "oauth"][..], &on, &door, &["--json"]].concat()).await;
    let shown: Value = serde_json::from_str(shown.expect(0).text()).expect("JSON");
    let expected = json!({
        "secretBase64": format!("***{}", &key[key.len() - 4..]), "secretId": "k1",
        "signingAlgorithm": "RS256", "tokenExpirySecs": 300,
    });
    assert_eq!(shown["jwtParams"], expected);
    assert_eq!(shown["clientSecret"], Value::Null, "it has no use for one");

    api.send("shop", "order.paid", &json!({})).await;
    receiver.next().await;
    let form = form(&login.next().await);
    let assertion = form
        .iter()
        .find_map(|pair| pair.strip_prefix("client_assertion="));
    let claims = assertion
        .expect("an assertion")
        .split('.')
        .nth(1)
        .expect("claims");
    let claims = BASE64_URL_SAFE_NO_PAD.decode(claims).expect("base64url");
    let claims: Value = serde_json::from_slice(&claims).expect("JSON");
    assert_eq!(
        (&claims["sub"], &claims["aud"]),
        (&json!("postrider"), &config["tokenUrl"])
    );

    let delete = ["endpoint", "delete-oauth"];
    postrider(&[&delete[..], &on, &door].concat())
        .await
        .expect(0);
    api.get(OAUTH).await.expect(404);
}
