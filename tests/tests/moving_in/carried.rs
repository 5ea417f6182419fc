//! What is carried from one server to another, and what is not.

use std::fs;

use e2e::Receiver;
use e2e::command::run;
use serde_json::json;

use super::{Move, SECRET, contents, text};

const ED25519: &str = "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4\
                       AJ6p9lMicMFs6Kvg==";

/// An application with all that there can be of it, and its endpoint, to this URL.
async fn everything(here: &Move, url: &str) {
    for event_type in [
        json!({"name": "paid", "description": "Paid", "schemas": {"1": {"type": "object"}},
            "featureFlags": ["beta", "gamma"], "groupName": "invoices", "deprecated": true}),
        json!({"name": "old", "description": "Gone"}),
    ] {
        here.from.post("/event-type", &event_type).await.expect(201);
    }
    let app = json!({"name": "Acme", "uid": "acme", "rateLimit": 70, "metadata": {"a": "b"}});
    here.from.post("/app", &app).await.expect(201);
    let endpoint = json!({
        "url": url, "uid": "first", "description": "One", "eventTypes": ["paid", "old"],
        "channels": ["b", "a"], "rateLimit": 50, "metadata": {"k": "v"}, "secret": SECRET,
        "headers": {"x-region": "eu"}, "version": 2,
    });
    here.from.endpoint("acme", &endpoint).await;
    let disabled = json!({"url": "http://127.0.0.1:9998/x", "disabled": true});
    here.from.endpoint("acme", &disabled).await;
    here.from.delete("/event-type/old").await.expect(204);
}

#[tokio::test]
async fn a_dry_run_tells_what_it_would_do_and_does_nothing() {
    let here = Move::new().await;
    everything(&here, "http://127.0.0.1:9999/in").await;
    let shown = here.import(&[]).await;
    for line in [
        "create       event type   paid",
        "create       application  acme",
        "create       endpoint     acme/first  http://127.0.0.1:9999/in",
        "endpoints: 2 to create",
        "Nothing was done yet: the same with --yes does it.",
    ] {
        assert!(shown.text().contains(line), "no {line:?} in {shown:?}");
    }
    let (report, status) = here.report(&[]).await;
    assert_eq!((status, &report["applied"]), (Some(0), &json!(false)));
    assert_eq!(report["counts"]["eventType"]["created"], 2, "{report}");
    assert!(contents(&here.to).await.is_empty());
}

#[tokio::test]
async fn all_that_is_shown_is_carried_and_receivers_go_on_verifying() {
    let here = Move::new().await;
    let receiver = Receiver::willing().await;
    everything(&here, &receiver.url("/in")).await;
    let done = here.import(&["--yes"]).await;
    done.expect(0);
    assert!(!format!("{done:?}").contains("whsec_"), "{done:?}");
    assert_eq!(contents(&here.to).await, contents(&here.from).await);

    let message = json!({"eventType": "paid", "payload": {"n": 1}, "channels": ["a"]});
    here.to.post("/app/acme/msg", &message).await.expect(202);
    let received = receiver.next().await;
    assert_eq!(received.headers["x-region"], "eu");
    assert_eq!(here.verdict(SECRET, &received).await, "genuine");
}

#[tokio::test]
async fn what_changed_at_the_source_is_changed_and_the_rest_is_left_alone() {
    let here = Move::new().await;
    everything(&here, "http://127.0.0.1:9999/in").await;
    here.import(&["--yes"]).await.expect(0);
    let of_first = "/app/acme/endpoint/first";
    let change = json!({"url": "http://127.0.0.1:9999/new", "rateLimit": null});
    here.from.patch(of_first, &change).await.expect(200);
    let headers = json!({"headers": {"x-region": "us", "x-more": "1"}});
    let path = format!("{of_first}/headers");
    here.from.put(&path, &headers).await.expect(204);
    let rotated = format!("{of_first}/secret/rotate");
    here.from.post(&rotated, &json!({})).await.expect(200);
    here.from
        .patch("/app/acme", &json!({"name": "Acme Ltd"}))
        .await
        .expect(200);
    let own = json!({"url": "http://127.0.0.1:9998/own", "uid": "own"});
    here.to.endpoint("acme", &own).await;

    let (report, status) = here.report(&["--yes"]).await;
    assert_eq!(status, Some(0), "{report}");
    let steps = report["steps"].as_array().expect("steps");
    let told: Vec<_> = steps
        .iter()
        .map(|step| {
            (
                text(step, "name"),
                text(step, "action"),
                step["fields"].clone(),
            )
        })
        .collect();
    let expected = [
        ("acme", "updated", json!(["name"])),
        (
            "acme/first",
            "updated",
            json!(["rateLimit", "url", "headers", "secret"]),
        ),
    ];
    assert_eq!(told, expected);
    assert_eq!(report["onlyAtTarget"], json!(["acme/own"]));
    let mut there = contents(&here.to).await;
    assert!(there.remove("endpoint acme/own").is_some());
    assert_eq!(there, contents(&here.from).await);
}

