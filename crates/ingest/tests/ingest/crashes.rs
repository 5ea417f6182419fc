//! What is answered, and what is remembered, where nothing can be stored.

use crate::sender::{FIRST, with_secrets};
use crate::world::World;
use std::time::Duration;
use store_sqlite::faults::CommitFault;

#[tokio::test]
async fn what_could_not_be_stored_burns_nothing() {
    let world = World::new();
    let at = world
        .source("standard-webhooks", with_secrets(&[FIRST]))
        .await;
    // Its application is there already, so that only the message is missing.
    world.take(&world.standard(&at, "msg_0")).await.accepted();
    world.faults.fail_commits(Some(CommitFault::Write));
    let sending = world.standard(&at, "msg_1");
    let answer = world.take(&sending).await;
    answer.refused(503, "unavailable");
    assert!(answer.headers.contains_key("retry-after"));
    assert_eq!(world.messages().await.len(), 1);
    world.faults.fail_commits(None);
    // When the store looks again whether it can write.
    world.clock.advance(Duration::from_secs(1));
    world.take(&sending).await.accepted();
    world.take(&sending).await.repeated();
    assert!(world.events.take().is_empty(), "it is nobody's fault");
}

#[tokio::test]
async fn a_source_whose_application_can_t_be_made_takes_nothing() {
    let world = World::new();
    let at = world
        .source("standard-webhooks", with_secrets(&[FIRST]))
        .await;
    world.faults.fail_commits(Some(CommitFault::Write));
    let sending = world.standard(&at, "msg_1");
    world.take(&sending).await.refused(503, "unavailable");
    world.faults.fail_commits(None);
    // When the store looks again whether it can write.
    world.clock.advance(Duration::from_secs(1));
    world.take(&sending).await.accepted();
}
