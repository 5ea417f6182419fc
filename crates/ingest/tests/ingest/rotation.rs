//! While secrets and tokens give way to others.

use crate::sender::{BODY, FIRST, SECOND, Sending, with_secrets};
use crate::world::World;

#[tokio::test]
async fn both_secrets_are_good_while_they_rotate_and_then_one() {
    let world = World::new();
    let at = world
        .source("standard-webhooks", with_secrets(&[FIRST]))
        .await;
    let by = |secret, id| {
        let moment = (id, world.now());
        Sending::to(&at, BODY).signed("standard-webhooks", secret, moment)
    };
    world.take(&by(FIRST, "msg_1")).await.accepted();
    world
        .take(&by(SECOND, "msg_2"))
        .await
        .refused(401, "signature_invalid");
    world
        .replace(&at, &at.token, with_secrets(&[SECOND, FIRST]))
        .await;
    world.take(&by(FIRST, "msg_3")).await.accepted();
    world.take(&by(SECOND, "msg_4")).await.accepted();
    // What came before is still known.
    world.take(&by(SECOND, "msg_1")).await.repeated();
    world.replace(&at, &at.token, with_secrets(&[SECOND])).await;
    world
        .take(&by(FIRST, "msg_5"))
        .await
        .refused(401, "signature_invalid");
    world.take(&by(SECOND, "msg_6")).await.accepted();
}

#[tokio::test]
async fn an_old_token_ends_with_its_rotation() {
    let world = World::new();
    let at = world
        .source("standard-webhooks", with_secrets(&[FIRST]))
        .await;
    let rotated = world
        .replace(&at, &"a".repeat(32), with_secrets(&[FIRST]))
        .await;
    world
        .take(&world.standard(&at, "msg_1"))
        .await
        .refused(401, "signature_invalid");
    world
        .take(&world.standard(&rotated, "msg_1"))
        .await
        .accepted();
}
