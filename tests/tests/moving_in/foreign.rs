//! A source that is no Postrider: it asks for patience, fails now and then, pages, and says what it
//! likes.

use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};

use e2e::command::{Outcome, run};
use e2e::{Answer, Received, Receiver};
use serde_json::{Value, json};

use super::{Move, SECRET, contents};

fn answer(body: &Value) -> Answer {
    Answer::status(200).body(body.to_string())
}

/// What a hosted service of this kind shows.
fn hosted(request: &Received) -> Answer {
    let endpoint = json!({
        "id": "ep_2", "url": "http://127.0.0.1:9999/in", "description": "\u{1b}[2J",
        "filterTypes": ["paid"], "version": 1, "throttleRate": 9, "metadata": {},
    });
    let app =
        |id: &str, uid: Value| json!({"id": id, "uid": uid, "name": "\u{9b}2J", "metadata": {}});
    let path = request.path.as_str();
    let of_endpoint = "/api/v1/app/app_1/endpoint/ep_2";
    if path.starts_with("/api/v1/event-type?") {
        let row = json!({"name": "paid", "description": "Paid", "schemas": null});
        return answer(&json!({"data": [row], "iterator": "paid", "done": true}));
    }
    if path.starts_with("/api/v1/app?") {
        return match path.contains("iterator=one") {
            false => {
                let first = app("app_1", Value::Null);
                answer(&json!({"data": [first], "iterator": "one", "done": false}))
            }
            true => {
                let second = app("app_2", json!("acme"));
                answer(&json!({"data": [second], "iterator": "two", "done": true}))
            }
        };
    }
    if path.starts_with("/api/v1/app/app_1/endpoint?") {
        return answer(&json!({"data": [endpoint], "iterator": "ep_2", "done": true}));
    }
    if path.starts_with("/api/v1/app/app_2/endpoint?") {
        return answer(&json!({"data": [], "iterator": null, "done": true}));
    }
    match path.strip_prefix(of_endpoint) {
        Some("/headers") => answer(&json!({"headers": {"x-a": "1"}, "sensitive": []})),
        Some("/secret") => answer(&json!({"key": SECRET})),
        _ => Answer::status(404).body(json!({"code": "not_found", "detail": "?"}).to_string()),
    }
}

async fn import_from(here: &Move, source: &Receiver, more: &[&str]) -> Outcome {
    fs::write(here.file("hosted.token"), "sesame.sesame").expect("a file");
    let (from, token) = (source.url(""), here.file("hosted.token"));
    let token = token.display().to_string();
    let import = ["import", "svix", "--from", &from, "--token-file", &token];
    run(here.command_to(&here.target.url(), &[&import, more].concat())).await
}

#[tokio::test]
async fn a_source_that_asks_for_patience_or_fails_for_a_moment_is_read_to_its_end() {
    let here = Move::new().await;
    let asked = AtomicUsize::new(0);
    let source = Receiver::start(move |request| match asked.fetch_add(1, Ordering::SeqCst) {
        1 => Answer::status(429).header("retry-after", "1"),
        3 => Answer::status(503),
        5 => Answer::status(500).body("{}"),
        _ => hosted(request),
    })
    .await;
    let done = import_from(&here, &source, &["--yes"]).await;
    done.expect(0);
    let steers = |c: char| c.is_control() && c != '\n';
    assert!(!done.stdout.contains(steers), "{done:?}");
    let there = contents(&here.to).await;
    let names: Vec<_> = there.keys().map(String::as_str).collect();
    let expected = [
        "app acme",
        "app was-app_1",
        "endpoint was-app_1/was-ep_2",
        "type paid",
    ];
    assert_eq!(names, expected);
    let endpoint = &there["endpoint was-app_1/was-ep_2"];
    assert_eq!(endpoint["secret"]["key"], SECRET);
    assert_eq!(endpoint["rateLimit"], 9);
    assert_eq!(endpoint["eventTypes"], json!(["paid"]));
    let again = import_from(&here, &source, &["--yes"]).await;
    assert!(again.text().contains("endpoints: 1 the same"), "{again:?}");
}

#[tokio::test]
async fn a_source_that_makes_no_sense_is_told_and_nothing_is_done() {
    let here = Move::new().await;
    for (body, part) in [
        (
            json!({"data": [{"nothing": 1}], "done": true}),
            "makes no sense",
        ),
        (json!({"data": 5}), "makes no sense"),
        (
            json!({"data": [], "iterator": "x", "done": false}),
            "has no end",
        ),
        (
            json!({"data": [], "iterator": null, "done": false}),
            "has no end",
        ),
    ] {
        let source = Receiver::start(move |_| answer(&body)).await;
        let outcome = import_from(&here, &source, &["--yes"]).await;
        outcome.expect(3).complains_of(part);
        assert!(
            !format!("{outcome:?}").contains("sesame.sesame"),
            "{outcome:?}"
        );
    }
    assert!(contents(&here.to).await.is_empty());
}
