//! Broken off in the middle: the command killed, the target killed.

use std::process::Stdio;

use e2e::command::Outcome;
use e2e::within;
use serde_json::json;

use super::way::Way;
use super::{Move, contents, fill};

#[tokio::test]
async fn an_import_that_is_killed_goes_on_and_makes_nothing_twice() {
    let here = Move::new().await;
    fill(&here.from).await;
    let mut before = 0;
    // The last thing that each of them makes is made, and it never hears of it.
    for count in [1, 3, 2, 4] {
        let way = Way::blocked_after(here.target.address(), count).await;
        let mut import = here.import_to(&way.url(), &["--yes"]);
        let import = import.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let mut import = import.expect("it can be started");
        way.loses_an_answer().await;
        import.kill().await.expect("it can be killed");
        let there = within("the target", contents(&here.to)).await.len();
        assert!(there > before, "{there} things after {before}");
        before = there;
    }
    let (report, status) = here.report(&["--yes"]).await;
    assert_eq!(
        (status, &report["complete"]),
        (Some(0), &json!(true)),
        "{report}"
    );
    assert_eq!(contents(&here.to).await, contents(&here.from).await);
    let endpoints = &report["counts"]["endpoint"];
    assert!(endpoints["created"].as_u64() > Some(0), "{report}");
    assert!(endpoints["same"].as_u64() > Some(0), "{report}");

    let again = here.import(&["--yes"]).await;
    let text = again.text();
    for same in [
        "event types: 1 the same",
        "applications: 4 the same",
        "endpoints: 32 the same",
    ] {
        assert!(text.contains(same), "no {same:?} in {text}");
    }
}

#[tokio::test]
async fn a_target_that_is_killed_and_comes_back_is_waited_for() {
    let mut here = Move::new().await;
    fill(&here.from).await;
    through_a_kill(&mut here, 5).await.expect(0);
    assert_eq!(contents(&here.to).await, contents(&here.from).await);
}

#[tokio::test]
async fn a_new_secret_of_which_nobody_heard_that_it_was_set_is_not_told_as_refused() {
    let mut here = Move::new().await;
    here.from.application("acme").await;
    let endpoint = json!({"url": "http://127.0.0.1:9999/in", "uid": "first"});
    here.from.endpoint("acme", &endpoint).await;
    here.import(&["--yes"]).await.expect(0);
    let rotate = "/app/acme/endpoint/first/secret/rotate";
    here.from.post(rotate, &json!({})).await.expect(200);
    through_a_kill(&mut here, 1).await.expect(0);
    assert_eq!(contents(&here.to).await, contents(&here.from).await);
}

/// An import whose target makes so many things, is killed before it says so of the last, and comes
/// back.
async fn through_a_kill(here: &mut Move, count: usize) -> Outcome {
    let way = Way::blocked_after(here.target.address(), count).await;
    let mut import = here.import_to(&way.url(), &["--yes", "--json"]);
    let import = import.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let import = import.expect("it can be started");
    way.loses_an_answer().await;
    here.target.kill().await;
    way.open();
    here.target.restart().await;
    let ended = within("the import's end", import.wait_with_output()).await;
    let ended = ended.expect("it ends");
    Outcome {
        line: "import svix".to_owned(),
        status: ended.status.code(),
        stdout: String::from_utf8_lossy(&ended.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&ended.stderr).into_owned(),
    }
}

#[tokio::test]
async fn a_source_that_is_away_ends_it_before_anything_is_done() {
    let mut here = Move::new().await;
    fill(&here.from).await;
    here.source.kill().await;
    let outcome = here.import(&["--yes"]).await;
    outcome
        .expect(3)
        .complains_of("the source: no server answers");
    assert!(contents(&here.to).await.is_empty());
}
