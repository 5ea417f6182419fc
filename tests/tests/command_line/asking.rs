//! What can be asked, and how it is shown.

use serde_json::{Value, json};

use super::Desk;

#[tokio::test]
async fn an_application_is_made_listed_changed_and_removed() {
    let desk = Desk::new().await;
    let create = ["app", "create", "--name", "Acme", "--uid", "acme"];
    let made = desk
        .json(&[&create[..], &["--metadata", "plan=gold"]].concat())
        .await;
    assert_eq!(made["metadata"], json!({"plan": "gold"}));
    desk.ask(&create).await.expect(1).complains_of("409");
    let again = desk
        .json(&[&create[..], &["--get-if-exists"]].concat())
        .await;
    assert_eq!(again["id"], made["id"]);

    let listed = desk.ask(&["app", "list"]).await;
    for shown in ["Acme", "acme", made["id"].as_str().expect("an id")] {
        assert!(listed.text().contains(shown), "{listed:?}");
    }
    let update = [
        "app",
        "update",
        "acme",
        "--name",
        "Acme Ltd",
        "--rate-limit",
        "7",
    ];
    let updated = desk.json(&update).await;
    assert_eq!(
        (
            &updated["name"],
            &updated["rateLimit"],
            &updated["metadata"]
        ),
        (&json!("Acme Ltd"), &json!(7), &made["metadata"])
    );
    let updated = desk
        .json(&["app", "update", "acme", "--unset", "rateLimit"])
        .await;
    assert_eq!(updated.get("rateLimit"), None, "{updated}");
    let shown = desk.ask(&["app", "get", "acme"]).await;
    assert!(shown.text().contains("Acme Ltd"), "{shown:?}");

    let removed = desk.ask(&["app", "delete", "acme"]).await;
    assert_eq!(removed.text(), "deleted acme");
    let gone = desk.ask(&["app", "get", "acme"]).await;
    gone.expect(1).complains_of("404 not_found");
    assert_eq!(desk.ask(&["app", "list"]).await.text(), "none");
}

#[tokio::test]
async fn event_types_and_endpoints_are_kept_by_file_and_by_flag() {
    let desk = Desk::new().await;
    let schemas = desk.file("schemas.json", r#"{"1": {"type": "object"}}"#);
    let create = ["event-type", "create", "--name", "invoice.paid"];
    let more = ["--description", "Paid", "--schemas", &format!("@{schemas}")];
    let made = desk.json(&[&create[..], &more].concat()).await;
    assert_eq!(made["schemas"], json!({"1": {"type": "object"}}));
    let update = ["event-type", "update", "invoice.paid", "--deprecated"];
    assert_eq!(desk.json(&update).await["deprecated"], true);
    let listed = desk.ask(&["event-type", "list"]).await;
    assert!(listed.text().contains("invoice.paid"), "{listed:?}");

    desk.acme("http://127.0.0.1:9999/in").await;
    let body = desk.file(
        "endpoint.json",
        r#"{"url": "http://127.0.0.1:9999/x", "uid": "b"}"#,
    );
    let body = format!("@{body}");
    let create = [
        "endpoint", "create", "--app", "acme", "--body", &body, "--uid", "second",
    ];
    let made = desk.json(&create).await;
    assert_eq!(
        (&made["uid"], &made["version"]),
        (&json!("second"), &json!(1))
    );
    let update = ["endpoint", "update", "--app", "acme", "second"];
    let types = ["--type", "invoice.paid", "--channel", "a,b", "--disabled"];
    let updated = desk.json(&[&update[..], &types].concat()).await;
    assert_eq!(updated["channels"], json!(["a", "b"]));
    assert_eq!(
        (&updated["disabled"], &updated["url"]),
        (&json!(true), &made["url"])
    );
    let back = ["--disabled=false", "--unset", "channels,eventTypes"];
    let updated = desk.json(&[&update[..], &back].concat()).await;
    assert_eq!(
        (&updated["disabled"], &updated["channels"]),
        (&json!(false), &Value::Null)
    );
    let listed = desk.json(&["endpoint", "list", "--app", "acme"]).await;
    assert_eq!(listed["data"].as_array().map(Vec::len), Some(2), "{listed}");
    desk.ask(&["endpoint", "delete", "--app", "acme", "second"])
        .await
        .expect(0);
}

#[tokio::test]
async fn an_endpoints_encryption_is_set_by_file_shown_and_taken_away() {
    let desk = Desk::new().await;
    desk.acme("http://127.0.0.1:9999/in").await;
    let jwk = r#"{"kty":"OKP","crv":"X25519","kid":"1",
        "x":"H3aIKQpVxwtX1_AbE1_KeL5YLB0ZraC2lKspX4RUzWk"}"#;
    let file = format!("@{}", desk.file("public.json", jwk));
    let endpoint = ["--app", "acme", "first"];
    let asked = |name| [&["endpoint", name], &endpoint[..]].concat();
    let set = [
        &asked("set-encryption")[..],
        &["--jwk", &file, "--alg", "ECDH-ES"],
    ]
    .concat();
    let done = desk.ask(&set).await;
    assert_eq!(done.text(), "set the encryption of first");
    let shown = desk.json(&asked("encryption")).await;
    assert_eq!(
        (&shown["jwk"]["kid"], &shown["alg"]),
        (&json!("1"), &json!("ECDH-ES"))
    );
    let url = ["--jwks-url", "https://acme.example/jwks.json", "--kid", "2"];
    let set = [&asked("set-encryption")[..], &url].concat();
    desk.ask(&set).await.expect(0);
    assert_eq!(desk.json(&asked("encryption")).await["kid"], "2");

    let removed = desk.ask(&asked("delete-encryption")).await;
    assert_eq!(removed.text(), "deleted the encryption of first");
    let gone = desk.ask(&asked("encryption")).await;
    gone.expect(1).complains_of("404 not_found");
}

