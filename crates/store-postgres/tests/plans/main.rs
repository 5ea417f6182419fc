//! That the tables which grow with traffic can be distributed by tenant: they are keyed by
//! application, and every statement that the store sends on a message's way, for lists and for
//! housekeeping, finds their rows by it; whether they are empty, and the planner's statistics say
//! nothing, or full. What the store sends is read from the log of a server that explains it.

mod bound;
mod claims;
mod counts;
mod following;
#[path = "../harness/mod.rs"]
mod harness;
mod log;
mod partitions;
mod tables;

use bound::faults;
use futures_util::StreamExt as _;
use harness::{Base, Place, PostgresHarness};
use private_postgres::Server;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use store_postgres::PostgresConfig;

/// Claims that have the store send all that it sends.
const CLAIMS: &[&str] = &[
    "accept::an_event_id_is_unique_in_its_application_and_only_there",
    "accept::deliveries_come_back_in_order_with_holds_for_the_owned",
    "accept::a_message_is_read_back_as_it_was_accepted",
    "attempts::attempts_are_listed_by_message_and_by_endpoint",
    "attempts::attempts_are_listed_by_how_they_ended",
    "attempts::attempts_are_listed_by_what_their_messages_are",
    "attempts::excerpts_and_messages_come_only_when_asked",
    "came_in::an_entry_ends_although_nothing_was_swept",
    "came_in::entries_that_have_ended_are_swept",
    "claim::live_goes_before_replayed_and_the_earliest_due_first",
    "claim::lanes_show_the_earliest_that_nobody_holds",
    "deletes::deleting_an_application_ends_its_open_deliveries",
    "deletes::deleting_an_endpoint_ends_its_open_deliveries",
    "endpoints::a_delivery_of_what_is_not_there_is_missing",
    "fan_out::a_fan_out_opens_what_the_accept_did_not_carry",
    "health::an_outcome_can_disable_its_endpoint",
    "idempotency::a_repeat_is_answered_from_the_first",
    "idempotency::a_key_ends_with_its_life",
    "idempotency::a_change_with_a_known_key_is_not_done_again",
    "lists::messages_are_listed_by_type_channel_and_tag",
    "lists::windows_page_through_everything_once_in_both_directions",
    "lists::payloads_come_only_when_asked",
    "record::an_attempt_is_read_back_as_it_was_recorded",
    "record::recording_a_reschedule_twice_changes_nothing_the_second_time",
    "record::a_manual_success_closes_the_scheduled_delivery",
    "recover::a_recovery_opens_a_replay_for_each_message_that_failed_for_good",
    "standings::an_endpoints_messages_are_listed_by_standing",
    "standings::a_messages_endpoints_are_listed_by_ascending_key",
    "statistics::statistics_equal_a_count_over_attempts",
    "tally::tallies_equal_a_count_over_attempts",
    "tally::a_census_counts_what_is_live",
    "sweep::open_deliveries_of_an_expired_payload_are_ended",
    "sweep::attempts_and_messages_go_by_age",
    "sweep::an_event_id_is_free_when_its_message_is_gone",
    "sweep::nothing_open_points_at_what_a_sweep_removed",
];

/// One that looks at all applications at once: beside rows of others that have keys like its own,
/// which only happens here, it would not hold.
const IN_EMPTY_TABLES: &str = "deliveries::deliveries_page_once_in_both_directions_by_every_filter";

/// What must be among what it sent.
const SENT: &[&str] = &[
    "INSERT INTO message ",
    "UPDATE attempt t SET given_up = false",
    "FROM event_key ",
    "FROM idempotency ",
    "FROM replay_key WHERE key = ANY($1)",
    "DELETE FROM replay_key WHERE key = ANY($1)",
    "UPDATE delivery d SET owner = $5",
    "UPDATE delivery d SET due",
    "DELETE FROM delivery d USING",
    "FROM attempt WHERE application = g.a AND message = g.m",
    "FROM attempt WHERE application = $1 AND endpoint = $5",
    "FROM attempt WHERE application = $1 AND message = $5",
    "FROM message WHERE application = $1 AND id > $2",
    "FROM payload p WHERE",
    "FROM excerpt x WHERE",
    "SELECT result, count(*) AS attempts FROM attempt",
    "JOIN unnest($1, $2) AS g (m, e) ON d.message = ANY",
    "SELECT g.m FROM unnest($3, $4) AS g (i, m)",
    "AND endpoint = $2 AND result > 0 AND id > $3",
    "DELETE FROM attempt t USING",
    "DELETE FROM excerpt t USING",
    "DELETE FROM event_key k USING",
    "DELETE FROM message t USING",
    "DELETE FROM payload p USING",
    "FROM delivery WHERE message < $1",
    "SELECT message FROM event_key WHERE message >",
    "AND t.message < $3 AND t.id >= $3",
    "AND m.deliver_at IS NOT NULL",
];

/// How whoever follows all that is sent asks.
const FOLLOWS: &str = "SELECT id, application, NULL, NULL, NULL FROM message WHERE id >";

