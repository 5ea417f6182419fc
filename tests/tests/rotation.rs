//! The life of the master key: it gives way to another under load, also when the server is killed
//! meanwhile, and what the store's files show to somebody who does not have it.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use e2e::command::{Outcome, postrider, run};
use e2e::{Answer, Api, Options, Receiver, Server, eventually, place, within};
use serde_json::json;

const APPLICATIONS: usize = 300;

#[tokio::test]
async fn a_master_key_gives_way_to_another_under_load_and_is_needed_no_more() {
    let receiver = Receiver::willing().await;
    let mut server = Server::start(Options::dev()).await;
    let api = server.api().await;
    api.application("shop").await;
    let endpoint = json!({"url": receiver.url("/"), "headers": {"x-a": "kept"}});
    let endpoint = api.endpoint("shop", &endpoint).await;
    let secret = api.secret("shop", &endpoint).await;
    api.applications(APPLICATIONS).await;
    let old = key(&server, "master.key");

    let done = Arc::new(AtomicBool::new(false));
    let load = tokio::spawn(send_until(api.clone(), done.clone()));
    within("some load", receiver.take(5)).await;
    let said = rotate(&server).await;
    assert!(said.expect(0).text().contains("needed no more"), "{said:?}");
    done.store(true, Ordering::Relaxed);
    let sent = load.await.expect("every message is accepted");
    within("what was sent", receiver.take(sent - 5)).await;

    assert_eq!(key(&server, "previous-master.key"), old);
    assert_ne!(key(&server, "master.key"), old);
    let said = rotate(&server).await;
    said.expect(3).complains_of("safe place");
    let data_dir = text(server.data_dir());
    let export = ["keys", "export", "previous-master", "--data-dir", data_dir];
    assert_eq!(postrider(&export).await.text(), old);
    fs::remove_file(server.data_dir().join("previous-master.key")).expect("it is there");
    assert!(server.terminate().await.success());
    server.restart().await;
    assert_eq!(
        api_of(&server, &api).secret("shop", &endpoint).await,
        secret
    );
    api_of(&server, &api)
        .send("shop", "order.paid", &json!({}))
        .await;
    let last = receiver.next().await;
    assert_eq!(last.header("x-a"), "kept");

    // The one before opens nothing any more.
    assert!(server.terminate().await.success());
    let path = server.data_dir().join("master.key");
    fs::write(&path, old).expect("a file");
    let serve = [
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--data-dir",
        text(server.data_dir()),
    ];
    postrider(&serve).await.expect(3).complains_of("master key");
}

#[tokio::test]
async fn a_rotation_goes_on_after_the_server_was_killed_in_its_midst() {
    let mut server = Server::start(Options::dev()).await;
    let api = server.api().await;
    api.applications(APPLICATIONS).await;
    let begun = rotate_later(&server);
    server.printed("seals from now on").await;
    server.kill().await;
    server.restart().await;
    let said = begun.await.expect("it waits for the next server");
    assert!(said.expect(0).text().contains("needed no more"), "{said:?}");
    let previous = server.data_dir().join("previous-master.key");
    fs::remove_file(previous).expect("it is there");
    server.kill().await;
    server.restart().await;
    let api = api_of(&server, &api);
    let made = api.get("/app?limit=1").await.expect(200).json();
    let id = made["data"][0]["id"].as_str().expect("an id").to_owned();
    api.endpoint(&id, &json!({"url": "https://hooks.example.com"}))
        .await;
}

#[tokio::test]
async fn a_rotation_that_is_too_early_is_taken_back() {
    let mut server = Server::start(Options::dev()).await;
    server.api().await.application("shop").await;
    let old = key(&server, "master.key");
    assert!(server.terminate().await.success());
    // Given by the environment, it can't be read anew.
    let given = Options::dev().variable("POSTRIDER_MASTER_KEY", &old);
    server.restart_with(given).await;
    let new = key_of_its_own().await;
    let data_dir = server.data_dir().to_owned();
    let with = |master: &str, previous: Option<&str>| {
        let mut command = place::command(place::binary());
        command.args(["keys", "rotate", "--data-dir", text(&data_dir)]);
        command.env("POSTRIDER_MASTER_KEY", master);
        if let Some(previous) = previous {
            command.env("POSTRIDER_PREVIOUS_MASTER_KEY", previous);
        }
        run(command)
    };
    with(&old, None)
        .await
        .expect(3)
        .complains_of("the one in use");
    with(&new, None)
        .await
        .expect(3)
        .complains_of("not the master key");
    let early = with(&new, Some(&old)).await;
    early.expect(3).complains_of("too early");
    assert!(!early.stderr.contains(&new) && !early.stderr.contains(&old));

    let both = Options::dev()
        .option("--master-key-command", format!("echo {new}"))
        .variable("POSTRIDER_PREVIOUS_MASTER_KEY", &old);
    assert!(server.terminate().await.success());
    server.restart_with(both).await;
    let said = with(&new, Some(&old)).await;
    said.expect(0);
    assert!(!server.log().contains(&new) && !server.log().contains(&old));
}

