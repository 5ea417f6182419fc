//! A broadcast and a server that is killed (SIGKILL) in the middle of it: every application gets
//! the message, once.

use std::collections::BTreeMap;
use std::path::Path;

use e2e::{Api, Options, Server, eventually};
use serde_json::{Value, json};

/// Several slices.
const APPLICATIONS: usize = 450;
const KILLS: usize = 3;
/// What no file of the server's may hold.
const CONTENT: &str = "a-word-that-nobody-else-would-write";

#[tokio::test]
async fn a_broadcast_goes_on_after_kills_and_reaches_everybody_once() {
    let mut server = Server::start(Options::dev()).await;
    let api = server.api().await;
    api.applications(APPLICATIONS).await;
    let body = json!({"eventType": "notice", "eventId": "n-1", "payload": {"says": CONTENT}});
    let begun = api.post("/msg/broadcast", &body).await.expect(202).json();
    assert!(!holds(server.data_dir(), CONTENT), "what waits is sealed");
    for _ in 0..KILLS {
        server.kill().await;
        server.restart().await;
    }
    let data = finished(&api, &begun).await;
    let expected = json!({
        "applications": APPLICATIONS, "messagesSent": APPLICATIONS, "conflicts": 0,
    });
    assert_eq!(data, expected);
    let messages = all_messages(&api).await;
    assert_eq!(messages.len(), APPLICATIONS, "each application has one");
    for number in [0, APPLICATIONS / 2, APPLICATIONS - 1] {
        let list = api
            .get(&format!("/app/app-{number}/msg"))
            .await
            .expect(200)
            .json();
        assert_eq!(list["data"].as_array().map(Vec::len), Some(1));
    }
}

/// Waits for the work's end, and gives what has come of it.
async fn finished(api: &Api, begun: &Value) -> Value {
    let path = format!("/background-task/{}", begun["id"].as_str().expect("an id"));
    eventually("the end of the broadcast", async || {
        let task = api.get(&path).await.expect(200).json();
        match task["status"] == "finished" {
            true => Ok(task["data"].clone()),
            false => Err(task.to_string()),
        }
    })
    .await
}

/// All messages of all applications, by their ids, as a follower reads them.
async fn all_messages(api: &Api) -> BTreeMap<String, Value> {
    let (mut all, mut query) = (BTreeMap::new(), String::new());
    loop {
        let page = api.get(&format!("/events?limit=100{query}")).await;
        let page = page.expect(200).json();
        for message in page["data"].as_array().expect("a list") {
            let id = message["id"].as_str().expect("an id").to_owned();
            assert!(all.insert(id, message.clone()).is_none(), "it comes once");
        }
        if page["done"] == true {
            return all;
        }
        let iterator = page["iterator"].as_str().expect("an iterator");
        query = format!("&iterator={iterator}");
    }
}

/// Whether one of the files holds this text.
fn holds(directory: &Path, text: &str) -> bool {
    let entries = std::fs::read_dir(directory).expect("it is there");
    entries
        .map(|entry| entry.expect("it is read").path())
        .any(|path| {
            let is_text = |window: &[u8]| window == text.as_bytes();
            let bytes = std::fs::read(&path).unwrap_or_default();
            path.is_file() && bytes.windows(text.len()).any(is_text)
        })
}
