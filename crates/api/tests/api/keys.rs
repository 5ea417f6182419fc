//! Data keys: one that is worn out gives way to a new one, and goes on opening.

use crate::world::World;
use app::KEY_USES_RECORDED;
use model::id::ApplicationId;
use serde_json::json;
use std::sync::Arc;
use store::Sealed;
use store::change::{Change, ChangeRequest};
use store::rows::{ApplicationRef, RegistryRow};
use store_sqlite::faults::CommitFault;
use vault::{DATA_KEY_USES_MAX, Place, SealedDataKey};

const PLACE: Place<'static> = Place {
    table: "message",
    row: b"twelve bytes",
    column: "payload",
};

async fn row(world: &World, id: ApplicationId) -> Arc<RegistryRow> {
    let found = world.app.registry.find(&ApplicationRef::Id(id)).await;
    found.expect("it reads").expect("it is there")
}

/// Makes an application's newest key one that has sealed so often.
async fn set_uses(world: &World, id: ApplicationId, uses: u64) {
    let row = row(world, id).await;
    let [key] = &row.application.data_keys[..] else {
        panic!("a new application has one key");
    };
    let key = SealedDataKey::from_bytes(&key[..]);
    let (key, _) = world.app.vault.add_uses(id, &key, uses).expect("it opens");
    let change = Change::ReplaceDataKeys {
        application: id.key(),
        data_keys: vec![key.into_bytes().into()],
        revision: row.application.revision,
    };
    let request = ChangeRequest {
        change,
        idempotency: None,
        audit: None,
    };
    world.app.store.change(request).await.expect("it is kept");
    world.app.registry.forget(id.key());
}

/// Has an application's newest key seal so often.
async fn seal(world: &World, id: ApplicationId, times: u64) {
    let row = row(world, id).await;
    let newest = row.application.data_keys.last().expect("it has a key");
    let newest = SealedDataKey::from_bytes(&newest[..]);
    let key = world.app.vault.data_key(id, &newest).expect("it opens");
    for _ in 0..times {
        key.seal(PLACE, b"x");
    }
}

async fn keys(world: &World, id: ApplicationId) -> Vec<Sealed> {
    row(world, id).await.application.data_keys.clone()
}

#[tokio::test]
async fn a_worn_out_data_key_gives_way_and_goes_on_opening() {
    let world = World::new();
    let app = world.application("shop").await;
    let id: ApplicationId = app.parse().expect("an id");
    set_uses(&world, id, DATA_KEY_USES_MAX - KEY_USES_RECORDED).await;
    let before = world.message(&app, json!({})).await;

    seal(&world, id, KEY_USES_RECORDED - 2).await;
    world.app.record_key_uses().await.expect("it counts");
    assert_eq!(
        keys(&world, id).await.len(),
        1,
        "too few to be written down"
    );

    seal(&world, id, 1).await;
    world.app.record_key_uses().await.expect("it counts");
    let both = keys(&world, id).await;
    assert_eq!(both.len(), 2);
    let after = world.message(&app, json!({})).await;
    seal(&world, id, KEY_USES_RECORDED).await;
    world.app.record_key_uses().await.expect("it counts");
    let counted = keys(&world, id).await;
    assert_eq!(counted.len(), 2, "the new one is far from worn out");
    assert_eq!(counted[0], both[0], "the old one seals no more");
    for message in [before, after] {
        let shown = world.get(format!("/app/{app}/msg/{message}")).await.is(200);
        assert_eq!(shown["payload"], json!({ "total": 12 }));
    }
}

#[tokio::test]
async fn uses_that_can_not_be_written_down_are_later() {
    let world = World::new();
    let id = world.application("shop").await;
    let id: ApplicationId = id.parse().expect("an id");
    set_uses(&world, id, DATA_KEY_USES_MAX - KEY_USES_RECORDED).await;
    seal(&world, id, KEY_USES_RECORDED).await;
    world.faults.fail_commits(Some(CommitFault::Write));
    world.app.record_key_uses().await.expect_err("it can't");
    world.faults.fail_commits(None);
    // When the store looks again whether it can write.
    world.clock.advance(std::time::Duration::from_secs(1));
    world.app.record_key_uses().await.expect("it counts");
    assert_eq!(keys(&world, id).await.len(), 2);
}

#[tokio::test]
async fn a_deleted_application_s_uses_are_nobody_s() {
    let world = World::new();
    let app = world.application("shop").await;
    seal(&world, app.parse().expect("an id"), KEY_USES_RECORDED).await;
    world.delete(format!("/app/{app}")).await.is(204);
    world
        .app
        .record_key_uses()
        .await
        .expect("there is nothing to do");
}
