//! Another server takes over: Patroni promotes the standby of a primary that is gone, stands still,
//! or goes on without knowing.

use std::time::Duration;

use e2e::eventually;
use private_postgres::Patroni;
use tokio::time::Instant;

use crate::database::{DATABASE, Database};
use crate::nodes::COUNT;
use crate::row::Row;
use crate::run::{Failure, Plan, World, application_of};

/// All is on time again after a standby was promoted.
const FAIL_OVER_MAX: Duration = Duration::from_secs(10);
/// The same where the old one says nothing: a commit under way is given up after twelve seconds,
/// and a host that a connection is asked of after three.
const SILENCE_MAX: Duration = Duration::from_secs(30);
/// Commits of nodes that wait for a standby.
const WAITING: &str = "SELECT count(*) FROM pg_stat_activity
    WHERE application_name = 'postrider' AND wait_event = 'SyncRep'";
/// Leases that were renewed a moment ago.
const RENEWED: &str =
    "SELECT count(*) FROM node WHERE expires_at > clock_timestamp() + interval '10 s'";
const TAKES_WRITES: &str = "SHOW transaction_read_only";

/// The primary's machine goes away. Patroni promotes the standby by itself, and makes the old
/// primary its standby when that comes back.
pub async fn failed_over() -> Row {
    let title = "The primary and its Patroni killed (SIGKILL), started again when all was on time \
                 again; the standby was promoted";
    let steps: (Step, Step) = (Patroni::kill, Patroni::start_again);
    fail_over(title, FAIL_OVER_MAX, steps).await
}

/// The same with a primary that breaks no connection, takes new ones, and says nothing.
pub async fn failed_over_in_silence() -> Row {
    let title = "The primary and its Patroni standing still (SIGSTOP), until all was on time \
                 again; the standby was promoted";
    let steps: (Step, Step) = (Patroni::stand_still, |servers, old| {
        servers.go_on_alone(old);
        servers.start_again(old);
    });
    fail_over(title, SILENCE_MAX, steps).await
}

/// The same, but the old primary goes on as soon as the standby is promoted, and has no Patroni: it
/// takes connections and writes, until that is started and notices.
pub async fn failed_over_and_gone_on() -> Row {
    let title = "The same, but the old primary going on (SIGCONT) as soon as the standby was \
                 promoted, without its Patroni, which was started when all was on time again; the \
                 standby was promoted";
    let row = under_patroni(title).run(async |world| {
        let servers = patroni(world);
        let old = servers.primary().expect("there is one");
        let began = Instant::now();
        servers.stand_still(old);
        let last = is_promoted(servers, 1 - old).await;
        servers.go_on_alone(old);
        commits_wait(servers, old).await;
        let before = world.ledger.accepted();
        recovers(world, last, SILENCE_MAX).await;
        all_are_at(patroni(world), 1 - old).await;
        let takes_writes = patroni(world).psql_on(old, DATABASE, TAKES_WRITES);
        assert_eq!(takes_writes.as_deref(), Ok("off\n"), "nobody told it yet");
        let mut meanwhile = world.ledger.accepted();
        meanwhile.retain(|number, _| !before.contains_key(number));
        assert!(!meanwhile.is_empty(), "messages were accepted meanwhile");
        for (number, id) in meanwhile {
            let path = format!("/app/{}/msg/{id}", application_of(number));
            world.api(number % COUNT).get(&path).await.expect(200);
        }
        patroni(world).start_again(old);
        is_standby(patroni(world), old).await;
        over(began, last)
    });
    row.await
}

fn under_patroni(title: &'static str) -> Plan {
    Plan {
        database: Database::patroni,
        ..Plan::of(title)
    }
}

/// Takes the primary away, and gives it back as soon as all is well without it.
async fn fail_over(title: &'static str, recovery_max: Duration, (take, give): (Step, Step)) -> Row {
    let row = under_patroni(title).run(async |world| {
        let servers = patroni(world);
        let old = servers.primary().expect("there is one");
        let began = Instant::now();
        take(servers, old);
        let last = is_promoted(servers, 1 - old).await;
        recovers(world, last, recovery_max).await;
        give(patroni(world), old);
        is_standby(patroni(world), old).await;
        over(began, last)
    });
    row.await
}

/// What is done to a server.
type Step = fn(&mut Patroni, usize);

fn patroni(world: &mut World) -> &mut Patroni {
    match &mut world.nodes.database {
        Database::Patroni(patroni) => patroni,
        _ => panic!("the scenario has servers that Patroni runs"),
    }
}

/// Waits until this server takes writes. Since when it does.
async fn is_promoted(servers: &Patroni, new: usize) -> Instant {
    says(servers, (new, TAKES_WRITES), |said| said == "off").await;
    Instant::now()
}

/// Waits until commits of nodes are under way on a primary that has no standby any more.
async fn commits_wait(servers: &Patroni, old: usize) {
    says(servers, (old, WAITING), |said| said != "0").await;
}

/// Waits until each node has renewed its lease on this server.
async fn all_are_at(servers: &Patroni, new: usize) {
    let all = COUNT.to_string();
    says(servers, (new, RENEWED), |said| said == all).await;
}

/// Waits until a statement gives the right answer on a server.
async fn says(servers: &Patroni, (server, asked): (usize, &str), right: impl Fn(&str) -> bool) {
    eventually(asked, || async {
        let said = servers.psql_on(server, DATABASE, asked);
        match said.as_deref().map(str::trim) {
            Ok(said) if right(said) => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
}

async fn recovers(world: &World, last: Instant, recovery_max: Duration) {
    world.on_time().await;
    let recovery = world.ledger.on_time_after(last);
    assert!(recovery < recovery_max, "{recovery:?}");
}

/// Waits until the old primary is the synchronous standby of the other one.
async fn is_standby(servers: &Patroni, old: usize) {
    eventually("the old primary to be a standby", || async {
        // One that stood still is a primary for as long as its Patroni has not noticed.
        match servers.primary() == Some(1 - old) && servers.is_synchronous() {
            true => Ok(()),
            false => Err("not yet".to_owned()),
        }
    })
    .await;
}

fn over(began: Instant, last: Instant) -> Failure {
    let note = format!(" after {:.1} s", (last - began).as_secs_f64());
    Failure {
        note,
        ..Failure::mended(began, last)
    }
}