#[tokio::test]
async fn a_rotation_that_nobody_is_there_for_is_done_by_the_next_server() {
    let mut server = Server::start(Options::dev()).await;
    let api = server.api().await;
    api.application("shop").await;
    assert!(server.terminate().await.success());
    let said = rotate(&server).await;
    assert!(said.expect(0).text().contains("goes on"), "{said:?}");
    server.restart().await;
    server.printed("needed no more").await;
    fs::remove_file(server.data_dir().join("previous-master.key")).expect("it is there");
    server.kill().await;
    server.restart().await;
    api_of(&server, &api).get("/app/shop").await.expect(200);
}

#[tokio::test]
async fn the_stores_files_show_no_payload_and_no_secret() {
    let receiver = Receiver::start(|_| Answer::status(500).body("sesame-response")).await;
    let options = Options::dev().option("--retry-schedule", "3600");
    let mut server = Server::start(options).await;
    let api = server.api().await;
    api.application("shop").await;
    let endpoint = json!({
        "url": receiver.url("/").replace("http://", "http://sesame-user:sesame-password@"),
        "headers": {"x-key": "sesame-header"},
    });
    let endpoint = api.endpoint("shop", &endpoint).await;
    let secret = api.secret("shop", &endpoint).await;
    let payload = json!({"card": "sesame-payload"});
    api.send("shop", "order.paid", &payload).await;
    receiver.next().await;
    eventually("the attempt", async || {
        let path = format!("/app/shop/attempt/endpoint/{endpoint}");
        let attempts = api.get(&path).await.expect(200).json();
        match attempts["data"][0]["response"].as_str() {
            Some("sesame-response") => Ok(()),
            _ => Err(attempts.to_string()),
        }
    })
    .await;

    let looked_for = |data_dir: &Path| {
        let secret = secret.trim_start_matches("whsec_");
        let plain = STANDARD.decode(secret).expect("base64");
        let words = ["sesame", secret].map(|word| word.as_bytes().to_vec());
        let mut all: Vec<Vec<u8>> = [&words[..], &[plain]].concat();
        // Base64 of a text looks different by where it begins.
        for start in 0..3 {
            let text = [&b"   "[..start], b"sesame-payload"].concat();
            let encoded = STANDARD.encode(text);
            all.push(encoded.as_bytes()[4..16].to_vec());
        }
        let entries = fs::read_dir(data_dir).expect("a directory");
        for path in entries.map(|entry| entry.expect("an entry").path()) {
            let file = fs::read(&path).expect("a file");
            for word in &all {
                let shown = file.windows(word.len()).any(|window| window == &word[..]);
                let word = String::from_utf8_lossy(word);
                assert!(!shown, "{word} is in {}", path.display());
            }
        }
    };
    looked_for(server.data_dir());
    server.kill().await;
    looked_for(server.data_dir());
    server.restart().await;
    assert!(server.terminate().await.success());
    looked_for(server.data_dir());
}

/// Sends until it is told that it is done; gives how many were accepted.
async fn send_until(api: Api, done: Arc<AtomicBool>) -> usize {
    let mut sent = 0;
    while !done.load(Ordering::Relaxed) {
        api.send("shop", "order.paid", &json!({"number": sent}))
            .await;
        // New applications get keys meanwhile.
        api.application(&format!("new-{sent}")).await;
        sent += 1;
    }
    sent
}

async fn rotate(server: &Server) -> Outcome {
    postrider(&["keys", "rotate", "--data-dir", text(server.data_dir())]).await
}

fn rotate_later(server: &Server) -> tokio::task::JoinHandle<Outcome> {
    let data_dir = text(server.data_dir()).to_owned();
    tokio::spawn(async move { postrider(&["keys", "rotate", "--data-dir", &data_dir]).await })
}

/// The same token where the server listens by now.
fn api_of(server: &Server, api: &Api) -> Api {
    api.of(&server.url())
}

async fn key_of_its_own() -> String {
    let home = tempfile::tempdir().expect("a directory");
    let generate = ["keys", "generate", "--data-dir", text(home.path())];
    postrider(&generate).await.expect(0);
    let key = fs::read_to_string(home.path().join("master.key"));
    key.expect("a key").trim().to_owned()
}

fn key(server: &Server, name: &str) -> String {
    let key = fs::read_to_string(server.data_dir().join(name));
    key.expect("a key").trim().to_owned()
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}
