//! Claims about whose turn it is, without a runtime.

mod asking;
mod lines;
mod others;
mod owning;
mod table;
mod walk;

use super::*;
use crate::lane::{How, LaneLimits};
use model::delivery::Trigger;
use table::{Table, config, facts, lane, success};

#[test]
fn a_granted_delivery_starts_at_once_and_four_at_the_most_in_a_new_lane() {
    let mut table = Table::new(config());
    let granted = (0..20).filter(|_| table.accept(lane(1, 1))).count();
    assert_eq!((granted, table.in_flight(lane(1, 1))), (16, 4));
    assert_eq!(table.roster.queued(), 12);
    table.end(0, success(5));
    assert_eq!(table.roster.held(), 5, "a success lets one more in");
}

#[test]
fn what_found_no_place_is_claimed_when_the_lane_has_room() {
    let mut table = Table::new(config());
    for _ in 0..30 {
        table.accept(lane(1, 1));
    }
    assert_eq!(table.claims, [], "the lane is full");
    while table.claims.is_empty() {
        table.end_all(success(5));
    }
    assert_eq!(table.claims.len(), 1);
    assert!(table.claims[0].1.limit > 1, "a claim brings more than one");
    let brought = table.bring(0, 12, false);
    table.end_all(success(5));
    table.end_all(success(5));
    table.end_all(success(5));
    assert!(brought >= 2);
    assert_eq!((table.roster.held(), table.roster.queued()), (0, 0));
}

#[test]
fn a_place_that_is_not_used_can_be_granted_again() {
    let mut table = Table::new(config());
    let places: Vec<_> = (0..16)
        .map(|_| table.roster.grant(lane(1, 1), false))
        .collect();
    assert!(places.iter().all(Option::is_some));
    assert!(table.roster.grant(lane(1, 1), false).is_none());
    drop(places);
    assert!(table.roster.grant(lane(1, 1), false).is_some());
}

#[test]
fn memory_is_bounded_however_many_lanes_ask() {
    let mut table = Table::new(config());
    let granted = (1..=100).map(|endpoint| lane(endpoint, endpoint));
    let granted = granted
        .flat_map(|lane| [lane; 10])
        .filter(|lane| table.accept(*lane))
        .count();
    assert!(granted <= 16 + 32, "{granted}");
    assert!(table.roster.queued() + table.roster.held() <= 16 + 32);
    assert!(table.roster.held() <= 16);
}

#[test]
fn payloads_beyond_the_memory_s_bound_are_not_kept() {
    let mut table = Table::new(EngineConfig {
        queue_bytes_max: 2_500,
        ..config()
    });
    let taken: Vec<_> = (0..4).map(|_| table.hand_over(lane(1, 1))).collect();
    assert_eq!(taken, [true, true, false, false]);
    table.end_all(success(5));
    assert!(table.hand_over(lane(1, 1)));
}

#[test]
fn a_dead_lane_s_backlog_does_not_stop_another() {
    let mut table = Table::new(config());
    let dead: Vec<_> = (1..=30).map(|endpoint| lane(1, endpoint)).collect();
    for lane in &dead {
        table.tell(|roster| roster.waiting(*lane, Timestamp::MIN));
    }
    // All that are due are claimed, two at a time, until the slow half is used as far as one
    // application may use it.
    while !table.claims.is_empty() {
        table.bring(0, 1, true);
    }
    assert!(
        (1..=8).contains(&table.roster.held()),
        "{}",
        table.roster.held()
    );
    assert!(table.accept(lane(2, 99)));
    assert_eq!(table.in_flight(lane(2, 99)), 1);
}

#[test]
fn claims_take_turns_and_all_lanes_get_theirs() {
    let mut table = Table::new(config());
    for endpoint in 1..=10 {
        table.tell(|roster| roster.waiting(lane(endpoint, endpoint), Timestamp::MIN));
    }
    let mut seen = BTreeSet::new();
    while !table.claims.is_empty() {
        assert!(table.claims.len() <= 2);
        seen.insert(table.claims[0].0.endpoint);
        table.bring(0, 0, false);
    }
    assert_eq!(seen.len(), 10);
    assert_eq!(
        table.roster.held(),
        0,
        "a claim that brings nothing gives all back"
    );
}

