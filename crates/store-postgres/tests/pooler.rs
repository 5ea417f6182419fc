//! Through PgBouncer, which hands out connections by transaction: the claims that every store keeps
//! hold there too, nothing stays behind in its sessions, and one that ends in the middle of work
//! loses nothing.

mod harness;
#[path = "pooler/restart.rs"]
mod restart;

use harness::{Base, Place, PostgresHarness};
use private_postgres::{Database, Pooler, Server};
use std::sync::{Arc, OnceLock};
use store::Store as _;
use store::conformance::{TestClock, TestEntropy};
use store_postgres::{PostgresConfig, PostgresStore, Surroundings};

struct Pooled;

impl Place for Pooled {
    fn base() -> Base {
        // Of this process: the system ends it with that.
        static POOLER: OnceLock<Pooler> = OnceLock::new();
        let pooler = POOLER.get_or_init(|| Pooler::start(Server::shared()));
        Base::shared(|database| through(pooler, database))
    }
}

fn through(pooler: &Pooler, database: &Database) -> PostgresConfig {
    PostgresConfig {
        url: pooler.url(database.name()),
        direct_url: Some(database.url().to_owned()),
        ..PostgresConfig::default()
    }
}

/// Some claims of each kind: all of them are for [`conformance`](../conformance/index.html).
type ConformanceHarness = PostgresHarness<Pooled>;
store::conformance_test_modules! {
    accept {
        a_message_is_read_back_as_it_was_accepted
        an_event_id_is_unique_in_its_application_and_only_there
        concurrent_messages_are_each_accepted_once
    }
    applications {
        applications_page_in_both_directions
    }
    attempts {
        attempts_are_listed_by_message_and_by_endpoint
    }
    claim {
        live_goes_before_replayed_and_the_earliest_due_first
        lanes_show_the_earliest_that_nobody_holds
        nothing_is_handed_out_twice_at_once
    }
    deletes {
        deleting_an_application_ends_its_open_deliveries
    }
    durability {
        settings_written_at_once_agree
        a_backup_is_a_store_with_the_same_content
    }
    endpoints {
        a_stale_endpoint_revision_is_refused
    }
    event_types {
        event_types_page_by_name_in_both_directions
    }
    fan_out {
        works_of_several_kinds_are_all_done
    }
    idempotency {
        concurrent_repeats_happen_once
        a_key_survives_reopening
    }
    lists {
        a_follower_misses_nothing_that_is_added_meanwhile
        messages_are_listed_by_type_channel_and_tag
    }
    record {
        recording_a_reschedule_twice_changes_nothing_the_second_time
        a_manual_success_closes_the_scheduled_delivery
        concurrent_outcomes_are_each_recorded_once
    }
    recover {
        a_recovery_opens_a_replay_for_each_message_that_failed_for_good
    }
    standings {
        an_endpoints_messages_are_listed_by_standing
    }
    statistics {
        statistics_equal_a_count_over_attempts
    }
    sweep {
        attempts_and_messages_go_by_age
        nothing_open_points_at_what_a_sweep_removed
    }
}

async fn open(config: PostgresConfig, seed: u64) -> Arc<PostgresStore> {
    let surroundings = Surroundings {
        clock: Arc::new(TestClock::default()),
        entropy: Arc::new(TestEntropy::new(seed)),
    };
    let opened = PostgresStore::open(config, surroundings).await;
    let (store, writer, leases) = opened.expect("it opens");
    tokio::spawn(writer.run());
    tokio::spawn(leases.run());
    Arc::new(store)
}

/// A name would stay behind in a session that is another client's at its next transaction.
#[tokio::test(flavor = "multi_thread")]
async fn no_statement_has_a_name() {
    let server = Server::start_with(&["log_min_duration_statement=0"]);
    let config = PostgresConfig {
        direct_url: Some(server.database("one")),
        ..PostgresConfig::default()
    };
    let pooler = Pooler::start(&server);
    let config = PostgresConfig {
        url: pooler.url("one"),
        ..config
    };
    let alive = open(config.clone(), 1).await;
    let killed = open(config, 2).await;
    killed.close();
    let log = || std::fs::read_to_string(server.directory().join("log")).expect("it logs");
    let before = log().len();
    server.psql("one", "UPDATE node SET expires_at = 'epoch' WHERE slot = 2");
    let is_ended = || {
        let ended = "SELECT count(*) FROM node, pg_sleep(0.05) WHERE expires_at = '-infinity'";
        server.psql("one", ended).lines().any(|count| count == "1")
    };
    assert!((0..600).any(|_| is_ended()), "the other node ends it");
    let set = alive.set_setting("name", b"value").await;
    set.expect("it can write");
    alive.setting("name").await.expect("reads go on");

    let sent = log().split_off(before);
    assert!(sent.contains("execute <unnamed>: UPDATE delivery SET owner = 0"));
    let named = sent.lines().find(|line| line.contains(" execute s"));
    assert_eq!(named, None);
}
