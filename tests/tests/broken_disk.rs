//! A disk that is full or can't sync: nothing is acknowledged that is not on disk, nothing is sent
//! whose outcome could not be recorded, what can be read goes on, and the server recovers by itself
//! or, where the disk lied, by its next start.

use e2e::disk::{Disk, Fault};
use e2e::{Answer, Api, Options, Receiver, Server, eventually};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

#[tokio::test]
async fn a_full_disk_refuses_writes_and_recovers_when_space_returns() {
    let disk = Disk::new();
    let mut server = Server::start(disk.under(Options::dev())).await;
    let (api, receiver) = (server.api().await, Receiver::willing().await);
    api.application("shop").await;
    api.endpoint("shop", &json!({"url": receiver.url("/")}))
        .await;
    let before = api.send("shop", "x", &json!({"n": "before"})).await;
    receiver.next().await;

    disk.set(Fault::Full);
    for n in 0..20 {
        let reply = api.post("/app/shop/msg", &message(json!({"n": n}))).await;
        reply.expect_error(503, "service_unavailable");
    }
    api.post("/app", &json!({"name": "x"}))
        .await
        .expect_error(503, "service_unavailable");
    let read = api
        .get(&format!("/app/shop/msg/{before}"))
        .await
        .expect(200)
        .json();
    assert_eq!(read["payload"], json!({"n": "before"}), "reads go on");
    assert!(
        receiver.rest().await.is_empty(),
        "a message was refused and sent all the same"
    );
    let health = api.get("/health").await.expect(500).json();
    for part in ["database", "queue"] {
        let reason = health[part]["reason"].as_str().unwrap_or_default();
        assert!(reason.starts_with("the disk is full"), "{health}");
        let since = health[part]["since"].as_str().unwrap_or_default();
        let since: Timestamp = since.parse().expect("a time");
        assert!(since <= Timestamp::now(), "{health}");
    }
    assert_eq!(health["cache"], json!({"status": "ok"}));

    disk.set(Fault::None);
    let after = recovered(&api, json!({"n": "after"})).await;
    // What was refused with 503 may not come back to life.
    let next = receiver.next().await;
    assert_eq!(
        (next.id(), next.json()),
        (after.as_str(), json!({"n": "after"}))
    );
    let list = api.get("/app/shop/msg").await.expect(200).json();
    assert_eq!(ids(&list), [after, before]);
}

#[tokio::test]
async fn no_attempt_starts_while_nothing_can_be_recorded() {
    let disk = Disk::new();
    let mut server = Server::start(disk.under(Options::dev())).await;
    let (api, receiver) = (server.api().await, Receiver::willing().await);
    api.application("shop").await;
    api.endpoint("shop", &json!({"url": receiver.url("/")}))
        .await;
    let due = Timestamp::now() + SignedDuration::from_secs(10);
    let late = json!({"eventType": "x", "payload": {"late": true}, "deliverAt": due.to_string()});
    api.post("/app/shop/msg", &late).await.expect(202);

    disk.set(Fault::Full);
    while Timestamp::now() < due + SignedDuration::from_secs(1) {
        let reply = api.post("/app/shop/msg", &message(json!({}))).await;
        reply.expect_error(503, "service_unavailable");
    }
    assert!(
        receiver.rest().await.is_empty(),
        "an attempt started that could not be recorded"
    );
    disk.set(Fault::None);
    assert_eq!(
        receiver.next().await.json(),
        json!({"late": true}),
        "it was only put off"
    );
}

#[tokio::test]
async fn a_failed_sync_ends_the_process_and_the_next_start_recovers() {
    let disk = Disk::new();
    let options = disk.under(Options::dev().option("--retry-schedule", "1,1,1"));
    let mut server = Server::start(options).await;
    let answers = [Answer::status(500), Answer::status(200)];
    let (api, receiver) = (server.api().await, Receiver::in_turn(answers).await);
    api.application("shop").await;
    api.endpoint("shop", &json!({"url": receiver.url("/")}))
        .await;
    let accepted = api.send("shop", "x", &json!({"n": "accepted"})).await;
    receiver.next().await;

    disk.set(Fault::HeldSync);
    let waiting = [1, 2, 3].map(|n| {
        let body = message(json!({"n": "doubtful", "number": n}));
        let call = e2e::Call::post("/app/shop/msg", body.to_string());
        let api = api.clone();
        tokio::spawn(async move { api.try_call(call).await })
    });
    // Reads don't wait for the disk: by the end of these, the three have long been taken in.
    for _ in 0..50 {
        api.get("/app").await.expect(200);
    }
    disk.set(Fault::NoSync);
    // Nobody may hear 202, and whoever waits is told.
    for answer in waiting {
        let reply = answer.await.expect("a call does not panic");
        let reply = reply.unwrap_or_else(|error| panic!("{error}: {}", server.log()));
        reply.expect_error(503, "service_unavailable");
    }
    assert_eq!(server.ended().await.code(), Some(3), "{}", server.log());

    disk.set(Fault::None);
    server.restart().await;
    let api = server.api().await;
    eventually("the delivery after the restart", || async {
        let path = format!("/app/shop/attempt/msg/{accepted}");
        let list = api.get(&path).await.expect(200).json();
        let delivered = list["data"].as_array().is_some_and(|list| {
            list.iter()
                .any(|attempt| attempt["statusText"] == "success")
        });
        if delivered {
            Ok(())
        } else {
            Err(list.to_string())
        }
    })
    .await;
    recovered(&api, json!({"n": "after"})).await;
}

/// Sends a message until it is accepted: its id.
async fn recovered(api: &Api, payload: Value) -> String {
    eventually("writes to go on", || async {
        let reply = api.post("/app/shop/msg", &message(payload.clone())).await;
        match reply.status {
            202 => Ok(reply.json()["id"].as_str().expect("an id").to_owned()),
            503 => Err(reply.to_string()),
            _ => panic!("{reply}"),
        }
    })
    .await
}

fn message(payload: Value) -> Value {
    json!({"eventType": "x", "payload": payload})
}

fn ids(list: &Value) -> Vec<String> {
    let items = list["data"].as_array().expect("a list");
    items
        .iter()
        .map(|item| item["id"].as_str().expect("an id").to_owned())
        .collect()
}
