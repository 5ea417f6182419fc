//! Messages that sources make by themselves: when, and that each is made once.

use crate::world::{SECRET, World, merged};
use app::tokens::TokenSettings;
use app::{App, Tokens};
use model::Secret;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use store_sqlite::faults::CommitFault;

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 3_600);

/// Makes a source that makes a message every hour, and gives back its id.
async fn hourly(world: &World, more: Value) -> String {
    let config = json!({ "schedule": "0 * * * *", "payload": "{\"tick\":1}" });
    let config = merged(config, more);
    let body = json!({ "name": "Hourly", "uid": "hourly", "type": "cron", "config": config });
    world
        .post("/ingest/api/v1/source", body)
        .await
        .is(201)
        .text("id")
}

/// Another node, or the same after a restart: what is in memory alone, it does not know.
async fn fresh(world: &World) -> App {
    let secret = Secret::from(SECRET.to_owned());
    let app = App {
        tokens: Arc::new(Tokens::new(secret, TokenSettings::default())),
        ..world.app.clone()
    };
    app.renew_access().await.expect("it can be read");
    app
}

async fn run(app: &App) -> usize {
    app.run_due_schedules().await.expect("the store is there")
}

#[tokio::test]
async fn a_message_is_made_when_it_is_due_and_once() {
    let world = World::new();
    let source = hourly(&world, json!({})).await;
    assert_eq!(run(&world.app).await, 0);
    world.clock.advance(29 * MINUTE);
    assert_eq!(run(&world.app).await, 0);
    world.clock.advance(MINUTE);
    assert_eq!([run(&world.app).await, run(&world.app).await], [1, 0]);
    world.clock.advance(61 * MINUTE);
    assert_eq!(run(&world.app).await, 1);
    let messages = world.get(format!("/app/{source}/msg")).await.is(200);
    assert_eq!(messages.column("eventType"), ["cron", "cron"]);
    assert_eq!(messages["data"][0]["payload"], json!({ "tick": 1 }));
}

#[tokio::test]
async fn of_many_nodes_and_after_a_restart_one_makes_it() {
    let world = World::new();
    hourly(&world, json!({})).await;
    let nodes = [fresh(&world).await, fresh(&world).await];
    world.clock.advance(31 * MINUTE);
    let made = [
        run(&nodes[0]).await,
        run(&nodes[1]).await,
        run(&world.app).await,
    ];
    assert_eq!(made, [1, 0, 0]);
    let restarted = fresh(&world).await;
    assert_eq!(run(&restarted).await, 0);
    world.clock.advance(60 * MINUTE);
    assert_eq!([run(&restarted).await, run(&nodes[0]).await], [1, 0]);
}

#[tokio::test]
async fn what_was_missed_is_made_once_unless_it_is_too_old() {
    let world = World::new();
    hourly(&world, json!({})).await;
    world.clock.advance(10 * DAY);
    assert_eq!([run(&world.app).await, run(&world.app).await], [1, 0]);
    let daily = json!({ "schedule": "0 3 * * *", "payload": "{}" });
    let body = json!({ "name": "Rare", "type": "cron", "config": daily });
    let yearly = merged(
        body,
        json!({ "config": { "schedule": "0 3 1 6 *", "payload": "{}" } }),
    );
    world.post("/ingest/api/v1/source", yearly).await.is(201);
    world.clock.advance(30 * DAY);
    // Of the hourly one alone: the other was due more than a day ago, if at all.
    assert_eq!(run(&world.app).await, 1);
}

#[tokio::test]
async fn a_schedule_says_what_its_messages_are() {
    let world = World::new();
    world.application("acme").await;
    let more = json!({
        "payload": "good morning", "contentType": "text/plain", "appId": "acme",
        "eventType": { "always": "greeting.morning" },
    });
    hourly(&world, more).await;
    world.clock.advance(31 * MINUTE);
    assert_eq!(run(&world.app).await, 1);
    let messages = world.get("/app/acme/msg").await.is(200);
    assert_eq!(messages.column("eventType"), ["greeting.morning"]);
}

#[tokio::test]
async fn what_could_not_be_made_is_made_later() {
    let world = World::new();
    hourly(&world, json!({})).await;
    world.clock.advance(31 * MINUTE);
    world.faults.fail_commits(Some(CommitFault::Write));
    assert!(world.app.run_due_schedules().await.is_err());
    world.faults.fail_commits(None);
    // When the store looks again whether it can write.
    world.clock.advance(Duration::from_secs(1));
    assert_eq!(run(&world.app).await, 1);
}

#[tokio::test]
async fn nothing_is_made_of_a_time_before_the_schedule_was_written() {
    let world = World::new();
    world.clock.advance(31 * MINUTE);
    hourly(&world, json!({})).await;
    assert_eq!(run(&world.app).await, 0);
    world.clock.advance(58 * MINUTE);
    let path = "/ingest/api/v1/source/hourly";
    world.delete(path).await.is(204);
    world.clock.advance(MINUTE);
    assert_eq!(run(&world.app).await, 0);
}
