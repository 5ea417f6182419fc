//! Deliveries signed as other senders sign theirs, and over the whole request: what arrives is held
//! against that by `verify`, and by the library.

use e2e::{Received, Receiver};
use serde_json::{Value, json};
use webhook::http_signature::{self, KnownKey, Message, Request, TAG, WEBHOOK_COMPONENTS};

use super::Desk;
use super::signing::Files;

/// Something that is done with the endpoint.
fn first(operation: &str) -> [&str; 5] {
    ["endpoint", operation, "--app", "acme", "first"]
}

/// A secret that a receiver has from the sender before.
const SECRET: &str = "It's a Secret to Everybody";

async fn delivered(desk: &Desk, receiver: &Receiver) -> Received {
    let send = ["send", "--app", "acme", "--type", "x"];
    let data = ["--data", "{\"a\": 1}"];
    desk.ask(&[&send[..], &data].concat()).await.expect(0);
    receiver.next().await
}

#[tokio::test]
async fn what_is_signed_by_another_senders_scheme_is_genuine_by_it() {
    let (desk, receiver) = (Desk::new().await, Receiver::willing().await);
    desk.acme(&receiver.url("/in")).await;
    let files = Files::new();
    files.write("secret", SECRET);
    let generic = [
        "--header",
        "X-Acme-Signature",
        "--hash",
        "sha512",
        "--encoding",
        "base64",
        "--prefix",
        "v1=",
        "--template",
        "{id}.{timestamp}.{body}",
        "--timestamp-header",
        "X-Acme-Time",
    ];
    let schemes = [
        ("github", &[][..]),
        ("stripe", &[]),
        ("shopify", &[]),
        ("slack", &[]),
        ("generic", &generic),
    ];
    let secret = desk.file("secret", SECRET);
    for (scheme, described) in schemes {
        let set = [
            &first("set-signature")[..],
            &["--scheme", scheme],
            described,
        ]
        .concat();
        desk.ask(&set).await.expect(0);
        let to = ["--grace-seconds", "0", "--secret-file", &secret];
        let rotate = [&first("rotate-secret")[..], &to].concat();
        assert_eq!(desk.ask(&rotate).await.text(), SECRET);
        let shown = desk.json(&first("signature")).await;
        assert_eq!(shown["scheme"], scheme);

        let received = delivered(&desk, &receiver).await;
        assert!(!received.headers.contains_key("webhook-signature"));
        files.receive(&received);
        let verdict = files.run("verify", scheme, described).await;
        assert_eq!(verdict.text(), "genuine", "{scheme}");
        files.write("secret", "another");
        files.run("verify", scheme, described).await.expect(1);
        files.write("secret", SECRET);
    }
    let refused = desk.ask(&first("delete-signature")).await;
    refused.expect(1).complains_of("secret_unsuitable");
}

#[tokio::test]
async fn a_signed_request_is_genuine_with_the_published_key() {
    let (mut desk, receiver) = (Desk::new().await, Receiver::willing().await);
    let url = receiver.url("/in?tenant=7");
    desk.acme(&url).await;
    let auth = json!({
        "type": "httpSignature", "algorithm": "ed25519", "components": ["@authority"],
    });
    let set = [&first("set-auth")[..], &["-"]].concat();
    desk.ask_with(&auth.to_string(), &set).await.expect(0);
    let shown = desk.json(&first("auth")).await;
    let text = |field: &str| shown[field].as_str().expect("a text").to_owned();
    let endpoint = desk.json(&first("get")).await;
    let id = endpoint["id"].as_str().expect("a text");

    let api = desk.server.api().await;
    let path = format!("/.well-known/jwks.json?endpoint_id={id}");
    let published: Value = api.get(&path).await.expect(200).json();
    assert_eq!(published["keys"][0]["kid"], shown["keyId"]);

    let received = delivered(&desk, &receiver).await;
    let headers = received.headers.iter();
    let headers: Vec<_> = headers
        .map(|(name, value)| (name.as_str(), value.as_bytes()))
        .collect();
    let key = KnownKey::parse(&text("keyId"), &text("publicKey")).expect("a key");
    let verifier = http_signature::Verifier {
        keys: &[key],
        required: &[&WEBHOOK_COMPONENTS[..], &["@authority"]].concat(),
        tag: Some(TAG),
        tolerance_seconds: webhook::TOLERANCE_SECONDS,
    };
    let request = Request {
        method: &received.method,
        target_uri: &url,
        headers: &headers,
    };
    let now = received.headers["webhook-timestamp"].to_str();
    let now = now.ok().and_then(|now| now.parse().ok()).expect("a time");
    let genuine = verifier.verify(&Message::Request(request), &received.body, now);
    assert!(genuine.is_ok(), "{genuine:?}");
    let elsewhere = Request {
        target_uri: "http://elsewhere.example/in",
        ..request
    };
    let refused = verifier.verify(&Message::Request(elsewhere), &received.body, now);
    assert!(refused.is_err());
}
