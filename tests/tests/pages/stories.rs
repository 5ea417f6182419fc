//! What people do in pages, by mouse and by keyboard: the stories are
//! `tests/clients/browser/stories`.

use crate::place::Place;
use e2e::{Answer, Options, Receiver, Story, Visit};
use http::Uri;
use serde_json::{Value, json};

/// A receiver that fails once, and then takes everything.
async fn hesitant() -> Receiver {
    let no = Answer::status(503).body("not now");
    Receiver::in_turn([no, Answer::status(200).body("taken at last")]).await
}

#[tokio::test]
async fn operators_do_what_they_come_for() {
    let mut place = Place::filled().await;
    let token = place.server.token().await;
    let receivers = [hesitant().await, hesitant().await, hesitant().await];
    let mut given = receivers
        .iter()
        .map(|receiver| json!({"token": token, "receiver": receiver.url("/new")}));
    let mut story = || Story::new("operator").given(given.next().unwrap_or(Value::Null));
    let message = &place.filled.delivered;
    let viewer = json!({"token": place.key_of("viewer").await, "message": message});
    let viewer = Story::new("viewer").given(viewer);
    let on_call = json!({"token": place.key_of("operator").await, "message": message});
    let on_call = Story::new("on_call").given(on_call);
    Visit::to(place.server.url())
        .story(story())
        .story(story().by_keyboard())
        .story(story().without_scripts())
        .story(viewer.clone())
        .story(viewer.by_keyboard())
        .story(on_call)
        .is_good()
        .await;
}

#[tokio::test]
async fn consumers_do_what_they_come_for() {
    let place = Place::filled().await;
    let mut visit = Visit::to(place.server.url());
    for change in [same, Story::by_keyboard, Story::without_scripts] {
        let given = json!({"link": place.link("shop").await});
        visit = visit.story(change(Story::new("consumer").given(given)));
    }
    visit.is_good().await;
}

fn same(story: Story) -> Story {
    story
}

#[tokio::test]
async fn the_portal_is_shown_by_sites_that_are_named_and_by_no_others() {
    let (host, stranger) = (
        Receiver::start(framing).await,
        Receiver::start(framing).await,
    );
    // Another site than the server's own, which is at an address.
    let origin = |receiver: &Receiver| format!("http://localhost:{}", receiver.address().port());
    let options = Options::dev().option("--portal-frame-ancestors", origin(&host));
    let place = Place::with(options).await;
    let mut visit = Visit::to(place.server.url());
    for change in [same, Story::by_keyboard] {
        let given = json!({
            "link": place.link("shop").await, "host": origin(&host), "stranger": origin(&stranger),
        });
        visit = visit.story(change(Story::new("embedded").given(given)));
    }
    visit.is_good().await;
}

/// A page of somebody else's, with the page in it that its address names.
fn framing(request: &e2e::Received) -> Answer {
    let uri: Uri = request.path.parse().expect("browsers ask for paths");
    let shown = uri.query().and_then(|query| query.strip_prefix("shows="));
    let shown = shown
        .unwrap_or_default()
        .replace("%3A", ":")
        .replace("%2F", "/");
    let page = format!(
        r#"<!doctype html><html lang="en"><title>Elsewhere</title>
        <iframe title="Webhooks" width="1000" height="700" src="{shown}"></iframe>"#
    );
    Answer::status(200)
        .header("content-type", "text/html; charset=utf-8")
        .body(page)
}