#[test]
fn applications_share_slots_when_there_are_too_few() {
    let mut table = Table::new(EngineConfig {
        slots: 8,
        queue_max: 100,
        ..config()
    });
    let (busy, small) = (lane(1, 1), lane(2, 2));
    for warm in [busy, small] {
        table.accept(warm);
        table.end_all(success(5));
    }
    for endpoint in [1, 3, 4, 5] {
        for _ in 0..8 {
            table.hand_over(lane(1, endpoint));
        }
    }
    for _ in 0..8 {
        table.hand_over(small);
    }
    for _ in 0..40 {
        table.end(0, success(5));
        if table.in_flight(small) >= 4 {
            return;
        }
    }
    panic!("the small application never got its half");
}

#[test]
fn an_attempt_that_hangs_makes_its_lane_slow_and_slow_lanes_get_half() {
    let mut table = Table::new(EngineConfig {
        slots: 8,
        lane: LaneLimits {
            start: 8,
            ..LaneLimits::default()
        },
        ..config()
    });
    let hanging = lane(1, 1);
    table.accept(hanging);
    table.end_all(success(5));
    for _ in 0..4 {
        table.hand_over(hanging);
    }
    assert_eq!(table.in_flight(hanging), 4);
    table.pass(Duration::from_millis(1_001));
    for _ in 0..4 {
        table.hand_over(hanging);
    }
    assert_eq!(
        table.in_flight(hanging),
        4,
        "half of the slots, and no more"
    );
    table.end_all(success(1_500));
    assert_eq!(
        table.in_flight(hanging),
        3,
        "what waited may go, but not all that is free"
    );
}

#[test]
fn an_endpoint_s_rate_limit_holds() {
    let limited = Facts {
        rate_limit: NonZeroU16::new(2),
        ..facts("a.example")
    };
    let mut table = Table::new(config()).with(lane(1, 1), limited);
    for _ in 0..6 {
        table.hand_over(lane(1, 1));
    }
    let mut started = vec![table.attempts.len()];
    for _ in 0..4 {
        table.end_all(success(5));
        table.pass(Duration::from_millis(500));
        started.push(table.attempts.len());
    }
    assert_eq!(started, [2, 1, 1, 1, 1]);
}

#[test]
fn an_application_s_rate_limit_holds_over_all_its_lanes_and_no_other() {
    let limited = |host| Facts {
        application_rate_limit: NonZeroU16::new(2),
        ..facts(host)
    };
    let mut table = Table::new(config())
        .with(lane(1, 1), limited("a.example"))
        .with(lane(1, 2), limited("b.example"));
    for _ in 0..3 {
        table.hand_over(lane(1, 1));
        table.hand_over(lane(1, 2));
    }
    assert_eq!(table.attempts.len(), 2);
    assert!(table.hand_over(lane(2, 3)));
    assert_eq!(table.in_flight(lane(2, 3)), 1);
    table.pass(Duration::from_millis(500));
    assert_eq!(table.attempts.len(), 4);
    table.pass(Duration::from_millis(1_000));
    assert_eq!(table.attempts.len(), 6);
}

#[test]
fn a_claim_that_brings_nothing_uses_up_no_rate() {
    let limited = Facts {
        rate_limit: NonZeroU16::new(1),
        ..facts("a.example")
    };
    let mut table = Table::new(config()).with(lane(1, 1), limited);
    table.tell(|roster| roster.waiting(lane(1, 1), Timestamp::MIN));
    table.bring(0, 0, false);
    table.hand_over(lane(1, 1));
    assert_eq!(table.attempts.len(), 1);
}

#[test]
fn a_host_s_cap_holds_over_all_applications_and_places_are_passed_on() {
    let mut table = Table::new(config());
    for endpoint in 1..=6 {
        table
            .facts
            .insert(lane(endpoint, endpoint).endpoint, facts("shared.example"));
    }
    for endpoint in 1..=6 {
        for _ in 0..2 {
            table.hand_over(lane(endpoint, endpoint));
        }
    }
    assert_eq!(table.attempts.len(), 8);
    let mut ended = 0;
    while !table.attempts.is_empty() {
        assert!(table.attempts.len() <= 8);
        table.end(0, success(5));
        ended += 1;
    }
    assert_eq!(ended, 12);
}

