//! Where a rate limit holds among nodes: one of them works on the lane, the others leave it.

use super::others::{limited, shared};
use super::*;
use store::Scope;

const SECOND: Duration = Duration::from_secs(1);

pub(super) fn of_lane(lane: Lane) -> Scope {
    Scope::Endpoint(lane.endpoint)
}

pub(super) fn of_application(lane: Lane) -> Scope {
    Scope::Application(lane.application)
}

pub(super) fn application_limited(per_second: u16) -> Facts {
    Facts {
        application_rate_limit: NonZeroU16::new(per_second),
        ..facts("a.example")
    }
}

/// A delivery that the store tells of.
pub(super) fn told_of(table: &mut Table, lane: Lane) {
    let now = table.now.wall;
    table.tell(|roster| roster.waiting_from(lane, now));
}

#[test]
fn a_limited_lane_is_worked_on_once_it_is_this_node_s_alone() {
    let mut table = Table::new(shared()).with(lane(1, 1), limited(100));
    assert!(!table.accept(lane(1, 1)), "nobody has the right yet");
    assert_eq!((table.asked, table.claims.len()), (1, 1));
    table.bring(0, 1, false);
    assert_eq!(table.in_flight(lane(1, 1)), 1);
    assert!(
        table.accept(lane(1, 1)),
        "now it is handed over from memory"
    );
    assert_eq!(table.asked, 1);
}

#[test]
fn a_store_of_one_s_own_is_not_asked_whose_a_lane_is() {
    let mut table = Table::new(config()).with(lane(1, 1), limited(100));
    assert!(table.accept(lane(1, 1)));
    assert_eq!(table.asked, 0);
}

#[test]
fn without_a_limit_no_right_is_needed() {
    let mut table = Table::new(shared());
    assert!(table.accept(lane(1, 1)));
    assert_eq!(table.asked, 0);
}

#[test]
fn what_another_node_works_on_is_left_to_it() {
    let mut table = Table::new(shared()).with(lane(1, 1), limited(100));
    table.elsewhere.insert(of_lane(lane(1, 1)));
    for _ in 0..5 {
        assert!(!table.accept(lane(1, 1)));
    }
    assert_eq!(table.asked, 1, "it is asked once a second at the most");
    assert_eq!((table.claims.len(), table.attempts.len()), (0, 0));
    assert_eq!(table.roster.held(), 0);
    table.pass(SECOND);
    assert!(!table.accept(lane(1, 1)));
    assert_eq!(table.asked, 2);
}

#[test]
fn what_is_here_when_a_limit_comes_is_let_go_of_if_another_node_has_the_right() {
    let mut table = Table::new(shared()).with(lane(1, 1), facts("a.example"));
    for _ in 0..8 {
        assert!(table.accept(lane(1, 1)));
    }
    table.elsewhere.insert(of_lane(lane(1, 1)));
    table.facts.insert(lane(1, 1).endpoint, limited(100));
    table.tell(|roster| roster.changed(ApplicationKey::from_integer(1)));
    table.end(0, success(5));
    let ceded = table.ceded.pop().expect("it was let go of");
    assert_eq!((ceded.lane, ceded.waiting.len()), (lane(1, 1), 4));
    assert_eq!(table.in_flight(lane(1, 1)), 3, "what is in flight goes on");
    table.end_all(success(5));
    assert_eq!((table.attempts.len(), table.roster.queued()), (0, 0));
}

#[test]
fn what_was_in_flight_is_let_go_of_too_if_it_ends_as_it_was() {
    let mut table = Table::new(shared()).with(lane(1, 1), facts("a.example"));
    for _ in 0..8 {
        table.accept(lane(1, 1));
    }
    table.elsewhere.insert(of_lane(lane(1, 1)));
    table.facts.insert(lane(1, 1).endpoint, limited(100));
    table.tell(|roster| roster.changed(ApplicationKey::from_integer(1)));
    table.end(0, success(5));
    assert!(table.ceded.pop().is_some(), "it was let go of");
    let due = Some(table.now.wall);
    for (number, _) in std::mem::take(&mut table.attempts) {
        let unsent = Ended {
            due,
            ..Ended::NOT_SENT
        };
        table.tell(|roster| roster.ended(number, unsent));
    }
    assert!(table.ceded.is_empty(), "it was asked a moment ago");
    table.pass(SECOND);
    assert!(table.ceded.pop().is_some(), "it is asked again");
    table.pass(SECOND);
    assert!(table.ceded.is_empty(), "nothing is left to look for");
}

