//! The way of a message as somebody at a terminal follows it: sent, looked up, sent again.

use e2e::{Answer, Receiver, eventually};
use serde_json::{Value, json};

use super::Desk;

#[tokio::test]
async fn a_payload_arrives_as_it_was_typed_wherever_it_was() {
    let (desk, receiver) = (Desk::new().await, Receiver::willing().await);
    desk.acme(&receiver.url("/in")).await;
    let payload = "{ \"z\": 1.50, \"a\": [1e2, \"é\"] }";
    let send = ["send", "--app", "acme", "--type", "invoice.paid", "--data"];
    let typed = desk.ask(&[&send[..], &[payload]].concat()).await;
    let file = format!("@{}", desk.file("event.json", format!("\n{payload}\n")));
    let from_file = desk.ask(&[&send[..], &[&file]].concat()).await;
    let piped = desk.ask_with(payload, &[&send[..], &["-"]].concat()).await;
    for sent in [typed, from_file, piped] {
        let id = sent.text();
        assert!(
            id.starts_with("msg_") && !id.contains(char::is_whitespace),
            "{sent:?}"
        );
        let received = receiver.next().await;
        assert_eq!(received.headers["webhook-id"], id);
        assert_eq!(&received.body[..], payload.as_bytes());
        let shown = desk
            .ask(&["message", "get", "--app", "acme", id, "--json"])
            .await;
        assert!(
            shown.text().contains(&format!("\"payload\":{payload}")),
            "{shown:?}"
        );
    }
}

#[tokio::test]
async fn a_message_is_found_by_what_was_said_of_it_and_is_not_sent_twice() {
    let (desk, receiver) = (Desk::new().await, Receiver::willing().await);
    desk.acme(&receiver.url("/in")).await;
    let send = ["send", "--app", "acme", "--type", "x", "--data", "{}"];
    let said = ["--event-id", "inv_1", "--channel", "eu,us", "--tag", "new"];
    let sent = desk.json(&[&send[..], &said].concat()).await;
    assert_eq!(sent["channels"], json!(["eu", "us"]));
    desk.ask(&send).await.expect(0);
    let again = desk.ask(&[&send[..], &said].concat()).await;
    again.expect(1).complains_of("409");
    let keyed = [&send[..], &["--idempotency-key", "k"]].concat();
    let first = desk.ask(&keyed).await;
    assert_eq!(desk.ask(&keyed).await.text(), first.text());

    let ids = |list: &Value| -> Vec<Value> {
        let rows = list["data"].as_array().expect("a list").iter();
        rows.map(|row| row["id"].clone()).collect()
    };
    let list = ["message", "list", "--app", "acme"];
    for filter in [["--channel", "us"], ["--tag", "new"]] {
        let found = desk.json(&[&list[..], &filter].concat()).await;
        assert_eq!(ids(&found), [sent["id"].clone()], "{filter:?}");
    }
    for (filter, count) in [
        (["--type", "x,y"], 3),
        (["--type", "y"], 0),
        (["--after", "1h"], 3),
        (["--before", "1h"], 0),
    ] {
        let found = desk.json(&[&list[..], &filter].concat()).await;
        assert_eq!(ids(&found).len(), count, "{filter:?}");
    }
    let by_event_id = desk
        .json(&["message", "get", "--app", "acme", "inv_1"])
        .await;
    assert_eq!(by_event_id["id"], sent["id"]);
}