#[tokio::test]
async fn what_the_source_does_not_show_is_told_and_can_be_made_by_hand() {
    let here = Move::new().await;
    here.from.application("acme").await;
    let hidden = json!({
        "url": "http://127.0.0.1:9999/a", "uid": "hidden", "secret": SECRET,
        "headers": {"authorization": "Bearer sesame", "x-a": "1"},
    });
    here.from.endpoint("acme", &hidden).await;
    let masked = json!({"url": "http://user:sesame@127.0.0.1:9999/b", "uid": "masked"});
    here.from.endpoint("acme", &masked).await;
    let signed = json!({"url": "http://127.0.0.1:9999/c", "uid": "ed", "secret": ED25519});
    here.from.endpoint("acme", &signed).await;

    let (report, status) = here.report(&["--yes"]).await;
    assert_eq!(
        (status, &report["complete"]),
        (Some(1), &json!(false)),
        "{report}"
    );
    let steps = report["steps"].as_array().expect("steps");
    let step = |name: &str| {
        let found = steps.iter().find(|step| step["name"] == *name);
        found.unwrap_or_else(|| panic!("no {name} in {report}"))
    };
    assert_eq!(step("acme/hidden")["action"], "created");
    let lacks = step("acme/hidden")["lacks"].to_string();
    assert!(lacks.contains("header authorization"), "{lacks}");
    for name in ["acme/masked", "acme/ed"] {
        assert_eq!(step(name)["action"], "not possible", "{name}");
    }
    let text = report.to_string();
    assert!(
        !text.contains("sesame") && !text.contains("whsk_"),
        "{text}"
    );

    // As the report says.
    let url = here.target.url();
    fs::write(here.file("headers"), "authorization: Bearer sesame\n").expect("a file");
    let headers = here.file("headers").display().to_string();
    let set = ["endpoint", "update", "--app", "acme", "hidden"];
    let set = [&set[..], &["--header-file", &headers]].concat();
    let set = run(here.command_to(&url, &set)).await;
    assert!(set.expect(0).stderr.is_empty(), "{set:?}");
    here.to.endpoint("acme", &masked).await;
    here.to.endpoint("acme", &signed).await;
    let secret = here.from.secret("acme", "masked").await;
    let rotate = json!({"key": secret});
    let path = "/app/acme/endpoint/masked/secret/rotate";
    here.to.post(path, &rotate).await.expect(200);
    let (report, status) = here.report(&["--yes"]).await;
    assert_eq!(
        (status, &report["complete"]),
        (Some(0), &json!(true)),
        "{report}"
    );
}

#[tokio::test]
async fn one_application_alone_can_be_moved_with_the_event_types() {
    let here = Move::new().await;
    everything(&here, "http://127.0.0.1:9999/in").await;
    here.from.application("other").await;
    let nobody = here.import(&["--app", "nobody"]).await;
    nobody
        .expect(2)
        .complains_of("the source has no application nobody");
    let id = here.from.get("/app/other").await.expect(200).json()["id"].clone();
    let id = id.as_str().expect("an id");
    let twice = ["--app", "other", "--app", id, "--yes"];
    here.import(&twice).await.expect(0);
    let there = contents(&here.to).await;
    let names: Vec<_> = there.keys().map(String::as_str).collect();
    assert_eq!(names, ["app other", "type old", "type paid"]);
}

#[tokio::test]
async fn a_server_is_not_moved_into_itself_and_a_wrong_token_ends_it() {
    let here = Move::new().await;
    let (url, token) = (here.source.url(), here.file("old.token"));
    let token = token.display().to_string();
    let import = ["import", "svix", "--from", &url, "--token-file", &token];
    let itself = run(here.command_to(&here.source.url(), &import)).await;
    itself.expect(2).complains_of("name the other one");
    fs::write(here.file("old.token"), "sesame").expect("a file");
    let refused = here.import(&["--yes"]).await;
    refused
        .expect(1)
        .complains_of("the source: the server refuses this (401");
    assert!(!format!("{refused:?}").contains("sesame"), "{refused:?}");
}
