//! What is refused, and left as it is.

use crate::world::{KEY_FILES, World, names, options, text, transfer};
use e2e::Server;
use e2e::command::postrider;
use private_postgres::Database;

#[tokio::test]
async fn wrong_keys_and_full_targets_are_refused_and_left_as_they_are() {
    let world = World::new().await;
    let others = world.path("others");
    postrider(&["keys", "generate", "--data-dir", text(&others)])
        .await
        .expect(0);
    let master = others.join("master.key");
    let with_another = ["--master-key-file", text(&master)];
    let to = world.database.url();
    let refused = transfer(text(&world.data_dir), to, &with_another).await;
    refused.expect(3).complains_of("not the master key");
    let refused = transfer(text(&world.data_dir), text(&others), &[]).await;
    refused.expect(3).complains_of("another key");
    assert_eq!(names(&others), KEY_FILES);
    let nowhere = world.path("nowhere");
    let refused = transfer(text(&nowhere), to, &[]).await;
    refused.expect(3).complains_of("there is no store");
    assert!(!nowhere.exists());
    let tables = world.database.psql("SELECT to_regclass('node') IS NULL");
    assert_eq!(tables, "t\n", "nothing was written there");

    world.to_database().await.expect(0);
    let refused = world.to_database().await;
    refused.expect(3).complains_of("holds something already");
    let second = Database::new();
    let token = others.join("token.key");
    let keys = world.node();
    let mut node = Server::start(keys).await;
    assert!(node.terminate().await.success());
    let keys = world.path("keys");
    let with_another = ["--data-dir", text(&keys), "--token-key-file", text(&token)];
    let refused = transfer(to, second.url(), &with_another).await;
    refused.expect(3).complains_of("not the token-signing key");

    let same = transfer(to, to, &[]).await;
    same.expect(2).complains_of("same");
    for url in ["mysql://u:sesame@h/db", "postgres://u:sesame/db"] {
        let refused = transfer(text(&world.data_dir), url, &[]).await;
        refused.expect(2).complains_of("--to");
        assert!(!refused.stderr.contains("sesame"), "{refused:?}");
    }
    let nobody_there = "postgres://u:sesame@127.0.0.1:1/db";
    let refused = transfer(text(&world.data_dir), nobody_there, &[]).await;
    refused.expect(3).complains_of("POSTRIDER_TRANSFER_TO");
    assert!(!refused.stderr.contains("sesame"), "{refused:?}");
}

#[tokio::test]
async fn a_data_directory_that_is_in_use_is_not_moved() {
    let world = World::new().await;
    let mut server = Server::start(options(&world.data_dir)).await;
    let refused = world.to_database().await;
    refused.expect(3).complains_of("in use by another process");
    assert!(server.terminate().await.success());
    // Another directory is as good as a database.
    let copy = world.path("copy");
    transfer(text(&world.data_dir), text(&copy), &[])
        .await
        .expect(0);
    let mut world = world;
    let mut server = Server::start(options(&copy)).await;
    world.goes_on(&mut server).await;
}