#[test]
fn dead_endpoints_do_not_close_a_host_for_another() {
    let mut table = Table::new(EngineConfig::default());
    for endpoint in 1..=21 {
        let endpoint = EndpointKey::from_integer(endpoint);
        table.facts.insert(endpoint, facts("shared.example"));
    }
    for endpoint in 1..=20 {
        for _ in 0..4 {
            table.hand_over(lane(1, endpoint));
        }
    }
    assert_eq!(
        table.attempts.len(),
        64,
        "connections are not opened all at once"
    );
    table.hand_over(lane(2, 21));
    assert_eq!(table.in_flight(lane(2, 21)), 0);
    assert_eq!(table.roster.arm(), Some(Duration::from_millis(250)));
    table.pass(Duration::from_millis(250));
    assert_eq!(
        (table.attempts.len(), table.in_flight(lane(2, 21))),
        (81, 1)
    );
}

#[test]
fn live_deliveries_go_before_replayed_ones() {
    let mut table = Table::new(config());
    for _ in 0..4 {
        table.hand_over(lane(1, 1));
    }
    for trigger in [Trigger::Replay, Trigger::Replay, Trigger::Manual] {
        let in_hand = table.delivery(lane(1, 1), trigger);
        table.tell(|roster| roster.hand_over(in_hand));
    }
    table.end(
        0,
        Ended {
            how: How::Failure,
            ..success(5)
        },
    );
    let (_, next) = &table.attempts[3];
    assert_eq!(next.claimed.delivery.trigger, Trigger::Manual);
}

#[test]
fn a_lane_whose_due_time_comes_is_claimed_then() {
    let mut table = Table::new(config());
    let due = table.now.wall.plus(Duration::from_secs(5));
    table.tell(|roster| roster.waiting(lane(1, 1), due));
    assert_eq!(table.roster.arm(), Some(Duration::from_secs(5)));
    table.pass(Duration::from_millis(4_999));
    assert_eq!(table.claims, []);
    table.pass(Duration::from_millis(1));
    assert_eq!(table.claims.len(), 1);
    assert!(!table.claims[0].1.next_due, "no other was noted");
}

#[test]
fn a_later_due_time_is_asked_for_when_it_was_dropped_for_an_earlier() {
    let mut table = Table::new(config());
    for seconds in [9, 5] {
        let due = table.now.wall.plus(Duration::from_secs(seconds));
        table.tell(|roster| roster.waiting(lane(1, 1), due));
    }
    table.pass(Duration::from_secs(5));
    assert!(table.claims[0].1.next_due);
}

#[test]
fn an_earlier_wake_is_asked_for_once() {
    let mut table = Table::new(config());
    assert_eq!(table.roster.arm(), None);
    let due = table.now.wall.plus(Duration::from_secs(5));
    table.roster.waiting(lane(1, 1), due);
    assert!(table.roster.wants_earlier_wake());
    assert!(!table.roster.wants_earlier_wake());
}

#[test]
fn a_resting_lane_is_left_alone_until_its_rest_is_over() {
    let mut table = Table::new(config());
    table.hand_over(lane(1, 1));
    let due = table.now.wall;
    let ended = Ended {
        how: How::NotSent,
        due: Some(due),
        rest: Some(Duration::from_secs(30)),
        ..success(0)
    };
    table.end(0, ended);
    table.pass(Duration::from_secs(29));
    assert_eq!(table.claims, []);
    table.pass(Duration::from_secs(1));
    assert_eq!(table.claims.len(), 1);
}

#[test]
fn what_changed_is_learned_again_before_the_next_attempt() {
    let mut table = Table::new(config()).with(lane(1, 1), facts("a.example"));
    table.accept(lane(1, 1));
    table.end_all(success(5));
    let limited = Facts {
        rate_limit: NonZeroU16::new(1),
        ..facts("a.example")
    };
    table.facts.insert(lane(1, 1).endpoint, limited);
    table.tell(|roster| roster.changed(lane(1, 1).application));
    for _ in 0..3 {
        table.hand_over(lane(1, 1));
    }
    assert_eq!(table.attempts.len(), 1);
}

#[test]
fn what_changed_while_it_was_looked_up_is_looked_up_again() {
    let mut table = Table::new(config());
    let in_hand = table.delivery(lane(1, 1), Trigger::Scheduled);
    table.roster.at(table.now).hand_over(in_hand);
    assert!(matches!(table.roster.orders(true)[..], [Order::Learn(_)]));
    table.roster.changed(lane(1, 1).application);
    table.roster.learned(lane(1, 1), Some(facts("a.example")));
    assert!(matches!(table.roster.orders(true)[..], [Order::Learn(_)]));
    table.roster.learned(lane(1, 1), Some(facts("a.example")));
    assert!(matches!(
        table.roster.orders(true)[..],
        [Order::Attempt(..)]
    ));
}

