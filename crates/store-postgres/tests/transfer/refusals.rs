//! What is refused, and left as it is: targets that hold anything else, sides that are in use,
//! copies that are not whole.

use crate::sides::{
    Embedded, config, embedded, filled_directory, from_database, from_directory, home, later,
    to_database, to_directory,
};
use private_postgres::Database;
use std::sync::Arc;
use store::Store;
use store::conformance::fill;
use store::transfer::{Source, Target, Transfer, TransferError};
use store_postgres::{PostgresStore, PostgresTransfer, Surroundings};
use store_sqlite::SqliteTransfer;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unfinished_copy_is_opened_by_nobody() {
    let (home, database) = (home(), Database::new());
    let path = filled_directory(&home).await;
    let part = home.path().join("part");
    {
        let (mut source, mut target) = (from_directory(&path), to_database(&database).await);
        let begun = Transfer::begin(&mut source, &mut target).await;
        begun.expect("it begins").step().await.expect("it goes on");
        let told = open(&database).await.expect_err("it is under way");
        assert!(told.contains("under way"), "{told}");
    }
    {
        let (mut source, mut target) = (from_directory(&path), to_directory(&part));
        let begun = Transfer::begin(&mut source, &mut target).await;
        begun.expect("it begins").step().await.expect("it goes on");
    }
    let told = open(&database).await.expect_err("it is a part");
    assert!(told.contains("not finished"), "{told}");
    let (clock, entropy) = later();
    let told = embedded(&part, clock, entropy).err().expect("it is a part");
    assert!(told.to_string().contains("not finished"), "{told}");
    let part_of = SqliteTransfer::source(&part).err();
    assert!(matches!(part_of, Some(TransferError::UnfinishedSource(_))));
    let part_of = PostgresTransfer::source(&config(&database), "the source").await;
    assert!(matches!(
        part_of.err(),
        Some(TransferError::UnfinishedSource(_))
    ));
}

/// Opens a store as a node does, and gives it back in order.
async fn open(database: &Database) -> Result<(), String> {
    let (clock, entropy) = later();
    let opened = PostgresStore::open(config(database), Surroundings { clock, entropy }).await;
    let (store, ..) = opened.map_err(|error| error.to_string())?;
    store.leave().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_target_that_holds_anything_else_is_left_as_it_is() {
    let (home, database) = (home(), Database::new());
    let path = filled_directory(&home).await;
    let other = home.path().join("other");
    fill(Box::new(Embedded(other.clone()))).await;
    // A store.
    let refused = refusal(&mut from_directory(&path), &mut to_directory(&other)).await;
    assert!(matches!(refused, TransferError::NotEmpty), "{refused}");
    open(&database).await.expect("it is empty");
    let refused = refusal(
        &mut from_directory(&path),
        &mut to_database(&database).await,
    )
    .await;
    assert!(matches!(refused, TransferError::NotEmpty), "{refused}");
    // Another program's.
    let foreign = Database::new();
    foreign.psql("CREATE TABLE theirs (id integer)");
    let refused = PostgresTransfer::target(&config(&foreign), "the target").await;
    assert!(matches!(refused.err(), Some(TransferError::NotEmpty)));
    assert_eq!(foreign.psql("SELECT to_regclass('node') IS NULL"), "t\n");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_source_does_not_go_on_with_what_one_began() {
    let (home, database) = (home(), Database::new());
    let path = filled_directory(&home).await;
    let begin = async || {
        let (mut source, mut target) = (from_directory(&path), to_database(&database).await);
        Transfer::begin(&mut source, &mut target).await.map(drop)
    };
    begin().await.expect("the database is empty");
    begin().await.expect("it is its own");
    // The same store, after it was at work again.
    let (clock, entropy) = later();
    let store: Arc<dyn Store> = Arc::new(embedded(&path, clock, entropy).expect("it is nobody's"));
    let set = store.set_setting("another", b"1").await;
    set.expect("it can write");
    drop(store);
    let refused = begin().await.expect_err("it is another by now");
    assert!(matches!(refused, TransferError::OtherSource), "{refused}");
}

async fn refusal(source: &mut dyn Source, target: &mut dyn Target) -> TransferError {
    let begun = Transfer::begin(source, target).await;
    begun.err().expect("the target is not empty")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn living_nodes_and_other_transfers_are_not_disturbed() {
    let database = Database::new();
    let (clock, entropy) = later();
    let opened = PostgresStore::open(config(&database), Surroundings { clock, entropy }).await;
    let (store, ..) = opened.expect("the database is empty");
    for side in ["source", "target"] {
        let refused = match side {
            "source" => PostgresTransfer::source(&config(&database), "there").await,
            _ => PostgresTransfer::target(&config(&database), "there").await,
        };
        let told = refused.err().expect("a node is alive").to_string();
        assert!(
            told.contains("nodes have a lease on there (1"),
            "{side}: {told}"
        );
    }
    store.leave().await;
    let held = from_database(&database).await;
    let told = open(&database).await.expect_err("it is read");
    assert!(told.contains("under way"), "{told}");
    let refused = PostgresTransfer::source(&config(&database), "there").await;
    assert!(matches!(refused.err(), Some(TransferError::Busy(_))));
    drop(held);

    let home = home();
    let path = filled_directory(&home).await;
    let held = from_directory(&path);
    let told = SqliteTransfer::target(&path).err().expect("it is locked");
    assert!(told.to_string().contains("in use"), "{told}");
    drop(held);
    let (clock, entropy) = later();
    let store = embedded(&path, clock, entropy).expect("it is nobody's");
    let told = SqliteTransfer::source(&path).err().expect("it is locked");
    assert!(told.to_string().contains("in use"), "{told}");
    drop(store);
    let nowhere = SqliteTransfer::source(&home.path().join("nowhere"));
    assert!(matches!(nowhere.err(), Some(TransferError::NoStore(_))));
    let nowhere = PostgresTransfer::source(&config(&Database::new()), "there").await;
    assert!(matches!(nowhere.err(), Some(TransferError::NoStore(_))));
}