#[tokio::test]
async fn what_failed_is_looked_up_and_sent_again() {
    let desk = Desk::new().await;
    let receiver = Receiver::in_turn([Answer::status(500), Answer::status(200)]).await;
    desk.acme(&receiver.url("/in")).await;
    let sent = desk
        .ask(&["send", "--app", "acme", "--type", "x", "--data", "{}"])
        .await;
    let id = sent.text();
    receiver.next().await;
    let by_endpoint = ["attempt", "list", "--app", "acme", "--endpoint", "first"];
    let failed = [
        &by_endpoint[..],
        &["--status", "fail", "--code-class", "500"],
    ]
    .concat();
    let failed = attempts(&desk, &failed, 1).await;
    assert_eq!(failed[0]["msgId"], id);
    let attempt = failed[0]["id"].as_str().expect("an id");
    let shown = desk
        .ask(&["attempt", "get", "--app", "acme", "--message", id, attempt])
        .await;
    assert!(shown.text().contains("500"), "{shown:?}");
    let waiting = ["message", "list", "--app", "acme", "--endpoint", "first"];
    let shown = desk.ask(&waiting).await;
    assert!(shown.text().contains("sending"), "{shown:?}");

    let resend = [
        "message",
        "resend",
        "--app",
        "acme",
        "--endpoint",
        "first",
        id,
    ];
    assert_eq!(desk.ask(&resend).await.text(), format!("sent again: {id}"));
    receiver.next().await;
    let succeeded = [&by_endpoint[..], &["--status", "success"]].concat();
    attempts(&desk, &succeeded, 1).await;
    let standing = desk
        .json(&["endpoint", "list", "--app", "acme", "--message", id])
        .await;
    assert_eq!(standing["data"][0]["statusText"], "success", "{standing}");
    let all = desk
        .ask(&[
            "attempt",
            "list",
            "--app",
            "acme",
            "--message",
            id,
            "--json",
        ])
        .await;
    let all: Value = serde_json::from_str(all.text()).expect("JSON");
    assert_eq!(all["data"].as_array().map(Vec::len), Some(2), "{all}");
    let stats = desk
        .json(&["endpoint", "stats", "--app", "acme", "first"])
        .await;
    assert_eq!((&stats["success"], &stats["fail"]), (&json!(1), &json!(1)));
    let recover = [
        "endpoint", "recover", "--app", "acme", "first", "--since", "1h",
    ];
    assert_eq!(desk.json(&recover).await["task"], "endpoint.recover");
}

#[tokio::test]
async fn what_was_sent_and_answered_is_taken_away_on_request() {
    let desk = Desk::new().await;
    let receiver = Receiver::in_turn([Answer::status(200).body("sesame")]).await;
    desk.acme(&receiver.url("/in")).await;
    let send = ["send", "--app", "acme", "--type", "x", "--data"];
    let sent = desk.ask(&[&send[..], &["{\"a\": 1}"]].concat()).await;
    let (id, list) = (
        sent.text(),
        ["attempt", "list", "--app", "acme", "--message"],
    );
    receiver.next().await;
    let attempt = &attempts(&desk, &[&list[..], &[id]].concat(), 1).await[0];
    assert_eq!(attempt["response"], "sesame");
    let attempt = attempt["id"].as_str().expect("an id");

    let message = ["message", "delete", "--app", "acme", id];
    let done = desk.ask(&message).await;
    assert_eq!(done.text(), format!("deleted the payload of {id}"));
    let delete = [
        "attempt",
        "delete",
        "--app",
        "acme",
        "--message",
        id,
        attempt,
    ];
    let done = desk.ask(&delete).await;
    assert_eq!(done.text(), format!("deleted the answer to {attempt}"));
    let message = desk.json(&["message", "get", "--app", "acme", id]).await;
    assert_eq!(message["payload"], json!({"expired": true}));
    let get = ["attempt", "get", "--app", "acme", "--message", id, attempt];
    let shown = desk.ask(&get).await;
    assert!(!shown.text().contains("sesame"), "{shown:?}");
}

/// The attempts that a list has, once there are so many.
async fn attempts(desk: &Desk, arguments: &[&str], count: usize) -> Vec<Value> {
    eventually(format!("{count} attempts by {arguments:?}"), || async {
        let list = desk.json(arguments).await;
        let rows = list["data"].as_array().expect("a list").clone();
        if rows.len() == count {
            Ok(rows)
        } else {
            Err(list.to_string())
        }
    })
    .await
}
