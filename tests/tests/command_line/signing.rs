//! Signing and verifying without a server: what one signs the other takes for genuine, and so does
//! it what Postrider delivered.

use e2e::command::{Outcome, run};
use e2e::{Received, Receiver};
use serde_json::Value;
use std::fs;
use tempfile::TempDir;

use super::{Desk, command, path, text};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const BODY: &str = "{\"test\": 2432232314}";
const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
const NOW: &str = "1614265330";

pub(super) struct Files(TempDir);

impl Files {
    pub(super) fn new() -> Self {
        let files = Self(tempfile::tempdir().expect("a directory"));
        files.write("secret", SECRET);
        files.write("body", BODY);
        files
    }

    pub(super) fn write(&self, name: &str, text: &str) {
        fs::write(path(&self.0, name), text).expect("a file");
    }

    /// What a receiver got.
    pub(super) fn receive(&self, received: &Received) {
        let header = |(name, value): (&_, &_)| format!("{name}: {}", readable(value));
        let headers: Vec<String> = received.headers.iter().map(header).collect();
        self.write("headers", &headers.join("\n"));
        self.write("body", &String::from_utf8_lossy(&received.body));
    }

    /// `sign` or `verify` on its files.
    pub(super) async fn run(&self, verb: &str, scheme: &str, more: &[&str]) -> Outcome {
        let [secret, body, headers] = ["secret", "body", "headers"].map(|name| path(&self.0, name));
        let files = ["--secret-file", text(&secret), "--body", text(&body)];
        let mut arguments = [&[verb, "--scheme", scheme][..], &files].concat();
        if verb == "verify" {
            arguments.extend(["--headers", text(&headers)]);
        }
        arguments.extend(more);
        run(command(&arguments)).await
    }
}

#[tokio::test]
async fn what_is_signed_is_genuine_and_what_is_changed_is_refused_with_the_check() {
    let files = Files::new();
    for (scheme, prefix) in [("standard-webhooks", "webhook"), ("svix", "svix")] {
        let signed = files.run("sign", scheme, &["--id", ID, "--now", NOW]).await;
        let signature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
        let expected = format!(
            "{prefix}-id: {ID}\n{prefix}-timestamp: {NOW}\n{prefix}-signature: {signature}"
        );
        assert_eq!(signed.text(), expected);
        files.write("headers", signed.text());
        let genuine = files.run("verify", scheme, &["--now", NOW]).await;
        assert_eq!(genuine.text(), "genuine");
        let old = files.run("verify", scheme, &["--now", "1614265999"]).await;
        old.expect(1);
        assert!(
            old.stdout.starts_with("refused: signed 669 s ago"),
            "{old:?}"
        );
        let long = ["--now", "1614265999", "--tolerance", "669"];
        files.run("verify", scheme, &long).await.expect(0);

        files.write("body", "{\"test\": 1}\n");
        let changed = files.run("verify", scheme, &["--now", NOW]).await;
        changed.expect(1);
        for part in [
            "refused: ",
            "check",
            "signature",
            ID,
            NOW,
            "12 bytes, SHA-256 ",
        ] {
            assert!(changed.stdout.contains(part), "no {part} in {changed:?}");
        }
        let json = files.run("verify", scheme, &["--now", NOW, "--json"]).await;
        json.expect(1);
        let json: Value = serde_json::from_str(&json.stdout).expect("JSON");
        assert_eq!(
            (&json["genuine"], &json["check"]),
            (&false.into(), &"signature".into())
        );
        assert!(!json.to_string().contains("MfKQ9r8GKYqr"), "{json}");
        files.write("body", BODY);
    }
}

#[tokio::test]
async fn a_new_signature_is_good_now_and_an_unknown_scheme_says_what_is_known() {
    let files = Files::new();
    let signed = files.run("sign", "standard-webhooks", &["--json"]).await;
    let signed: Value = serde_json::from_str(signed.text()).expect("JSON");
    let lines = signed.as_object().expect("an object").iter();
    let lines = lines.map(|(name, value)| format!("{name}: {}", value.as_str().expect("text")));
    files.write("headers", &lines.collect::<Vec<_>>().join("\r\n"));
    files
        .run("verify", "standard-webhooks", &[])
        .await
        .expect(0);
    for verb in ["sign", "verify"] {
        let refused = files.run(verb, "paypal", &[]).await;
        refused
            .expect(2)
            .complains_of("standard-webhooks, standard-webhooks-ed25519, svix, adobe-sign, adyen");
        let refused = files.run(verb, "standard-webhooks-ed25519", &[]).await;
        refused.expect(2).complains_of("--secret-file");
        assert!(!refused.stderr.contains("MfKQ9r8GKYqr"), "{refused:?}");
    }
    files.write("headers", "webhook-id\n");
    let refused = files.run("verify", "svix", &[]).await;
    refused.expect(2).complains_of("line 1");
    fs::remove_file(path(&files.0, "body")).expect("a file");
    let unreadable = files.run("sign", "svix", &[]).await;
    unreadable.expect(3).complains_of("can't be read");
    run(command(&["verify", "--scheme", "svix"]))
        .await
        .expect(2);
}

#[tokio::test]
async fn a_signed_url_has_to_be_given_and_what_can_only_be_verified_says_so() {
    let files = Files::new();
    let url = ["--url", "https://example.com/hooks"];
    for verb in ["sign", "verify"] {
        files.write("headers", "x-square-hmacsha256-signature: x\n");
        let refused = files.run(verb, "square", &[]).await;
        refused.expect(2).complains_of("--url: `square` signs");
    }
    let signed = files.run("sign", "square", &url).await;
    files.write("headers", signed.text());
    let genuine = files.run("verify", "square", &url).await;
    assert_eq!(genuine.text(), "genuine");
    let elsewhere = ["--url", "https://example.com/hooks/"];
    files.run("verify", "square", &elsewhere).await.expect(1);

    let refused = files.run("sign", "mailgun", &[]).await;
    refused.expect(2).complains_of("can be verified only");
}

#[tokio::test]
async fn what_was_delivered_is_genuine_with_the_secret_that_is_told() {
    let (desk, receiver) = (Desk::new().await, Receiver::willing().await);
    desk.acme(&receiver.url("/in")).await;
    let of_first = |verb| ["endpoint", verb, "--app", "acme", "first"];
    let send = [
        "send",
        "--app",
        "acme",
        "--type",
        "x",
        "--data",
        "{\"a\": 1}",
    ];
    let files = Files::new();
    let secret = desk.ask(&of_first("secret")).await;
    let rotated = [
        "--secret-file",
        &desk.file("new", SECRET),
        "--grace-seconds",
        "0",
    ];
    for rotates in [false, true] {
        files.write("secret", secret.text());
        if rotates {
            let rotate = [&of_first("rotate-secret")[..], &rotated].concat();
            assert_eq!(desk.ask(&rotate).await.text(), SECRET);
        }
        desk.ask(&send).await.expect(0);
        files.receive(&receiver.next().await);
        let verdict = files.run("verify", "standard-webhooks", &[]).await;
        verdict.expect(i32::from(rotates));
    }
    files.write("secret", SECRET);
    files
        .run("verify", "standard-webhooks", &[])
        .await
        .expect(0);
}

fn readable(value: &http::HeaderValue) -> &str {
    value.to_str().expect("visible ASCII")
}
