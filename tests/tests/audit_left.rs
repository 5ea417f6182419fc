//! What commands do to the store itself, beside the server or while there is none, is in the audit
//! log once, and the log is whole.

use e2e::command::{Outcome, postrider};
use e2e::{Api, Options, Server, eventually};
use jiff::Timestamp;
use serde_json::{Value, json};

#[tokio::test]
async fn a_revocation_and_a_rotation_beside_the_server_are_entries_soon() {
    let mut server = Server::start(Options::dev()).await;
    let api = server.api().await;
    api.application("shop").await;
    server.mint(&["revoke", "made-up"]).await.expect(0);
    rotate(&server).await.expect(0);
    let revoked = sealed(&api, "token.revoked").await;
    assert_eq!(revoked["detail"], "token made-up");
    let asked = sealed(&api, "master_key.rotation_asked").await;
    for entry in [&revoked, &asked] {
        let (actor, address) = (&entry["actor"], &entry["remoteAddress"]);
        assert_eq!((&actor["type"], address), (&json!("command"), &Value::Null));
        assert_eq!(actor["id"].as_str(), Some(&*user()), "{entry}");
        assert_eq!(entry["subject"]["type"], "organisation");
    }
    whole(&server).await;
    let done = entries(&api, "master_key.rotated").await;
    assert!(!done.is_empty(), "the server has its own");
}

#[tokio::test]
async fn what_was_done_while_no_server_ran_is_an_entry_of_then_at_the_next_start() {
    let mut server = Server::start(Options::dev()).await;
    let api = server.api().await;
    api.application("shop").await;
    assert!(server.terminate().await.success());
    server.mint(&["revoke", "made-up"]).await.expect(0);
    rotate(&server).await.expect(0);
    let waiting = verified(&server).await;
    assert_eq!(waiting["waiting"], 2, "nothing seals them: {waiting}");
    let then = Timestamp::now();

    server.restart().await;
    let api = api.of(&server.url());
    for action in ["token.revoked", "master_key.rotation_asked"] {
        let entry = sealed(&api, action).await;
        let at: Timestamp = entry["at"]
            .as_str()
            .expect("a time")
            .parse()
            .expect("RFC 3339");
        assert!(at <= then, "{entry} was done before {then}");
    }
    whole(&server).await;
    server.kill().await;
    server.restart().await;
    let api = api.of(&server.url());
    for action in ["token.revoked", "master_key.rotation_asked"] {
        sealed(&api, action).await;
    }
    whole(&server).await;
}

async fn rotate(server: &Server) -> Outcome {
    postrider(&["keys", "rotate", "--data-dir", text(server)]).await
}

/// The only entry of what was done, once it has its place in the chain.
async fn sealed(api: &Api, action: &str) -> Value {
    eventually(format!("{action} in the chain"), async || {
        let found = entries(api, action).await;
        let is_sealed = found.iter().all(|entry| entry["position"].is_u64());
        match &found[..] {
            [entry] if is_sealed => Ok(entry.clone()),
            other => Err(format!("{other:?}")),
        }
    })
    .await
}

async fn entries(api: &Api, action: &str) -> Vec<Value> {
    let path = format!("/audit?action={action}");
    let list = api.get(&path).await.expect(200).json();
    list["data"].as_array().expect("a list").clone()
}

/// Nothing of it was tampered with, and nothing waits any more.
async fn whole(server: &Server) {
    eventually("all to be sealed".to_owned(), async || {
        let told = verified(server).await;
        let is_whole = told["outcome"] == "unconfirmed" && told["waiting"] == 0;
        is_whole.then_some(()).ok_or(told.to_string())
    })
    .await;
}

async fn verified(server: &Server) -> Value {
    let verify = ["audit", "verify", "--json", "--data-dir", text(server)];
    let told = postrider(&verify).await;
    // No checkpoint from outside is given.
    serde_json::from_str(&told.expect(4).stdout).expect("JSON")
}

/// Who runs this test, as the machine has it.
fn user() -> String {
    let said = std::process::Command::new("id").arg("-un").output();
    let said = String::from_utf8(said.expect("every machine has it").stdout);
    said.expect("UTF-8").trim().to_owned()
}

fn text(server: &Server) -> &str {
    server.data_dir().to_str().expect("a path in UTF-8")
}