/// What need not be bound to an application, and why: how a statement begins.
const EXCEPT: &[(&str, &str)] = &[
    (
        "SELECT DISTINCT ON (message, endpoint) message, endpoint, application FROM attempt WHERE \
         given_up AND",
        "an operator looks for what was given up, whosever it is, by an index of nothing else",
    ),
    (
        "SELECT result, count(*) AS attempts FROM attempt WHERE application = $1 AND endpoint",
        "of less than an hour: in a small table, the index of its application may seem as good",
    ),
    (
        "UPDATE attempt t SET given_up = false",
        "has the application, and the message in that index, which the planner may take to be better",
    ),
    (
        "SELECT id, application FROM message WHERE id > $1 AND id < $2 AND id + 0",
        "an operator looks for what was delivered, by the index of whoever follows all that is sent",
    ),
    (
        "SELECT expires_at, application, message FROM payload WHERE expires_at BETWEEN",
        "a sweep looks for what has expired, whosever it is",
    ),
    (
        "SELECT hour, fingerprint FROM idempotency WHERE hour BETWEEN",
        "a sweep, as for payloads",
    ),
    (
        "DELETE FROM idempotency WHERE hour BETWEEN",
        "a sweep, as for payloads",
    ),
    (
        "DELETE FROM replay_key WHERE key = ANY(ARRAY(SELECT key FROM replay_key WHERE until <",
        "a sweep, as for payloads",
    ),
    (
        "SELECT message FROM event_key WHERE message >",
        "a sweep, as for payloads",
    ),
    (
        "DELETE FROM event_key WHERE message >",
        "a sweep, as for payloads",
    ),
    (
        "UPDATE delivery SET owner = 0 WHERE owner = ANY($1)",
        "once for each lease that ends, over open deliveries",
    ),
];

fn server() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| Server::start_with(&log::OPTIONS))
}

/// Nothing is in the tables, and nothing is known of them.
struct Empty;

impl Place for Empty {
    fn base() -> Base {
        base("")
    }
}

/// Other applications have rows in them.
struct Filled;

impl Place for Filled {
    fn base() -> Base {
        base("TEMPLATE filled")
    }
}

/// The database that is copied for each claim.
struct Template;

impl Place for Template {
    fn base() -> Base {
        make("filled", "")
    }
}

/// A database in the server that explains, under the next name.
fn base(options: &str) -> Base {
    static COUNTER: AtomicUsize = AtomicUsize::new(0);
    make(&named(COUNTER.fetch_add(1, Ordering::Relaxed)), options)
}

/// The name of the database of this number.
fn named(number: usize) -> String {
    format!("plans_{number}")
}

fn make(name: &str, options: &str) -> Base {
    server().psql("postgres", &format!("CREATE DATABASE {name} {options}"));
    let name = name.to_owned();
    Base {
        config: PostgresConfig {
            url: server().url(&name),
            ..PostgresConfig::default()
        },
        psql: Box::new(move |statements| drop(server().psql(&name, statements))),
    }
}

/// Makes the template: its partitions, by what a claim writes, and rows of other applications.
async fn fill(rows: usize, applications: usize) {
    let harness = PostgresHarness::<Template>::default();
    let claim = "record::an_attempt_is_read_back_as_it_was_recorded";
    store::conformance::check(claim, Box::new(harness)).await;
    let filling = include_str!("fill.sql").replace("ROWS", &rows.to_string());
    let filling = filling.replace("APPLICATIONS", &applications.to_string());
    server().psql("filled", &filling);
}

async fn check_all<P: Place>() {
    let claims = futures_util::stream::iter(CLAIMS);
    let checked = claims.for_each_concurrent(4, async |claim| {
        let harness = Box::new(PostgresHarness::<P>::default());
        store::conformance::check(claim, harness).await;
    });
    checked.await;
}

/// Checks everything that the store has sent.
fn assert_bound() {
    let runs = log::distinct(log::runs(server()));
    for part in SENT {
        let sent = runs.iter().any(|run| run.statement.contains(part));
        assert!(sent, "the store is to send {part:?}");
    }
    let mut found = Vec::new();
    for run in &runs {
        let excepted = EXCEPT
            .iter()
            .any(|(begin, _)| run.statement.starts_with(begin));
        if !excepted {
            let faults = faults(run);
            found.extend(
                faults
                    .iter()
                    .map(|fault| format!("{fault}\n    {}", run.statement)),
            );
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn in_empty_tables_rows_are_found_by_application() {
    check_all::<Empty>().await;
    let harness = Box::new(PostgresHarness::<Empty>::default());
    store::conformance::check(IN_EMPTY_TABLES, harness).await;
    assert_bound();
}

/// As many as autovacuum looks at first, so that the planner expects little of the whole table.
#[tokio::test(flavor = "multi_thread")]
async fn in_tables_with_few_rows_they_are_found_by_application() {
    fill(50, 5).await;
    check_all::<Filled>().await;
    assert_bound();
}

/// So that the planner expects next to nothing of an application.
#[tokio::test(flavor = "multi_thread")]
async fn in_tables_of_many_small_applications_rows_are_found_by_application() {
    fill(5_000, 5_000).await;
    check_all::<Filled>().await;
    assert_bound();
}
