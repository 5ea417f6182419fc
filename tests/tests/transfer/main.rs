//! An installation moved from a data directory to a shared database, and back, by the binary: what
//! was open is sent from where it was moved to, and nothing else is there or missing.

mod refusals;
mod world;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Stdio;

use e2e::{Server, eventually, place};
use serde_json::Value;
use world::{KEY_FILES, World, options, tables_made, text, transfer};

#[tokio::test]
async fn an_installation_goes_to_a_database_and_back_and_loses_nothing() {
    let mut world = World::new().await;
    let moved = world.to_database().await;
    let told = moved.text();
    assert!(told.contains("are the same"), "{told}");
    assert!(told.contains("Give each node"), "{told}");
    let mut node = Server::start(world.node()).await;
    world.goes_on(&mut node).await;

    let back = world.path("back");
    let refused = transfer(world.database.url(), text(&back), &[]).await;
    refused.expect(3).complains_of("have a lease");
    assert!(!back.exists());
    assert!(node.terminate().await.success());
    let refused = transfer(world.database.url(), text(&back), &[]).await;
    refused.expect(3).complains_of("--data-dir");
    assert!(!back.exists());
    let keys = world.path("keys");
    let options_of_nodes = ["--data-dir", text(&keys), "--json"];
    let moved = transfer(world.database.url(), text(&back), &options_of_nodes).await;
    let told: Value = serde_json::from_str(moved.text()).expect("it is JSON");
    assert_eq!(told["same"], true, "{told}");
    for name in KEY_FILES {
        let of = |directory: &Path| fs::read(directory.join(name)).expect("a key");
        assert_eq!(of(&back), of(&world.data_dir), "{name}");
    }
    let mut server = Server::start(options(&back)).await;
    world.goes_on(&mut server).await;
    let arrived: BTreeSet<String> = world
        .receiver
        .rest()
        .await
        .iter()
        .map(|request| request.id().to_owned())
        .collect();
    let all: BTreeSet<String> = world.delivered.union(&world.open).cloned().collect();
    assert_eq!(arrived, all);
}

#[tokio::test]
async fn a_transfer_that_was_killed_goes_on_and_is_served_by_nobody_before() {
    let mut world = World::new().await;
    tables_made(&world.database).await;
    world.database.psql(
        "CREATE FUNCTION hang() RETURNS trigger LANGUAGE plpgsql
             AS $$ BEGIN PERFORM pg_sleep(600); RETURN NEW; END $$;
         CREATE TRIGGER hang BEFORE INSERT ON delivery FOR EACH ROW EXECUTE FUNCTION hang()",
    );
    let mut command = place::command(place::binary());
    command
        .args([
            "transfer",
            "--from",
            text(&world.data_dir),
            "--to",
            world.database.url(),
        ])
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let mut child = command.spawn().expect("the binary");
    let hanging =
        "pid FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()";
    eventually("the transfer to be in the middle", || async {
        match world.database.psql(&format!("SELECT {hanging}")) {
            none if none.is_empty() => Err("it is not there yet".to_owned()),
            _ => Ok(()),
        }
    })
    .await;
    world.serve().await.expect(3).complains_of("under way");
    child.kill().await.expect("it runs");
    // The database finds out when the statement ends.
    world.database.psql(&format!(
        "SELECT pg_terminate_backend(pid) FROM (SELECT {hanging}) AS h"
    ));
    eventually("a node to be refused for what is there", || async {
        let refused = world.serve().await;
        refused.expect(3);
        match refused.stderr.contains("not finished") {
            true => Ok(()),
            false => Err(refused.stderr),
        }
    })
    .await;

    world.database.psql("DROP FUNCTION hang CASCADE");
    let part = world.database.psql("SELECT count(*) FROM message");
    assert_eq!(part, "7\n", "messages come before deliveries");
    let moved = world.to_database().await;
    moved.expect(0).complains_of("going on with");
    let mut node = Server::start(world.node()).await;
    world.goes_on(&mut node).await;
}

#[tokio::test]
async fn what_differs_in_the_end_is_told_and_never_served() {
    let world = World::new().await;
    tables_made(&world.database).await;
    // Written otherwise than it was sent.
    world.database.psql(
        "CREATE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql
             AS $$ BEGIN NEW.url := NEW.url || '#'; RETURN NEW; END $$;
         CREATE TRIGGER spoil BEFORE INSERT ON endpoint FOR EACH ROW EXECUTE FUNCTION spoil()",
    );
    let told = world.to_database().await;
    told.expect(1);
    assert!(told.stdout.contains("not the same"), "{told:?}");
    assert!(told.stdout.contains("endpoint: 1 rows"), "{told:?}");
    world.serve().await.expect(3).complains_of("not finished");
    let mut server = Server::start(options(&world.data_dir)).await;
    server.api().await.get("/app/shop").await.expect(200);
}
