//! What breaks is the database, or what stands before it: it crashes, has no room left. Where
//! another server takes over is in `fail_over`.

use std::time::Duration;

use e2e::wait::within_time;
use e2e::{Api, Reply, eventually};
use serde_json::json;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::database::{ACCOUNT, Database};
use crate::proxy::Way;
use crate::row::Row;
use crate::run::{Failure, Plan, World, lasts};
use crate::session::Session;

/// How soon who waits for a database that has no room is told so.
const TOLD_MAX: Duration = Duration::from_secs(15);

/// The primary crashes, and is started again; its standby stays one.
pub async fn database_killed() -> Row {
    let plan = Plan::of("The database killed (immediate stop), started again 3 s later");
    let row = plan.run(async |world| {
        let began = Instant::now();
        let Database::Plain(pair) = &mut world.nodes.database else {
            panic!("nothing stands before it");
        };
        pair.primary.stop();
        lasts(Duration::from_secs(3)).await;
        pair.primary.start_again();
        Failure::mended(began, began)
    });
    row.await
}

/// What all connections go through is killed, and started again.
pub async fn pooler_killed() -> Row {
    let plan = Plan {
        database: Database::pooled,
        ..Plan::of("PgBouncer, in front of the database, killed (SIGKILL), started again 3 s later")
    };
    let row = plan.run(async |world| {
        let Database::Pooled(_, pooler) = &mut world.nodes.database else {
            panic!("there is a pooler");
        };
        let began = Instant::now();
        pooler.stop();
        lasts(Duration::from_secs(3)).await;
        pooler.start_again();
        Failure::mended(began, began)
    });
    row.await
}

/// Others' transactions take up all of the pool for longer than a lease.
pub async fn pool_filled() -> Row {
    let plan = Plan {
        database: Database::narrow,
        ..Plan::of(
            "Both connections of PgBouncer's pool taken up by others' transactions, for \
                    longer than a lease",
        )
    };
    let row = plan.run(async |world| {
        let socket = world.nodes.database.socket().expect("there is a pooler");
        let account = world.nodes.database.account();
        let began = Instant::now();
        let mut sessions = Vec::new();
        for _ in 0..2 {
            let session = Session::open(&socket, account).await;
            let mut session = session.expect("the pooler takes many");
            session.begin().await;
            sessions.push(session);
        }
        is_told_to_clients(world).await;
        lasts_from(began, Duration::from_secs(18)).await;
        drop(sessions);
        Failure::mended(began, began)
    });
    row.await
}

/// The nodes lose their connections, and others take all that the server has.
pub async fn connections_run_out() -> Row {
    let plan = Plan {
        database: Database::scarce,
        ..Plan::of(
            "The nodes' connections broken, and all of the server's (`max_connections`) \
                    taken by others, for 8 s",
        )
    };
    let row = plan.run(async |world| {
        let socket = world.nodes.database.socket().expect("there is a server");
        let began = Instant::now();
        for node in &world.nodes.nodes {
            node.way().set(Way::Cut);
        }
        eventually("the end of the nodes' connections", || async {
            let asked = format!("SELECT count(*) FROM pg_stat_activity WHERE usename='{ACCOUNT}'");
            match world.nodes.database.psql(&asked).trim() {
                "0" => Ok(()),
                left => Err(format!("{left} left")),
            }
        })
        .await;
        let sessions = Session::take_all(&socket, ACCOUNT).await;
        for node in &world.nodes.nodes {
            node.way().set(Way::Open);
        }
        is_told_to_clients(world).await;
        lasts_from(began, Duration::from_secs(8)).await;
        drop(sessions);
        Failure::mended(began, began)
    });
    row.await
}

/// Every node says by 503 that it can't write at the moment, or read.
async fn is_told_to_clients(world: &World) {
    let mut told = JoinSet::new();
    for node in &world.nodes.nodes {
        told.spawn(is_told(node.api.clone()));
    }
    told.join_all().await;
}

async fn is_told(api: Api) {
    let there = json!({"name": "there already", "uid": "app-0"});
    let writing = eventually("a node to refuse what it can't write", || async {
        unavailable(&api.post("/app", &there).await)
    });
    within_time(TOLD_MAX, "a word on what can't be written", writing).await;
    let reading = within_time(TOLD_MAX, "a word on what can't be read", api.get("/app"));
    let told = unavailable(&reading.await);
    told.expect("what can't be written can't be read either");
}

fn unavailable(reply: &Reply) -> Result<(), String> {
    let body = reply.json();
    let is_it = reply.status == 503 && body["code"] == "service_unavailable";
    let says = body["detail"].as_str().is_some_and(|text| !text.is_empty());
    match is_it && says {
        true => Ok(()),
        false => Err(reply.to_string()),
    }
}

async fn lasts_from(began: Instant, time: Duration) {
    lasts(time.saturating_sub(began.elapsed())).await;
}
