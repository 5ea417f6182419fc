//! Claims about lanes that wait in a line: for a place at their host, for others' claims, for
//! memory.

use super::table::{Table, config, facts, lane, success};
use super::*;

/// Lanes of an application, each with one delivery for the same host.
fn at_shared_host(table: &mut Table, application: i64, endpoints: std::ops::Range<i64>) {
    for endpoint in endpoints {
        let lane = lane(application, endpoint);
        let known = table.facts.entry(lane.endpoint);
        known.or_insert_with(|| facts("shared.example"));
        table.hand_over(lane);
    }
}

#[test]
fn an_application_that_is_over_its_rate_keeps_nobody_from_a_host() {
    let mut table = Table::new(EngineConfig {
        queue_max: 100,
        slots: 64,
        ..config()
    });
    at_shared_host(&mut table, 3, 100..108);
    assert_eq!(table.attempts.len(), 8, "the host is full");
    let limited = Facts {
        application_rate_limit: NonZeroU16::new(1),
        ..facts("shared.example")
    };
    for endpoint in 1..=20 {
        let endpoint = EndpointKey::from_integer(endpoint);
        table.facts.insert(endpoint, limited.clone());
    }
    at_shared_host(&mut table, 1, 1..21);
    at_shared_host(&mut table, 2, 50..51);
    for _ in 0..8 {
        table.end(0, success(5));
    }
    assert_eq!(table.in_flight(lane(2, 50)), 1);
}

#[test]
fn a_host_s_window_grows_while_lanes_wait_for_it() {
    let mut table = Table::new(EngineConfig::default());
    for application in 1..=10 {
        at_shared_host(
            &mut table,
            application,
            application * 20..application * 20 + 20,
        );
    }
    assert_eq!(table.attempts.len(), 64);
    for open in 65..100 {
        table.end(0, success(5));
        assert_eq!(table.attempts.len(), open, "each answer lets two more in");
    }
}

#[test]
fn beyond_the_memory_s_bound_a_lane_has_one_delivery_in_flight() {
    let mut table = Table::new(EngineConfig {
        queue_bytes_max: 2_500,
        ..config()
    });
    let (first, second, third) = (lane(1, 1), lane(2, 2), lane(3, 3));
    assert!(table.hand_over(first) && table.hand_over(first));
    table.tell(|roster| roster.waiting(second, Timestamp::MIN));
    assert_eq!(table.bring(0, 1, true), 1);
    assert_eq!(table.claims, [], "memory is full, and it has one in flight");
    table.tell(|roster| roster.waiting(third, Timestamp::MIN));
    assert_eq!(table.claims[0].0, third, "this one has none");
    table.bring(0, 1, false);
    assert_eq!(table.in_flight(third), 1);

    assert_eq!(table.claims, []);
    table.end(0, success(5));
    table.end(0, success(5));
    assert_eq!(table.claims[0].0, second, "there is room again");
}

#[test]
fn what_one_application_fills_memory_with_leaves_others_a_share() {
    let mut table = Table::new(EngineConfig {
        queue_bytes_max: 16_000,
        ..config()
    });
    for endpoint in 1..=4 {
        for _ in 0..4 {
            assert!(table.hand_over(lane(1, endpoint)));
        }
    }
    assert!(!table.hand_over(lane(1, 1)), "memory is full");
    let other = lane(2, 9);
    let taken = [(); 3].map(|()| table.hand_over(other));
    assert_eq!(taken, [true, true, false], "an eighth of it");
}

#[test]
fn a_lane_in_the_line_for_claims_starts_what_is_handed_over() {
    let mut table = Table::new(config());
    for endpoint in [1, 2, 3] {
        table.tell(|roster| roster.waiting(lane(endpoint, endpoint), Timestamp::MIN));
    }
    assert_eq!(table.claims.len(), 2, "the third waits in the line");
    table.hand_over(lane(3, 3));
    assert_eq!(table.in_flight(lane(3, 3)), 1);
    table.bring(0, 0, false);
    assert_eq!(table.claims[1].0, lane(3, 3));
}

#[test]
fn what_a_gone_endpoint_left_over_ends_however_often_others_change() {
    let mut table = Table::new(config()).with(lane(1, 1), Facts::default());
    table.hand_over(lane(1, 1));
    table.tell(|roster| roster.waiting(lane(1, 1), Timestamp::MIN));
    for _ in 0..3 {
        assert_eq!(table.claims, []);
        table.pass(Duration::from_secs(10));
        table.tell(|roster| roster.changed(lane(1, 1).application));
    }
    table.bring(0, 1, false);
    assert!(table.attempts[0].1.left_over);
}

#[test]
fn what_waits_in_memory_goes_on_while_no_claim_may_begin() {
    let mut table = Table::new(config());
    for endpoint in [1, 2] {
        table.tell(|roster| roster.waiting(lane(endpoint, endpoint), Timestamp::MIN));
    }
    assert_eq!(table.claims.len(), 2, "as many as may be under way");
    let third = lane(3, 3);
    for _ in 0..6 {
        table.hand_over(third);
    }
    table.tell(|roster| roster.waiting(third, Timestamp::MIN));
    let failed = Ended {
        how: How::Failure,
        ..success(5)
    };
    for _ in 0..2 {
        table.end(0, failed);
        assert_eq!(table.in_flight(third), 4);
    }
    table.end(0, failed);
    assert_eq!((table.in_flight(third), table.claims.len()), (3, 2));
    table.bring(0, 0, false);
    assert_eq!(table.claims[1].0, third);
}

#[test]
fn a_due_time_that_was_dropped_while_a_claim_was_under_way_is_asked_for() {
    let mut table = Table::new(config());
    let due = |seconds: i64| Timestamp::from_seconds(1_000_000 + seconds);
    table.tell(|roster| roster.waiting(lane(1, 1), due(5)));
    table.pass(Duration::from_secs(5));
    assert!(!table.claims[0].1.next_due);
    for seconds in [7, 12] {
        table.tell(|roster| roster.waiting(lane(1, 1), due(seconds)));
    }
    table.pass(Duration::from_secs(2));
    table.bring(0, 0, false);
    assert!(table.claims[0].1.next_due);
}

#[test]
fn an_endpoint_that_is_there_again_is_looked_at_at_once() {
    let mut table = Table::new(config()).with(lane(1, 1), Facts::default());
    table.hand_over(lane(1, 1));
    table.tell(|roster| roster.waiting(lane(1, 1), Timestamp::MIN));
    table.pass(Duration::from_secs(3));
    assert_eq!((table.attempts.len(), table.claims.len()), (0, 0));
    table.facts.insert(lane(1, 1).endpoint, facts("a.example"));
    table.tell(|roster| roster.changed(lane(1, 1).application));
    assert_eq!(table.claims.len(), 1);
}

#[test]
fn an_endpoint_that_moved_leaves_its_host_s_line() {
    let mut table = Table::new(EngineConfig {
        slots: 64,
        ..config()
    });
    at_shared_host(&mut table, 3, 100..109);
    assert_eq!(table.in_flight(lane(3, 108)), 0);
    let moved = lane(3, 108).endpoint;
    table.facts.insert(moved, facts("other.example"));
    table.tell(|roster| roster.changed(lane(3, 108).application));
    assert_eq!(table.in_flight(lane(3, 108)), 1);
}
