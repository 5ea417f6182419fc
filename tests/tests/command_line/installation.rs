//! What holds for a whole installation: its settings, which can be carried to another, the
//! schedules of its event types, and what it does in the background.

use e2e::{Receiver, eventually};
use serde_json::{Value, json};

use super::Desk;

const EVENT_TYPE: [&str; 6] = [
    "event-type",
    "create",
    "--name",
    "invoice.paid",
    "--description",
    "Paid",
];

#[tokio::test]
async fn settings_are_changed_and_carried_to_another_with_the_event_types() {
    let (desk, other) = (Desk::new().await, Desk::new().await);
    let get = ["environment", "get"];
    assert_eq!(desk.json(&get).await["enforceEventTypeSchemas"], false);
    desk.ask(&EVENT_TYPE).await.expect(0);
    let update = ["environment", "update", "--display-name", "Acme"];
    let updated = [&update[..], &["--enforce-event-type-schemas"]].concat();
    let updated = desk.json(&updated).await;
    assert_eq!(
        (&updated["enforceEventTypeSchemas"], &updated["displayName"]),
        (&json!(true), &json!("Acme"))
    );
    let shown = desk.ask(&get).await;
    assert!(shown.text().contains("Acme"), "{shown:?}");

    let exported = desk.ask(&["environment", "export"]).await;
    let file = other.file("environment.json", exported.text());
    let imported = other.ask(&["environment", "import", &file]).await;
    assert_eq!(imported.text(), format!("imported {file}"));
    assert_eq!(other.json(&get).await, updated);
    let event_type = ["event-type", "get", "invoice.paid"];
    assert_eq!(other.json(&event_type).await["description"], "Paid");
    let again = ["environment", "import", "-"];
    other.ask_with(exported.text(), &again).await.expect(0);

    let unset = ["environment", "update", "--unset", "displayName"];
    assert_eq!(desk.json(&unset).await["displayName"], Value::Null);
    let nothing = desk.ask(&["environment", "update"]).await;
    nothing.expect(2).complains_of("nothing to change");
    for (text, part) in [
        ("[]", "is not a JSON object"),
        (r#"{"settings": {"nobody": 1}}"#, "body.settings.nobody: "),
    ] {
        let file = desk.file("wrong.json", text);
        let refused = desk.ask(&["environment", "import", &file]).await;
        refused.expect(2).complains_of(part);
    }
}

#[tokio::test]
async fn an_event_type_is_given_a_retry_schedule_and_loses_it_again() {
    let desk = Desk::new().await;
    desk.ask(&EVENT_TYPE).await.expect(0);
    let get = ["event-type", "retry-schedule", "invoice.paid"];
    let set = ["event-type", "set-retry-schedule", "invoice.paid"];
    let waits = |waits| [&set[..], &["--waits", waits]].concat();
    assert_eq!(desk.json(&get).await, json!({"retrySchedule": null}));
    let shown = desk.ask(&waits("5s,10m")).await;
    assert!(shown.text().contains("5s, 10m"), "{shown:?}");
    let wait = |seconds: u64| json!({"secs": seconds, "nanos": 0});
    let own = json!({"retrySchedule": [wait(5), wait(600)]});
    assert_eq!(desk.json(&get).await, own);

    for (wrong, part) in [("5 s", "--waits: `5 s`"), ("8d", "body.retrySchedule")] {
        desk.ask(&waits(wrong)).await.expect(2).complains_of(part);
    }
    let unknown = ["event-type", "retry-schedule", "nobody"];
    desk.ask(&unknown).await.expect(1).complains_of("404");
    assert_eq!(desk.json(&get).await, own);

    let none = desk.json(&waits("")).await;
    assert_eq!(none, json!({"retrySchedule": []}));
    let delete = ["event-type", "delete-retry-schedule", "invoice.paid"];
    let deleted = desk.ask(&delete).await;
    assert_eq!(deleted.text(), "deleted the retry schedule of invoice.paid");
    assert_eq!(desk.json(&get).await, json!({"retrySchedule": null}));
}

#[tokio::test]
async fn redaction_rules_are_set_and_taken_away() {
    let desk = Desk::new().await;
    desk.ask(&EVENT_TYPE).await.expect(0);
    desk.acme("http://127.0.0.1:9999/in").await;
    let rules = json!([{"path": "/customer/email", "action": "mask", "keepLast": 4}]);
    let file = format!("@{}", desk.file("rules.json", rules.to_string()));
    for (noun, more, shown) in [
        ("event-type", &["invoice.paid"][..], json!({"rules": rules})),
        (
            "endpoint",
            &["--app", "acme", "first"],
            json!({"rules": rules, "allowSensitive": []}),
        ),
    ] {
        let ask = |operation| [&[noun, operation], more].concat();
        let set = [&ask("set-redaction")[..], &["--rules", &file]].concat();
        desk.ask(&set).await.expect(0);
        assert_eq!(desk.json(&ask("redaction")).await, shown);
        desk.ask(&ask("delete-redaction")).await.expect(0);
        desk.ask(&ask("redaction"))
            .await
            .expect(1)
            .complains_of("404");
    }
}

#[tokio::test]
async fn background_tasks_are_listed_and_looked_up_by_the_id_that_was_printed() {
    let desk = Desk::new().await;
    desk.acme("http://127.0.0.1:9999/in").await;
    let recover = [
        "endpoint", "recover", "--app", "acme", "first", "--since", "1h",
    ];
    let begun = desk.json(&recover).await;
    let id = begun["id"].as_str().expect("an id");
    let get = ["background-task", "get", id];
    eventually(format!("{id} to end"), async || {
        let shown = desk.json(&get).await;
        match shown["status"] == "finished" && shown["data"] == json!({"messagesSent": 0}) {
            true => Ok(()),
            false => Err(shown.to_string()),
        }
    })
    .await;
    let list = ["background-task", "list", "--task", "endpoint.recover"];
    let listed = desk.ask(&list).await;
    assert!(
        listed.text().contains(id) && listed.text().contains("finished"),
        "{listed:?}"
    );
    let failed = [&list[..], &["--status", "failed"]].concat();
    assert_eq!(desk.ask(&failed).await.text(), "none");
    let unknown = [
        "background-task",
        "get",
        "qtask_2KWPBgLlAfxdpx2AI54pPJ85f4W",
    ];
    desk.ask(&unknown).await.expect(1).complains_of("404");
}

#[tokio::test]
async fn an_operator_s_endpoint_is_tried_with_an_example() {
    let (desk, ops) = (Desk::new().await, Receiver::willing().await);
    let url = ops.url("/ops");
    let noun = "operational-webhook";
    let create = [noun, "create", "--uid", "ops", "--url", &url];
    let create = [&create[..], &["--type", "endpoint.deleted"]].concat();
    desk.ask(&create).await.expect(0);
    let send = [noun, "send-example", "ops", "--type"];
    let finished = [&send[..], &["background_task.finished"]].concat();
    let id = desk.json(&finished).await["id"].clone();
    let request = ops.next().await;
    assert_eq!(id, request.id());
    assert_eq!(request.json()["data"]["status"], "finished");
    let unknown = [&send[..], &["endpoint.gone"]].concat();
    let refused = desk.ask(&unknown).await;
    refused
        .expect(2)
        .complains_of("must be one of endpoint.created, ");
}
