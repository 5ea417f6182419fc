//! Endpoints from a file of JSON Lines.

use std::fs;

use e2e::command::{Outcome, run};
use serde_json::json;

use super::{Move, SECRET, contents, text};

async fn import(here: &Move, lines: &[serde_json::Value], more: &[&str]) -> Outcome {
    let lines = lines.iter().map(|line| format!("{line}\n"));
    fs::write(here.file("lines"), lines.collect::<String>()).expect("a file");
    let path = here.file("lines").display().to_string();
    let import = ["import", "file", &path];
    run(here.command_to(&here.target.url(), &[&import, more].concat())).await
}

#[tokio::test]
async fn lines_are_shown_then_made_and_nothing_is_made_twice() {
    let here = Move::new().await;
    let mut lines = vec![
        json!({"app": "acme", "appName": "Acme", "url": "http://127.0.0.1:9999/a",
            "secret": SECRET, "types": ["paid"], "scheme": "standard-webhooks",
            "headers": {"authorization": "Bearer sesame", "x-a": "1"}}),
        json!({"app": "acme", "url": "http://127.0.0.1:9999/b", "uid": "second",
            "secret": SECRET, "channels": ["c"], "rateLimit": 3, "description": "d"}),
    ];
    let shown = import(&here, &lines, &[]).await;
    for line in [
        "create       event type   paid",
        "create       endpoint     acme/second",
        "--yes does it",
    ] {
        assert!(shown.text().contains(line), "no {line:?} in {shown:?}");
    }
    assert!(contents(&here.to).await.is_empty());
    let done = import(&here, &lines, &["--yes"]).await;
    done.expect(0);
    let there = contents(&here.to).await;
    assert_eq!(there["app acme"]["name"], "Acme");
    let second = &there["endpoint acme/second"];
    assert_eq!(text(&second["secret"], "key"), SECRET);
    assert_eq!(
        (&second["rateLimit"], &second["channels"]),
        (&json!(3), &json!(["c"]))
    );
    assert_eq!(there.len(), 4, "{there:?}");
    let again = import(&here, &lines, &["--yes"]).await;
    assert!(again.text().contains("endpoints: 2 the same"), "{again:?}");

    lines[1]["rateLimit"] = json!(4);
    let changed = import(&here, &lines, &["--yes", "--json"]).await;
    let changed: serde_json::Value = serde_json::from_str(changed.text()).expect("JSON");
    assert_eq!(
        changed["steps"][0]["fields"],
        json!(["rateLimit"]),
        "{changed}"
    );
    for outcome in [shown, done, again] {
        let all = format!("{outcome:?}");
        assert!(!all.contains("whsec_") && !all.contains("sesame"), "{all}");
    }
}

#[tokio::test]
async fn one_wrong_line_ends_it_before_anything_is_done() {
    let here = Move::new().await;
    let lines = [
        json!({"app": "acme", "url": "http://127.0.0.1:9999/a", "secret": SECRET}),
        json!({"app": "acme", "url": "http://127.0.0.1:9999/b", "secret": "sesame"}),
        json!({"app": "acme", "url": "http://127.0.0.1:9999/c", "scheme": "github"}),
    ];
    let outcome = import(&here, &lines, &["--yes"]).await;
    outcome
        .expect(2)
        .complains_of("line 2: `secret`")
        .complains_of("line 3: the scheme `github` can't be moved yet");
    assert!(!outcome.stderr.contains("sesame"), "{outcome:?}");
    assert!(contents(&here.to).await.is_empty());
}

#[tokio::test]
async fn what_the_server_refuses_is_told_with_its_reason_and_the_rest_is_made() {
    let here = Move::new().await;
    let lines = [
        json!({"app": "acme", "url": "http://192.168.0.1/a", "uid": "blocked", "secret": SECRET}),
        json!({"app": "acme", "url": "http://127.0.0.1:9999/b", "uid": "fine"}),
    ];
    let outcome = import(&here, &lines, &["--yes"]).await;
    outcome.expect(1);
    for part in [
        "refused      endpoint     acme/blocked",
        "body.url: ",
        "created      endpoint     acme/fine",
        "lacks its secret: none is given",
        "endpoints: 1 created, 1 refused or not possible",
    ] {
        assert!(outcome.stdout.contains(part), "no {part:?} in {outcome:?}");
    }
}