#[test]
fn what_could_not_be_let_go_of_is_tried_again() {
    let mut table = Table::new(shared()).with(lane(1, 1), limited(100));
    table.elsewhere.insert(of_lane(lane(1, 1)));
    table.accept(lane(1, 1));
    assert!(table.ceded.pop().is_some());
    table.tell(|roster| roster.not_released(lane(1, 1)));
    table.pass(SECOND);
    assert!(table.ceded.pop().is_some());
}

#[test]
fn a_limit_that_only_senders_know_of_yet_is_looked_up() {
    let mut table = Table::new(shared()).with(lane(1, 1), facts("a.example"));
    assert!(table.accept(lane(1, 1)));
    table.end_all(success(5));
    table.elsewhere.insert(of_lane(lane(1, 1)));
    table.facts.insert(lane(1, 1).endpoint, limited(100));
    assert!(!table.accept(lane(1, 1)));
    assert_eq!((table.claims.len(), table.attempts.len()), (0, 0));
}

#[test]
fn what_a_claim_brings_after_the_right_went_elsewhere_is_let_go_of() {
    let mut table = Table::new(shared()).with(lane(1, 1), limited(100));
    table.accept(lane(1, 1));
    table.lease.ended.store(true, Ordering::SeqCst);
    let kept = table.bring(0, 3, false);
    assert_eq!((kept, table.attempts.len()), (0, 0));
    assert_eq!(table.roster.held(), 0, "the claim gave all back");
}

#[test]
fn a_lane_is_taken_over_when_the_store_tells_of_it() {
    let mut table = Table::new(shared()).with(lane(1, 1), limited(100));
    table.elsewhere.insert(of_lane(lane(1, 1)));
    table.accept(lane(1, 1));
    table.elsewhere.clear();
    told_of(&mut table, lane(1, 1));
    assert_eq!(table.claims.len(), 1);
}

#[test]
fn an_application_s_limit_needs_one_right_for_all_its_lanes() {
    let mut table = Table::new(shared())
        .with(lane(1, 1), application_limited(100))
        .with(lane(1, 2), application_limited(100));
    table.accept(lane(1, 1));
    assert_eq!(table.asked, 1);
    assert!(table.accept(lane(1, 2)));
    assert_eq!(table.in_flight(lane(1, 2)), 1);
    assert_eq!(table.asked, 1);
    let mut elsewhere = Table::new(shared()).with(lane(1, 1), application_limited(100));
    elsewhere.elsewhere.insert(of_application(lane(1, 1)));
    assert!(!elsewhere.accept(lane(1, 1)));
    assert_eq!(elsewhere.claims.len(), 0);
}

#[test]
fn a_right_that_ended_with_its_lease_is_asked_for_again() {
    let mut table = Table::new(shared()).with(lane(1, 1), limited(100));
    table.accept(lane(1, 1));
    table.bring(0, 0, false);
    assert!(table.accept(lane(1, 1)));
    table.end_all(success(5));
    table.lease.ended.store(true, Ordering::SeqCst);
    assert!(!table.accept(lane(1, 1)));
    assert_eq!(table.asked, 2);
}

#[test]
fn a_right_is_given_up_when_the_limit_is_gone_or_the_lane_forgotten() {
    let given_up = |table: &Table| table.lease.given_up.lock().unwrap().clone();
    let mut table = Table::new(shared()).with(lane(1, 1), limited(100));
    table.accept(lane(1, 1));
    table.bring(0, 0, false);
    table.facts.insert(lane(1, 1).endpoint, facts("a.example"));
    table.tell(|roster| roster.changed(ApplicationKey::from_integer(1)));
    assert!(table.accept(lane(1, 1)));
    assert_eq!(given_up(&table), [of_lane(lane(1, 1))]);

    let mut table = Table::new(shared()).with(lane(1, 1), application_limited(100));
    table.accept(lane(1, 1));
    table.bring(0, 0, false);
    table.pass(Duration::from_secs(120));
    table.tell(Roster::forget_idle);
    assert_eq!(given_up(&table), [of_application(lane(1, 1))]);
}
