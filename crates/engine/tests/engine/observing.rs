//! What is kept of how an attempt's request went.

use crate::network::{Reaction, answer, observed_of};
use crate::world::World;
use engine::EngineConfig;
use model::answer_head::AnswerHead;
use std::time::Duration;
use store::Store;
use store::rows::ObservedRow;
use vault::Place;

/// What is kept of the only attempt to a host that does this, and its headers, opened.
async fn kept(reaction: Reaction, config: EngineConfig) -> (ObservedRow, Option<AnswerHead>) {
    let world = World::new();
    let lane = world.lane("https://hooks.example/").await;
    world
        .network
        .host("hooks.example", move |_| reaction.clone());
    let mut node = world.start(config).await;
    world.send(&node, &[lane]).await;
    node.until_recorded(1).await;
    let row = world.attempts(lane).await.remove(0);
    let id = row.attempt.id;
    let found = world
        .store
        .attempt(lane.application, row.attempt.message.key(), id);
    let found = found.await.expect("reads go on").expect("it is there");
    let observed = *found.observed.expect("it is a single one");
    let tail = id.tail();
    let place = Place {
        table: "attempt",
        row: &tail,
        column: "head",
    };
    let application = world.row(lane).await.application.application.id;
    let key = world.data_key(application).await;
    let head = observed.head.as_ref().map(|sealed| {
        let opened = key.open(place, sealed).expect("it opens");
        AnswerHead::from_stored(&opened).expect("headers")
    });
    (observed, head)
}

#[tokio::test(start_paused = true)]
async fn an_attempt_keeps_how_its_request_went_and_the_headers_of_what_did_not_take_it() {
    let late = Duration::from_millis(70);
    let (observed, head) = kept(Reaction::Answer(503, late), EngineConfig::default()).await;
    assert_eq!(observed.phases, observed_of(503, late).phases);
    let header = ("x-status".to_owned(), "503".to_owned());
    assert_eq!(head.expect("it failed").headers, [header]);
    let sealed = observed.head.expect("it failed");
    assert!(!sealed.windows(8).any(|bytes| bytes == b"x-status"));

    let (observed, head) = kept(Reaction::Answer(204, late), EngineConfig::default()).await;
    assert_eq!(observed.phases, observed_of(204, late).phases);
    assert_eq!(head, None);
}

#[tokio::test(start_paused = true)]
async fn headers_stay_readable_where_what_travels_is_not_encrypted() {
    let config = EngineConfig {
        encrypt_payloads: false,
        ..EngineConfig::default()
    };
    let (observed, head) = kept(answer(500), config).await;
    assert!(head.is_some());
    let readable = observed.head.expect("it failed");
    assert!(readable.windows(8).any(|bytes| bytes == b"x-status"));
}
