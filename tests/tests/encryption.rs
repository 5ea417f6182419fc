//! Encrypted payloads: opened with published libraries, unreadable for whoever ends TLS on the way,
//! and never sent in the clear where there is no key.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use e2e::clients::{self, Encrypted, Language};
use e2e::vectors::{private_key, public_key};
use e2e::{Answer, Api, Authority, Front, Options, Receiver, Server, eventually};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicUsize, Ordering};

/// Words that stand nowhere else.
const PAYLOAD: [&str; 3] = [
    "Zaphod Beeblebrox",
    "4929-1234-5678",
    "heart-of-gold@example",
];

fn payload() -> Value {
    json!({"name": PAYLOAD[0], "card": PAYLOAD[1], "mail": PAYLOAD[2], "n": 42})
}

async fn encrypt(api: &Api, endpoint: &str, encryption: Value) {
    let path = format!("/app/shop/endpoint/{endpoint}/encryption");
    api.put(&path, &encryption).await.expect(204);
}

#[tokio::test]
async fn published_libraries_open_what_arrives() {
    let mut server = Server::start(Options::dev()).await;
    let (api, receiver) = (server.api().await, Receiver::willing().await);
    api.application("shop").await;
    let cases = [
        ("ec-enc-1", Some("ECDH-ES")),
        ("ec-enc-1", None),
        ("x25519-1", None),
        ("rsa-enc-1", None),
    ];
    let mut receivers = Vec::new();
    for (index, (kid, algorithm)) in cases.into_iter().enumerate() {
        let url = receiver.url(&format!("/{index}"));
        let endpoint = api.endpoint("shop", &json!({"url": url})).await;
        let key = private_key(kid);
        let mut encryption = json!({"jwk": public_key(&key)});
        if let Some(algorithm) = algorithm {
            encryption["alg"] = algorithm.into();
        }
        encrypt(&api, &endpoint, encryption).await;
        receivers.push((api.secret("shop", &endpoint).await, key));
    }
    let message = api.send("shop", "invoice.paid", &payload()).await;

    let mut requests = Vec::new();
    for request in receiver.take(cases.len()).await {
        assert_eq!(request.header("content-type"), "application/jose");
        assert_eq!(request.id(), message);
        let index: usize = request.path[1..].parse().expect("a number");
        let (secret, key) = receivers[index].clone();
        requests.push(Encrypted {
            secret,
            key,
            payload: payload(),
            request,
        });
    }
    // `jose` holds each key to the one algorithm that it was imported for.
    clients::decrypt(Language::Python, &requests).await;
    requests.retain(|one| one.request.path != "/0");
    clients::decrypt(Language::Node, &requests).await;
}

/// What of the payload is to be seen in what was heard: in clear, or as Base64 at any offset.
fn seen(heard: &str) -> Vec<String> {
    let mut seen = Vec::new();
    for word in PAYLOAD {
        let mut forms = vec![word.to_owned()];
        for shift in 0..3 {
            // Without the characters that hang on what stands before and behind.
            let bytes = [&vec![b'?'; shift][..], word.as_bytes()].concat();
            let whole = bytes.len() / 3 * 3;
            for engine in [STANDARD, URL_SAFE] {
                let text = engine.encode(&bytes[..whole]);
                forms.push(text[(shift * 4).div_ceil(3)..].to_owned());
            }
        }
        seen.extend(
            forms
                .into_iter()
                .filter(|form| heard.contains(form.as_str())),
        );
    }
    seen
}

#[tokio::test]
async fn a_box_that_ends_tls_on_the_way_sees_nothing_of_the_payload() {
    let authority = Authority::new("the box's own");
    let home = tempfile::tempdir().expect("a directory");
    let roots = home.path().join("roots.pem");
    std::fs::write(&roots, authority.pem()).expect("it can be written");
    let trusting = Options::dev().option("--trusted-roots", roots.to_str().expect("a text"));
    let mut server = Server::start(trusting).await;
    let api = server.api().await;
    api.application("shop").await;

    let key = private_key("x25519-1");
    let set = json!({"keys": [public_key(&key)]}).to_string();
    let keys = Receiver::start(move |_| Answer::status(200).body(set.clone())).await;
    let keys_box = Front::start(keys.address(), &authority, "127.0.0.1").await;
    let receiver = Receiver::willing().await;
    let in_clear = Front::start(receiver.address(), &authority, "127.0.0.1").await;
    let encrypted = Front::start(receiver.address(), &authority, "127.0.0.1").await;
    let url = format!("{}/clear", in_clear.url("127.0.0.1"));
    api.endpoint("shop", &json!({"url": url})).await;
    let url = format!("{}/encrypted", encrypted.url("127.0.0.1"));
    let endpoint = api.endpoint("shop", &json!({"url": url})).await;
    let set = json!({"jwksUrl": format!("{}/jwks.json", keys_box.url("127.0.0.1"))});
    encrypt(&api, &endpoint, set).await;
    let secret = api.secret("shop", &endpoint).await;

    api.send("shop", "invoice.paid", &payload()).await;
    let mut arrived = receiver.take(2).await;
    arrived.retain(|request| request.path == "/encrypted");
    let request = arrived.pop().expect("it arrived");
    // The test sees what is to be seen.
    assert_eq!(seen(&in_clear.heard()).len(), PAYLOAD.len());
    let encoded = STANDARD.encode(payload().to_string());
    assert!(!seen(&encoded).is_empty(), "{encoded}");
    let heard = encrypted.heard();
    assert!(heard.contains("application/jose"), "{heard}");
    assert_eq!(seen(&heard), [""; 0]);
    let one = Encrypted {
        secret,
        request,
        key,
        payload: payload(),
    };
    clients::decrypt(Language::Python, &[one]).await;
}

#[tokio::test]
async fn nothing_leaves_until_a_key_is_there_and_then_all_of_it() {
    let retrying = Options::dev().option("--retry-schedule", "2,2,2,2,2,2,2,2,2,2");
    let mut server = Server::start(retrying).await;
    let (api, receiver) = (server.api().await, Receiver::willing().await);
    api.application("shop").await;
    let key = private_key("ec-enc-1");
    let set = json!({"keys": [public_key(&key)]}).to_string();
    let asked = AtomicUsize::new(0);
    let keys = Receiver::start(move |_| match asked.fetch_add(1, Ordering::SeqCst) {
        0 => Answer::status(200).body(vec![b' '; 10 << 20]),
        _ => Answer::status(200).body(set.clone()),
    })
    .await;
    let endpoint = api
        .endpoint("shop", &json!({"url": receiver.url("/in"), "uid": "hook"}))
        .await;
    encrypt(&api, "hook", json!({"jwksUrl": keys.url("/jwks.json")})).await;
    let secret = api.secret("shop", &endpoint).await;
    let message = api.send("shop", "invoice.paid", &payload()).await;

    let path = format!("/app/shop/attempt/msg/{message}?order=ascending");
    let failed = eventually("an attempt without a key", || async {
        let attempts = api.get(&path).await.json();
        let first = attempts["data"][0].clone();
        match first.is_null() {
            true => Err(attempts.to_string()),
            false => Ok(first),
        }
    });
    let said = failed.await["response"].to_string();
    assert!(said.contains("longer than 65536 bytes"), "{said}");
    assert!(receiver.rest().await.is_empty(), "nothing is sent");

    let request = receiver.next().await;
    assert_eq!((request.path.as_str(), request.id()), ("/in", &*message));
    let one = Encrypted {
        secret,
        request,
        key,
        payload: payload(),
    };
    clients::decrypt(Language::Node, &[one]).await;
}
