//! How much came to each source of late is counted for people who look at sources.

use crate::sender::{FIRST, Sending, secret, with_secrets};
use crate::world::{At, World};
use model::Clock as _;
use model::source::SourceConfig;

fn came(world: &World, at: &At) -> (u64, u64) {
    let meter = world.gate.meter();
    let came = meter.lately(at.source.id, world.clock.now());
    (came.accepted, came.refused)
}

#[tokio::test]
async fn what_was_accepted_or_refused_is_counted_for_its_source_and_handshakes_are_neither() {
    let world = World::new();
    let at = world
        .source("standard-webhooks", with_secrets(&[FIRST]))
        .await;
    let config = SourceConfig {
        verify_token: Some(secret("sesame")),
        ..with_secrets(&["hush"])
    };
    let other = world.source("meta", config).await;
    assert_eq!(came(&world, &at), (0, 0));
    let genuine = world.standard(&at, "msg_1");
    world.take(&genuine).await.accepted();
    world.take(&genuine).await.repeated();
    let forged = Sending::to(&at, "{}");
    world.take(&forged).await.refused(401, "signature_invalid");
    let handshake = Sending {
        method: "GET",
        path: format!(
            "/in/{}?hub.mode=subscribe&hub.verify_token=sesame&hub.challenge=7",
            other.token
        ),
        headers: Vec::new(),
        body: String::new(),
    };
    assert_eq!(world.take(&handshake).await.status, 200);
    assert_eq!(came(&world, &at), (2, 1));
    assert_eq!(came(&world, &other), (0, 0));
}
