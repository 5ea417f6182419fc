//! `pin`: what it shows of a receiver's certificates, how it ends, and that it sends nothing.

use e2e::command::{Outcome, run};
use e2e::{Authority, Front, Receiver};
use serde_json::{Value, json};

use super::{Desk, command};

async fn pin(url: &str, more: &[&str]) -> Outcome {
    run(command(&[&["pin", url, "--dev"][..], more].concat())).await
}

fn read(outcome: &Outcome) -> Value {
    serde_json::from_str(&outcome.stdout)
        .unwrap_or_else(|error| panic!("no JSON ({error}): {outcome:?}"))
}

#[tokio::test]
async fn pin_shows_the_verified_path_and_sends_nothing() {
    let desk = Desk::new().await;
    let authority = Authority::new("Ex\u{9b}ample Ltd");
    let front = Front::start(desk.server.address(), &authority, "localhost").await;
    let ca_file = desk.file("ca.pem", authority.pem());
    let url = front.url("localhost");

    let shown = pin(&url, &["--ca-file", &ca_file, "--json"]).await;
    let shown = read(shown.expect(0));
    assert_eq!(shown["verified"], true);
    let certificates = shown["certificates"].as_array().expect("a list");
    let [own, issuer] = &certificates[..] else {
        panic!("not two: {shown}");
    };
    assert_eq!(own["issuer"], "CN=Ex\u{9b}ample Ltd");
    assert_eq!(issuer["subject"], own["issuer"]);
    for one in certificates {
        let pin = one["pin"].as_str().expect("a pin");
        assert!(pin.starts_with("sha256/") && pin.len() == 51, "{pin}");
        let expires = one["expiresAt"].as_str().expect("a time");
        assert!(expires.ends_with('Z'), "{expires}");
    }

    let table = pin(&url, &["--ca-file", &ca_file]).await;
    for part in [&own["pin"], &issuer["pin"], &json!("Ex\\u{9b}ample Ltd")] {
        assert!(
            table
                .expect(0)
                .stdout
                .contains(part.as_str().expect("a text")),
            "{table:?}"
        );
    }
    assert_eq!(front.heard(), "");
}

#[tokio::test]
async fn pin_says_by_status_why_there_is_nothing_to_pin() {
    let desk = Desk::new().await;
    let authority = Authority::new("Example Ltd");
    let front = Front::start(desk.server.address(), &authority, "localhost").await;
    let url = front.url("localhost");
    let untrusted = "the certificate's issuer is not trusted";

    let refused = pin(&url, &["--json"]).await;
    let shown = read(refused.expect(1));
    assert_eq!(
        (&shown["verified"], &shown["reason"]),
        (&json!(false), &json!(untrusted))
    );
    assert_eq!(shown["certificates"].as_array().map(Vec::len), Some(1));
    let refused = pin(&url, &[]).await;
    refused
        .expect(1)
        .complains_of(untrusted)
        .complains_of("pin none");
    assert!(refused.stdout.contains("sha256/"), "{refused:?}");

    let guarded = run(command(&["pin", &url])).await;
    guarded.expect(1).complains_of("localhost");
    pin("no url", &[]).await.expect(1);
    pin("http://localhost/", &[])
        .await
        .expect(2)
        .complains_of("https");
    let no_file = ["--ca-file", "/nowhere.pem"];
    pin(&url, &no_file)
        .await
        .expect(3)
        .complains_of("/nowhere.pem");
    let not_pem = desk.file("none.pem", "nothing of the kind");
    let not_pem = pin(&url, &["--ca-file", &not_pem]).await;
    not_pem
        .expect(2)
        .complains_of("no `BEGIN CERTIFICATE` block");
    let plain = Receiver::willing().await;
    let plain = format!("https://{}/", plain.address());
    pin(&plain, &[])
        .await
        .expect(3)
        .complains_of("TLS handshake");
    assert_eq!(front.heard(), "");
}