#[tokio::test]
async fn an_endpoints_payload_mode_is_set_shown_and_taken_away() {
    let desk = Desk::new().await;
    desk.acme("http://127.0.0.1:9999/in").await;
    let endpoint = ["--app", "acme", "first"];
    let asked = |name| [&["endpoint", name], &endpoint[..]].concat();
    let set = |mode| [&asked("set-payload")[..], &["--mode", mode]].concat();
    // The server is not told where it is reached.
    let refused = desk.ask(&set("thin")).await;
    refused.expect(1).complains_of("--public-url");
    let done = desk.ask(&set("full")).await;
    assert_eq!(done.text(), "set the payload mode of first");
    assert_eq!(desk.json(&asked("payload")).await["mode"], "full");
    let removed = desk.ask(&asked("delete-payload")).await;
    assert_eq!(removed.text(), "deleted the payload mode of first");
    let gone = desk.ask(&asked("payload")).await;
    gone.expect(1).complains_of("404 not_found");
}

#[tokio::test]
async fn a_list_goes_on_to_its_end() {
    let mut desk = Desk::new().await;
    let api = desk.server.api().await;
    for number in 0..5 {
        api.application(&format!("a{number}")).await;
    }
    let uids = |list: &Value| -> Vec<String> {
        let rows = list["data"].as_array().expect("a list").iter();
        let uid = |row: &Value| row["uid"].as_str().expect("a uid").to_owned();
        rows.map(uid).collect()
    };
    let list = ["app", "list", "--limit", "2"];
    let page = desk.json(&list).await;
    assert_eq!((uids(&page).len(), &page["done"]), (2, &json!(false)));
    let iterator = page["iterator"].as_str().expect("an iterator");
    let next = desk
        .json(&[&list[..], &["--iterator", iterator]].concat())
        .await;
    assert_eq!(uids(&next), ["a2", "a3"]);
    let whole = desk.json(&[&list[..], &["--all"]].concat()).await;
    assert_eq!(uids(&whole), ["a0", "a1", "a2", "a3", "a4"]);
    assert_eq!(whole["done"], true);
    let backwards = ["--all", "--order", "descending"];
    let backwards = desk.json(&[&list[..], &backwards].concat()).await;
    assert_eq!(uids(&backwards), ["a4", "a3", "a2", "a1", "a0"]);

    let shown = desk.ask(&list).await;
    shown
        .expect(0)
        .complains_of(&format!("--iterator {iterator}"));
    let shown = desk.ask(&[&list[..], &["--all"]].concat()).await;
    assert!(
        shown.text().contains("a4") && shown.stderr.is_empty(),
        "{shown:?}"
    );
}

#[tokio::test]
async fn a_name_that_would_steer_a_terminal_does_not() {
    let desk = Desk::new().await;
    let evil = "a\u{1b}]0;owned\u{9c}\u{9b}2Jb\u{7f}";
    let create = ["app", "create", "--uid", "evil", "--name", evil];
    desk.ask(&create).await.expect(0);
    let get = ["app", "get", "evil"];
    for arguments in [&create[..], &get, &["app", "list"], &["app", "get", evil]] {
        for json in [&[][..], &["--json"]] {
            let outcome = desk.ask(&[arguments, json].concat()).await;
            for text in [&outcome.stdout, &outcome.stderr] {
                let steers = |c: char| c.is_control() && c != '\n';
                assert!(!text.contains(steers), "{outcome:?}");
            }
        }
    }
    assert_eq!(desk.json(&get).await["name"], evil);
}

#[tokio::test]
async fn every_command_shows_how_it_is_typed() {
    let desk = Desk::new().await;
    for noun in [
        "app",
        "attempt",
        "audit",
        "background-task",
        "delivery",
        "endpoint",
        "event-type",
        "message",
        "security",
    ] {
        let help = desk.ask(&[noun, "list", "--help"]).await;
        let example = format!("postrider {noun} list");
        assert!(help.text().contains(&example), "{help:?}");
        desk.ask(&[noun]).await.expect(2).complains_of("Usage");
    }
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = desk.ask(&["completions", shell]).await;
        for word in ["event-type", "rotate-secret", "--unsafe-http"] {
            let word = word.trim_start_matches('-');
            assert!(script.text().contains(word), "{shell}: no {word}");
        }
    }
    desk.ask(&["completions", "tcsh"]).await.expect(2);
    let script = desk.ask(&["completions", "bash"]).await;
    let path = desk.file("completions.bash", script.text());
    let mut bash = tokio::process::Command::new("bash");
    bash.args(["-n", &path]);
    e2e::command::run(bash).await.expect(0);
}
