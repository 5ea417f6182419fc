//! Erasure with a real server: it goes on after kills, what was answered goes too, and the command
//! waits for it.

use e2e::command::{Outcome, postrider};
use e2e::{Answer, Api, Options, Receiver, Server, eventually};
use serde_json::{Value, json};

const ADA: &str = "ada@example.com";
/// Messages of each application: several slices in all.
const EACH: usize = 600;
const APPLICATIONS: [&str; 3] = ["north", "south", "west"];
const KILLS: usize = 3;

#[tokio::test]
async fn an_erasure_goes_on_after_kills_and_counts_each_message_once() {
    let mut server = Server::start(Options::dev()).await;
    let api = server.api().await;
    for app in APPLICATIONS {
        api.application(app).await;
        fill(&api, app).await;
    }
    let body = json!({"where": {"path": "customer.email", "value": ADA}});
    let begun = api.post("/message/expunge", &body).await.expect(202);
    let begun = begun.json();
    for _ in 0..KILLS {
        server.kill().await;
        server.restart().await;
    }
    let data = finished(&api, &begun).await;
    let all = APPLICATIONS.len() * EACH;
    assert_eq!(data["messagesLookedAt"], all);
    assert_eq!(data["messagesPurged"], all / 2);
    let counts = data["applications"].as_object().expect("by application");
    assert_eq!(counts.len(), APPLICATIONS.len());
    assert!(counts.values().all(|count| *count == EACH / 2), "{data}");
    for app in APPLICATIONS {
        for number in [0, 1, EACH - 2, EACH - 1] {
            let message = read(&api, app, &format!("{app}-{number}")).await;
            let text = message.to_string();
            assert_eq!(text.contains("@example.com"), number % 2 == 1, "{text}");
            assert!(!text.contains(ADA), "{text}");
        }
    }
}

#[tokio::test]
async fn the_command_waits_for_the_end_and_what_was_answered_is_gone() {
    let mut server = Server::start(Options::dev()).await;
    let api = server.api().await;
    let receiver = Receiver::start(|_| Answer::status(200).body(format!("thanks, {ADA}"))).await;
    api.application("shop").await;
    let url = json!({"url": receiver.url("/")});
    api.endpoint("shop", &url).await;
    let payload = json!({"email": ADA, "tags": 1});
    let message = json!({"eventType": "a", "payload": payload, "tags": ["ada"], "eventId": "e"});
    api.post("/app/shop/msg", &message).await.expect(202);
    receiver.take(1).await;
    let attempts = "/app/shop/attempt/msg/e";
    eventually("the attempt", async || {
        let list = api.get(attempts).await.expect(200).json();
        match list["data"][0]["response"].as_str() {
            Some(response) if response.contains(ADA) => Ok(()),
            _ => Err(list.to_string()),
        }
    })
    .await;

    let told = expunge(&mut server, &["--tag", "nobody", "--json"]).await;
    let report: Value = serde_json::from_str(told.text()).expect("it is JSON");
    assert_eq!(
        (&report["status"], &report["data"]["messagesPurged"]),
        (&json!("finished"), &json!(0))
    );
    let told = expunge(&mut server, &["--where", &format!("/email={ADA}")]).await;
    assert!(told.text().contains("finished"), "{}", told.stdout);
    assert!(!told.text().contains(ADA), "{}", told.stdout);
    let list = api.get(attempts).await.expect(200).json().to_string();
    assert!(!list.contains(ADA), "{list}");
    let left = read(&api, "shop", "e").await.to_string();
    assert!(!left.contains(ADA), "{left}");

    let told = expunge(&mut server, &["--tag", "ada", "--no-wait"]).await;
    let id = told.text();
    let begun = json!({"id": id});
    assert_eq!(finished(&api, &begun).await["messagesPurged"], 1);
    expunge(&mut server, &["--where", "a..b=c"]).await.expect(2);
}

/// Every other message is about Ada.
async fn fill(api: &Api, app: &str) {
    let numbers: Vec<usize> = (0..EACH).collect();
    for some in numbers.chunks(200) {
        let message = |number: &usize| {
            let email = if number.is_multiple_of(2) {
                ADA
            } else {
                "bob@example.com"
            };
            let payload = json!({"customer": {"email": email}});
            json!({"eventType": "a", "eventId": format!("{app}-{number}"), "payload": payload})
        };
        let messages: Vec<Value> = some.iter().map(message).collect();
        let batch = json!({"messages": messages});
        let sent = api.post(&format!("/app/{app}/msg/batch"), &batch).await;
        sent.expect(202);
    }
}

async fn read(api: &Api, app: &str, message: &str) -> Value {
    let path = format!("/app/{app}/msg/{message}");
    api.get(&path).await.expect(200).json()
}

async fn expunge(server: &mut Server, arguments: &[&str]) -> Outcome {
    let token = server.home().join("token");
    std::fs::write(&token, server.token().await).expect("a file");
    let (token, url) = (token.to_string_lossy().into_owned(), server.url());
    let command = [
        "message",
        "expunge",
        "--server",
        &url,
        "--token-file",
        &token,
    ];
    postrider(&[&command[..], arguments].concat()).await
}

/// Waits for the work's end, and gives what has come of it.
async fn finished(api: &Api, begun: &Value) -> Value {
    let path = format!("/background-task/{}", begun["id"].as_str().expect("an id"));
    eventually("the end of the erasure", async || {
        let task = api.get(&path).await.expect(200).json();
        match task["status"] == "finished" {
            true => Ok(task["data"].clone()),
            false => Err(task.to_string()),
        }
    })
    .await
}