#[test]
fn nothing_starts_while_outcomes_can_t_be_recorded() {
    let mut table = Table::new(config());
    let in_hand = table.delivery(lane(1, 1), Trigger::Scheduled);
    table.roster.at(table.now).hand_over(in_hand);
    assert!(table.roster.orders(false).is_empty());
    table.turn();
    assert_eq!(table.attempts.len(), 1);
}

#[test]
fn what_a_claim_brings_waits_until_outcomes_can_be_recorded() {
    let mut table = Table::new(config());
    table.tell(|roster| roster.waiting(lane(1, 1), Timestamp::MIN));
    let (lane, _) = table.claims.remove(0);
    let brought = Brought {
        deliveries: vec![table.delivery(lane, Trigger::Scheduled)],
        ..Brought::default()
    };
    assert!(table.roster.claimed(lane, brought).is_empty());
    assert!(table.roster.orders(false).is_empty());
    table.turn();
    assert_eq!(table.attempts.len(), 1);
}

#[test]
fn what_waits_for_an_endpoint_that_is_gone_is_let_go_of_and_looked_for_later() {
    let mut table = Table::new(config());
    for _ in 0..6 {
        table.hand_over(lane(1, 1));
    }
    table.facts.insert(lane(1, 1).endpoint, Facts::default());
    table.tell(|roster| roster.changed(lane(1, 1).application));
    table.end_all(success(5));
    assert_eq!((table.attempts.len(), table.roster.queued()), (0, 0));
    table.tell(|roster| roster.waiting(lane(1, 1), Timestamp::MIN));
    assert_eq!(table.claims, []);
    table.pass(Duration::from_secs(30));
    table.bring(0, 1, false);
    assert!(table.attempts[0].1.left_over);
}

#[test]
fn a_roster_that_closes_gives_back_what_a_claim_brought() {
    let mut table = Table::new(config());
    table.tell(|roster| roster.waiting(lane(1, 1), Timestamp::MIN));
    let (lane, _) = table.claims.remove(0);
    let brought = Brought {
        deliveries: vec![table.delivery(lane, Trigger::Scheduled)],
        ..Brought::default()
    };
    table.roster.claimed(lane, brought);
    assert_eq!(table.roster.close().len(), 1);
    assert_eq!((table.roster.held(), table.roster.bytes), (0, 0));
}

#[test]
fn a_closed_roster_gives_back_what_waits_and_takes_nothing() {
    let mut table = Table::new(config());
    for _ in 0..6 {
        table.hand_over(lane(1, 1));
    }
    assert_eq!(table.tell(Roster::close).len(), 2);
    assert!(!table.hand_over(lane(1, 1)));
    assert!(table.roster.grant(lane(1, 1), false).is_none());
    table.end_all(success(5));
    assert_eq!((table.attempts.len(), table.roster.held()), (0, 0));
}

#[test]
fn idle_lanes_are_forgotten_and_only_those() {
    let mut table = Table::new(config());
    table.hand_over(lane(1, 1));
    table.hand_over(lane(1, 2));
    table.end(0, success(5));
    table.pass(Duration::from_secs(61));
    table.tell(Roster::forget_idle);
    assert_eq!(table.roster.lane_counts(), (1, 0));
    table.end(0, success(5));
    table.pass(Duration::from_secs(61));
    table.tell(Roster::forget_idle);
    assert_eq!(table.roster.lane_counts(), (0, 0));
    assert!(table.roster.applications.is_empty());
}

#[test]
fn more_lanes_than_there_is_room_for_take_turns() {
    let mut table = Table::new(EngineConfig {
        lanes_max: 2,
        ..config()
    });
    for endpoint in 1..=6 {
        let now = table.now.wall;
        table.tell(|roster| roster.waiting(lane(1, endpoint), now));
    }
    let mut seen = Vec::new();
    for _ in 0..10 {
        while let Some((lane, _)) = table.claims.first() {
            seen.push(lane.endpoint.integer());
            table.bring(0, 0, false);
        }
        assert!(table.roster.lane_counts().0 <= 2);
        table.pass(Duration::from_secs(2));
    }
    seen.sort_unstable();
    assert_eq!(seen, [1, 2, 3, 4, 5, 6]);
}
