//! What is broken, one scenario each, and what must hold beside what always must: nothing that was
//! accepted is lost or stored twice, everything is genuine, and repeats come with the failure only.

use std::time::Duration;

use e2e::{eventually, within};
use serde_json::Value;
use tokio::time::Instant;

use crate::load::try_once;
use crate::proxy::Way;
use crate::receiver::SLOW;
use crate::row::Row;
use crate::run::{Failure, Plan, World, lasts};

mod database;
mod fail_over;
mod restart;

pub use database::{connections_run_out, database_killed, pool_filled, pooler_killed};
pub use fail_over::{failed_over, failed_over_and_gone_on, failed_over_in_silence};
pub use restart::{restarted, restarted_apart};

/// A node's lease.
const LEASE: Duration = Duration::from_secs(15);
/// All is on time again after the death of a node.
const NODE_KILL_MAX: Duration = Duration::from_secs(30);
/// Messages at the slow endpoint: as many as a lane takes at once when it is new.
const SLOW_MESSAGES: u64 = 4;
const FIVE_MINUTES: i64 = 300;

/// Every node is killed once, and started again two seconds later.
pub async fn killed() -> Row {
    let plan = Plan::of("Each node in turn killed (SIGKILL), started again 2 s later");
    let row = plan.run(async |world| {
        let began = Instant::now();
        let mut last = began;
        for node in &mut world.nodes.nodes {
            last = Instant::now();
            node.server.kill().await;
            lasts(Duration::from_secs(2)).await;
            node.server.restart().await;
        }
        Failure::mended(began, last)
    });
    let row = row.await;
    assert!(row.on_time_after < NODE_KILL_MAX, "{row}");
    assert!(row.longest_wait < NODE_KILL_MAX, "{row}");
    row
}

/// A node stands still in the middle of attempts and of a commit, until others took over; then it
/// goes on, with outcomes of attempts that are no longer its own.
pub async fn stopped() -> Row {
    let title = "A node stopped (SIGSTOP) in the middle of attempts and of a commit, for longer \
                 than its lease";
    let row = Plan::of(title).run(async |world| {
        let slow = slow_messages(world).await;
        let node = &world.nodes.nodes[0];
        node.way().catch(Way::CommitsHeld).await;
        let began = Instant::now();
        node.server.signal("STOP").await;
        world.endpoints.slow.first.open();
        let mut arrived = world.endpoints.slow.arrived.subscribe();
        let again = arrived.wait_for(|(_, again)| *again >= SLOW_MESSAGES);
        within("others to take over", again)
            .await
            .expect("the sender is held");
        node.server.signal("CONT").await;
        node.way().set(Way::Open);
        let failure = Failure::mended(began, began);
        late_outcomes_change_nothing(world, &slow).await;
        failure
    });
    let row = row.await;
    assert!(row.twice as u64 >= SLOW_MESSAGES, "{row}");
    row
}

/// Each node in turn loses the database's answers to its commits, then the connection.
pub async fn answers_lost() -> Row {
    let title = "Each node in turn cut off from the database before the answers to its commits \
                 arrive, for 4 s";
    let row = Plan::of(title).run(async |world| {
        let began = Instant::now();
        let mut last = began;
        for node in &world.nodes.nodes {
            last = Instant::now();
            node.way().catch(Way::AnswersLost).await;
            node.way().set(Way::Cut);
            node.server.printed("a commit was not answered").await;
            lasts(Duration::from_secs(4)).await;
            node.way().set(Way::Open);
        }
        Failure::mended(began, last)
    });
    row.await
}

/// A node is cut off in the middle of commits for longer than its lease.
pub async fn cut_off() -> Row {
    let title = "A node cut off from the database in the middle of commits, for longer than its \
                 lease";
    let row = Plan::of(title).run(async |world| {
        let proxy = world.nodes.nodes[0].way();
        let began = Instant::now();
        proxy.catch(Way::CommitsHeld).await;
        proxy.set(Way::Cut);
        lasts(LEASE + Duration::from_secs(3)).await;
        proxy.set(Way::Open);
        Failure::mended(began, began)
    });
    row.await
}

/// A node's clock is ahead and another's behind; then the latter is set right.
pub async fn clocks_wrong() -> Row {
    let plan = Plan {
        clocks_wrong_by: [0, FIVE_MINUTES, -FIVE_MINUTES],
        // A request that is signed five minutes early or late is at the edge of what is usual.
        tolerance_seconds: 2 * webhook::TOLERANCE_SECONDS,
        ..Plan::of(
            "One node's clock 5 min ahead, another's 5 min behind, and after 5 s that one started \
             again with the right time",
        )
    };
    let row = plan.run(async |world| {
        let began = Instant::now();
        lasts(Duration::from_secs(5)).await;
        let ended = world.nodes.nodes[2].server.terminate().await;
        assert!(ended.success(), "{ended:?}");
        world.nodes.mend_clock(2).await;
        Failure::mended(began, began)
    });
    row.await
}

/// Sends messages through the first node, and waits until it has all their attempts under way.
async fn slow_messages(world: &World) -> Vec<String> {
    let mut sent = Vec::new();
    for _ in 0..SLOW_MESSAGES {
        let number = world.ledger.open();
        let id = eventually("a message to be accepted", || async {
            let id = try_once(world.api(0), number, SLOW).await;
            id.ok_or_else(|| "the database is slow".to_owned())
        });
        let id = id.await;
        world.ledger.accept(number, id.clone());
        sent.push(id);
    }
    let mut arrived = world.endpoints.slow.arrived.subscribe();
    let all = arrived.wait_for(|(first, _)| *first >= SLOW_MESSAGES);
    within("attempts at the slow endpoint", all)
        .await
        .expect("the sender is held");
    sent
}

/// The successes of the node that was stopped are recorded, and end no delivery that is another's
/// by now: each is made once more when the endpoint allows it.
async fn late_outcomes_change_nothing(world: &World, messages: &[String]) {
    for message in messages {
        eventually(format!("the late outcome of {message}"), || async {
            let path = format!("/app/{SLOW}/attempt/msg/{message}");
            let attempts = world.api(1).get(&path).await.expect(200).json();
            let succeeded = |attempt: &Value| attempt["status"] == 0;
            match attempts["data"]
                .as_array()
                .is_some_and(|all| all.iter().any(succeeded))
            {
                true => Ok(()),
                false => Err(attempts.to_string()),
            }
        })
        .await;
    }
    world.endpoints.slow.willing.send_replace(true);
    let mut arrived = world.ledger.arrived.subscribe();
    let made = arrived.wait_for(|_| {
        let entries = world.ledger.entries();
        let made = |id: &&String| {
            let one = entries
                .iter()
                .find(|entry| entry.accepted.as_ref() == Some(*id));
            one.is_some_and(|one| one.arrivals.len() == 2)
        };
        messages.iter().filter(made).count() == messages.len()
    });
    within("deliveries that late outcomes must not have ended", made)
        .await
        .expect("the sender is held");
}
